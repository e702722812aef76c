# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`calicoctl get ippools`, plain or wide (columns of calicoctl/resourcemgr/ippool.go, releases 3.0 to 3.33)."""

from __future__ import annotations

from typing import NamedTuple

from . import columns, words
from .parsed import Parsed, Problems

_WANTED = frozenset(("NAME", "CIDR"))


class IPPool(NamedTuple):
    """One pool. The modes and the selector are '' and the others None if they were not printed (without -o wide)."""

    name: str
    cidr: str
    nat: bool | None
    ipip: str
    vxlan: str
    disabled: bool | None
    selector: str


def parse(text: str) -> Parsed[tuple[IPPool, ...]]:
    """Return the pools in the order printed."""
    problems = Problems()
    found: list[IPPool] = []
    for row in columns.rows(text, _WANTED):
        cidr = words.prefix(row.cells["CIDR"]) if row.cells else None
        if row.cells is None or cidr is None:
            problems.add(row.line, row.text, "no pool")
            continue
        cells = {name: columns.shown(value) for name, value in row.cells.items()}
        found.append(
            IPPool(
                name=cells["NAME"],
                cidr=f"{cidr[0]}/{cidr[1]}",
                nat=_flag(cells.get("NAT", "")),
                ipip=cells.get("IPIPMODE", ""),
                vxlan=cells.get("VXLANMODE", ""),
                disabled=_flag(cells.get("DISABLED", "")),
                selector=cells.get("SELECTOR", ""),
            )
        )
    return Parsed(tuple(found), problems.found())


def _flag(word: str) -> bool | None:
    return {"true": True, "false": False}.get(word)
