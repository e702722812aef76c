# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with both ends: the join of what two nodes say about each other.

A mesh session is dialled from one side only, the node whose address is greater *as a string*; the other waits
(passive). Only sessions that are not plainly well at both ends become records, the rest are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .._peering.real_addresses import UNCHANGED
from . import agreement, own_addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._peering.real_addresses import RealAddresses
    from .model import Daemon, Node, Protocol


_DIALLING = ("Connect", "Active")

# The family and both ends of a session by their identity, whichever dials.
Key = tuple[str, frozenset[str]]
# An end as it is first known: its address, and the node to which that belongs.
_Place = tuple[str, "Node | None"]


@dataclass(frozen=True)
class Side:
    """One end of a session. node is None where the address belongs to no node that was read."""

    address: str
    node: Node | None
    daemon: Daemon | None
    protocol: Protocol | None
    established: bool

    @property
    def label(self) -> str:
        """The node's name, or the address where no node is known for it."""
        return self.node.name if self.node else self.address

    @property
    def identity(self) -> str:
        """What tells this end from others: the address, or the node's name where the node does not tell it."""
        return _identity(self.address, self.node)

    @property
    def readable(self) -> bool:
        """This end's BIRD was heard, so that its silence about the peer means something."""
        return self.daemon is not None and self.daemon.socket_state == "answers"


@dataclass(frozen=True)
class Session:
    """A session that is not established at both ends, with the end that dials and the end that listens."""

    family: str
    dialler: Side
    listener: Side
    both_dial: bool

    @cached_property
    def key(self) -> tuple[str, str, str]:
        """Identity: the family and both addresses, dialler first; of an end without one that is known, its label."""
        return (self.family, self.dialler.identity, self.listener.identity)

    @property
    def labels(self) -> tuple[str, str]:
        """Both ends as a person names them, dialler first."""
        return (self.dialler.label, self.listener.label)

    def sides(self) -> tuple[tuple[Side, Side], tuple[Side, Side]]:
        """Each end with the other one."""
        return ((self.dialler, self.listener), (self.listener, self.dialler))

    def other(self, side: Side) -> Side:
        """The opposite end."""
        return self.listener if side is self.dialler else self.dialler

    def side_of(self, name: str) -> Side | None:
        """The end at the node of this name."""
        return next((side for side in (self.dialler, self.listener) if side.node and side.node.name == name), None)

    @property
    def stranger(self) -> Side | None:
        """The one end that has no protocol for the other, where both ends' BIRDs were heard and the other end has."""
        if not (self.dialler.readable and self.listener.readable):
            return None
        unaware = [side for side in (self.dialler, self.listener) if not side.established and side.protocol is None]
        return unaware[0] if len(unaware) == 1 else None

    def dials(self, side: Side) -> bool:
        """This end opens connections."""
        return self.both_dial or side is self.dialler


@dataclass(frozen=True)
class SessionTable:
    """All sessions: those in trouble as records, the healthy ones as a number.

    one_ended counts the established ones of which only one end was read.
    """

    down: tuple[Session, ...]
    established: int
    expected: int
    one_sided: int
    one_ended: int

    def of(self, name: str) -> list[Session]:
        """The sessions in trouble that end at a node."""
        return [session for session in self.down if session.side_of(name)]


def owners_of_addresses(nodes: Iterable[Node], untold: Mapping[tuple[str, str], str] | None = None) -> dict[str, Node]:
    """Address to node: what a node calls itself in BGP counts before what its interfaces hold, then the inventory.

    Where two nodes claim one address the first keeps it; that conflict is a fault of its own. untold: what is worked
    out of nodes that do not tell it (see own_addresses).
    """
    everyone = list(nodes)
    owners: dict[str, Node] = {}
    for node in everyone:
        for address in node.bgp_addresses.values():
            owners.setdefault(address, node)
    for node in everyone:
        for held in node.addresses:
            owners.setdefault(held.address, node)
    for node in everyone:
        if node.inventory_address:
            owners.setdefault(node.inventory_address, node)
    by_name = {node.name: node for node in everyone if untold}
    for (name, _family), address in (untold or {}).items():
        owners.setdefault(address, by_name[name])
    return owners


