# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl get daemonsets`, with or without -A and -o wide, of kubectl 1.8 on."""

from __future__ import annotations

from typing import NamedTuple

from . import columns, words
from .parsed import Parsed, Problems

# ReplicaSets have the first four as well.
_WANTED = frozenset(("NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE"))
_SELECTORS = ("NODE-SELECTOR", "NODE SELECTOR")


class KubeDaemonSet(NamedTuple):
    """One DaemonSet; what was not printed is '' or None. `node_selector` are labels that a node must have."""

    namespace: str
    name: str
    desired: int | None
    current: int | None
    ready: int | None
    updated: int | None
    available: int | None
    node_selector: dict[str, str]


def parse(text: str) -> Parsed[tuple[KubeDaemonSet, ...]]:
    """Return the DaemonSets in the order printed."""
    problems = Problems()
    found: list[KubeDaemonSet] = []
    for row in columns.rows(text, _WANTED):
        cells = {name: columns.shown(value) for name, value in (row.cells or {}).items()}
        desired = words.number(cells.get("DESIRED", ""))
        if not cells.get("NAME") or desired is None:
            problems.add(row.line, row.text, "no DaemonSet")
            continue
        selector = next((cells[name] for name in _SELECTORS if name in cells), "")
        found.append(
            KubeDaemonSet(
                namespace=cells.get("NAMESPACE", ""),
                name=cells["NAME"].rpartition("/")[2],
                desired=desired,
                current=words.number(cells["CURRENT"]),
                ready=words.number(cells["READY"]),
                updated=words.number(cells["UP-TO-DATE"]),
                available=words.number(cells.get("AVAILABLE", "")),
                node_selector=words.labels(selector),
            )
        )
    return Parsed(tuple(found), problems.found())
