# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine of the lab: its specification, starting it, running something in it, reading and writing its files.

A machine comes up in two steps, so that cables can be laid between them: `prepare` makes it (it then exists, is on
record and waits), `Starting.go` lets it configure its network and run its init.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .errors import LabError
from .processes import MARKER, Process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .state import State

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SERVICES = "/etc/service/enabled"
INIT = ["/usr/bin/runsvdir", "-P", SERVICES]
_BOOT = Path(__file__).with_name("boot.py")
_ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root", "SVDIR": SERVICES}


class File(NamedTuple):
    """A file to be written into a machine before it starts."""

    path: str
    mode: int
    text: str


class Batch(NamedTuple):
    """Lines for `ip -batch`, with options that go before, such as `-n pod`."""

    arguments: list[str]
    lines: str


class Specification(NamedTuple):
    """All that makes a machine what it is.

    `sysctls`: path under /proc/sys and value; a leading "-" means that this kernel may lack it.
    `wires`: interfaces that must not send packets above their MTU.
    """

    name: str
    hostname: str
    files: list[File]
    links: list[tuple[str, str]]
    sysctls: list[tuple[str, str]]
    network: list[Batch]
    wires: list[str]


class Starting(NamedTuple):
    """A machine between `prepare` and the end of `go`."""

    name: str
    process: Process
    boot: subprocess.Popen[str]

    def go(self) -> None:
        """Let the machine configure its network and run its init; `started` tells how that went."""
        _send(self.boot, "go\n", self.name)

    def started(self) -> None:
        """Return when the init runs, raise LabError if it did not come to that."""
        answer = _read(self.boot)
        if answer or not self.process.alive:
            raise LabError(f"{self.name} did not start: {answer.removeprefix('error: ').strip() or 'its init ended'}")

    def abandon(self) -> None:
        """Close the line to a machine that shall not start; without its caller it ends by itself."""
        for stream in (self.boot.stdin, self.boot.stdout):
            if stream is not None:
                stream.close()


class Machine:
    """A running machine, reached from the host through its first process."""

    def __init__(self, state: State, name: str) -> None:
        self.state = state
        self.name = name

    @property
    def process(self) -> Process:
        """The machine's first process; LabError if the machine is not running."""
        process = self.state.process(self.name)
        if process is None:
            raise LabError(f"{self.name} is not running")
        return process

    @property
    def running(self) -> bool:
        """Whether the machine's first process lives."""
        return self.state.process(self.name) is not None

    def file(self, path: str) -> Path:
        """A file of the machine as the host sees it. Its path must not lead over an absolute link (/var/run)."""
        return Path(f"/proc/{self.process.pid}/root", path.lstrip("/"))

    @staticmethod
    def environment(terminal: str) -> dict[str, str]:
        """The environment of a command that a person runs in the machine."""
        return {**_ENVIRONMENT, "TERM": terminal}

    def command(self, argv: Sequence[str]) -> list[str]:
        """The host command that runs `argv` in all the machine's namespaces."""
        return ["nsenter", "-t", str(self.process.pid), "-m", "-u", "-i", "-n", "-p", "-r", "--", *argv]

    def exec(
        self, argv: Sequence[str], *, check: bool = True, text_input: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine with the machine's environment.

        With `check`, a failure is a LabError that carries the command's own words.
        """
        try:
            done = subprocess.run(
                self.command(argv),
                input=text_input,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                env=_ENVIRONMENT,
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"{argv[0]} on {self.name} did not end within {timeout:.0f} s") from None
        if check and done.returncode:
            words = (done.stderr.strip() or done.stdout.strip()).replace("\n", "; ")
            raise LabError(f"{' '.join(argv)} on {self.name} failed with {done.returncode}: {words}")
        return done

    def sv(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runit's `sv` in the machine, for instance `sv("down", "bird")`; waits up to 7 s for the service to obey."""
        return self.exec(["sv", *arguments], check=check)


def prepare(state: State, image: Path, specifications: Sequence[Specification]) -> list[Starting]:
    """Make the machines, all at the same time; each is on record, has its files and waits for `go`.

    On failure LabError names the machine; those made so far end by themselves once the caller is gone or abandons them.
    """
    boots = [(each.name, _boot(state, each, image)) for each in specifications]
    starting = []
    problem = ""
    for name, boot in boots:
        answer = _read(boot, one_line=True)
        process = state.process(name)
        if answer == "ready\n" and process is not None:
            starting.append(Starting(name, process, boot))
        else:
            problem = problem or f"{name} could not be made: {answer.removeprefix('error: ').strip() or 'no answer'}"
    if problem:
        for each in starting:
            each.abandon()
        raise LabError(problem)
    return starting


def _boot(state: State, specification: Specification, image: Path) -> subprocess.Popen[str]:
    pid_file = state.path("nodes", specification.name, "pid")
    pid_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    boot = subprocess.Popen(
        [sys.executable, "-ISE", str(_BOOT), str(pid_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        cwd="/",
        env={"PATH": PATH, "LANG": "C.UTF-8", MARKER: str(state.directory)},
    )
    content = {**specification._asdict(), "image": str(image), "mount_point": str(state.path("mnt")), "init": INIT}
    _send(boot, json.dumps(content) + "\n", specification.name)
    return boot


def _send(boot: subprocess.Popen[str], line: str, name: str) -> None:
    try:
        if boot.stdin is not None:
            boot.stdin.write(line)
            boot.stdin.flush()
    except BrokenPipeError:
        raise LabError(f"{name} ended while it was starting: {_read(boot).removeprefix('error: ').strip()}") from None


def _read(boot: subprocess.Popen[str], one_line: bool = False) -> str:
    if boot.stdout is None:
        return ""
    text = boot.stdout.readline() if one_line else boot.stdout.read()
    if not one_line or not text:
        boot.wait()
        for stream in (boot.stdin, boot.stdout):
            if stream is not None:
                stream.close()
    return text
