# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All evidence of one run: the nodes that told something, those that did not, and the sessions between them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from .._cluster import flavour
from .._peering import compare
from .._peering import expected as peering
from .._peering.real_addresses import UNCHANGED
from . import own_addresses, registered, sessions, signatures
from .address_set import AddressSet
from .model import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .._cluster.flavour import Flavour
    from .._cluster.model import Cluster
    from .._peering.compare import Comparison
    from .._peering.expected import Expected
    from .._peering.real_addresses import RealAddresses
    from .model import MissingNode, Node, SourceRewrite, Verdict
    from .observations import Observation
    from .registered import Registered
    from .sessions import Session, SessionTable, Side
    from .signatures import Blame


Made = TypeVar("Made")
SessionKey = tuple[str, str, str]


@dataclass(frozen=True)
class Evidence:
    """What is known about the cluster. nodes and missing are keyed and named by inventory name.

    aliases: further inventory names of machines that were read under another name, with that name. cluster: what the
    Kubernetes API told; None if it was not asked at all. observations: what the operator of a bundle tried by hand.
    real: what is known of the real addresses where a bundle's are replaced. ignored: hosts of the inventory that are no
    Linux machines; that nothing was read there leaves nothing open.
    """

    nodes: Mapping[str, Node]
    missing: tuple[MissingNode, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None
    observations: tuple[Observation, ...] = ()
    real: RealAddresses = UNCHANGED
    ignored: tuple[MissingNode, ...] = ()

    def once(self, what: str, make: Callable[[], Made]) -> Made:
        """What somebody works out of this evidence under a name of its own, worked out once."""
        if what not in self._made:
            self._made[what] = make()
        found: Made = self._made[what]
        return found

    @cached_property
    def _made(self) -> dict[str, Any]:
        return {}

    @cached_property
    def table(self) -> SessionTable:
        """The sessions of all nodes that were read."""
        return sessions.join(self.nodes, self.real, self._untold)

    @cached_property
    def owners(self) -> Mapping[str, Node]:
        """Which node an address belongs to."""
        return sessions.owners_of_addresses(self.nodes.values(), self._untold)

    @cached_property
    def _untold(self) -> Mapping[tuple[str, str], str]:
        """By node and family the addresses of those that do not tell by which they speak."""
        owners = sessions.owners_of_addresses(self.nodes.values())
        return own_addresses.untold(self.nodes, self._on_record, owners)

    @cached_property
    def _on_record(self) -> Mapping[str, str]:
        """The names of the nodes on record by the addresses that they have there."""
        return own_addresses.on_record(self.registered, self.cluster)

    @cached_property
    def sessions_by_node(self) -> Mapping[str, tuple[Session, ...]]:
        """The sessions in trouble at each node that was read."""
        found: dict[str, list[Session]] = {name: [] for name in self.nodes}
        for session in self.table.down:
            for side in (session.dialler, session.listener):
                if side.node:
                    found[side.node.name].append(session)
        return {name: tuple(items) for name, items in found.items()}

    @cached_property
    def sessions_by_address(self) -> Mapping[str, Mapping[int, Session]]:
        """The sessions in trouble with each address, by their place among all that are."""
        found: dict[str, dict[int, Session]] = {}
        for number, session in enumerate(self.table.down):
            for side in (session.dialler, session.listener):
                found.setdefault(side.address, {})[number] = session
        return found

    @cached_property
    def refused_signatures(self) -> tuple[Blame, ...]:
        """The sessions that may fail for their passwords, by the nodes that explain them."""
        return signatures.blames(self.table.down, self.labels)

    @cached_property
    def signature_doubtful(self) -> Mapping[tuple[str, str, str], bool]:
        """Keys of the sessions that may fail for their passwords, and whether that is doubtful."""
        return {
            session.key: session.key in blame.doubtful
            for blame in self.refused_signatures
            for session in blame.sessions
        }

    @cached_property
    def registered(self) -> tuple[Registered, ...]:
        """Every node that Calico or Kubernetes has on record, with what it told itself; () without the API."""
        return registered.join(self.nodes, (*self.missing, *self.ignored), self.cluster)

    @cached_property
    def flavour(self) -> Flavour:
        """What kind of cluster this is, by what the API and the nodes told."""
        return flavour.flavour(self.cluster, self.nodes)

    @cached_property
    def comparison(self) -> Comparison | None:
        """The sessions that there should be against those that the nodes tell of; None if they are not known."""
        if self.expected is None:
            return None
        return compare.compare(self.expected, self.nodes, registered.names(self.registered))

    @cached_property
    def expected(self) -> Expected | None:
        """The sessions that the API's objects call for; None if they are not known, or BIRD is not used."""
        if self.cluster is None or not self.cluster.calico_nodes or self.uses_bgp is False:
            return None
        versions = [node.calico_version for node in self.nodes.values() if node.calico_version]
        return peering.expected(self.cluster, max(versions, key=versions.count) if versions else "", self.real)

    @cached_property
    def uses_bgp(self) -> bool | None:
        """Whether Calico runs BIRD here: by what runs on the nodes, else by what the API's objects say."""
        return self.flavour.bgp_expected

    @cached_property
    def unlisted(self) -> list[str]:
        """Nodes that nobody asked: those of the API (where it tells none, those of calico-node's pods), and mesh peers
        whose sessions are up, in no inventory."""
        in_api = self._linux_nodes()
        asked = {text for one in (*self.missing, *self.ignored) for text in (one.address, one.name)}
        known = asked | set(self.nodes) | set(self.owners) | {node.nodename for node in self.nodes.values()}
        not_asked = {name for name, addresses in in_api.items() if known.isdisjoint((name, *addresses))}
        pods = self.cluster.pods_of("calico-node", "canal") if self.cluster and not in_api else ()
        not_asked |= {pod.node for pod in pods if pod.node} - known
        told_by_name = {address for addresses in in_api.values() for address in addresses}
        peers = AddressSet()
        for node in self.nodes.values():
            for daemon in node.daemons.values():
                peers |= daemon.mesh
        return sorted(not_asked | set(peers - AddressSet.of(known | told_by_name | set(self._on_record))))

    def _linux_nodes(self) -> dict[str, tuple[str, ...]]:
        """The nodes with their addresses, as far as the API tells; there is nothing to read on those with Windows."""
        nodes = self.cluster.nodes.values() if self.cluster else ()
        return {node.name: node.internal_addresses for node in nodes if node.operating_system != "windows"}

    def down_at(self, *names: str) -> tuple[Session, ...]:
        """The sessions in trouble that end at one of these nodes, each once."""
        wanted = {session.key: session for name in names for session in self.sessions_by_node.get(name, ())}
        return tuple(wanted.values())

    def restricted_to(self, down: Iterable[Session]) -> Evidence:
        """The same evidence with only these sessions in trouble."""
        narrowed = replace(self)
        narrowed.__dict__["table"] = replace(self.table, down=tuple(down))
        return narrowed

    def missing_at(self, address: str) -> MissingNode | None:
        """The host of the inventory that was not read and has this address."""
        return self._missing_by_address.get(address) if address else None

    @cached_property
    def _missing_by_address(self) -> Mapping[str, MissingNode]:
        return {one.address: one for one in reversed((*self.missing, *self.ignored))}

    def name_of(self, address: str) -> str:
        """The best name for an address: a node that was read, one that was not, or the address itself."""
        owner = self.owners.get(address)
        if owner:
            return owner.name
        absent = self.missing_at(address)
        if absent:
            return absent.name
        # One that was read and does not speak by it is not where the sessions with this address end.
        name = self._on_record.get(address, "")
        return name if name and name not in self.nodes else address

    def address_of(self, node: Node) -> str:
        """The address by which a node speaks BGP, of IPv4 rather than of IPv6: as it says, else as others know it."""
        told = (node.bgp_addresses.get(one) or self._untold.get((node.name, one)) for one in FAMILIES)
        return next(filter(None, told), "")

    def name_at(self, side: Side) -> str:
        """The best name for an end of a session, also for that of a node whose own address is not known."""
        name = self.name_of(side.address)
        return side.label if name == side.address else name

    def labels(self, session: Session) -> tuple[str, str]:
        """Both ends of a session by name, dialler first."""
        found = self._labels.get(session.key)
        if found is None:
            found = self._labels[session.key] = (self.name_at(session.dialler), self.name_at(session.listener))
        return found

    @cached_property
    def _labels(self) -> dict[SessionKey, tuple[str, str]]:
        return {}


def steps(dialler: Side, listener: Side) -> Iterator[tuple[Node, str, str]]:
    """What a connection passes, as (node, direction, the node's peer): out, in, and its answers the other way.

    Ends that were not read are left out. See Verdict for the directions.
    """
    if dialler.node:
        yield dialler.node, "outbound", listener.address
    if listener.node:
        yield listener.node, "inbound", dialler.address
        yield listener.node, "answers_sent", dialler.address
    if dialler.node:
        yield dialler.node, "answers_received", listener.address


def verdict_on(node: Node, direction: str, peer: str) -> Verdict | None:
    """What the node's firewall does with TCP 179 of a peer in one direction; see Verdict for the directions.

    None where the firewall was not evaluated for that peer, and for answers where nothing stops them.
    """
    if node.verdicts is None:
        return None
    family = "ipv6" if ":" in peer else "ipv4"
    everyone_else = None
    for verdict in node.verdicts:
        if verdict.direction != direction or verdict.family != family:
            continue
        if verdict.peers is None:
            everyone_else = verdict
        elif peer in verdict.peers:
            return verdict
    return everyone_else


def rewrite_on(node: Node, direction: str, peer: str) -> SourceRewrite | None:
    """The NAT rule that gives BGP's packets with a peer another source address, outbound or inbound."""
    return next((one for one in node.source_rewrites if one.direction == direction and peer in one.peers), None)


def culprits(pairs: Iterable[tuple[Session, tuple[str, str]]]) -> list[tuple[tuple[str, ...], tuple[Session, ...]]]:
    """The fewest nodes that explain a set of failing sessions, greedily, each with the sessions it explains.

    A session that shares no node with another failing one has two possible culprits; both are named.
    """
    remaining = {session.key: (session, names) for session, names in pairs}
    order = {key: number for number, key in enumerate(remaining)}
    at: dict[str, set[SessionKey]] = {}
    for key, (_session, names) in remaining.items():
        for name in names:
            at.setdefault(name, set()).add(key)
    # A weight only falls, so one that is still true when it comes up is the greatest; others go back with the true one.
    queue = [(-len(keys), name) for name, keys in at.items()]
    heapq.heapify(queue)
    groups: list[tuple[tuple[str, ...], tuple[Session, ...]]] = []
    while queue:
        weight, leader = heapq.heappop(queue)
        if -weight != len(at[leader]):
            heapq.heappush(queue, (-len(at[leader]), leader))
            continue
        if weight >= -1:
            break
        taken = [remaining.pop(key) for key in sorted(at[leader], key=order.__getitem__)]
        others = set.intersection(*(set(names) for _session, names in taken)) - {leader}
        groups.append(((leader, *sorted(others)), tuple(session for session, _names in taken)))
        for session, names in taken:
            for name in names:
                at[name].discard(session.key)
    groups.extend((names, (session,)) for session, names in remaining.values())
    return groups
