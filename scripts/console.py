# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to the person at the terminal, and running programs while doing so.

A step that takes long says every ten seconds what it is doing; its whole output is kept in a log.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from scripts.paths import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

HEARTBEAT_SECONDS = 10.0
TAIL_LINES = 40
PATIENCE_SECONDS = 10.0  # that a program gets to end when we are interrupted
Result = TypeVar("Result")
_running: set[subprocess.Popen[str]] = set()
_ending = threading.Event()  # what runs side by side is being ended, and begins nothing more


class UserError(Exception):
    """The work cannot go on. The text is for the user; it says what to do."""

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


class Done(NamedTuple):
    """How a program ended: its exit status, its whole output and the seconds it took."""

    status: int
    output: str
    seconds: float


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def alone_with(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file at `path`; if another make holds it, say that we wait for `what` and wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            headline(f"Waiting for another make which is {what}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def headline(text: str) -> None:
    """Announce a step."""
    say(f"==> {text}")


def complain(text: str) -> None:
    """Print a line for the user on standard error."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def run(
    argv: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    echo: bool = False,
) -> Done:
    """Run a program with its output going to `log`; while it lasts, repeat its last line every ten seconds.

    `echo` shows the output itself instead. The program is ended when this process is interrupted.
    """
    if _ending.is_set():
        raise UserError(f"{argv[0]} is not begun any more, as what runs beside it has been ended")
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    lines: list[str] = []
    with log.open("w", encoding="utf-8") as record:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        with _ended_with_us(process), _heartbeat(log.stem, started, lines, silent=echo):
            for line in process.stdout or ():
                lines.append(line)
                record.write(line)
                record.flush()
                if echo:
                    sys.stdout.write(line)
                    sys.stdout.flush()
            status = process.wait()
    return Done(status, "".join(lines), time.monotonic() - started)


def side_by_side(works: Sequence[Callable[[], Result]], at_once: int) -> list[Result]:
    """Do several pieces of work at once. What they give, in their order.

    The first is done in this thread, so that it may handle signals. Only this one is interrupted; the programs that the
    others wait for are ended with it.
    """
    with ThreadPoolExecutor(max(at_once - 1, 1)) as pool:
        begun = [pool.submit(work) for work in works[1:]]
        try:
            return [works[0](), *(one.result() for one in begun)]
        except BaseException:
            # What runs side by side within what is being ended leaves it to that to say when it is over.
            is_within = _ending.is_set()
            _ending.set()
            for process in tuple(_running):
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            if not is_within:
                _ending.clear()
            raise


def show_tail(done: Done, log: Path, lines: int = TAIL_LINES) -> None:
    """Show the end of a failed program's output and where the rest is."""
    tail = done.output.splitlines()
    for line in tail[-lines:]:
        say(f"    {line}")
    if len(tail) > lines:
        say(f"    ({len(tail) - lines} more lines above these in {printable(log)})")


@contextlib.contextmanager
def _ended_with_us(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave no program behind, whatever ends us."""
    _running.add(process)
    if _ending.is_set():
        process.terminate()
    try:
        yield
    except BaseException:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
        raise
    finally:
        _running.discard(process)


@contextlib.contextmanager
def _heartbeat(name: str, started: float, lines: Sequence[str], *, silent: bool) -> Iterator[None]:
    """Say every ten seconds that we are still at it, and at what."""
    finished = threading.Event()

    def beat() -> None:
        while not finished.wait(HEARTBEAT_SECONDS):
            now = next((line.strip() for line in reversed(lines[-20:]) if line.strip()), "")
            say(f"    … {name} {time.monotonic() - started:.0f} s{': ' if now else ''}{now[:120]}")

    thread = threading.Thread(target=beat, daemon=True)
    if not silent:
        thread.start()
    try:
        yield
    finally:
        finished.set()
        if thread.is_alive():
            thread.join()
