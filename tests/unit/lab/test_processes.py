# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes are recognised by id and start time, found by their marker, ended only if they are the ones meant."""

from __future__ import annotations

import os
import subprocess

import pytest

from lab import processes
from lab.processes import MARKER, Process


@pytest.fixture
def sleeper():
    started = []

    def start(**environment):
        child = subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], **environment})
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()


def test_a_process_is_what_it_was():
    process = Process.of(os.getpid())
    assert process is not None
    assert process.alive
    assert Process.parse(str(process)) == process


def test_another_start_time_is_another_process(sleeper):
    child = sleeper()
    process = Process.of(child.pid)
    other = process._replace(started=process.started + 1)
    assert not other.alive
    assert processes.end([other]) == []
    assert child.poll() is None


def test_a_process_is_ended(sleeper):
    child = sleeper()
    process = Process.of(child.pid)
    assert processes.end([process]) == []
    assert not process.alive, "a zombie that nobody has waited for yet is not alive"
    assert child.wait() == -9
    assert Process.of(child.pid) is None


def test_members_are_found_by_the_marker_alone(sleeper, tmp_path):
    ours = sleeper(**{MARKER: str(tmp_path)})
    sleeper(**{MARKER: f"{tmp_path}-other"})
    sleeper(NETMEDIC_LAB=str(tmp_path))
    assert [process.pid for process in processes.members(tmp_path)] == [ours.pid]


@pytest.mark.parametrize("text", ["", "1", "1 2 3", "a b", "-1 2", "1 2.0"])
def test_other_text_is_no_process(text):
    assert Process.parse(text) is None


def test_a_name_with_brackets_does_not_confuse(tmp_path):
    program = tmp_path / "a) S 1 (b"
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    with subprocess.Popen([str(program)], stdin=subprocess.PIPE) as child:
        assert Process.of(child.pid).started >= Process.of(os.getpid()).started
        child.communicate(b"\n")
