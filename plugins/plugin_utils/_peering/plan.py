# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What confd makes of BGPPeers: which node gets which peer.

As in `updatePeersV1` of confd/pkg/backends/calico/client.go: first the BGPPeers that name no node ("global"), then the
others, then the automatic reverse of all of them. Of two for the same address and port the first wins on a node, and a
global one wins over those of the node. confd keeps BGPPeers in a map that Go walks in another order each time: which
of two BGPPeers of one pass comes first is chance, and may differ between nodes. Here it is the order of their names.

Nodes that get the same peers share one table, so that 5,000 clients of 10 reflectors take two tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import addresses, objections, selector
from .model import BGP_PORT, FAMILIES, Password, Peer, Speaker, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .._cluster.model import BGPPeer, CalicoNode, Cluster
    from .model import Problem
    from .release import Release
    from .secrets import Secrets

Key = tuple[str, int]
DEFAULT_AS = 64512


@dataclass(frozen=True)
class Table:
    """Peers that a set of nodes gets, by address and port.

    A node's own address may be among them: confd leaves it out when it renders. chance: pairs of peers of which one
    counts, and chance decides which.
    """

    peers: Mapping[Key, Peer] = field(default_factory=dict)
    by_address: Mapping[str, tuple[Peer, ...]] = field(default_factory=dict)
    chance: tuple[tuple[Peer, Peer], ...] = ()


NOTHING = Table()


@dataclass
class Plan:
    """All speakers with their tables. owners: address to the names of the nodes that have it, in order."""

    speakers: dict[str, Speaker] = field(default_factory=dict)
    owners: dict[str, tuple[str, ...]] = field(default_factory=dict)
    global_table: Table = NOTHING
    tables: dict[str, Table] = field(default_factory=dict)
    workloads: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def table(self, node: str) -> Table:
        """The peers of a node other than the global ones."""
        return self.tables.get(node, NOTHING)


@dataclass(frozen=True)
class _Settings:
    """What BGPConfigurations say about AS numbers and ports."""

    as_number: int
    port: int
    ports: Mapping[str, int]

    def port_of(self, node: str) -> int:
        """The port that confd knows of a node, 0 if it knows none."""
        return self.ports.get(node, self.port)


def speakers(cluster: Cluster, release: Release) -> dict[str, Speaker]:
    """Every node that Calico has a record of, by name."""
    settings = _settings(cluster)
    return {name: _speaker(node, settings, release) for name, node in sorted(cluster.calico_nodes.items())}


def _settings(cluster: Cluster) -> _Settings:
    default = cluster.bgp_configurations.get("default")
    ports = {
        name.removeprefix("node."): one.listen_port
        for name, one in cluster.bgp_configurations.items()
        if name.startswith("node.") and one.listen_port
    }
    return _Settings((default and default.as_number) or DEFAULT_AS, (default and default.listen_port) or 0, ports)


def _speaker(node: CalicoNode, settings: _Settings, release: Release) -> Speaker:
    found = {"ipv4": addresses.without_length(node.ipv4), "ipv6": addresses.without_length(node.ipv6)}
    if node.windows:
        found["ipv6"] = ""  # the script for Windows configures IPv4 only, and no port
    port = settings.port_of(node.name) or BGP_PORT
    return Speaker(
        name=node.name,
        addresses={family: address for family, address in found.items() if address},
        as_number=node.as_number or settings.as_number,
        own_as=bool(node.as_number),
        cluster_id=_cluster_id(node, release),
        listen_port=BGP_PORT if node.windows else port,
        told_port=port,
        windows=node.windows,
    )


def _cluster_id(node: CalicoNode, release: Release) -> str:
    """The cluster ID that confd knows. A subnet passes Calico's check, and then BIRD refuses the configuration."""
    told = node.route_reflector_cluster_id
    known = addresses.is_ipv4(told.partition("/")[0])
    return "" if node.kubernetes and release.checks_annotations and not known else told


