# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`calicoctl get nodes`, plain or wide."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import columns, lines, words
from .parsed import Parsed, Problems

_NUMBER = re.compile(r"\(?(\d{1,10})\)?$")


class CalicoNode(NamedTuple):
    """One node. `as_number` is None if none is known; `inherited` says that it is the cluster's, not its own; addresses
    have their prefix length ("10.0.0.1/24") and are '' if not printed."""

    name: str
    as_number: int | None
    inherited: bool
    ipv4: str
    ipv6: str


def parse(text: str) -> Parsed[tuple[CalicoNode, ...]]:
    """Return the nodes in the order printed."""
    names = [line.strip() for _number, line in lines.numbered(text) if line.strip()]
    if names[:1] == ["NAME"] and not any(" " in name for name in names):  # one column is no table
        return Parsed(tuple(CalicoNode(name, None, False, "", "") for name in names[1:]))
    problems = Problems()
    found: list[CalicoNode] = []
    for row in columns.rows(text, frozenset(("NAME",))):
        if row.cells is None or not row.cells["NAME"]:
            problems.add(row.line, row.text, "no node")
            continue
        asn = row.cells.get("ASN", "")
        number = _NUMBER.match(asn)
        found.append(
            CalicoNode(
                name=row.cells["NAME"],
                as_number=int(number.group(1)) if number else None,
                inherited=asn.startswith("("),
                ipv4=_address(row.cells.get("IPV4", "")),
                ipv6=_address(row.cells.get("IPV6", "")),
            )
        )
    return Parsed(tuple(found), problems.found())


def _address(text: str) -> str:
    found = words.prefix(text)
    return f"{found[0]}/{found[1]}" if found else columns.shown(text)
