# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl get tigerastatus` and `kubectl describe tigerastatus`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from . import columns, lines
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "TigeraStatus"
# kubectl describes what it does not know field by field, in the order of their names: a condition ends with its type.
_FIELD = re.compile(r"(\s*)([A-Z][A-Za-z ]{0,40}):(?:\s+(\S.*))?$")
_LAST = "Type"
_LONGEST_MESSAGE = 1000
_WANTED = frozenset(("NAME", "AVAILABLE"))


class Component(NamedTuple):
    """One component of the operator's; None where the condition was not printed."""

    name: str
    available: bool | None
    progressing: bool | None
    degraded: bool | None
    since: str
    message: str
    reason: str = ""


def parse(text: str) -> Parsed[tuple[Component, ...]]:
    """Return the components in the order printed."""
    problems = Problems()
    found: list[Component] = []
    for row in columns.rows(text, _WANTED):
        if row.cells is None or not row.cells["NAME"]:
            problems.add(row.line, row.text, "no component")
            continue
        cells = row.cells
        found.append(
            Component(
                name=cells["NAME"].partition("/")[2] or cells["NAME"],
                available=_condition(cells, "AVAILABLE"),
                progressing=_condition(cells, "PROGRESSING"),
                degraded=_condition(cells, "DEGRADED"),
                since=cells.get("SINCE", ""),
                message=cells.get("MESSAGE", ""),
            )
        )
    return Parsed(tuple(found), problems.found())


def _condition(cells: dict[str, str], name: str) -> bool | None:
    return {"True": True, "False": False}.get(cells.get(name, ""))


def parse_described(text: str) -> tuple[Component, ...]:
    """Return the components that `kubectl describe tigerastatus` tells of, with why one is degraded."""
    return tuple(_component(name, list(_conditions(rows))) for name, rows in _objects(text))


def _objects(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each object of this kind, and the lines below it."""
    name = ""
    rows: list[str] = []
    for row in [*lines.plain(text).split("\n"), "Name:"]:
        match = _FIELD.match(row)
        if match is not None and not match.group(1) and match.group(2) == "Name":
            if name and any(_is_kind(one) for one in rows):
                yield name, rows
            name, rows = (match.group(3) or "").strip(), []
        else:
            rows.append(row)


def _is_kind(row: str) -> bool:
    match = _FIELD.match(row)
    return match is not None and match.group(2) == "Kind" and match.group(3) == KIND


def _conditions(rows: list[str]) -> Iterator[dict[str, str]]:
    """Yield the fields of each condition."""
    within, field = False, ""
    told: dict[str, str] = {}
    for row in rows:
        match = _FIELD.match(row)
        if match is None:
            # A message may have lines of its own.
            if within and field and len(told[field]) < _LONGEST_MESSAGE:
                told[field] = f"{told[field]} {row.strip()}".strip()
            continue
        if match.group(2) == "Conditions":
            within = True
        elif within and match.group(1):
            field = match.group(2)
            told[field] = (match.group(3) or "").strip()
            if field == _LAST:
                yield told
                told, field = {}, ""
        else:
            within = False


def _component(name: str, conditions: list[dict[str, str]]) -> Component:
    status = {one[_LAST]: {"True": True, "False": False}.get(one.get("Status", "")) for one in conditions}
    degraded = next((one for one in conditions if one[_LAST] == "Degraded"), {})
    return Component(
        name=name,
        available=status.get("Available"),
        progressing=status.get("Progressing"),
        degraded=status.get("Degraded"),
        since="",
        message=degraded.get("Message", "")[:_LONGEST_MESSAGE],
        reason=degraded.get("Reason", "")[:_LONGEST_MESSAGE],
    )
