# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import commands


def python(code, timeout=10.0, **arguments):
    return commands.run([sys.executable, "-c", code], timeout, **arguments)


def alive(pid):
    """Whether a process still runs: one that has ended and was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_output_of_both_streams_and_the_exit_status():
    result = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")

    assert result == commands.CommandResult(3, "out\n", "err\n", "")


def test_programs_speak_english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")

    assert python("import os; print(os.environ['LC_ALL'], os.environ['LANG'])").stdout == "C C\n"


def test_programs_have_nothing_to_read():
    assert python("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"


def test_a_program_that_is_not_installed():
    assert commands.run(["no-such-program-anywhere"], 5) == commands.CommandResult(-1, "", "", "absent")
    assert commands.run(["/nowhere/program"], 5).failure == "absent"


def test_a_program_that_may_not_be_run(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(commands.subprocess, "Popen", refuse)

    assert python("").failure == "denied"


def test_something_that_is_no_program(tmp_path):
    path = tmp_path / "noise"
    path.write_bytes(b"\x7fELF and no more")
    path.chmod(0o755)

    result = commands.run([str(path)], 5)

    assert result.rc == -1
    assert result.failure.startswith("cannot start")


def test_a_program_outside_of_path_is_found(monkeypatch, tmp_path):
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(commands, "EXTRA_DIRECTORIES", (str(tmp_path), "/bin", "/usr/bin"))

    assert commands.find_program("tool") == str(program)
    assert commands.run(["tool"], 5).stdout == "found\n"


def test_a_timeout_keeps_what_was_said_and_leaves_no_child(tmp_path):
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "print('working', flush=True)\n"
        "time.sleep(60)\n"
    )
    started = time.monotonic()

    result = python(code, timeout=1.5)

    assert (result.failure, result.stdout) == ("timeout", "working\n")
    assert time.monotonic() - started < 5
    time.sleep(0.1)
    assert not alive(int(note.read_text()))


def test_a_timeout_leaves_no_child_that_went_its_own_way(tmp_path):
    note = tmp_path / "pids"
    # Two generations, each in a session of its own; the one between has ended, so that no tree leads there.
    code = (
        "import os, sys, time\n"
        f"note = os.open({str(note)!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork():\n"
        "            os._exit(0)\n"
        "        os.setsid()\n"
        "        os.write(note, f'{os.getpid()}\\n'.encode())\n"
        "        os.execvp('sleep', ['sleep', '60'])\n"
        "time.sleep(60)\n"
    )
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, "NETMEDIC_CALICO_RUN": "another"})
    try:
        result = python(code, timeout=1.5)
        time.sleep(0.1)

        assert result.failure == "timeout"
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
    pids = [int(pid) for pid in note.read_text().split()]
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def test_a_child_of_a_program_that_ended_by_itself_is_left_alone():
    result = python("import subprocess; print(subprocess.Popen(['sleep', '20'], stdout=-3, stderr=-3).pid)")
    pid = int(result.stdout)

    assert alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_a_program_deaf_to_polite_signals_is_ended():
    result = python("import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)", timeout=0.5)

    assert (result.failure, result.rc) == ("timeout", -9)


def test_too_much_output_is_cut_off():
    result = python("import sys\nwhile True: sys.stdout.write('x' * 4096)", max_bytes=10000)

    assert result.failure == "more than 10000 bytes of output"
    assert len(result.stdout) == 10000


def test_much_output_on_both_streams_does_not_block():
    result = python("import sys\nfor s in (sys.stderr, sys.stdout): s.write('x' * 300000)")

    assert (len(result.stdout), len(result.stderr), result.failure) == (300000, 300000, "")


def test_a_child_in_the_background_is_not_waited_for():
    code = "import subprocess, sys; subprocess.Popen(['sleep', '3']); print('done')"
    started = time.monotonic()

    result = python(code, timeout=10)

    assert (result.stdout, result.failure) == ("done\n", "")
    assert time.monotonic() - started < 2.5


def test_what_is_said_last_is_heard_even_by_one_who_is_late(monkeypatch):
    """On a busy machine a program may speak and end between two looks at it."""

    class Late:
        def __init__(self):
            self.real = real()
            self.register, self.unregister = self.real.register, self.real.unregister

        def poll(self, milliseconds):
            events = self.real.poll(milliseconds)
            time.sleep(0 if events else 0.5)
            return events

    real = commands.select.poll
    monkeypatch.setattr(commands.select, "poll", Late)

    assert commands.run(["sh", "-c", "sleep 0.4; echo last"], 10.0).stdout == "last\n"


def test_bytes_that_are_no_text():
    assert python("import os; os.write(1, b'\\xff\\xfe ok')").stdout == "\ufffd\ufffd ok"


@pytest.mark.parametrize("argument", ["a b", "$HOME", "; echo x", "`id`", "*"])
def test_no_shell_ever_sees_the_arguments(argument):
    assert commands.run(["printf", "%s", argument], 5).stdout == argument


def test_a_null_byte_does_not_raise():
    assert commands.run(["printf", "a\0b"], 5).failure.startswith("cannot start")


def test_open_files_are_not_handed_on(tmp_path):
    with open(str(tmp_path / "secret"), "w") as stream:
        os.set_inheritable(stream.fileno(), True)
        result = python(f"import os; os.fstat({stream.fileno()})")

    assert result.rc == 1