def build(cluster: Cluster, release: Release, secrets: Secrets) -> tuple[Plan, list[Problem]]:
    """Which node gets which peer by the BGPPeers, and what is wrong with these by themselves."""
    builder = Builder(cluster, release, secrets)
    return builder.build(), list(objections.of_all(builder))


class Builder:
    """The passes over the BGPPeers. blocks: the peers that one pass over one BGPPeer gives to all its nodes."""

    def __init__(self, cluster: Cluster, release: Release, secrets: Secrets) -> None:
        self.cluster = cluster
        self.release = release
        self.secrets = secrets
        self.settings = _settings(cluster)
        self.plan = Plan(speakers=speakers(cluster, release))
        self.selected: dict[str, tuple[str, ...]] = {}
        self.blocks: list[tuple[Peer, ...]] = []
        self.blocks_of: dict[str, list[int]] = {}

    def build(self) -> Plan:
        self._own_addresses()
        everyone = sorted(self.cluster.bgp_peers, key=lambda one: one.name)
        globally = [peer for one in everyone if _is_global(one) for peer in self._peers(one)]
        self.plan.global_table = _table([globally], {})
        for one in everyone:
            if not _is_global(one):
                self._give(self.local_nodes(one), self._peers(one))
        for one in everyone:
            self._reverse(one)
        self._share()
        return self.plan

    def _own_addresses(self) -> None:
        owners: dict[str, list[str]] = {}
        for name, speaker in self.plan.speakers.items():
            for address in speaker.addresses.values():
                owners.setdefault(address, []).append(name)
        self.plan.owners = {address: tuple(names) for address, names in owners.items()}

    def _give(self, nodes: Iterable[str], peers: Sequence[Peer]) -> None:
        if not peers:
            return
        self.blocks.append(tuple(peers))
        for node in nodes:
            self.blocks_of.setdefault(node, []).append(len(self.blocks) - 1)

    def _share(self) -> None:
        """One table for all nodes that were given the same blocks."""
        known: dict[tuple[int, ...], Table] = {}
        for node, numbers in self.blocks_of.items():
            key = tuple(numbers)
            if key not in known:
                known[key] = _table([self.blocks[number] for number in numbers], self.plan.global_table.peers)
            self.plan.tables[node] = known[key]

    # --- which nodes ---

    def matching(self, text: str) -> tuple[str, ...]:
        """The nodes that a selector selects; none if it is none."""
        if text not in self.selected:
            self.selected[text] = self._select(text)
        return self.selected[text]

    def _select(self, text: str) -> tuple[str, ...]:
        try:
            chosen = selector.parse(text)
        except selector.SelectorError:
            return ()
        nodes = self.cluster.calico_nodes
        if chosen.everything:
            return tuple(self.plan.speakers)
        return tuple(name for name in self.plan.speakers if chosen.matches(nodes[name].labels))

    def local_nodes(self, one: BGPPeer) -> tuple[str, ...]:
        """The nodes that a BGPPeer is for. There may be none of the name that it gives."""
        if one.node_selector:
            return self.matching(one.node_selector)
        if one.node:
            return (one.node,)
        return tuple(self.plan.speakers)

    def nodes_at(self, address: str, as_number: int | None, port: int) -> tuple[str, ...]:
        """The nodes that confd finds for a peerIP: same spelling of the address, same AS, and the port if one is given.

        A port of the node's own is compared, and then the cluster's as well, if there is one.
        """
        wanted = as_number or self.settings.as_number
        found = []
        for name in self.plan.owners.get(address, ()):
            own = self.settings.ports.get(name)
            agrees = not port or (own in (None, port) and self.settings.port in (0, port))
            if self.plan.speakers[name].as_number == wanted and agrees:
                found.append(name)
        return tuple(found)

    # --- which peers ---

    def _peers(self, one: BGPPeer) -> list[Peer]:
        """What the nodes of a BGPPeer peer with."""
        if one.local_workload_selector and self.release.local_workloads:
            for node in self.local_nodes(one):
                self.plan.workloads[node] = (*self.plan.workloads.get(node, ()), one.name)
            return []
        if one.peer_selector:
            return list(self._nodes_as_peers(self.matching(one.peer_selector), FAMILIES, one, reverse=False))
        peer = self._peer_at_address(one)
        return [peer] if peer else []

    def _peer_at_address(self, one: BGPPeer) -> Peer | None:
        host, port = addresses.split_port(one.peer_ip)
        address = addresses.canonical(host)
        if not address or not addresses.reachable(one.reachable_by, address):
            return None
        if not port:
            nodes = self.nodes_at(host, one.as_number, 0)
            port = self.settings.port_of(nodes[0]) if nodes else 0
        return self._common(one)._replace(
            family=addresses.family_of(address),
            address=address,
            port=port,
            as_number=one.as_number or 0,
            local_as=(one.local_as_number or 0) if self.release.local_as else 0,
            calico_node=host in self.plan.owners,
            identifier=identifier(address, port),
        )

    def _nodes_as_peers(
        self, names: Iterable[str], families: Iterable[str], one: BGPPeer, *, reverse: bool
    ) -> Iterator[Peer]:
        common = self._common(one)._replace(reverse=reverse)
        wanted = tuple(families)
        for name in names:
            speaker = self.plan.speakers.get(name)
            if speaker is None:
                continue
            port = self.settings.port_of(name)
            for family in wanted:
                address = speaker.addresses.get(family)
                if address:
                    yield common._replace(
                        family=family,
                        address=address,
                        port=port,
                        as_number=speaker.as_number,
                        cluster_id=speaker.cluster_id,
                        identifier=identifier(address, port),
                    )

    def _common(self, one: BGPPeer) -> Peer:
        """What all peers of a BGPPeer have in common."""
        password = Password(one.password, self.secrets.readable(one.password)) if one.password else None
        return Peer(
            bgp_peer=one.name,
            family="",
            address="",
            from_node_address=one.source_address in ("", "UseNodeIP"),
            password=password,
            ttl_security=(one.ttl_security or 0) if self.release.ttl_security else 0,
            keepalive=one.keepalive_time if self.release.keepalive else "",
            restart_time=one.max_restart_time,
        )

    def _reverse(self, one: BGPPeer) -> None:
        """The other side of a BGPPeer: the nodes that it makes others peer with get these as peers."""
        if one.reverse_peering == "Manual" and self.release.reverse_peering:
            return
        if one.local_workload_selector and self.release.local_workloads:
            return
        families: tuple[str, ...] = FAMILIES
        if one.peer_selector:
            nodes = self.matching(one.peer_selector)
        else:
            host, port = addresses.split_port(one.peer_ip)
            nodes = self.nodes_at(host, one.as_number, port)
            if self.release.reverses_own_family:
                families = (addresses.family_of(host),)
        if nodes:
            self._give(nodes, list(self._nodes_as_peers(self.local_nodes(one), families, one, reverse=True)))


def _is_global(one: BGPPeer) -> bool:
    return not one.node and not one.node_selector


def _table(blocks: Iterable[Iterable[Peer]], before: Mapping[Key, Peer]) -> Table:
    """The peers of some blocks in their order; those for an address and port that came before are left out."""
    peers: dict[Key, Peer] = {}
    by_address: dict[str, list[Peer]] = {}
    chance: list[tuple[Peer, Peer]] = []
    for block in blocks:
        for peer in block:
            key = peer.key
            if key in before:
                continue
            earlier = peers.get(key)
            if earlier is None:
                peers[key] = peer
                by_address.setdefault(peer.address, []).append(peer)
            elif earlier.reverse == peer.reverse and _differ(earlier, peer):
                chance.append((earlier, peer))
    return Table(peers, {address: tuple(found) for address, found in by_address.items()}, tuple(chance))


def _differ(one: Peer, other: Peer) -> bool:
    return one._replace(bgp_peer="") != other._replace(bgp_peer="")