def join(
    nodes: Mapping[str, Node], real: RealAddresses = UNCHANGED, untold: Mapping[tuple[str, str], str] | None = None
) -> SessionTable:
    """Join every node's view of its sessions with the view from the other end. real: of replaced addresses. untold: by
    node and family the addresses of those that do not tell their own."""
    owners = owners_of_addresses(nodes.values(), untold)
    down: dict[Key, Session] = {}
    seen_from_one_end = ends_up = 0
    known = untold or {}
    ends = [
        agreement.End(node, daemon, own_addresses.told(node, daemon) or known.get((node.name, daemon.family), ""))
        for node in nodes.values()
        for daemon in node.daemons.values()
    ]
    for of_family in agreement.by_family(ends):
        agreed = agreement.compare(of_family, owners)
        seen_from_one_end += agreed.alone
        ends_up += agreed.agreed
        for (node, daemon, own), peer in agreed.doubtful:
            _remember(down, daemon.family, (own, node), (peer, owners[peer]), real)
    for node, daemon, own in ends:
        for peer in daemon.troubled:
            # A second protocol for a peer waits until the first one ends: the session is up all the same.
            if peer not in daemon.established:
                _remember(down, daemon.family, (own, node), (peer, owners.get(peer)), real)
    unheard = {key for key, session in down.items() if _up_but_other_end_unheard(session)}
    trouble = tuple(down[key] for key in sorted(down, key=lambda key: _sort_key(key, real)) if key not in unheard)
    seen_from_one_end += len(unheard)
    established = seen_from_one_end + ends_up // 2
    return SessionTable(
        down=trouble,
        established=established,
        expected=established + len(trouble),
        one_sided=sum(1 for session in trouble if session.stranger),
        one_ended=seen_from_one_end,
    )


def _remember(down: dict[Key, Session], family: str, here: _Place, there: _Place, real: RealAddresses) -> None:
    """Keep a session once, whichever end told of it first."""
    key = (family, frozenset((_identity(*here), _identity(*there))))
    if key not in down:
        down[key] = _session(family, here, there, real)


def _identity(address: str, node: Node | None) -> str:
    return address or (node.name if node else "")


def _sort_key(key: Key, real: RealAddresses) -> tuple[str, list[tuple[int, str]]]:
    return (key[0], sorted(map(real.place, key[1])))


def _up_but_other_end_unheard(session: Session) -> bool:
    """One end reports Established and the other end's BIRD could not be heard: nothing says that it is down."""
    ends = (session.dialler, session.listener)
    return any(end.established for end in ends) and any(not end.established and not end.readable for end in ends)


def _session(family: str, one: _Place, other: _Place, real: RealAddresses) -> Session:
    here, there = _side(family, one, other), _side(family, other, one)
    protocols = [side.protocol for side in (here, there) if side.protocol is not None]
    both_dial = bool(protocols) and not any(protocol.passive for protocol in protocols) and not _mesh(protocols)
    dialler, listener = _by_direction(here, there, real)
    return Session(family, dialler, listener, both_dial)


def _mesh(protocols: Iterable[Protocol]) -> bool:
    return any(protocol.kind == "Mesh" for protocol in protocols)


def _by_direction(here: Side, there: Side, real: RealAddresses) -> tuple[Side, Side]:
    """Dialler and listener: as configured (passive), else by the order of the addresses as strings."""
    if here.protocol and here.protocol.passive:
        return there, here
    if there.protocol and there.protocol.passive:
        return here, there
    # Where nobody told by which address this end speaks, what it does tells who dials.
    if not here.address and here.protocol and here.protocol.bgp_state in _DIALLING:
        return here, there
    if not here.address and here.protocol and here.protocol.bgp_state == "Passive":
        return there, here
    return (here, there) if real.greater(here.address, there.address) else (there, here)


def _side(family: str, place: _Place, far: _Place) -> Side:
    (address, node), (peer, _far_node) = place, far
    daemon = node.daemons.get(family) if node else None
    if node is None or daemon is None:
        return Side(address, node, daemon, None, False)
    return Side(address, node, daemon, daemon.troubled.get(peer), peer in daemon.established)
