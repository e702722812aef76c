# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the script for nodes without Python tells besides the output of programs, and processes as texts tell them.

raw-node.txt has one fact per line, its fields separated by tabs, the kind of fact first: see the scripts in
_raw/collect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...module_utils._host.processes import Process, ProcessTable
from . import processes as listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...module_utils._facts.sources import Sources
    from .parsed import Problem

HEADER = "# netmedic.calico raw-node 1"
FILE = "raw-node.txt"
# Nothing is below a file that is no folder: what looks there for a node's files finds none, and never the controller's.
NOWHERE = "/dev/null/node"
NO_TEXT = "There is no text of it."
_BACKEND = "CALICO_NETWORKING_BACKEND"
_PROCESS_FIELDS = 10
_COMM_LENGTH = 15


class Told:
    """The facts of raw-node.txt by kind, each as its fields; without such a text there are none."""

    def __init__(self, text: str) -> None:
        self.is_raw = text.startswith(HEADER)
        self._rows: dict[str, list[list[str]]] = {}
        for line in text.splitlines() if self.is_raw else ():
            kind, *fields = line.split("\t")
            self._rows.setdefault(kind, []).append(fields)

    def rows(self, kind: str, fields: int) -> list[list[str]]:
        """Return the rows of a kind, each filled up to at least this number of fields."""
        return [row + [""] * (fields - len(row)) for row in self._rows.get(kind, [])]

    def value(self, kind: str) -> str:
        """Return the only field of the first fact of a kind, '' if there is none."""
        return self.rows(kind, 1)[0][0].strip() if kind in self._rows else ""

    def number(self, kind: str) -> float | None:
        """Return the first word of a fact as a number, None if it is none."""
        return number(self.value(kind).partition(" ")[0])

    @property
    def is_root(self) -> bool:
        """Whether the script ran as root; where nobody tells, the texts show what root may see."""
        return self.value("uid") in ("", "0")


# The beginning of a list (`ps aux | head`), or what grep leaves of it, is shorter.
_FEWEST = 12


