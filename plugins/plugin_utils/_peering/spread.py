# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How routes spread from node to node over the sessions.

A route that was learnt over iBGP goes to no other internal peer, unless a reflector passes it on: those of a client to
all internal peers, those of others to clients, and none to or from a client if the reflector's cluster ID stands in
the route already (so does BIRD 1.6, proto/bgp/attrs.c). What is learnt over eBGP goes to everybody, except to nodes of
the AS that it came from. What a router outside the cluster passes on is not known: that it passes on everything is
one of two assumptions that can be asked for.

Filters (BGPFilter, disableBGPExport) are not looked at. Sets of nodes are numbers of which each bit is a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from .expected import Expected
    from .model import End, MeshGroup, Session


class _State(NamedTuple):
    """A route at a node that may pass it on.

    how: client, other or external, by whom it was learnt. ids: the cluster IDs that stand in it.
    """

    at: int
    how: str
    ids: frozenset[str] = frozenset()


class Graph:
    """The sessions as sets. Vertices are the nodes of the family, then routers outside the cluster."""

    def __init__(self, expected: Expected, family: str) -> None:
        self.expected = expected
        self.family = family
        self.names = [name for name, one in expected.speakers.items() if family in one.addresses]
        self.index = {name: number for number, name in enumerate(self.names)}
        self.everyone = (1 << len(self.names)) - 1
        self.routers: dict[str, int] = {}
        size = len(self.names)
        self.internal = [0] * size
        self.external = [0] * size
        self.clients = [0] * size
        self.ids = [expected.speakers[name].cluster_id for name in self.names]
        self.systems = [expected.speakers[name].as_number for name in self.names]
        if family in expected.meshes:
            self._add_mesh(expected.meshes[family])
        for session in expected.sessions(mesh=False):
            if session.family == family:
                self._add(session)

    # --- building ---

    def _add_mesh(self, group: MeshGroup) -> None:
        of_system: dict[int, int] = {}
        of_address: dict[str, int] = {}
        default = 0
        for one in group.speakers:
            bit = 1 << self.index[one.name]
            of_system[one.as_number] = of_system.get(one.as_number, 0) | bit
            address = one.addresses[self.family]
            of_address[address] = of_address.get(address, 0) | bit
            default |= 0 if one.own_as else bit
        members = sum(of_system.values())
        for one in group.speakers:
            number = self.index[one.name]
            peers = members & ~of_address[one.addresses[self.family]]
            same = of_system[one.as_number]
            if self.expected.release.mesh_inherits_own_as:
                # A node with an AS of its own expects it of those without one, which fails unless it is theirs.
                peers &= ~default | same if one.own_as else default | same
            self.internal[number] |= peers & same
            self.external[number] |= peers & ~same

    def _add(self, session: Session) -> None:
        if not session.external:
            if can_work(session):
                self._connect(self.index[session.near.node], self.index[session.far.node], session)
        elif session.near.stanza is not None:
            router = self._router(session.far)
            self._connect(self.index[session.near.node], router, session)

    def _router(self, end: End) -> int:
        if end.address not in self.routers:
            self.routers[end.address] = len(self.internal)
            for sets in (self.internal, self.external, self.clients):
                sets.append(0)
            self.ids.append("")
            self.systems.append(0)
        return self.routers[end.address]

    def _connect(self, near: int, far: int, session: Session) -> None:
        sets = self.internal if session.internal else self.external
        sets[near] |= 1 << far
        sets[far] |= 1 << near
        for one, other, end in ((near, far, session.near), (far, near, session.far)):
            if end.stanza is not None and end.stanza.rr_client:
                self.clients[one] |= 1 << other

    def cut(self, broken: Mapping[str, Collection[str]]) -> None:
        """Take away sessions that are down, whoever of both ends tells."""
        known: dict[frozenset[str], int] = {}
        for name, others in broken.items():
            number = self.index.get(name)
            if number is None:
                continue
            some = frozenset(others)
            if some not in known:
                known[some] = sum(1 << self.index[other] for other in some if other in self.index)
            away = known[some] & self.peers(number)
            for sets in (self.internal, self.external, self.clients):
                sets[number] &= ~away
            for other in bits(away):
                for sets in (self.internal, self.external, self.clients):
                    sets[other] &= ~(1 << number)

    # --- asking ---

    def peers(self, number: int, *, routers: bool = True) -> int:
        """All peers of a vertex."""
        found = self.internal[number] | self.external[number]
        return found if routers else found & self.everyone

    def learners(self, *, routers: bool) -> list[int]:
        """For each node, the nodes that learn its routes. routers: those outside pass on what they get."""
        return _Spread(self, routers=routers).learners()


