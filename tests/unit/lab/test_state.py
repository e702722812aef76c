# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state directory: made only where nothing else is, written in one step, removed without a trace."""

from __future__ import annotations

import json
import os

import pytest

from lab.errors import LabError, UsageError
from lab.processes import Process
from lab.state import DEFAULT_DIRECTORY, State


@pytest.fixture
def state(tmp_path):
    made = State(tmp_path / "lab")
    made.create()
    return made


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.delenv("NETMEDIC_LAB", raising=False)
    assert str(State().directory) == os.path.realpath(DEFAULT_DIRECTORY)
    monkeypatch.setenv("NETMEDIC_LAB", str(tmp_path / "mine"))
    assert State().directory == tmp_path / "mine"
    assert State(tmp_path / "given").directory == tmp_path / "given"


@pytest.mark.parametrize("path", ["/run/" + "x" * 80, "/run/with space"])
def test_a_path_that_ssh_cannot_use_is_refused(path):
    with pytest.raises(UsageError, match="control sockets"):
        State(path)


def test_it_is_removed_without_a_trace(state):
    state.write("lab.json", {})
    state.path("nodes", "node-1").mkdir()
    state.path("addresses", "10.0.0.1").symlink_to("../nodes/node-1")
    state.path(".faults.json.4711").touch()
    state.create()
    assert state.remove() == []
    assert not state.directory.exists()
    assert state.remove() == []


def test_what_is_not_ours_stays(state):
    state.path("notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        state.create()
    assert state.remove() == ["notes.txt"]
    assert state.path("notes.txt").read_text() == "mine"


def test_a_file_where_the_directory_should_be_is_said(tmp_path):
    (tmp_path / "lab").touch()
    with pytest.raises(UsageError, match="cannot be made"):
        State(tmp_path / "lab").create()


def test_a_link_in_the_directory_is_not_followed(state, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    state.path("cp").rmdir()
    state.path("cp").symlink_to(outside)
    assert state.remove() == []
    assert (outside / "precious").exists()


def test_json_is_written_in_one_step_and_for_root_only(state):
    state.write("faults.json", [{"id": "x"}])
    assert state.read("faults.json") == [{"id": "x"}]
    assert state.path("faults.json").stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(state.directory)) == ["addresses", "cp", "faults.json", "mnt", "nodes"]


@pytest.mark.parametrize("text", [None, "", "{", "\udcff"])
def test_absent_or_broken_json_is_the_default(state, text):
    if text is not None:
        state.path("faults.json").write_text(text, errors="surrogateescape")
    assert state.read("faults.json", "default") == "default"


def test_only_one_command_at_a_time(state):
    other = State(state.directory)
    with state.locked(), pytest.raises(LabError, match="another lab command is at work"), other.locked():
        pass
    with other.locked():
        pass


def test_without_a_directory_there_is_no_lab(tmp_path):
    with pytest.raises(LabError, match="there is no lab in"), State(tmp_path / "none").locked():
        pass


def test_a_recorded_process_counts_only_while_it_is_the_same(state):
    own = Process.of(os.getpid())
    state.write_text("nodes/node-1/pid", f"{own}\n")
    state.write_text("nodes/node-2/pid", f"{own._replace(started=own.started + 1)}\n")
    state.write_text("nodes/node-3/pid", "garbage")
    assert state.process("node-1") == own
    assert [state.process(name) for name in ("node-2", "node-3", "node-4")] == [None, None, None]
    assert state.processes() == {own}


def test_a_broken_lab_file_is_no_lab(state):
    from lab import Lab

    state.path("lab.json").write_text(json.dumps(None))
    with pytest.raises(LabError, match="there is no lab"):
        Lab(state)
