# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the plan of sessions, whatever the nodes say about those that run."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from . import addresses, reflectors
from .model import MESH, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._cluster.model import Cluster
    from .expected import Expected
    from .model import End, MeshGroup, Password, Peer, Session, Speaker, Stanza
    from .secrets import Secrets

KINDS: Mapping[str, str] = {
    # --- a BGPPeer by itself ---
    "selector_invalid": "a selector does not parse, so that it selects nothing",
    "selects_no_node": "its nodeSelector selects no node, or none with an address",
    "selects_no_peer": "its peerSelector selects no node, or none with an address",
    "node_unknown": "its node does not exist",
    "node_and_selector": "it has both node and nodeSelector; confd goes by the selector",
    "address_and_selector": "it has both peerIP and peerSelector; confd goes by the selector",
    "as_with_selector": "it has an asNumber beside a peerSelector, which confd does not use",
    "local_as_with_selector": "it has a localASNumber beside a peerSelector, which confd does not use",
    "peer_address_malformed": "its peerIP is missing or no address; confd leaves it out",
    "reachable_by_malformed": "its reachableBy is no address of the peer's family; confd leaves it out",
    "peer_address_spelling": "its peerIP is a node's address in another spelling, so that confd does not know the node",
    "peer_is_itself": "the node that it is for is its only peer; confd leaves it out",
    "peer_is_own_other_address": "its peerIP is another address of a node that it is for: the node peers with itself",
    "family_missing": "its peerIP is of a family that none of its nodes has",
    "as_missing": "its peerIP comes without an asNumber; BIRD refuses the whole configuration",
    "peer_by_chance": "it and another one say different things about one peer; which of them counts is chance",
    # --- passwords ---
    "secret_missing": "the secret with the password does not exist",
    "secret_elsewhere": "the secret with the password is in a namespace where confd does not look",
    "secret_key_missing": "the secret with the password has not the key",
    "secret_unreadable": "calico-node may not read the secret with the password",
    "password_differs": "the two ends of sessions do not use the same password, or only one signs",
    # --- sessions ---
    "one_sided": "only one of two nodes is configured for the session",
    "nobody_dials": "both ends wait for the other one",
    "as_mismatch": "one end expects another AS number than the other one has",
    "port_mismatch": "one end dials another port than the other one listens on",
    "ttl_security_differs": "one end has ttlSecurity and the other one not",
    "mesh_repeated": "a BGPPeer is between nodes that are in one mesh: a second protocol for it, which stays Idle",
    "peer_repeated": "two BGPPeers give a node two protocols for one address",
    "mesh_needs_subnet": "mesh nodes of different AS are not in one subnet, which this release needs",
    # --- nodes and topology ---
    "duplicate_address": "two nodes have one address",
    "mesh_off_no_peers": "the mesh is off and no BGPPeer makes a session",
    "node_without_peers": "some nodes have no session, and others have",
    "cluster_id_malformed": "a cluster ID is not written as an IPv4 address",
    "cluster_id_shared": "reflectors have one cluster ID, and clients that are not the same",
    "reflector_isolated": "a node has a cluster ID, which takes it out of the mesh, and no BGPPeer makes a session",
    "reflectors_not_connected": "two reflectors have no session with each other",
    "client_without_reflector": "a node has no session with any reflector",
    "reflector_without_clients": "a reflector has sessions, and treats none of its peers as a client",
}


def find(expected: Expected, cluster: Cluster, secrets: Secrets) -> Iterator[Problem]:
    """All problems but those that single BGPPeers have by themselves (see objections)."""
    yield from _by_chance(expected)
    yield from _own_other_addresses(expected, cluster)
    yield from _secrets(cluster, secrets)
    yield from _cluster_ids(expected, cluster)
    yield from _duplicate_addresses(expected)
    yield from _mesh(expected, cluster)
    seen = reflectors.Seen(expected)
    yield from _sessions(expected, seen)
    yield from reflectors.problems(expected, seen, mesh_off=_mesh_off(cluster))


