# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one external program: fixed arguments, no shell, bounded in time and output, never raising."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time

from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# sudo and cron hand out short paths; the programs wanted here are administrators' programs.
EXTRA_DIRECTORIES = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin", "/usr/local/bin", "/snap/bin")
DEFAULT_MAX_BYTES = 8 * 1024 * 1024
_TICK = 0.2
# Set in what is started here, to a value of its own each time: whoever has it was started by that program.
_MARK = "NETMEDIC_CALICO_RUN"
_MOST_SWEEPS = 3


class CommandResult(NamedTuple):
    """The outcome of one program.

    `rc` is the exit status (negative: ended by that signal), -1 if the program was never started.
    `failure` is '' when the program ran to its end, whatever its exit status;
    else 'absent', 'denied', 'timeout' or a text.
    `stdout` and `stderr` hold what had arrived by then.
    """

    rc: int
    stdout: str
    stderr: str
    failure: str


def find_program(name: str) -> str:
    """Return the absolute path of the program `name`, or '' if there is none that may be executed."""
    if os.sep in name:
        return name if os.access(name, os.X_OK) and os.path.isfile(name) else ""
    for directory in _search_path():
        path = os.path.join(directory, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ""


def run(argv: Sequence[str], timeout: float, max_bytes: int = DEFAULT_MAX_BYTES) -> CommandResult:
    """Run `argv` for at most `timeout` seconds and read at most `max_bytes` of its output (both streams together).

    A program found in none of the usual directories gives failure 'absent'. On a timeout, or when the output grows past
    the cap, the program's whole process group is killed, and what else was started by it and can still be told by its
    environment. What a program that ended by itself left running is left alone.
    """
    program = find_program(argv[0])
    if not program:
        return CommandResult(-1, "", "", "absent")
    mark = f"{os.getpid()}-{os.urandom(8).hex()}"
    environment = dict(os.environ, LC_ALL="C", LANG="C", PATH=os.pathsep.join(_search_path()), **{_MARK: mark})
    try:
        process = subprocess.Popen(
            [program, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except FileNotFoundError:
        return CommandResult(-1, "", "", "absent")
    except PermissionError:
        return CommandResult(-1, "", "", "denied")
    except (OSError, ValueError) as error:
        return CommandResult(-1, "", "", f"cannot start {argv[0]}: {error}")
    chunks, failure = _collect(process, time.monotonic() + timeout, max_bytes)
    rc = _end(process, failure)
    if failure:
        _end_marked(mark)
    return CommandResult(rc, _text(chunks[0]), _text(chunks[1]), failure)


def _search_path() -> list[str]:
    directories = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    return directories + [part for part in EXTRA_DIRECTORIES if part not in directories]


def _collect(process: subprocess.Popen[bytes], deadline: float, max_bytes: int) -> tuple[list[list[bytes]], str]:
    """Read both streams until they end, the deadline passes or the cap is reached; return the chunks and a failure."""
    chunks: list[list[bytes]] = [[], []]
    streams = (process.stdout, process.stderr)
    by_descriptor = {stream.fileno(): chunks[index] for index, stream in enumerate(streams) if stream is not None}
    poller = select.poll()
    for descriptor in by_descriptor:
        poller.register(descriptor, select.POLLIN | select.POLLHUP)
    left = max_bytes
    while by_descriptor:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return chunks, "timeout"
        # A child that went into the background may hold the pipes open for ever: the program's own end is what counts.
        # It is looked for first, else what the program writes last, between the two, would be lost.
        ended = process.poll() is not None
        events = poller.poll(0 if ended else min(remaining, _TICK) * 1000)
        if not events and ended:
            break
        for descriptor, _flags in events:
            chunk = os.read(descriptor, 65536)
            if not chunk:
                poller.unregister(descriptor)
                del by_descriptor[descriptor]
                continue
            by_descriptor[descriptor].append(chunk[:left])
            left -= len(chunk)
            if left < 0:
                return chunks, f"more than {max_bytes} bytes of output"
    try:
        process.wait(max(deadline - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        return chunks, "timeout"
    return chunks, ""


def _end(process: subprocess.Popen[bytes], failure: str) -> int:
    """Kill what is still running after a failure, close the pipes and return the exit status."""
    if failure:
        # Gone already, or (a set-uid program) not ours to kill.
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    try:
        return process.wait(1.0)
    except subprocess.TimeoutExpired:
        return -1


def _end_marked(mark: str) -> None:
    """Kill what was started by the program with this mark and has left its process group (setsid, a daemon)."""
    wanted = f"{_MARK}={mark}".encode()
    for _sweep in range(_MOST_SWEEPS):  # one that is being killed may still have started another
        found = [pid for pid in os.listdir("/proc") if pid.isdigit() and _has(pid, wanted)]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


def _has(pid: str, entry: bytes) -> bool:
    """Say whether a process has this entry in its environment; one that is dead already has none."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            return entry in stream.read(1 << 20).split(b"\0")
    except OSError:
        return False


def _text(chunks: list[bytes]) -> str:
    return b"".join(chunks).decode("utf-8", "replace")
