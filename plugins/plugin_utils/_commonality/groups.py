# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes in trouble: the fewest that explain the sessions that are down, and what such groups have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence.evidence import culprits
from .._gate.gate import gate
from .._gate.names import inventory_names
from . import properties
from .shared import Table, distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._evidence.evidence import Evidence


DOWN = "sessions down"


def culprits_of(evidence: Evidence) -> list[dict[str, Any]]:
    """The fewest nodes at which all sessions end that are down, those with the most of them first.

    tie: any one of these nodes would explain these sessions as well as the others would.
    """
    return evidence.once("culprits", lambda: _culprits(evidence))


def _culprits(evidence: Evidence) -> list[dict[str, Any]]:
    down = evidence.table.down
    return [
        {"nodes": list(names), "tie": len(names) > 1, "sessions": len(sessions)}
        for names, sessions in culprits((session, evidence.labels(session)) for session in down)
    ]


def commonality(evidence: Evidence, findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the nodes share at which the same is wrong, in the form of the report; `what` is which fault that is."""
    groups = list(_groups(evidence, findings))
    wanted = distinct(nodes for _what, nodes in groups)
    if not wanted:
        return []
    table = Table(_properties(evidence))
    names = {frozenset(nodes): what for what, nodes in reversed(groups)}
    return [
        {
            "attribute": shared.attribute,
            "value": shared.value,
            "affected": shared.affected,
            "of": shared.of,
            "elsewhere": shared.elsewhere,
            "others": shared.others,
            "p_value": shared.p_value,
            "corrected": shared.corrected,
            "what": names[nodes],
            "nodes": sorted(nodes),
        }
        for nodes in wanted
        for shared in table.shared(nodes, len(wanted))
    ]


def _groups(evidence: Evidence, findings: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, set[str]]]:
    """By fault all nodes at which it was found, the culprits, those of the gate at which the same thing is wrong."""
    at: dict[str, set[str]] = {}
    for finding in findings:
        if finding["role"] != "consequence" and not finding.get("guess"):
            at.setdefault(finding["fault"], set()).update(finding["nodes"])
    yield from at.items()
    yield DOWN, {one["nodes"][0] for one in culprits_of(evidence) if not one["tie"]}
    known_as = inventory_names(evidence)
    for scope in gate(evidence).scopes:
        yield scope.step, {known_as.get(name, name) for name in scope.nodes}


def _properties(evidence: Evidence) -> dict[str, dict[str, str]]:
    """What is known of each node, by its name in the inventory."""
    known_as = inventory_names(evidence)
    told = properties.of_cluster(evidence.cluster).items() if evidence.cluster else ()
    found = {known_as.get(name, name): dict(of_node) for name, of_node in told}
    for name, node in evidence.nodes.items():
        found.setdefault(name, {}).update(properties.of_host(node))
    return found
