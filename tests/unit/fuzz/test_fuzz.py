# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties that `make fuzz` looks for, held without it: by recorded inputs, by enormous ones, and by all that
ever broke a parser (regressions/<target>/<what was wrong>)."""

from __future__ import annotations

import json
import random
import time

import pytest

from fuzz import __main__ as fuzz
from fuzz import enlarge, mutate, properties, seeds
from fuzz.targets import BY_NAME, JSON, TARGETS, Target
from scripts.paths import ROOT

TEXTS = ROOT / "plugins" / "plugin_utils" / "_texts"
SIZE = 20_000
REGRESSIONS = [(target, path) for target in TARGETS for path in seeds.regression_files(target)]
every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


def target_that(read) -> Target:
    return Target("made up", read)


@every_target
def test_recorded_and_empty_inputs_hold(target):
    for data in (b"", *seeds.of(target)):
        properties.check(target, data)


@every_target
def test_enormous_inputs_hold(target):
    for data in enlarge.fillers(SIZE):
        properties.check(target, data)


@every_target
def test_varied_inputs_hold(target):
    vary = mutate.mutator(target, lambda data, most: data[: most // 2])
    known = [one for one in seeds.of(target) if len(one) < SIZE] or [b"10.0.0.1 eth0 7\n"]
    for number in range(60):
        properties.check(target, vary(known[number % len(known)], SIZE, number))


@pytest.mark.parametrize(("target", "path"), REGRESSIONS, ids=lambda value: getattr(value, "name", None))
def test_what_once_broke_a_parser_holds(target, path):
    properties.check(target, path.read_bytes())


def test_every_regression_belongs_to_a_target():
    assert {path.name for path in seeds.REGRESSIONS.iterdir()} <= set(BY_NAME)
    assert REGRESSIONS


def test_every_parser_of_texts_is_a_target():
    parsers = {path.stem for path in TEXTS.glob("*.py") if "\ndef parse(text: str" in path.read_text(encoding="utf-8")}
    assert parsers <= {name.removeprefix("texts_") for name in BY_NAME if name.startswith("texts_")}


def test_raising_is_found_with_its_place():
    def read(_data):
        raise KeyError("x")

    with pytest.raises(properties.BrokenError) as caught:
        properties.check(target_that(read), b"abc")
    assert (caught.value.kind, caught.value.detail) == ("raised", "KeyError: 'x'")


def test_what_a_parser_promises_to_raise_is_no_fault():
    def read(_data):
        raise KeyError("x")

    properties.check(Target("made up", read, allowed=(KeyError,)), b"abc")


def test_hanging_is_found(monkeypatch):
    monkeypatch.setattr(properties, "SECONDS", 0.05)

    def read(_data):
        end = time.process_time() + 5
        while time.process_time() < end:
            pass

    with pytest.raises(properties.BrokenError) as caught:
        properties.check(target_that(read), b"")
    assert caught.value.kind == "hangs"


def test_growing_is_found_and_a_cycle_is_no_growth():
    with pytest.raises(properties.BrokenError) as caught:
        properties.check(target_that(lambda data: ["x" * 100] * 10_000), b"")
    assert caught.value.kind == "grows"
    properties.check(target_that(lambda data: {"a": [data.decode()]}), b"x" * 1000)


def test_varied_json_is_json_and_other_than_before():
    target = Target("made up", json.loads, form=JSON)
    vary = mutate.mutator(target, lambda data, _most: data)
    data = b'{"a": [1, {"b": "c"}], "d": null}'
    made = {vary(data, 4096, seed) for seed in range(200)}
    assert len(made) > 50
    assert sum(_is_json(one) for one in made) > len(made) / 2


def test_no_input_is_too_odd_to_be_varied():
    chance = random.Random(1)
    for data in (b"", b"\xff\xfe\x00", b"\n" * 10, b"[" * 3000):
        for _time in range(50):
            assert isinstance(mutate.of_text(data, chance), bytes)
            assert isinstance(mutate.of_json(data, chance), bytes)


def test_replaying_tells_what_holds_and_what_does_not(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "good").write_bytes(b"1")
    (folder / "bad").write_bytes(b"x")
    monkeypatch.setitem(BY_NAME, "thing", Target("thing", int))
    assert fuzz.replay([folder / "good"]) == 0
    assert fuzz.replay([folder / "good", folder / "bad"]) == 1
    assert "ValueError" in capsys.readouterr().out
    assert fuzz.replay([tmp_path / "good"]) == 2


def test_an_unknown_target_and_a_wrong_time_are_refused(capsys, monkeypatch):
    assert fuzz.main(["nothing"]) == 2
    monkeypatch.setenv("FUZZ_SECONDS", "long")
    assert fuzz.main(["ipset"]) == 2
    assert "FUZZ_SECONDS" in capsys.readouterr().err


def test_the_targets_can_be_listed(capsys):
    assert fuzz.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == list(BY_NAME)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
