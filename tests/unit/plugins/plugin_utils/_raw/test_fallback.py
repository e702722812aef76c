# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the script is run in the module's place, and what comes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import fallback, script

OUTPUT = (Path(__file__).parent / "recorded" / "healthy" / "output.txt").read_text(encoding="utf-8")
MARK = "-0123456789abcdef0123456789abcdef"
PARAMS = {name: option["default"] for name, option in fallback.argument_spec().items()}


@pytest.mark.parametrize(
    "result",
    [
        {"failed": True, "rc": 127, "msg": "The module interpreter '/usr/bin/python3' was not found."},
        {"failed": True, "rc": 126, "module_stderr": "/bin/sh: 1: /usr/bin/python3: Permission denied"},
        {"failed": True, "msg": "ansible-core requires a minimum of Python version 3.8. Current version: 3.6.15"},
        {"failed": True, "rc": 1, "module_stderr": "SyntaxError: future feature annotations is not defined"},
        {"failed": True, "rc": 1, "module_stdout": "/bin/sh: /usr/libexec/platform-python: No such file or directory"},
        {"failed": True, "rc": 1, "module_stderr": "bash: python3: command not found"},
    ],
)
def test_want_of_a_python_is_told(result):
    assert fallback.lacks_python(result)


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"failed": True, "unreachable": True, "rc": 127, "msg": "Connection refused"},
        {"failed": True, "rc": 1, "module_stderr": "Traceback (most recent call last):\nKeyError: 'x'"},
        {"failed": True, "msg": "timeout must be greater than 0, not 0."},
        {"failed": True, "msg": "Missing sudo password"},
        {"failed": True, "msg": "No space left on device", "rc": 1},
    ],
)
def test_other_failures_are_left_alone(result):
    assert not fallback.lacks_python(result)


@pytest.fixture
def known_mark(monkeypatch):
    monkeypatch.setattr(script, "new_mark", lambda: MARK)


def test_facts_come_of_the_script(known_mark):
    commands = []

    def execute(command):
        commands.append(command)
        return {"rc": 0, "stdout": OUTPUT, "stderr": ""}

    result = fallback.read({"failed": True, "rc": 127}, PARAMS, execute)
    assert len(commands) == 1
    assert not result.get("failed")
    assert result["ansible_facts"]["calico_node"]["nodename"] == "node-1"
    assert "bird.cfg" in result["texts"]


@pytest.mark.parametrize(("ahead", "fraction"), [(0.0, True), (7.25, True), (-3.5, True), (7.25, False)])
def test_the_true_offset_of_the_clock_lies_within_the_bounds(known_mark, monkeypatch, ahead, fraction):
    began = node_began = 1795000000.4
    node_began += ahead + 0.2
    stamps = [node_began, node_began + 1.1] if fraction else [int(node_began), int(node_began + 1.1)]
    output = re.sub(r"(?m)^began\t.*$", f"began\t{stamps[0]}", OUTPUT)
    output = re.sub(r"(?m)^ended\t.*$", f"ended\t{stamps[1]}", output)
    monkeypatch.setattr(fallback.clock.Question, "answered", lambda _question: (began, began + 1.6))
    result = fallback.read({"failed": True, "rc": 127}, PARAMS, lambda _command: {"stdout": output})
    told = result["ansible_facts"]["calico_chrony"]
    error = told["offset_to_controller_error_seconds"]
    assert abs(told["offset_to_controller_seconds"] - ahead) <= error
    assert error <= (0.3 if fraction else 1.3)


def test_a_controller_whose_own_clock_is_set_meanwhile_says_nothing_about_the_nodes(known_mark, monkeypatch):
    monkeypatch.setattr(fallback.clock.Question, "answered", lambda _question: None)
    result = fallback.read({"failed": True, "rc": 127}, PARAMS, lambda _command: {"stdout": OUTPUT})
    assert "offset_to_controller_seconds" not in result["ansible_facts"]["calico_chrony"]


def test_texts_are_read_beside_the_facts_without_a_packet_to_others(known_mark):
    commands = []

    def execute(command):
        commands.append(command)
        return {"rc": 0, "stdout": OUTPUT, "stderr": ""}

    texts, trouble = fallback.texts(PARAMS, execute)
    assert (len(commands), trouble) == (1, "")
    assert "probe=no" in commands[0].partition("\n")[0]
    assert {"bird.cfg", "birdcl-protocols.txt", "raw-node.txt"} <= set(texts)


def test_texts_that_break_off_are_kept_and_said_to_be_so(known_mark):
    texts, trouble = fallback.texts(
        PARAMS, lambda _command: {"rc": 1, "stdout": OUTPUT[:20000], "stderr": "sh: broken"}
    )
    assert texts
    assert "sh: broken" in trouble


def test_a_script_that_did_not_end_leaves_the_failure(known_mark):
    result = fallback.read(
        {"failed": True, "rc": 127, "msg": "no interpreter"},
        PARAMS,
        lambda _command: {"rc": 1, "stdout": OUTPUT[:5000], "stderr": "sh: broken"},
    )
    assert result["failed"]
    assert "no interpreter" in result["msg"]
    assert "sh: broken" in result["msg"]


def test_options_are_checked_for_the_module(known_mark):
    result = fallback.read({"failed": True}, {**PARAMS, "timeout": 0}, lambda _command: pytest.fail("was run"))
    assert "timeout" in result["msg"]
