# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route reflectors: do they reach each other, does every node reach one, do their cluster IDs fit?

A reflector passes the routes of a client to all its internal peers and those of other peers to its clients. It drops,
towards and from clients, what its own cluster ID stands in already: two reflectors with one ID must therefore have the
same clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import FAMILIES, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .expected import Expected
    from .model import Session

_MOST_NAMED = 3


class Seen:
    """What was seen of the sessions that BGPPeers make. All sets are of node names, by family and reflector."""

    def __init__(self, expected: Expected) -> None:
        self.reflectors = frozenset(one.name for one in expected.reflectors)
        self.peers: dict[tuple[str, str], set[str]] = {}
        self.clients: dict[tuple[str, str], set[str]] = {}
        self.having_any: dict[str, set[str]] = {family: set() for family in FAMILIES}
        self.reflected: dict[str, set[str]] = {family: set() for family in FAMILIES}

    def add(self, session: Session) -> None:
        """Take note of a session."""
        near, far = session.ends
        family = session.family
        self.having_any[family].add(near.node)
        if far.stanzas:
            self.having_any[family].add(far.node)
        if far.stanzas or session.external:
            self._end(family, near.node, far.node or far.address, near.stanzas[0].rr_client)
        if far.stanzas:
            self._end(family, far.node, near.node, far.stanzas[0].rr_client)

    def _end(self, family: str, node: str, other: str, client: bool) -> None:
        if other in self.reflectors:
            self.reflected[family].add(node)
        if node in self.reflectors:
            self.peers.setdefault((family, node), set()).add(other)
            if client:
                self.clients.setdefault((family, node), set()).add(other)


def problems(expected: Expected, seen: Seen, *, mesh_off: bool) -> Iterator[Problem]:
    """What is wrong with reflectors and with nodes that have no session."""
    for family in FAMILIES:
        speaking = frozenset(name for name, one in expected.speakers.items() if family in one.addresses)
        if len(speaking) > 1:
            yield from _without(seen, family, speaking, mesh_off=mesh_off)
            yield from _between(seen, family, sorted(seen.reflectors & speaking))
            yield from _shared_ids(expected, seen, family, speaking)


def _without(seen: Seen, family: str, speaking: frozenset[str], *, mesh_off: bool) -> Iterator[Problem]:
    """Nodes that lack sessions."""
    having = seen.having_any[family]
    isolated = sorted((seen.reflectors & speaking) - having)
    lonely = sorted(speaking - having - seen.reflectors) if mesh_off else []
    if mesh_off and not having & speaking:
        detail = "The node-to-node mesh is off, and no BGPPeer makes a session, so that no node learns any route."
        yield Problem("mesh_off_no_peers", "BGPConfiguration default", tuple(sorted(speaking)), detail, family)
        return
    if isolated:
        detail = f"{_named(isolated)} left the mesh for a cluster ID, and no BGPPeer makes a session there."
        yield Problem("reflector_isolated", f"node {isolated[0]}", tuple(isolated), detail, family)
    if lonely:
        detail = f"{_named(lonely)} have no BGP session: the mesh is off, and no BGPPeer is for them."
        yield Problem("node_without_peers", "BGPConfiguration default", tuple(lonely), detail, family)
    working = (seen.reflectors & speaking) - set(isolated)
    clients = sorted(speaking - seen.reflected[family] - seen.reflectors - set(lonely))
    if working and clients:
        first = min(working)
        detail = f"{_named(clients)} have no session with any reflector, such as {first}."
        yield Problem("client_without_reflector", f"node {clients[0]}", tuple(clients), detail, family)
    for name in sorted(working):
        if not seen.clients.get((family, name)):
            detail = f"{name} has a cluster ID and no client: it passes on no routes between its peers."
            yield Problem("reflector_without_clients", f"node {name}", (name,), detail, family)


def _between(seen: Seen, family: str, names: list[str]) -> Iterator[Problem]:
    """Reflectors that have no session with each other, nor one with a third one that serves both."""
    servants: dict[str, set[str]] = {}
    for name in names:
        for client in seen.clients.get((family, name), set()) & seen.reflectors:
            servants.setdefault(client, set()).add(name)
    apart: dict[str, list[str]] = {}
    for name in names:
        missing = [other for other in names if other > name and other not in seen.peers.get((family, name), set())]
        missing = [other for other in missing if not servants.get(name, set()) & servants.get(other, set())]
        # One that has no session at all is told as such.
        missing = [other for other in missing if (family, other) in seen.peers and (family, name) in seen.peers]
        if missing:
            apart[name] = missing
    if apart:
        first = min(apart)
        nodes = {*apart, *(other for others in apart.values() for other in others)}
        pairs = sum(map(len, apart.values()))
        more = f", and likewise {pairs - 1} more pairs" if pairs > 1 else ""
        detail = f"{first} and {apart[first][0]} have no session, so that neither learns the other's own routes{more}."
        yield Problem("reflectors_not_connected", f"node {first}", tuple(sorted(nodes)), detail, family)


def _shared_ids(expected: Expected, seen: Seen, family: str, speaking: frozenset[str]) -> Iterator[Problem]:
    """Reflectors of one cluster ID with different clients."""
    by_id: dict[str, list[str]] = {}
    for one in expected.reflectors:
        if one.name in speaking and (family, one.name) in seen.clients:
            by_id.setdefault(one.cluster_id, []).append(one.name)
    for cluster_id, names in sorted(by_id.items()):
        clients = [seen.clients[family, name] - set(names) for name in names]
        lacking = {name for some in clients for name in some if not all(name in others for others in clients)}
        if len(names) > 1 and lacking:
            detail = (
                f"{_named(names)} share the cluster ID {cluster_id}, and {_named(sorted(lacking))} are not clients of "
                "all of them: routes that one of them reflects, the others do not pass to their clients."
            )
            yield Problem("cluster_id_shared", f"node {names[0]}", tuple(sorted({*names, *lacking})), detail, family)


def _named(names: Iterable[str]) -> str:
    everyone = list(names)
    shown = everyone[:_MOST_NAMED]
    if len(everyone) > _MOST_NAMED:
        return f"{', '.join(shown)} and {len(everyone) - _MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
