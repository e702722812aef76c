# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected sessions against those that the nodes tell of.

Only what a node says counts: of a node that was not read, or whose BIRD was not heard, nothing is claimed. Local
workloads' protocols are expected on the node alone and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .model import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from .._evidence.model import Daemon, Node, Protocol
    from .expected import Expected
    from .model import Stanza

_WORKLOAD = "Local_Workload"

KINDS: Mapping[str, str] = {
    "missing": "the node has no protocol for a peer that it should have",
    "one_sided": "the node has no protocol for a peer that it should have, and the peer's BIRD has one for the node",
    "not_loaded": "the protocol is rendered on disk and BIRD does not run it",
    "extra": "the node has a protocol for a peer that nothing calls for",
    "itself": "the node has a protocol for an address of its own",
    "differs": "a protocol that is not established differs from the expected one",
    "node_differs": "the node's BIRD uses another address, AS number or port than the API has on record",
}


@dataclass(frozen=True)
class Difference:
    """What a node's BIRD has otherwise than it should, of one kind.

    node: Calico's name; inventory: the inventory's. peers: the addresses concerned, sorted. field, wanted and found are
    told by 'differs' and 'node_differs' only.
    """

    kind: str
    family: str
    node: str
    inventory: str
    peers: tuple[str, ...] = ()
    field: str = ""
    wanted: str = ""
    found: str = ""


