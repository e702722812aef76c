# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes made and taken back, one after the other."""

from __future__ import annotations

from .._record import NamedTuple
from . import kinds
from .model import RefusedError
from .record import FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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


def merged(earlier: Sequence[Entry], later: Sequence[Entry]) -> list[Entry]:
    """Return two calls' changes as one: of a thing that both have changed, what was there before the first."""
    found = {entry["subject"]: entry for entry in earlier}
    for entry in later:
        first = found.pop(entry["subject"], None)
        found[entry["subject"]] = dict(entry, before=first["before"]) if first is not None else entry
    return list(found.values())


def standing(record: Mapping[str, Any]) -> list[Entry]:
    """Return the changes of a record that stand: of a call that was not undone whole, what is left of it, and what was
    confirmed before it under the same id."""
    changes: list[Entry] = record["changes"]
    if record["state"] != FAILED:
        return changes
    left = [{key: value for key, value in entry.items() if key != "now"} for entry in reversed(pending(changes))]
    return merged(record.get("earlier", []), left)


def obstacles(entries: Sequence[Entry]) -> list[str]:
    """Return what would keep changes from being written back, with nothing written: a file system that is read-only."""
    found = []
    for entry in entries:
        try:
            kinds.one(entry["options"]).writable()
        except RefusedError as error:  # noqa: PERF203
            found.append(str(error))
    return list(dict.fromkeys(found))


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
