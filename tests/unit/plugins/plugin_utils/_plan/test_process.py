# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run on this controller is gone, told by real processes: one that runs, its children, and what it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import process

# As Ansible does it: a run with a pipe for results, and a child for a task, which tells whose child it is.
RUN = """
import os, signal, sys
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import process
ends = os.pipe()
child = os.fork()
if child == 0:
    os.setsid()
    print(process.of_this_run() or "nothing", os.getpid(), sep="|", flush=True)
    signal.pause()
os.close(ends[1])
os.waitpid(child, 0)
signal.pause()
"""


@pytest.fixture
def started():
    """A run, what its task tells of it, and the task's number."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, env=environ)
    assert run.stdout is not None
    told, task = run.stdout.readline().strip().split("|")
    yield run, told, int(task)
    for number in (run.pid, int(task)):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    run.wait()
    run.stdout.close()


def gone_within(told, seconds):
    end = time.monotonic() + seconds
    while not process.is_gone(told) and time.monotonic() < end:
        time.sleep(0.01)
    return process.is_gone(told)


def test_a_run_that_runs_is_not_gone(started):
    run, told, _task = started
    assert told.split(" ")[3] == str(run.pid)
    assert not process.is_gone(told)


def test_it_is_gone_when_it_and_its_last_task_are(started):
    run, told, task = started
    run.kill()
    run.wait()
    assert not process.is_gone(told)
    os.kill(task, signal.SIGKILL)
    assert gone_within(told, 5)


def test_one_that_nobody_has_waited_for_is_gone(started):
    run, told, task = started
    os.kill(task, signal.SIGKILL)
    run.kill()
    assert gone_within(told, 5)
    assert Path(f"/proc/{run.pid}").exists()


def test_another_process_with_its_number_is_not_it(started):
    run, told, _task = started
    parts = [*told.split(" ")[:5], "pipe:[1]"]
    assert not process.is_gone(" ".join(parts))
    parts[4] = str(int(parts[4]) - 1)
    assert process.is_gone(" ".join(parts))
    assert run.poll() is None


@pytest.mark.parametrize("place", range(3))
def test_nothing_is_known_of_what_runs_elsewhere(started, place):
    run, told, task = started
    for number in (run.pid, task):
        os.kill(number, signal.SIGKILL)
    run.wait()
    parts = told.split(" ")
    parts[place] = "elsewhere"
    assert gone_within(told, 5)
    assert not process.is_gone(" ".join(parts))


@pytest.mark.parametrize("told", ["", "x", " " * 5, "a b c d e f", f"a b c {'9' * 20} 5 pipe:[1]", "1 2 3 4 5"])
def test_what_tells_of_no_process_tells_of_none_that_is_gone(told):
    assert not process.is_gone(told)


def test_without_proc_nothing_can_be_told(tmp_path):
    assert process.of_this_run(tmp_path) == ""
    assert not process.is_gone("a b 0 1 2 pipe:[3]", tmp_path)


def test_the_proc_of_another_namespace_tells_nothing(tmp_path):
    (tmp_path / "self").symlink_to("1")
    assert process.of_this_run(tmp_path) == ""
