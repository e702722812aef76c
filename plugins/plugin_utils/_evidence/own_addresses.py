# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which addresses machines speak BGP that do not tell it themselves: by what others call an address that they hold,
by what is on record, and by what all others of a mesh call them. A table of sessions names everybody but the one whose
it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .address_set import AddressSet
from .model import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .._cluster.model import Cluster
    from .model import Daemon, Node
    from .registered import Registered

# The agents share their machine's network, so that their address is its own.
_AGENTS = ("calico-node", "canal")


def told(node: Node, daemon: Daemon) -> str:
    """The address by which a node says that it speaks, '' if it does not say."""
    return daemon.config.local_address or node.bgp_addresses.get(daemon.family, "") or daemon.router_id


def on_record(registered: Collection[Registered], cluster: Cluster | None) -> dict[str, str]:
    """By address the name of the node that is known by it; an address that two have tells nothing."""
    names = {one.record: one.name for one in registered}
    claims: dict[str, set[str]] = {}
    for one in registered:
        for address in (one.stored("ipv4"), one.stored("ipv6"), *one.internal_addresses):
            claims.setdefault(address.partition("/")[0], set()).add(one.name)
    for pod in cluster.pods_of(*_AGENTS) if cluster is not None else ():
        if pod.node:
            claims.setdefault(pod.address, set()).add(names.get(pod.node, pod.node))
    return {address: claiming.pop() for address, claiming in claims.items() if address and len(claiming) == 1}


def untold(
    nodes: Mapping[str, Node], known: Mapping[str, str], owners: Mapping[str, Node]
) -> dict[tuple[str, str], str]:
    """By node and family the address of each that does not tell its own, where one and no other can be it.

    known: the names of the nodes on record by address. owners: whose addresses are known already.
    """
    silent = [(node, family) for node in nodes.values() for family in FAMILIES if _is_silent(node, family)]
    families = {family for _node, family in silent}
    meshes = {family: _mesh_of(nodes, family) for family in families}
    called = {family: _peers_of(nodes, family) for family in families}
    recorded: dict[tuple[str, str], set[str]] = {}
    for address, name in known.items() if silent else ():
        recorded.setdefault((name, "ipv6" if ":" in address else "ipv4"), set()).add(address)
    found = {}
    for node, family in silent:
        key, mesh = (node.name, family), meshes[family]
        choice = recorded.get(key, set())
        spoken = [address for address in choice if any(address in peers for peers in mesh.values())]
        own = _held(node, family, called[family], owners)
        if len(own) != 1:
            own = spoken if len(spoken) == 1 else list(choice) or _left(node, mesh, owners)
        if len(own) == 1 and owners.get(own[0], node) is node:
            found[key] = own[0]
    return found


def _is_silent(node: Node, family: str) -> bool:
    """Neither does BIRD tell the address of this family, nor, where nothing is known of BIRD, the machine."""
    daemon = node.daemons.get(family)
    if daemon is not None:
        return not told(node, daemon)
    return not (node.addresses or node.bgp_addresses or node.inventory_address)


def _mesh_of(nodes: Mapping[str, Node], family: str) -> dict[str, AddressSet]:
    """By node the peers that its mesh has, of those that tell of any."""
    found = {}
    for node in nodes.values():
        daemon = node.daemons.get(family)
        if daemon is not None:
            tried = (peer for peer, protocol in daemon.troubled.items() if protocol.kind == "Mesh")
            peers = daemon.mesh | AddressSet.of(tried)
            if peers:
                found[node.name] = peers
    return found


def _peers_of(nodes: Mapping[str, Node], family: str) -> AddressSet:
    """The peers of a family that all nodes have or try, by whatever protocols."""
    daemons = [node.daemons[family] for node in nodes.values() if family in node.daemons]
    called = AddressSet.of(peer for daemon in daemons for peer in daemon.troubled)
    for daemon in daemons:
        called = called | daemon.established
    return called


def _held(node: Node, family: str, called: AddressSet, owners: Mapping[str, Node]) -> list[str]:
    """The addresses of a node's interfaces by which others call it; none where nothing is known of its BIRD."""
    if family not in node.daemons:
        return []
    mine = {one.address for one in node.addresses if (":" in one.address) == (family == "ipv6")}
    return [address for address in mine if address in called and owners.get(address) is node]


def _left(node: Node, mesh: Mapping[str, AddressSet], owners: Mapping[str, Node]) -> list[str]:
    """What every other node's mesh has and this one's lacks."""
    own = mesh.get(node.name)
    others = [peers for name, peers in mesh.items() if name != node.name]
    if not own or not others:
        return []
    left = min(others, key=len) - own
    free = (address for address in left if owners.get(address, node) is node)
    return [address for address in free if all(address in peers for peers in others)]
