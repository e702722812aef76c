# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selectors of Calico, and a cluster's objects from which the expected sessions are worked out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABELS = {"rack": "a", "example.org/rr": "true"}
_MOST_NODES = 60


def selector(data: bytes) -> Any:
    """Read a selector, ask it, write it and read it again."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._peering import selector as language

    try:
        found = language.parse(data.decode("utf-8", "replace"))
    except language.SelectorError as error:
        return error.position, str(error)
    written = str(found)
    if language.parse(written).matches(_LABELS) is not found.matches(_LABELS):
        raise ValueError("the canonical form means something else")
    return written


def selectors() -> Iterator[bytes]:
    """Selectors to begin from."""
    yield b"rack in {'a', \"b\"} && !(has(example.org/rr) || rack starts with 'x')"
    yield b"all() || global() && rack not in {'a',} || ! rack ends with 'b' && rack contains '' && rack != 'c'"
    yield b"has(rack) \n && rack == 'a'"


def peering(data: bytes) -> Any:
    """Work out the expected sessions of a cluster's objects, and how its nodes hang together."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import objects
    from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.compare import compare
    from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.expected import expected
    from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.parts import parts

    try:
        fact = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    cluster = objects.read(fact)
    if len(cluster.calico_nodes) > _MOST_NODES:
        return None
    found = expected(cluster)
    sessions = sum(1 for _session in found.sessions())
    cut = [parts(found, family) for family in ("ipv4", "ipv6")]
    return sessions, len(found.problems), [one.whole for one in cut], compare(found, {}, {}).differences


def clusters() -> Iterator[bytes]:
    """Objects of clusters to begin from: a mesh, and reflectors with an external router."""
    nodes = [_node(name, f"10.0.0.{number}/24") for number, name in enumerate(("a", "b", "c"), 1)]
    nodes[0]["spec"]["bgp"]["routeReflectorClusterID"] = "244.0.0.1"
    nodes[0]["metadata"]["labels"] = {"rr": "true"}
    nodes[1]["spec"]["bgp"]["ipv6Address"] = "fd00::2/64"
    nodes[2]["spec"]["bgp"]["asNumber"] = 65003
    peers = [
        {"nodeSelector": "!has(rr)", "peerSelector": "rr == 'true'"},
        {"nodeSelector": "has(rr", "peerIP": "192.0.2.1:1790", "asNumber": 65001, "reachableBy": "10.0.0.254"},
        {"node": "b", "peerIP": "10.0.0.3", "asNumber": 64512, "password": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"peerIP": "[FD00::2]:0x10"},
    ]
    listed = [{"kind": "BGPPeer", "metadata": {"name": f"p{at}"}, "spec": spec} for at, spec in enumerate(peers)]
    default = {"kind": "BGPConfiguration", "metadata": {"name": "default"}, "spec": {"nodeToNodeMeshEnabled": False}}
    information = {"metadata": {"name": "default"}, "spec": {"calicoVersion": "v3.28.1"}}
    objects = {"caliconodes": nodes, "bgppeers": listed, "clusterinformations": [information]}
    yield json.dumps({"reached": True, "objects": objects}).encode()
    yield json.dumps({"reached": True, "objects": {**objects, "bgpconfigurations": [default]}}).encode()


def _node(name: str, address: str) -> dict[str, Any]:
    return {
        "apiVersion": "projectcalico.org/v3",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"bgp": {"ipv4Address": address}},
    }
