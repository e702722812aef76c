# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: findings that somebody knows of and accepts for a time. They are told all the same, as waived."""

from __future__ import annotations

import difflib
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_KEYS = ("fault", "node", "reason", "expires")
# An id that was mistyped differs in a letter or two.
_NEAR = 0.7


class Waiver(NamedTuple):
    """fault and node may hold * and ?; expires is the last day on which it holds."""

    fault: str
    node: str
    reason: str
    expires: date

    def covers(self, fault: str, node: str) -> bool:
        """Whether it is about this fault on this node; "" is a fault on no node."""
        return fnmatchcase(fault, self.fault) and (fnmatchcase(node, self.node) or (not node and self.node == "*"))


def read(items: Any) -> tuple[Waiver, ...]:
    """Read waivers as a user gives them: a list of mappings with fault, node, reason and expires (YYYY-MM-DD).

    ValueError, with a sentence for the user, for what is no such list.
    """
    if not isinstance(items, (list, tuple)):
        raise ValueError("The waivers must be a list")
    return tuple(_waiver(number, item) for number, item in enumerate(items, 1))


def _waiver(number: int, item: Any) -> Waiver:
    if not isinstance(item, dict):
        raise ValueError(f"Waiver {number} must be a mapping with {', '.join(_KEYS)}")
    wrong = sorted(set(map(str, item)) - set(_KEYS))
    if wrong:
        raise ValueError(f"Waiver {number} has {wrong[0]}, which is not known; known are {', '.join(_KEYS)}")
    for key in _KEYS[:3]:
        if not (isinstance(item.get(key), str) and item[key].strip()):
            raise ValueError(f"Waiver {number} needs {key} as a text")
    return Waiver(item["fault"].strip(), item["node"].strip(), item["reason"].strip(), _day(number, item))


def _day(number: int, item: Any) -> date:
    told = item.get("expires")
    if isinstance(told, datetime):
        return told.date()
    if isinstance(told, date):
        return told
    try:
        return date.fromisoformat(str(told))
    except ValueError:
        raise ValueError(f"Waiver {number} needs expires as a day, such as 2027-01-31; it has {told!r}") from None


def of_nothing(waivers: Iterable[Waiver], own: Iterable[str]) -> dict[Waiver, str]:
    """Those waivers whose fault there is not, and a sentence on each; `own`: the faults of the user's own checks."""
    if not (given := list(waivers)):
        return {}
    # All faults take their time to load.
    from .._catalogue.faults import FAULTS

    known = [*(fault.id for fault in FAULTS), *own]
    return {
        one: f"The waiver of {one.fault} on {one.node} waives nothing: {_no_fault(one.fault, known)}"
        for one in given
        if not any(fnmatchcase(fault, one.fault) for fault in known)
    }


def _no_fault(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, _NEAR)
    return f"there is no such fault; is {near[0]} meant?" if near else "there is no such fault."


def apply(
    findings: Iterable[dict[str, Any]],
    waivers: Sequence[Waiver],
    today: date,
    *,
    certain: bool = True,
    own: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Mark the findings of which every node is covered; return notes on waivers that have expired or fit nothing.

    certain: what is not among the findings is not there, so that it may be said that a waiver fits nothing. own: the
    faults of the user's own checks.
    """
    items = list(findings)
    used: set[Waiver] = set()
    for item in items:
        found = [_covering(waivers, item["fault"], node, today) for node in item["nodes"] or [""]]
        held = [one for one in found if one is not None]
        used.update(held)
        if len(held) == len(found):
            first = min(held, key=lambda one: one.expires)
            item["waived"] = {"reason": first.reason, "expires": first.expires.isoformat()}
    idle = [one for one in waivers if one not in used]
    unknown = of_nothing(idle, own)
    return [
        _told(unknown[one]) if one in unknown else _note(one, items, today)
        for one in idle
        if certain or one in unknown or one.expires < today
    ]


def _covering(waivers: Iterable[Waiver], fault: str, node: str, today: date) -> Waiver | None:
    return next((one for one in waivers if one.expires >= today and one.covers(fault, node)), None)


def _note(waiver: Waiver, items: Iterable[dict[str, Any]], today: date) -> dict[str, Any]:
    what = f"The waiver of {waiver.fault} on {waiver.node}"
    if waiver.expires < today:
        says = f"{what} expired on {waiver.expires.isoformat()}"
        there = any(waiver.covers(item["fault"], node) for item in items for node in item["nodes"] or [""])
        says += ", and the finding is there" if there else ", and nothing of it is left to waive"
    else:
        says = f"{what} fits no finding; it may be taken out"
    return _told(f"{says}.")


def _told(says: str) -> dict[str, Any]:
    return {"object": "waivers", "kind": "waiver", "nodes": [], "says": says}
