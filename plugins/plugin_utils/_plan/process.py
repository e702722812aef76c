# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of a run on the controller, told so that a later run on the same controller can see whether it is gone.

What a killed run leaves behind counts as well: Ansible does each task in a child, which goes on for a while when
nobody is there any more to whom it could report. These children share pipes with the run that nobody else has.

A process that cannot be seen is not one that is gone. So a process tells as well in which boot and in which namespace
of processes its number means something: a container of AWX cannot judge what ran in another one. The number of a
namespace is given again only when all processes in it are gone, and then with another start of the process.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
# Of the fields of /proc/PID/stat after the name (proc(5) counts from 1 and with the number and the name).
_STATE, _START = 0, 19
_ENDED = ("Z", "X", "x")
_STANDARD = ("0", "1", "2")  # what goes to a terminal, or to a pipe that outlives the run
_MOST = 64


class Place(NamedTuple):
    """Where a number of a process means something, and who may look at it."""

    boot: str
    namespace: str
    user: str


def of_this_run(proc: Path = _PROC) -> str:
    """The process that has started this one: in an action plugin, the run. '' where it could not be told later whether
    it is gone, as on a controller that is not Linux."""
    run = os.getppid()
    place, start = _place(proc), _stat(proc, run)
    shared = _pipes(proc, run) & _pipes(proc, os.getpid())
    if place is None or len(start) <= _START or not shared or run <= 1:
        return ""
    return " ".join([*place, str(run), start[_START], ",".join(sorted(shared)[:_MOST])])


def is_gone(told: str, proc: Path = _PROC) -> bool:
    """Whether the process that of_this_run() has told of is gone for certain, and all that it has started."""
    parts = told.split(" ")
    if len(parts) != len(Place._fields) + 3 or not parts[3].isdecimal() or len(parts[3]) > 10:
        return False
    place, number, start, pipes = Place(*parts[:3]), int(parts[3]), parts[4], frozenset(parts[5].split(","))
    if place != _place(proc) or _exists(proc, number, start):
        return False
    return not any(pipes & _pipes(proc, int(one.name)) for one in proc.iterdir() if one.name.isdecimal())


def _place(proc: Path) -> Place | None:
    """This process's own; None if it cannot be told, or /proc shows another namespace than this one's."""
    try:
        if (proc / "self").readlink().name != str(os.getpid()):
            return None
        boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii", errors="replace").strip()
        namespace = str((proc / "self/ns/pid").readlink())
    except OSError:
        return None
    return Place(boot, namespace, str(os.getuid())) if boot and namespace else None


def _exists(proc: Path, number: int, start: str) -> bool:
    """Whether there is a process of this number that began at this time. Where /proc hides those of others, there is
    one all the same."""
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it is somebody else's, which may be by a new use of the number
    found = _stat(proc, number)
    return len(found) <= _START or (found[_START] == start and found[_STATE] not in _ENDED)


def _stat(proc: Path, number: int) -> list[str]:
    """What the kernel tells of a process after its name, which may hold blanks and brackets; [] if nothing."""
    try:
        told = (proc / str(number) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return told.rpartition(")")[2].split()


def _pipes(proc: Path, number: int) -> frozenset[str]:
    """The pipes that a process holds, but for its input and outputs."""
    try:
        entries = [one for one in (proc / str(number) / "fd").iterdir() if one.name not in _STANDARD]
    except OSError:
        return frozenset()
    return frozenset(told for told in map(_link, entries) if told.startswith("pipe:"))


def _link(entry: Path) -> str:
    try:
        return os.readlink(entry)
    except OSError:
        return ""
