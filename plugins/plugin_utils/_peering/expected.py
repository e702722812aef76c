# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected sessions: what confd would configure on every node, joined from both ends.

The rules are those of confd's templates (up to 3.31) and of confd/pkg/backends/calico/bgp_processor.go (from 3.32 on):

- Mesh, unless BGPConfiguration default says nodeToNodeMeshEnabled: false: every node without a cluster ID peers with
  every other one without; a node without an address of the family is left out, and so is one that has our own address.
- A node renders a family only if it has an address of it. Peers of its own address are left out, which is all that
  confd does against peering with oneself: another address of the same host gets its protocol.
- Who dials: of a mesh session the end whose address is the greater string; the other one is passive. From 3.23 on the
  same holds for a Global_ protocol to an address which confd knows as a node's. All others dial, from both ends.
- A peer is a route reflector's client if the session is internal and the node has a cluster ID which differs from the
  one that confd knows of the peer; it knows one only of peers which a selector found, not of those of a peerIP.
- Nothing keeps a BGPPeer from repeating a mesh session. BIRD then has two protocols for one neighbour, and the second
  one waits for ever (Idle) for the lock of the first.

Whether BGP is used at all (backend bird) is not decided here.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from . import plan as planning
from . import problems, release
from .model import (
    BGP_PORT,
    FAMILIES,
    GLOBAL,
    MESH,
    NODE,
    End,
    MeshGroup,
    Password,
    Problem,
    Session,
    Speaker,
    Stanza,
    identifier,
)
from .real_addresses import UNCHANGED
from .secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._cluster.model import BGPConfiguration, Cluster
    from .model import Peer
    from .plan import Plan, Table
    from .real_addresses import RealAddresses
    from .release import Release

SOURCES = ("nodes", "bgpconfigurations", "bgppeers")


