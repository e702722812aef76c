# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of which a bundle tells and that are no nodes of the cluster: where somebody typed, or another cluster's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.plain import UNNAMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node


def passers_by(evidence: Evidence) -> list[str]:
    """Return the machines without a trace of Calico that are none of the Nodes which are listed. Only where other
    machines are known by the Nodes' names: else hosts are called otherwise than Nodes here."""
    return [node.name for node in _unlisted(evidence) if not _has_traces(node)]


def foreign(evidence: Evidence) -> list[str]:
    """Return the machines with Calico of which no Node is listed: of another cluster, or running under a wrong name."""
    return [node.name for node in _unlisted(evidence) if _has_traces(node)]


def _has_traces(node: Node) -> bool:
    return bool(node.has_calico or node.log or node.control.log)


def _unlisted(evidence: Evidence) -> Iterator[Node]:
    cluster = evidence.cluster
    if cluster is None or not cluster.nodes:
        return
    known = {id(one.node) for one in evidence.registered if one.node is not None and one.kube is not None}
    addresses = {address for kube in cluster.nodes.values() for address in kube.internal_addresses}
    for node in evidence.nodes.values():
        held = {one.address for one in node.addresses} | set(node.bgp_addresses.values())
        if known and id(node) not in known and not node.name.startswith(UNNAMED) and not held & addresses:
            yield node