def _mesh_off(cluster: Cluster) -> bool:
    default = cluster.bgp_configurations.get("default")
    return default is not None and default.mesh is False


# --- objects ---


def _by_chance(expected: Expected) -> Iterator[Problem]:
    found: dict[tuple[str, str], tuple[set[str], Peer, Peer]] = {}
    for one, other in expected.plan.global_table.chance:
        found[(one.bgp_peer, other.bgp_peer)] = (set(expected.speakers), one, other)
    for node, table in expected.plan.tables.items():
        for one, other in table.chance:
            found.setdefault((one.bgp_peer, other.bgp_peer), (set(), one, other))[0].add(node)
    for (first, second), (nodes, peer, other) in sorted(found.items(), key=lambda item: item[0]):
        numbers = f" (AS {peer.as_number} and AS {other.as_number})" if peer.as_number != other.as_number else ""
        detail = (
            f"It and BGPPeer {second} say different things about peer {peer.address}{numbers}; confd takes the one it "
            "comes to first, which is chance and may differ between nodes."
        )
        names = tuple(sorted(nodes))
        field = "spec.asNumber" if numbers else ""
        yield Problem("peer_by_chance", f"BGPPeer {first}", names, detail, peer.family, field)


def _own_other_addresses(expected: Expected, cluster: Cluster) -> Iterator[Problem]:
    """BGPPeers for an address of the node itself that is not the one confd knows."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, node in cluster.nodes.items():
        speaker = expected.speakers.get(name)
        if speaker is None:
            continue
        for kind, written in node.addresses:
            address = addresses.canonical(written) if kind in ("InternalIP", "ExternalIP") else ""
            family = addresses.family_of(address)
            if not address or address in speaker.addresses.values() or family not in speaker.addresses:
                continue
            for table in (expected.plan.global_table, expected.plan.table(name)):
                for peer in table.by_address.get(address, ()):
                    found.setdefault((peer.bgp_peer, address), []).append(name)
    for (bgp_peer, address), nodes in sorted(found.items()):
        detail = f"{address} is another address of {nodes[0]} itself, which confd does not leave out."
        family = addresses.family_of(address)
        yield Problem("peer_is_own_other_address", f"BGPPeer {bgp_peer}", tuple(sorted(nodes)), detail, family)


def _secrets(cluster: Cluster, secrets: Secrets) -> Iterator[Problem]:
    default = cluster.bgp_configurations.get("default")
    users = [(f"BGPPeer {one.name}", one.password) for one in cluster.bgp_peers]
    if default is not None:
        users.insert(0, ("BGPConfiguration default", default.mesh_password))
    for name, reference in users:
        wrong = secrets.wrong(reference) if reference else None
        if wrong:
            yield Problem(wrong[0], name, (), f"{wrong[1]} confd leaves the password out.")


def _cluster_ids(expected: Expected, cluster: Cluster) -> Iterator[Problem]:
    for name, node in sorted(cluster.calico_nodes.items()):
        told = node.route_reflector_cluster_id
        if told and not addresses.is_ipv4(told):
            effect = (
                "BIRD refuses the configuration if it is no number either"
                if expected.speakers[name].cluster_id
                else f"{expected.release.name} passes it over, and the node stays in the mesh"
            )
            detail = f"Its cluster ID {told[:40]!a} is no IPv4 address; {effect}."
            yield Problem("cluster_id_malformed", f"node {name}", (name,), detail)


def _duplicate_addresses(expected: Expected) -> Iterator[Problem]:
    for address, names in sorted(expected.plan.owners.items()):
        if len(names) > 1:
            family = addresses.family_of(address)
            in_mesh = [name for name in names if family in expected.meshes and not expected.speakers[name].cluster_id]
            rejected = (
                " Every other node gets two protocols of one name, and its BIRD refuses the configuration."
                if len(in_mesh) > 1
                else ""
            )
            shown = " and ".join((", ".join(names[:-1]), names[-1]))
            yield Problem("duplicate_address", f"node {names[0]}", names, f"{shown} have {address}.{rejected}", family)


# --- the mesh as a whole ---


def _mesh(expected: Expected, cluster: Cluster) -> Iterator[Problem]:
    for family, group in expected.meshes.items():
        yield from _inherited_as(expected, family, group)
        yield from _needs_subnet(expected, cluster, family, group)
        windows = tuple(one.name for one in group.speakers if one.windows)
        if windows and group.password and len(group.speakers) > 1:
            detail = f"The mesh has a password, and Windows nodes such as {windows[0]} cannot sign."
            yield Problem("password_differs", "BGPConfiguration default", windows, detail, family)
        moved = tuple(one.name for one in group.speakers if one.told_port != one.listen_port)
        if moved and len(group.speakers) > 1:
            detail = f"The others dial port {expected.speakers[moved[0]].told_port}; Windows listens on 179 only."
            yield Problem("port_mismatch", "BGPConfiguration default", moved, detail, family)


def _inherited_as(expected: Expected, family: str, group: MeshGroup) -> Iterator[Problem]:
    """From 3.32 on a node with an AS of its own takes it for that of mesh peers which have none of their own."""
    if not expected.release.mesh_inherits_own_as:
        return
    common = next((one for one in group.speakers if not one.own_as), None)
    own = [one for one in group.speakers if one.own_as and common and one.as_number != common.as_number]
    if own and common:
        detail = (
            f"{own[0].name} has AS {own[0].as_number} of its own and expects it of mesh peers that have none, such as "
            f"{common.name}, which has AS {common.as_number}: so {expected.release.name} renders it."
        )
        yield Problem("as_mismatch", f"node {own[0].name}", tuple(sorted(one.name for one in own)), detail, family)


def _needs_subnet(expected: Expected, cluster: Cluster, family: str, group: MeshGroup) -> Iterator[Problem]:
    """Between nodes of different AS the mesh is eBGP, which from 3.26 to 3.32 is rendered without multihop."""
    if expected.release.mesh_multihop or len({one.as_number for one in group.speakers}) < 2:
        return
    groups: dict[tuple[int, str], list[Speaker]] = {}
    for one in group.speakers:
        record = cluster.calico_nodes[one.name]
        network = addresses.network_of(record.ipv6 if family == "ipv6" else record.ipv4)
        if network is not None and network.num_addresses > 1:
            groups.setdefault((one.as_number, str(network)), []).append(one)
    apart: set[str] = set()
    for (first, here), (second, there) in itertools.combinations(sorted(groups), 2):
        if first != second and here != there:
            apart.update(one.name for key in ((first, here), (second, there)) for one in groups[key])
    if apart:
        detail = (
            f"Mesh nodes of different AS numbers are in different subnets; {expected.release.name} renders the mesh "
            "without multihop, so that BIRD keeps these sessions Idle."
        )
        yield Problem("mesh_needs_subnet", "BGPConfiguration default", tuple(sorted(apart)), detail, family)


# --- sessions that BGPPeers make ---


class _Gathered:
    """Problems of many sessions, told once for each kind and object."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[set[str], list[str]]] = {}

    def add(self, kind: str, what: str, family: str, nodes: Iterable[str], detail: str) -> None:
        """Remember one. detail: a sentence without its full stop."""
        names, details = self._found.setdefault((kind, what, family), (set(), []))
        names.update(node for node in nodes if node)
        details.append(detail)

    def problems(self) -> Iterator[Problem]:
        """All that was remembered."""
        for (kind, what, family), (names, details) in sorted(self._found.items()):
            more = f", and likewise {len(details) - 1} more" if len(details) > 1 else ""
            yield Problem(kind, what, tuple(sorted(names)), f"{details[0]}{more}.", family)