@dataclass(frozen=True)
class Expected:
    """The sessions that the cluster's objects call for.

    unread: kinds of objects that could not be read, so that there may be more or less. Nothing is kept by pairs: all
    iterators work out what they yield.
    """

    release: Release
    plan: Plan
    meshes: Mapping[str, MeshGroup]
    unread: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    real: RealAddresses = UNCHANGED

    @property
    def speakers(self) -> Mapping[str, Speaker]:
        """The nodes by name."""
        return self.plan.speakers

    @property
    def reflectors(self) -> tuple[Speaker, ...]:
        """The nodes that have a cluster ID."""
        return tuple(one for one in self.plan.speakers.values() if one.cluster_id)

    @cached_property
    def _meshed(self) -> dict[str, dict[str, tuple[Speaker, ...]]]:
        """By family and address: the mesh's speakers that have it."""
        found: dict[str, dict[str, tuple[Speaker, ...]]] = {}
        for family, group in self.meshes.items():
            of = found.setdefault(family, {})
            for speaker in group.speakers:
                address = speaker.addresses[family]
                of[address] = (*of.get(address, ()), speaker)
        return found

    def owner(self, address: str) -> str:
        """The node that has an address in BGP, '' if none has; the first by name of several."""
        return self.plan.owners.get(address, ("",))[0]

    def peers(self, node: str, family: str) -> set[str]:
        """The addresses that a node has protocols for, except those of local workloads."""
        own = self._address(node, family)
        if not own:
            return set()
        found = set(self._meshed_with(self.plan.speakers[node], family))
        for table in (self.plan.global_table, self.plan.table(node)):
            found.update(peer.address for peer in table.peers.values() if peer.family == family)
        found.discard(own)
        return found

    def stanzas(self, node: str, family: str) -> Iterator[Stanza]:
        """The protocols of a node's bird.cfg (ipv6: bird6.cfg) in no particular order.

        The protocols for local workloads are not among them: their addresses are known on the node only.
        """
        own = self._address(node, family)
        if not own:
            return
        speaker = self.plan.speakers[node]
        for speakers in self._meshed_with(speaker, family).values():
            yield from (self._mesh_stanza(speaker, family, other) for other in speakers)
        for kind, table in self._tables(node):
            for peer in table.peers.values():
                if peer.family == family and peer.address != own:
                    yield self._stanza(speaker, kind, peer)

    def towards(self, node: str, family: str, address: str) -> tuple[Stanza, ...]:
        """A node's protocols for one address, in the order in which BIRD comes to them."""
        speaker = self.plan.speakers.get(node)
        own = speaker.addresses.get(family) if speaker else None
        if speaker is None or own is None or own == address:
            return ()
        found = []
        if family in self.meshes:
            found = [self._mesh_stanza(speaker, family, one) for one in self._mesh_peers(speaker, family, address)]
        for peer in self.plan.global_table.by_address.get(address, ()):
            found.append(self._stanza(speaker, GLOBAL, peer))
        for peer in self.plan.table(node).by_address.get(address, ()):
            found.append(self._stanza(speaker, NODE, peer))
        if self.release.sorted_by_name and len(found) > 1:
            found.sort(key=lambda one: one.name)
        return tuple(found)

    def end(self, node: str, family: str, address: str) -> End:
        """A node's end of its session with an address."""
        return End(node, self._address(node, family), self.towards(node, family, address))

    def session(self, node: str, family: str, address: str) -> Session | None:
        """The session of a node with an address; None if the node is not configured for it."""
        near = self.end(node, family, address)
        return Session(family, near, self._far(near, family, address)) if near.stanzas else None

    def sessions(self, *, mesh: bool = True) -> Iterator[Session]:
        """Every session once. mesh False: only those that a BGPPeer has a part in."""
        for name in self.plan.speakers:
            yield from self._sessions_of(name)
        if mesh:
            for family, group in self.meshes.items():
                yield from self._mesh_sessions(family, group)

    def count(self) -> int:
        """How many sessions there are, without walking through the mesh where no BGPPeer repeats a part of it."""
        by_peers = list(self.sessions(mesh=False))
        repeated = sum(1 for one in by_peers if any(stanza.kind == MESH for stanza in one.near.stanzas))
        return len(by_peers) - repeated + sum(self._mesh_size(family, group) for family, group in self.meshes.items())

    # --- by pairs ---

    def _sessions_of(self, name: str) -> Iterator[Session]:
        """The sessions that one of this node's BGPPeers has a part in, unless the other end tells of them."""
        for family, own in self.plan.speakers[name].addresses.items():
            seen = {own}
            for _kind, table in self._tables(name):
                for peer in table.peers.values():
                    address = peer.address
                    if peer.family != family or address in seen:
                        continue
                    seen.add(address)
                    other = self.owner(address)
                    if not other or name < other or not self._has_peer(other, own):
                        near = self.end(name, family, address)
                        yield Session(family, near, self._far(near, family, address))

    def _mesh_sessions(self, family: str, group: MeshGroup) -> Iterator[Session]:
        for one, other in itertools.combinations(group.speakers, 2):
            own, address = one.addresses[family], other.addresses[family]
            if own != address and not self._has_peer(one.name, address) and not self._has_peer(other.name, own):
                near = End(one.name, own, (self._mesh_stanza(one, family, other),))
                yield Session(family, near, End(other.name, address, (self._mesh_stanza(other, family, one),)))
        for session in self._windows_sessions(family):
            if not self._has_peer(session.near.node, session.far.address):
                yield session

    def _windows_sessions(self, family: str) -> Iterator[Session]:
        """A Windows node's mesh also names the reflectors, which have no mesh."""
        for one in self.meshes[family].speakers if family in self.meshes else ():
            if one.windows:
                for other in self.reflectors:
                    address = other.addresses.get(family)
                    if address:
                        near = End(one.name, one.addresses[family], (self._mesh_stanza(one, family, other),))
                        yield Session(family, near, End(other.name, address))

    def _far(self, near: End, family: str, address: str) -> End:
        other = self.owner(address)
        return End(other, address, self.towards(other, family, near.address)) if other else End("", address)

    def _has_peer(self, node: str, address: str) -> bool:
        """A BGPPeer gives a node this peer."""
        if address == self._address(node, "ipv6" if ":" in address else "ipv4"):
            return False
        return address in self.plan.global_table.by_address or address in self.plan.table(node).by_address

    def _mesh_size(self, family: str, group: MeshGroup) -> int:
        repeated = sum(len(same) * (len(same) - 1) // 2 for same in self._meshed.get(family, {}).values())
        return group.size - repeated + sum(1 for _session in self._windows_sessions(family))

    # --- one end ---

    def _address(self, node: str, family: str) -> str:
        speaker = self.plan.speakers.get(node)
        return speaker.addresses.get(family, "") if speaker else ""

    def _tables(self, node: str) -> tuple[tuple[str, Table], tuple[str, Table]]:
        return ((GLOBAL, self.plan.global_table), (NODE, self.plan.table(node)))

    def _in_mesh(self, speaker: Speaker, family: str) -> bool:
        return family in self.meshes and family in speaker.addresses and not speaker.cluster_id

    def _meshed_with(self, speaker: Speaker, family: str) -> dict[str, tuple[Speaker, ...]]:
        """The mesh peers of a node by address."""
        if not self._in_mesh(speaker, family):
            return {}
        found = {
            address: speakers
            for address, speakers in self._meshed[family].items()
            if address != speaker.addresses[family]
        }
        if speaker.windows:
            for one in self.reflectors:
                if family in one.addresses:
                    found.setdefault(one.addresses[family], (one,))
        return found

    def _mesh_peers(self, speaker: Speaker, family: str, address: str) -> tuple[Speaker, ...]:
        if not self._in_mesh(speaker, family):
            return ()
        found = self._meshed[family].get(address, ())
        if not found and speaker.windows:
            return tuple(one for one in self.reflectors if one.addresses.get(family) == address)
        return found

    def _mesh_stanza(self, speaker: Speaker, family: str, other: Speaker) -> Stanza:
        own, address = speaker.addresses[family], other.addresses[family]
        group = self.meshes[family]
        inherits = self.release.mesh_inherits_own_as and not speaker.windows and not other.own_as
        return Stanza(
            node=speaker.name,
            family=family,
            name=f"{MESH}_{identifier(address)}",
            kind=MESH,
            peer=address,
            port=BGP_PORT if speaker.windows else other.told_port,
            local_address=own,
            local_as=speaker.as_number,
            peer_as=speaker.as_number if inherits else other.as_number,
            passive=self.real.greater(address, own) and not speaker.windows,
            password=None if speaker.windows else group.password,
            source=own,
            restart_time=group.restart_time,
            multihop=self.release.mesh_multihop,
        )

    def _stanza(self, speaker: Speaker, kind: str, peer: Peer) -> Stanza:
        if speaker.windows:
            return _of_windows(speaker, kind, peer)
        own = speaker.addresses[peer.family]
        local_as = peer.local_as or speaker.as_number
        waits = kind == GLOBAL and peer.calico_node and self.release.global_waits
        waits = waits and self.real.greater(peer.address, own)
        client = bool(speaker.cluster_id) and local_as == peer.as_number and peer.cluster_id != speaker.cluster_id
        # By position: with keywords it takes twice the time, and large clusters have a hundred thousand of them.
        return Stanza(
            speaker.name,
            peer.family,
            f"{kind}_{peer.identifier}",
            kind,
            peer.address,
            peer.port or BGP_PORT,
            own,
            local_as,
            peer.as_number,
            waits,
            client,
            speaker.cluster_id if client else "",
            peer.password,
            own if peer.from_node_address else "",
            peer.ttl_security,
            peer.keepalive,
            peer.restart_time,
            True,
            peer.bgp_peer,
            peer.reverse,
        )


def _of_windows(speaker: Speaker, kind: str, peer: Peer) -> Stanza:
    """A peer of Windows' own BGP, which is told of a name, both addresses and the peer's AS number."""
    own = speaker.addresses[peer.family]
    return Stanza(
        node=speaker.name,
        family=peer.family,
        name=f"{kind}_{identifier(peer.address)}",
        kind=kind,
        peer=peer.address,
        port=BGP_PORT,
        local_address=own,
        local_as=speaker.as_number,
        peer_as=peer.as_number,
        passive=False,
        source=own,
        bgp_peer=peer.bgp_peer,
        reverse=peer.reverse,
    )


def expected(cluster: Cluster, version: str = "", real: RealAddresses = UNCHANGED) -> Expected:
    """The sessions that the objects of a cluster call for, and what is wrong with them.

    version: of Calico, if it is known better than from ClusterInformation; it decides some rules (see release).
    """
    which = release.of(version or cluster.calico_version)
    secrets = Secrets(cluster)
    made, objections = planning.build(cluster, which, secrets)
    unread = tuple(name for name in SOURCES if _not_read(cluster, name))
    found = Expected(which, made, _meshes(cluster, which, made, secrets), unread, real=real)
    return Expected(which, made, found.meshes, unread, (*objections, *problems.find(found, cluster, secrets)), real)


def _not_read(cluster: Cluster, name: str) -> bool:
    source = cluster.source(name)
    return source is not None and source.status not in ("ok", "absent")


def _meshes(cluster: Cluster, which: Release, made: Plan, secrets: Secrets) -> dict[str, MeshGroup]:
    default = cluster.bgp_configurations.get("default")
    if default is not None and default.mesh is False:
        return {}
    password = _mesh_password(default, which, secrets)
    restart_time = default.mesh_max_restart_time if default else ""
    found = {}
    for family in FAMILIES:
        members = tuple(one for one in made.speakers.values() if family in one.addresses and not one.cluster_id)
        if members:
            found[family] = MeshGroup(family, members, password, restart_time)
    return found


def _mesh_password(default: BGPConfiguration | None, which: Release, secrets: Secrets) -> Password | None:
    if default is None or default.mesh_password is None or not which.mesh_password:
        return None
    return Password(default.mesh_password, secrets.readable(default.mesh_password))
