# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes made and taken back, one after the other."""

from __future__ import annotations

from .._record import NamedTuple
from . import kinds
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Entry = dict[str, Any]  # {"options": {"kind": …}, "subject": …, "before": …, "after": …}


class Undone(NamedTuple):
    """What came of undoing: `undone` subjects, `problems` as sentences, `left` subjects that cannot be undone."""

    undone: list[str]
    problems: list[str]
    left: list[str]


def apply(entry: Entry) -> None:
    """Make one change. Raises RefusedError, also if the thing is not as it was when the change was planned."""
    kind = kinds.one(entry["options"])
    current = kind.read()
    if not kind.same(current, entry["before"]):
        raise RefusedError(f"{entry['subject']}: it was changed by somebody else in this very moment")
    kind.write(current, entry["after"])


def undo(entries: Sequence[Entry]) -> Undone:
    """Take changes back, the last one first. What goes wrong with one keeps none of the others from it."""
    found = Undone([], [], [])
    for entry in reversed(entries):
        try:
            _undo_one(entry, found)
        except RefusedError as error:  # noqa: PERF203
            found.problems.append(str(error))
        except Exception as error:  # noqa: BLE001 - nobody is there to see it; the other changes must be undone
            found.problems.append(f"{entry['subject']}: {type(error).__name__}: {error}")
    return found


def _undo_one(entry: Entry, found: Undone) -> None:
    kind = kinds.one(entry["options"])
    if not kind.undoable:
        found.left.append(entry["subject"])
        return
    current = kind.read()
    if kind.same(current, entry["before"]):
        return
    if not kind.same(current, entry["after"]):
        raise RefusedError(_foreign(entry))
    kind.write(current, entry["before"])
    found.undone.append(entry["subject"])


def conflicts(entries: Sequence[Entry]) -> list[str]:
    """Return what keeps changes from being undone: things that are neither as they were set nor as they were before."""
    found = []
    for entry in reversed(entries):
        kind = kinds.one(entry["options"])
        try:
            current = kind.read() if kind.undoable else entry["before"]
        except RefusedError as error:
            found.append(str(error))
            continue
        if not kind.same(current, entry["before"]) and not kind.same(current, entry["after"]):
            found.append(_foreign(entry))
    return found


def pending(entries: Sequence[Entry]) -> list[Entry]:
    """Return the changes that are still to be undone, with `now`, what is there. Raises RefusedError."""
    found = []
    for entry in reversed(entries):
        kind = kinds.one(entry["options"])
        if kind.undoable:
            current = kind.read()
            if not kind.same(current, entry["before"]):
                found.append(dict(entry, now=current))
    return found


def _foreign(entry: Entry) -> str:
    return f"{entry['subject']}: somebody else changed it since, so it is left as it is"