class _Spread:
    """How routes spread over a graph. What happens to one depends on who gets it first, which is remembered."""

    def __init__(self, graph: Graph, *, routers: bool) -> None:
        self.graph = graph
        self.first_router = len(graph.names)
        self.within = (1 << len(graph.internal)) - 1 if routers else graph.everyone
        self.passing = sum(
            1 << number
            for number in range(len(graph.internal))
            if (graph.clients[number] or graph.external[number] or number >= self.first_router)
        )
        self.passing &= self.within
        self.systems: dict[int, int] = {}
        for number in range(self.first_router):
            system = graph.systems[number]
            self.systems[system] = self.systems.get(system, 0) | 1 << number
        self.known: dict[tuple[frozenset[_State], int], int] = {}

    def learners(self) -> list[int]:
        """For each node, the nodes that learn its routes."""
        return [self._of(number) for number in range(self.first_router)]

    def _of(self, origin: int) -> int:
        graph = self.graph
        own = 1 << origin
        direct = graph.peers(origin) & self.within
        if (direct | own) & graph.everyone == graph.everyone:
            return graph.everyone & ~own
        first = frozenset(
            _State(one, "external" if graph.external[origin] >> one & 1 else self._learnt(one, origin))
            for one in bits(direct & self.passing)
        )
        key = (first, graph.systems[origin])
        if key not in self.known:
            self.known[key] = self._closure(first, graph.systems[origin])
        return (direct | self.known[key]) & graph.everyone & ~own

    def _learnt(self, at: int, sender: int) -> str:
        return "client" if self.graph.clients[at] >> sender & 1 else "other"

    def _closure(self, first: Iterable[_State], system: int) -> int:
        """Everybody that learns a route which these vertices have."""
        reached, seen, waiting = 0, set(first), list(first)
        while waiting and reached & self.graph.everyone != self.graph.everyone:
            state = waiting.pop()
            reached |= 1 << state.at
            for one in self._passed_on(state, system):
                reached |= one[1]
                for following in one[0]:
                    if following not in seen:
                        seen.add(following)
                        waiting.append(following)
        return reached

    def _passed_on(self, state: _State, system: int) -> Iterator[tuple[list[_State], int]]:
        """The states that follow from one, and everybody who learns the route from it."""
        graph, at = self.graph, state.at
        router = at >= self.first_router
        outside = graph.external[at] & self.within
        if not router:
            outside &= ~self.systems.get(system, 0)
        yield [_State(one, "external") for one in bits(outside & self.passing)], outside
        inside, ids = self._reflected(state, router=router)
        following = []
        for one in bits(inside & self.passing):
            how = self._learnt(one, at)
            if how == "client" and graph.ids[one] in ids:
                inside &= ~(1 << one)
            else:
                following.append(_State(one, how, ids))
        yield following, inside

    def _reflected(self, state: _State, *, router: bool) -> tuple[int, frozenset[str]]:
        """The internal peers that get a route from a vertex, and the cluster IDs that then stand in it."""
        graph, at = self.graph, state.at
        if router or state.how == "external":
            return graph.internal[at] & self.within, frozenset()
        clients = graph.clients[at] & graph.internal[at]
        found = graph.internal[at] if state.how == "client" else clients
        if graph.ids[at] in state.ids:
            found &= ~clients
        return found & self.within, state.ids | {graph.ids[at]}


def can_work(session: Session) -> bool:
    """Nothing in the configuration of two nodes keeps their session from being established."""
    near, far = session.near.stanza, session.far.stanza
    if near is None or far is None:
        return False
    agree = near.peer_as == far.local_as and far.peer_as == near.local_as
    return agree and not (near.passive and far.passive)


def bits(value: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    digits = bin(value)[:1:-1]
    position = digits.find("1")
    while position >= 0:
        yield position
        position = digits.find("1", position + 1)