def _sessions(expected: Expected, seen: reflectors.Seen) -> Iterator[Problem]:
    gathered = _Gathered()
    for session in expected.sessions(mesh=False):
        seen.add(session)
        near, far = session.near.stanza, session.far.stanza
        if near is None:
            continue
        for end in session.ends:
            if len(end.stanzas) > 1:
                _repeated(gathered, session, end)
        if near.port != near.listen_of(expected.speakers.get(session.far.node)):
            _port(gathered, expected, session, near)
        if far is None:
            if session.far.node:
                _one_sided(gathered, expected, session, near)
            continue
        if far.port != far.listen_of(expected.speakers.get(session.near.node)):
            _port(gathered, expected, session, far)
        _compared(gathered, session, near, far)
    yield from gathered.problems()


def _object(stanza: Stanza) -> str:
    return f"BGPPeer {stanza.bgp_peer}" if stanza.bgp_peer else "BGPConfiguration default"


def _repeated(gathered: _Gathered, session: Session, end: End) -> None:
    first, *others = end.stanzas
    for one in others:
        kind = "mesh_repeated" if MESH in (one.kind, first.kind) else "peer_repeated"
        source = one if one.bgp_peer else first
        waits = "the one that BIRD comes to second waits for ever" if one.port == first.port else "their ports differ"
        detail = f"{end.label} has {first.name} and {one.name} for one address ({waits})"
        gathered.add(kind, _object(source), session.family, (end.node,), detail)


