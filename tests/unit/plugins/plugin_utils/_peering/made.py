# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A builder of clusters for tests of expected sessions."""

from __future__ import annotations

from typing import Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import (
    BGPConfiguration,
    BGPPeer,
    CalicoNode,
    Cluster,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.expected import Expected, expected

OFF = BGPConfiguration("default", mesh=False)
REFLECTORS = BGPPeer("reflectors", node_selector="all()", peer_selector="rr == 'true'")


def node(name: str, address: str = "", **more: Any) -> CalicoNode:
    """A node with an IPv4 address, unless it has a colon."""
    key = "ipv6" if ":" in address else "ipv4"
    return CalicoNode(name, **{key: address, **more})


def reflector(name: str, address: str, cluster_id: str = "244.0.0.1") -> CalicoNode:
    """A route reflector, with the label that REFLECTORS selects."""
    return node(name, address, route_reflector_cluster_id=cluster_id, labels={"rr": "true"})


def cluster(*objects: Any, version: str = "v3.28.1", **more: Any) -> Cluster:
    """A cluster of nodes, BGPPeers and BGPConfigurations."""
    nodes = {one.name: one for one in objects if isinstance(one, CalicoNode)}
    peers = tuple(one for one in objects if isinstance(one, BGPPeer))
    settings = {one.name: one for one in objects if isinstance(one, BGPConfiguration)}
    return Cluster(
        True, calico_nodes=nodes, bgp_peers=peers, bgp_configurations=settings, calico_version=version, **more
    )


def plan(*objects: Any, version: str = "v3.28.1", **more: Any) -> Expected:
    """The expected sessions of a cluster of these objects."""
    return expected(cluster(*objects, version=version, **more))


def names(found: Expected, name: str, family: str = "ipv4") -> set[str]:
    """The names of a node's protocols."""
    return {one.name for one in found.stanzas(name, family)}


def kinds(found: Expected) -> list[str]:
    """The kinds of problems, sorted."""
    return sorted(one.kind for one in found.problems)


THREE = (node("a", "10.0.0.9/24"), node("b", "10.0.0.10/24"), node("c", "10.0.0.11/24"))
