# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's processes: how one is remembered, recognised again, found by its marker, and ended.

A process is remembered as its id and its start time, so that an id the kernel has meanwhile given to somebody else is
never mistaken for ours. The first process of every node also carries the marker `NETMEDIC_LAB_MEMBER=<state directory>`
in its environment, by which it is found when the records are lost. The marker is not the variable that users set
(`NETMEDIC_LAB`): a shell that has that one exported must not be taken for a part of the lab.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARKER = "NETMEDIC_LAB_MEMBER"


class Process(NamedTuple):
    """A process of the host's own process table: its id and its start time in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this id now, None if there is none or only its zombie is left."""
        fields = stat_fields(pid)
        if fields is None or fields[0] in ("Z", "X"):
            return None
        return cls(pid, int(fields[19]))

    @classmethod
    def parse(cls, text: str) -> Process | None:
        """Read what `str()` of a Process wrote; None for anything else."""
        parts = text.split()
        if len(parts) == 2 and all(part.isdecimal() for part in parts):
            return cls(int(parts[0]), int(parts[1]))
        return None

    def __str__(self) -> str:
        return f"{self.pid} {self.started}"

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Process.of(self.pid) == self


def stat_fields(pid: int) -> list[str] | None:
    """/proc/<pid>/stat from the state letter on (proc(5) fields 3 and up), None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def members(state_directory: Path) -> Iterator[Process]:
    """Every process that carries the marker of this state directory."""
    wanted = f"{MARKER}={state_directory}".encode()
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes()
        except OSError:
            continue
        process = Process.of(int(entry.name)) if wanted in environment.split(b"\0") else None
        if process is not None:
            yield process


def end(processes: Iterable[Process], limit: float = 10.0) -> list[Process]:
    """Kill each process that is still the one remembered; return those alive after `limit` seconds.

    A node's first process takes everything in the node with it, and with the last process go its namespaces and mounts.
    """
    left = [process for process in processes if process.alive]
    for process in left:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + limit
    while left and time.monotonic() < deadline:
        left = [process for process in left if process.alive]
        if left:
            time.sleep(0.02)
    return left