def _one_sided(gathered: _Gathered, expected: Expected, session: Session, near: Stanza) -> None:
    far = expected.speakers[session.far.node]
    why = ""
    if near.peer_as and near.peer_as != far.as_number:
        why = f": it names AS {near.peer_as}, and {far.name} has {far.as_number}, so that confd does not find it"
    detail = f"{session.near.label} has {near.name}, and {far.name} has nothing for {session.near.address}{why}"
    if near.kind == MESH:
        detail = f"{session.near.label} counts the reflector {far.name} to the mesh, which has left it"
    gathered.add("one_sided", _object(near), session.family, (session.near.node, far.name), detail)


def _port(gathered: _Gathered, expected: Expected, session: Session, stanza: Stanza) -> None:
    if stanza.passive:
        return
    there = session.far if stanza.node == session.near.node else session.near
    listens = expected.speakers[there.node].listen_port
    detail = f"{stanza.node} dials port {stanza.port} of {there.label}, which listens on {listens}"
    gathered.add("port_mismatch", _object(stanza), session.family, (stanza.node, there.node), detail)


def _compared(gathered: _Gathered, session: Session, near: Stanza, far: Stanza) -> None:
    nodes = (session.near.node, session.far.node)
    for one, other in ((near, far), (far, near)):
        if one.peer_as and one.peer_as != other.local_as:
            detail = f"{one.node} expects AS {one.peer_as} of {other.node}, which uses {other.local_as}"
            gathered.add("as_mismatch", _object(one), session.family, nodes, detail)
    if near.passive and far.passive:
        gathered.add("nobody_dials", _object(near), session.family, nodes, f"{near.node} and {far.node} both wait")
    if near.ttl_security != far.ttl_security and not (near.ttl_security and far.ttl_security):
        has, lacks = (near, far) if near.ttl_security else (far, near)
        detail = f"{has.node} has ttlSecurity {has.ttl_security} towards {lacks.node}, which has none"
        gathered.add("ttl_security_differs", _object(has), session.family, nodes, detail)
    if near.password != far.password and _signs_otherwise(near.password, far.password):
        detail = f"{near.node} and {far.node} do not refer to the same password for their session"
        gathered.add("password_differs", _object(near if near.password else far), session.family, nodes, detail)


def _signs_otherwise(one: Password | None, other: Password | None) -> bool:
    """The ends differ for certain, or refer to different secrets (which might hold the same password)."""
    signs = [password is not None and password.readable is not False for password in (one, other)]
    if signs == [False, False]:
        return False
    return signs[0] != signs[1] or (one is not None and other is not None and one.secret != other.secret)
