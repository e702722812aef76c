# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from bench import __main__ as bench
from bench.figure import Figure


def test_a_figure_keeps_its_limit_or_not():
    assert Figure("a", 1.5, "ratio", 1.5).ok
    assert not Figure("a", 1.51, "ratio", 1.5).ok
    assert Figure("a", 99, "s").ok


def test_a_line_says_what_the_limit_says():
    assert Figure("a", 2.0, "ratio", 1.5).line().endswith("limit 1.5, EXCEEDED")
    assert Figure("a", 1.0, "ratio", 1.5).line().endswith("limit 1.5, kept")
    assert Figure("a", 1.0, "ratio").line().endswith("1 ratio")


@pytest.fixture
def measured(tmp_path, monkeypatch):
    def run(*figures: Figure, wrong: str = "") -> int:
        def measure(_say):
            yield from figures
            if wrong:
                raise RuntimeError(wrong)

        monkeypatch.setattr(bench, "RESULT", tmp_path / "bench.json")
        monkeypatch.setattr(bench, "MEASUREMENTS", {"thing": measure})
        monkeypatch.setattr(bench.lab_setup, "why_not", lambda: "")
        return bench.main([])

    return run


def test_the_result_has_the_agreed_form(measured, tmp_path):
    assert measured(Figure("a", 1.0, "s", 2.0), Figure("b", 3.0, "bytes")) == 0
    assert json.loads((tmp_path / "bench.json").read_text()) == {
        "a": {"value": 1.0, "unit": "s", "limit": 2.0, "ok": True},
        "b": {"value": 3.0, "unit": "bytes", "limit": None, "ok": True},
    }


def test_an_exceeded_limit_is_told_by_the_exit_status(measured):
    assert measured(Figure("a", 3.0, "s", 2.0)) == 1


def test_what_cannot_be_measured_is_said_and_the_rest_is_kept(measured, tmp_path, capsys):
    assert measured(Figure("a", 1.0, "s"), wrong="no lab") == 2
    assert "no lab" in capsys.readouterr().err
    assert list(json.loads((tmp_path / "bench.json").read_text())) == ["a"]


def test_an_unknown_measurement_is_refused(capsys):
    assert bench.main(["nothing"]) == 2
    assert "node_cost" in capsys.readouterr().err
