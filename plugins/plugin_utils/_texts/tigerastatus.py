# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl get tigerastatus`."""

from __future__ import annotations

from typing import NamedTuple

from . import columns
from .parsed import Parsed, Problems

_WANTED = frozenset(("NAME", "AVAILABLE"))


class Component(NamedTuple):
    """One component of the operator's; None where the condition was not printed."""

    name: str
    available: bool | None
    progressing: bool | None
    degraded: bool | None
    since: str
    message: str


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