@dataclass(frozen=True)
class Comparison:
    """Expected against actual. Names of nodes are Calico's.

    names: Calico's name to the inventory's, for those that were read. strangers: nodes of the inventory that run
    Calico and are none that Calico knows. unread: by family, nodes that ought to speak and whose BIRD was not heard.
    broken: by family and node, the nodes that it has no established session with, as either end tells; a session of
    which neither end was heard does not count. wanted, established: session ends of the nodes that were heard.
    """

    differences: tuple[Difference, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broken: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    wanted: int = 0
    established: int = 0

    def of(self, *kinds: str) -> tuple[Difference, ...]:
        """The differences of these kinds."""
        return tuple(one for one in self.differences if one.kind in kinds)


def compare(expected: Expected, nodes: Mapping[str, Node], known_as: Mapping[str, str]) -> Comparison:
    """Compare what is expected with what the nodes of the evidence say (Evidence.nodes, by inventory name).

    known_as: Calico's name of each node that was read, to the inventory's.
    """
    names = {name: inventory for name, inventory in known_as.items() if name in expected.speakers}
    comparer = _Comparer(expected, {name: nodes[inventory] for name, inventory in names.items()})
    found = tuple(comparer.differences())
    taken = set(names.values())
    return Comparison(
        differences=found,
        names=names,
        strangers=tuple(sorted(name for name, node in nodes.items() if node.has_calico and name not in taken)),
        unread={family: unread for family in FAMILIES if (unread := comparer.unread(family))},
        broken={family: broken for family in FAMILIES if (broken := comparer.broken(family))},
        wanted=comparer.wanted,
        established=comparer.established,
    )


class _Comparer:
    """nodes: by Calico's name. heard: those whose BIRD of a family was heard."""

    def __init__(self, expected: Expected, nodes: Mapping[str, Node]) -> None:
        self.expected = expected
        self.nodes = nodes
        self.wanted = self.established = 0
        self.heard: dict[str, dict[str, Daemon]] = {
            family: {
                name: daemon
                for name, node in nodes.items()
                if (daemon := node.daemons.get(family)) is not None and daemon.socket_state == "answers"
            }
            for family in FAMILIES
        }
        self._broken: dict[str, dict[str, set[str]]] = {family: {} for family in FAMILIES}

    def differences(self) -> Iterator[Difference]:
        """Everything that differs, node by node."""
        for family, daemons in self.heard.items():
            for name in sorted(daemons):
                yield from self._node(name, family, daemons[name])

    def unread(self, family: str) -> tuple[str, ...]:
        """Nodes that ought to speak BGP in this family and were not heard."""
        heard = self.heard[family]
        return tuple(
            name for name, one in self.expected.speakers.items() if family in one.addresses and name not in heard
        )

    def broken(self, family: str) -> dict[str, frozenset[str]]:
        """Node to the nodes that it has no established session with, as either end tells."""
        return {name: frozenset(others) for name, others in sorted(self._broken[family].items())}

    def _node(self, name: str, family: str, daemon: Daemon) -> Iterator[Difference]:
        wanted = self.expected.peers(name, family)
        found = daemon.established | daemon.troubled.keys()
        self.wanted += len(wanted)
        self.established += len(wanted & daemon.established)
        self._note_broken(name, family, wanted - daemon.established)
        yield from self._absent(name, family, daemon, wanted - found)
        yield from self._surplus(name, family, daemon, found - wanted)
        yield from self._settings(name, family, daemon)
        for peer in sorted(wanted & daemon.troubled.keys()):
            protocol = daemon.troubled[peer]
            if not protocol.established:
                yield from self._protocol(name, family, peer, protocol)

    def _note_broken(self, name: str, family: str, peers: set[str]) -> None:
        broken = self._broken[family]
        for peer in peers:
            other = self.expected.owner(peer)
            if other:
                broken.setdefault(name, set()).add(other)
                broken.setdefault(other, set()).add(name)

    def _absent(self, name: str, family: str, daemon: Daemon, peers: AbstractSet[str]) -> Iterator[Difference]:
        """Peers without a protocol: by whether it is on disk, and whether the other end has one."""
        own = self.expected.speakers[name].addresses.get(family, "")
        on_disk = set(daemon.config.only_on_disk)
        sorted_out: dict[str, list[str]] = {}
        for peer in peers:
            other = self.heard[family].get(self.expected.owner(peer))
            if on_disk and any(one.name in on_disk for one in self.expected.towards(name, family, peer)):
                kind = "not_loaded"
            elif other is not None and (own in other.established or own in other.troubled):
                kind = "one_sided"
            else:
                kind = "missing"
            sorted_out.setdefault(kind, []).append(peer)
        for kind, found in sorted(sorted_out.items()):
            yield self._difference(kind, family, name, tuple(sorted(found)))

    def _surplus(self, name: str, family: str, daemon: Daemon, peers: AbstractSet[str]) -> Iterator[Difference]:
        node = self.nodes[name]
        own = [peer for peer in peers if node.holds(peer) or peer == self._known_address(name, family)]
        if own:
            yield self._difference("itself", family, name, tuple(sorted(own)))
        # A peer that is nobody's on record may be any of those whose address is not.
        nameless = any(not speaker.addresses for speaker in self.expected.speakers.values())
        extra = [peer for peer in peers - set(own) if not nameless and not self._of_workload(name, daemon, peer)]
        if extra:
            yield self._difference("extra", family, name, tuple(sorted(extra)))

    def _of_workload(self, name: str, daemon: Daemon, peer: str) -> bool:
        """The peer may be a workload on the node; of an established protocol the kind is told for the mesh only."""
        protocol = daemon.troubled.get(peer)
        if protocol is not None:
            return protocol.kind == _WORKLOAD
        return name in self.expected.plan.workloads and peer not in daemon.mesh

    def _settings(self, name: str, family: str, daemon: Daemon) -> Iterator[Difference]:
        speaker = self.expected.speakers[name]
        config = daemon.config
        listens = config.listen_port if config.path else None
        for what, wanted, found in (
            ("address", self._known_address(name, family), config.local_address),
            ("as_number", speaker.as_number, daemon.local_as),
            ("listen_port", speaker.listen_port, listens),
        ):
            if wanted and found and wanted != found:
                yield self._difference("node_differs", family, name, (), what, str(wanted), str(found))

    def _protocol(self, name: str, family: str, peer: str, protocol: Protocol) -> Iterator[Difference]:
        stanzas = self.expected.towards(name, family, peer)
        if not stanzas:
            return
        wanted = next((one for one in stanzas if one.name == protocol.name), None)
        if wanted is None:
            names = " or ".join(one.name for one in stanzas)
            yield self._difference("differs", family, name, (peer,), "name", names, protocol.name)
            wanted = stanzas[0]
        for what, planned, found in _fields(wanted, protocol):
            if found not in (None, "") and planned is not None and planned != found:
                yield self._difference("differs", family, name, (peer,), what, _shown(planned), _shown(found))

    def _known_address(self, name: str, family: str) -> str:
        return self.expected.speakers[name].addresses.get(family, "")

    def _difference(
        self,
        kind: str,
        family: str,
        name: str,
        peers: tuple[str, ...],
        what: str = "",
        wanted: str = "",
        found: str = "",
    ) -> Difference:
        return Difference(kind, family, name, self.nodes[name].name, peers, what, wanted, found)


def _fields(wanted: Stanza, protocol: Protocol) -> tuple[tuple[str, object, object], ...]:
    """What a protocol can be compared by: field, expected, found. None: not known."""
    signs = None if wanted.password and wanted.password.readable is None else bool(wanted.password)
    if wanted.password and wanted.password.readable is False:
        signs = False
    return (
        ("peer_as", wanted.peer_as or None, protocol.neighbor_as),
        ("local_as", wanted.local_as, protocol.local_as),
        ("port", wanted.port, protocol.port or None),
        ("passive", wanted.passive, protocol.passive),
        ("password", signs, protocol.password),
        ("source", wanted.source or None, protocol.source),
    )


def _shown(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
