# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl get nodes`, plain or wide or with --show-labels, of kubectl 1.8 on."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import columns, words
from .parsed import Parsed, Problems

_WANTED = frozenset(("NAME", "STATUS", "VERSION"))
# All that printNode of kubectl puts into that column.
_STATUSES = frozenset(("Ready", "NotReady", "Unknown", "SchedulingDisabled"))
# A row that does not stand under its head, as far as every table of nodes goes.
_ROW = re.compile(
    r"\s*(?P<NAME>(?:node/)?[a-z0-9][\w.-]{0,252})\s+(?P<STATUS>(?:Not)?Ready|Unknown)(?P<MORE>,SchedulingDisabled)?\s+"
    r"(?P<ROLES>[\w.,-]{1,400}|<none>)\s+(?P<AGE>\d{1,6}[smhdy]\w{0,12})\s+(?P<VERSION>v\d[\w.+-]{0,60})"
    r"(?:\s+(?P<IP>[0-9a-fA-F:][0-9a-fA-F.:]+|<none>))?(?:\s|$)"
)


class KubeNode(NamedTuple):
    """One node; what was not printed is ''. `ready` is None if its status is Unknown; `status` has the other words, as
    SchedulingDisabled."""

    name: str
    ready: bool | None
    status: str
    roles: tuple[str, ...]
    age: str
    version: str
    internal_ip: str
    external_ip: str
    os_image: str
    kernel: str
    runtime: str
    labels: dict[str, str]


def parse(text: str) -> Parsed[tuple[KubeNode, ...]]:
    """Return the nodes in the order printed."""
    problems = Problems()
    found: list[KubeNode] = []
    for row in columns.rows(text, _WANTED):
        cells = row.cells or _bare(row.text)
        if cells is None or not cells["NAME"] or not _is_status(cells["STATUS"]):
            problems.add(row.line, row.text, "no node")
        else:
            found.append(_node({name: columns.shown(value) for name, value in cells.items()}))
    return Parsed(tuple(found), problems.found())


def _bare(line: str) -> dict[str, str] | None:
    """Return the cells of a row whose columns were shifted or whose head was lost, None if it is no such row."""
    match = _ROW.match(line)
    if match is None:
        return None
    cells = {name: match.group(name) for name in ("NAME", "ROLES", "AGE", "VERSION")}
    return {
        **cells,
        "STATUS": match.group("STATUS") + (match.group("MORE") or ""),
        "INTERNAL-IP": match.group("IP") or "",
    }


def _is_status(cell: str) -> bool:
    """Whether a cell has one of the words that kubectl prints: other lines below the table have none."""
    return bool(_STATUSES.intersection(cell.split(",")))


def _node(cells: dict[str, str]) -> KubeNode:
    status = cells["STATUS"].split(",")
    ready = True if "Ready" in status else False if "NotReady" in status else None
    return KubeNode(
        name=cells["NAME"].removeprefix("node/"),
        ready=ready,
        status=cells["STATUS"],
        roles=tuple(role for role in cells.get("ROLES", "").split(",") if role),
        age=cells.get("AGE", ""),
        version=cells["VERSION"],
        internal_ip=words.address(cells.get("INTERNAL-IP", "")) or cells.get("INTERNAL-IP", ""),
        external_ip=words.address(cells.get("EXTERNAL-IP", "")) or cells.get("EXTERNAL-IP", ""),
        os_image=cells.get("OS-IMAGE", ""),
        kernel=cells.get("KERNEL-VERSION", ""),
        runtime=cells.get("CONTAINER-RUNTIME", ""),
        labels=words.labels(cells.get("LABELS", "")),
    )
