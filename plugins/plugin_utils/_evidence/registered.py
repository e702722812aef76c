# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes as Calico and Kubernetes have them on record, each with what the host itself told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._cluster.model import CalicoNode, Cluster, KubeNode
    from .model import MissingNode, Node


@dataclass(frozen=True)
class Registered:
    """A node on record. name: the inventory's, where it is known under one; record: the name on record.

    node: what the host told; None if it was not read.
    """

    name: str
    record: str
    calico: CalicoNode | None
    kube: KubeNode | None
    node: Node | None

    @property
    def internal_addresses(self) -> tuple[str, ...]:
        """Kubernetes' InternalIP addresses of the node."""
        if self.kube is not None:
            return self.kube.internal_addresses
        return self.calico.internal_addresses if self.calico is not None else ()

    def stored(self, family: str) -> str:
        """The address that Calico has on record, with its prefix length as stored; '' if none."""
        if self.calico is None:
            return ""
        return self.calico.ipv6 if family == "ipv6" else self.calico.ipv4

    def address(self, family: str) -> str:
        """The address by which the node is known in BGP: on record, else by its own bird.cfg; '' if none."""
        if self.calico is not None:
            return self.calico.address(family)
        return self.node.bgp_addresses.get(family, "") if self.node else ""

    @property
    def windows(self) -> bool:
        """It runs Windows, where all of this is another matter."""
        told = self.kube is not None and self.kube.operating_system == "windows"
        return told or (self.calico is not None and self.calico.windows)


def join(nodes: Mapping[str, Node], missing: Iterable[MissingNode], cluster: Cluster | None) -> tuple[Registered, ...]:
    """Join what is on record with the nodes that were read; () if nothing is on record.

    A host is known by the name under which Calico or kubelet runs on it, else by its name in the inventory, else by an
    address that it is managed by, holds, or speaks BGP with.
    """
    if cluster is None:
        return ()
    records = list(dict.fromkeys((*cluster.nodes, *cluster.calico_nodes)))
    found = _by_name(nodes, records)
    taken = {node.name for node in found.values()}
    for name in records:
        if name not in found:
            node = _by_address(nodes, taken, cluster, name)
            if node is not None:
                found[name] = node
                taken.add(node.name)
    absent = {one.name for one in missing}
    by_address = {one.address: one.name for one in missing if one.address}
    made = []
    for name in records:
        node = found.get(name)
        shown = node.name if node else name if name in absent else ""
        shown = shown or next((by_address[one] for one in _addresses(cluster, name) if one in by_address), name)
        made.append(Registered(shown, name, cluster.calico_nodes.get(name), cluster.nodes.get(name), node))
    return tuple(made)


def names(everyone: Iterable[Registered]) -> dict[str, str]:
    """The name on record of each node that was read, to the inventory's."""
    return {one.record: one.node.name for one in everyone if one.node is not None}


def _by_name(nodes: Mapping[str, Node], records: list[str]) -> dict[str, Node]:
    """By names on record the hosts that go by them; of two hosts of one name the first in the inventory's order."""
    known = set(records)
    found: dict[str, Node] = {}
    for node in nodes.values():
        told = (node.own.node_ref, node.own.kubelet_nodename, node.nodename, node.name, node.hostname.lower())
        name = next((one for one in told if one in known and one not in found), "")
        if name:
            found[name] = node
    return found


def _addresses(cluster: Cluster, name: str) -> Iterator[str]:
    kube, calico = cluster.nodes.get(name), cluster.calico_nodes.get(name)
    yield from kube.internal_addresses if kube else ()
    yield from (one for one in ((calico.address("ipv4"), calico.address("ipv6")) if calico else ()) if one)


def _by_address(nodes: Mapping[str, Node], taken: set[str], cluster: Cluster, name: str) -> Node | None:
    """The host that is managed by an address on record, that holds an InternalIP, or speaks BGP with one on record."""
    on_record = tuple(_addresses(cluster, name))
    internal = cluster.nodes[name].internal_addresses if name in cluster.nodes else ()
    free = [node for node in nodes.values() if node.name not in taken]
    managed = (node for node in free if node.inventory_address in on_record)
    holding = (node for node in free if any(node.holds(one) for one in internal))
    speaking = (node for node in free if any(one in on_record for one in node.bgp_addresses.values()))
    return next(managed, None) or next(holding, None) or next(speaking, None)