class ToldProcess(Process):
    """A process as a text describes it: everything is known at once, and nothing more can be found out."""

    __slots__ = (
        "_age",
        "_backend",
        "_container",
        "_environment",
        "_files",
        "_held",
        "_namespace",
        "_parent",
        "_sees_calico",
        "_state_told",
    )

    def __init__(self, pid: int, comm: str, argv: Iterable[str] = ()) -> None:
        super().__init__(pid, comm[:_COMM_LENGTH], f"{NOWHERE}/{pid}")
        self._argv = tuple(argv)
        self._state_told = self._namespace = self._container = ""
        self._parent = 0
        self._age: float | None = None
        self._backend: str | None = None
        self._sees_calico = False
        self._environment: dict[str, str] = {}
        self._files = ""
        self._held: set[int] = set()

    @property
    def state(self) -> str:
        """One letter, '' if not told."""
        return self._state_told

    @property
    def ppid(self) -> int:
        """The parent's process id, 0 if not told."""
        return self._parent

    @property
    def started_seconds_ago(self) -> float | None:
        """Its age in seconds, None if not told."""
        return self._age

    @property
    def container(self) -> str:
        """The id of its container, '' if in none or not told."""
        return self._container

    @property
    def network_namespace(self) -> str:
        """The name of its network namespace, '' if not told."""
        return self._namespace

    def inside(self, path: str) -> str:
        """Return where a file of its lies that was told, or a folder that exists if the process sees Calico's
        configuration folder: nothing else is known."""
        if self._files and ".." not in path.split("/"):
            return f"{self._files}/proc/{self.pid}/root{path}"
        return "/" if self._sees_calico and "calico" in path else NOWHERE

    def environ(self, wanted: Iterable[str]) -> dict[str, str]:
        """Return those of the wanted variables that were told, and that the environment could be read."""
        if self._backend is None:
            return {}
        known = {"PATH": "-", **self._environment}
        if self._backend:
            known[_BACKEND] = self._backend
        return {name: known[name] for name in wanted if name in known}

    def sockets(self) -> set[int]:
        """Return the inodes of those of its sockets that were told."""
        return set(self._held)

    def holds(self, inode: int) -> None:
        """Say that it holds a socket."""
        self._held.add(inode)

    @classmethod
    def from_row(cls, row: list[str], uptime: float | None, ticks: float) -> ToldProcess:
        """Return the process of a row of raw-node.txt."""
        pid, parent, state, started, namespace, container, sees, backend, comm, *argv = row
        made = cls(whole(pid), comm, argv[:-1] if argv and not argv[-1] else argv)
        made._state_told, made._namespace, made._container = state, namespace, container
        made._parent = whole(parent)
        began = number(started)
        if uptime is not None and began is not None:
            made._age = max(uptime - began / ticks, 0.0)
        made._sees_calico = sees == "1"
        made._backend = None if backend == "-" else backend
        return made

    def lies_in(self, folder: str) -> None:
        """Say where the files that were told are laid out, '' where nowhere."""
        self._files = folder
        self.directory = f"{folder or NOWHERE}/{'proc/' if folder else ''}{self.pid}"

    def was_told(self, setting: str) -> None:
        """Take in one variable of its environment, NAME=VALUE."""
        name, equals, value = setting.partition("=")
        if equals:
            self._environment[name] = value

    @classmethod
    def from_listing(cls, one: listing.TextProcess) -> ToldProcess:
        """Return the process of a line of ps."""
        made = cls(one.pid, one.name, one.argv)
        made._state_told, made._parent = one.state[:1], one.parent
        made._age = float(one.age) if one.age is not None else None
        return made

    @classmethod
    def holder(cls, pid: str, comm: str, container: str = "") -> ToldProcess:
        """Return the process that holds a socket, of which no more is known."""
        made = cls(whole(pid), comm)
        made._container = container
        return made


def process_table(told: Told, texts: Mapping[str, str]) -> ProcessTable:
    """Return the processes that raw-node.txt tells of, else those of a listing by ps."""
    if told.is_raw:
        uptime, ticks = told.number("uptime"), told.number("ticks") or 100.0
        found = [ToldProcess.from_row(row, uptime, ticks) for row in told.rows("process", _PROCESS_FIELDS)]
        by_pid = {one.pid: one for one in found}
        for pid, setting in (row[:2] for row in told.rows("environ", 2)):
            if whole(pid) in by_pid:
                by_pid[whole(pid)].was_told(setting)
        for inode, pid, comm, container in (row[:4] for row in told.rows("holder", 4)):
            known = by_pid.setdefault(whole(pid), ToldProcess.holder(pid, comm, container))
            known.holds(whole(inode))
        return ProcessTable(by_pid.values(), told.value("netns"))
    return ProcessTable([ToldProcess.from_listing(one) for one in listing.parse(texts.get("processes.txt", "")).value])


def whole(text: str) -> int:
    """Return a number of at most 18 digits, else 0."""
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def number(text: str) -> float | None:
    """Return the text as a finite number, None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None


def note_unread(sources: Sources, name: str, problems: Iterable[Problem]) -> None:
    """Note the lines of a text that were not understood under the name of a source, if there are any."""
    sources.unread(name, [(problem.line, problem.text or problem.why) for problem in problems])


def note(sources: Sources, name: str, problems: Iterable[Problem]) -> None:
    """Note what a parser made of a text under the name of a source."""
    told = [f"line {problem.line}: {problem.why}" for problem in problems]
    if told:
        sources.unrecognised(name, "; ".join(told[:3]))
    else:
        sources.ok(name)


def is_whole(processes: ProcessTable) -> bool:
    """Say whether a list is of all processes of a machine, or container: one without the first process, or as short as
    the beginning of one, is not, and who is not in it may run all the same."""
    return processes.get(1) is not None and len(processes) >= _FEWEST
