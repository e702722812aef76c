# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence model: what one node said about itself, as typed records.

The shapes follow the facts of the modules (see RETURN of M(netmedic.calico.node_facts)); times are seconds before
the node's pass, so that clocks of different nodes never have to be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .address_facts import AddressFacts
from .control_plane import ControlPlane
from .host_facts import HostFacts
from .host_state import HostState
from .overlay_facts import OverlayFacts
from .packet_paths import PacketPaths
from .sizes import Sizes
from .tools import Tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .address_set import AddressSet
    from .rules import Rule

FAMILIES = ("ipv4", "ipv6")


@dataclass(frozen=True)
class SourceStatus:
    """One source that was asked on a node, and whether it answered."""

    node: str
    source: str
    status: str
    detail: str = ""


@dataclass(frozen=True)
class Protocol:
    """One BGP protocol of a node's BIRD: this node's side of a session."""

    name: str
    kind: str
    peer: str
    port: int
    state: str
    bgp_state: str
    last_error: str
    since: int | None
    neighbor_as: int | None
    local_as: int | None
    passive: bool
    password: bool | None
    source: str
    disabled: bool

    @property
    def established(self) -> bool:
        """The session is Established as this side sees it."""
        return self.bgp_state == "Established"


@dataclass(frozen=True)
class BirdConfig:
    """What the rendered configuration on disk says, and how it differs from what BIRD runs."""

    path: str = ""
    modified_seconds_ago: int | None = None
    newer_than_running: bool = False
    router_id: str = ""
    local_as: int | None = None
    listen_port: int = 179
    local_address: str = ""
    only_on_disk: tuple[str, ...] = ()
    only_running: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    duplicate_names: tuple[str, ...] = ()
    unbalanced: str = ""
    passwords: str = ""
    with_password: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Daemon:
    """BIRD for one address family on one node.

    running None: nobody told whether there is a process. total None: nobody told of its protocols.
    """

    family: str
    running: bool | None
    pid: int | None
    socket: str
    socket_state: str
    version: str
    router_id: str
    local_as: int | None
    state: str
    started_seconds_ago: int | None
    booted_seconds_ago: int | None
    reconfigured_seconds_ago: int | None
    restarting_gracefully: bool
    config: BirdConfig
    total: int | None
    established: AddressSet
    mesh: AddressSet
    recent: Mapping[str, int]
    troubled: Mapping[str, Protocol]


@dataclass(frozen=True)
class Verdict:
    """What a node's firewall does with TCP 179 of a group of peers in one direction. peers None: all others.

    direction: inbound and outbound are connections that the peer and this node open; answers_sent and answers_received
    the answers to them, of which only those that are stopped are told. how_is_uncertain: it stops them for certain, but
    by one of several rules that do it differently. port: where the connections go to. then: the rules that would stop
    them next if the first one let them pass.
    """

    direction: str
    family: str
    verdict: str
    peers: frozenset[str] | None
    rule: Rule | None
    reject_with: str = ""
    why_unknown: str = ""
    how_is_uncertain: bool = False
    port: int = 179
    then: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class SourceRewrite:
    """A NAT rule of a node that gives BGP's packets another source address. to '': it is not known which.

    direction: outbound for what the node sends, inbound for what comes in. uncertain: whether it does is not known.
    """

    direction: str
    family: str
    peers: frozenset[str]
    to: str
    uncertain: bool
    rule: Rule | None


@dataclass(frozen=True)
class Probe:
    """The answer to a half-open SYN sent to a peer's BGP port."""

    peer: str
    source: str
    result: str
    answered_by: str = ""
    icmp_type: int | None = None
    icmp_code: int | None = None
    detail: str = ""
    port: int = 179


@dataclass(frozen=True)
class Reachability:
    """How the node reaches a peer below TCP: neighbour entry, route, one ICMP echo."""

    peer: str
    neighbour: str
    on_link: bool | None
    device: str
    source: str
    echo: str


@dataclass(frozen=True)
class Listener:
    """A process that listens on the BGP port."""

    address: str
    port: int
    pid: int | None
    process: str
    container: str


@dataclass(frozen=True)
class LogLine:
    """A telling line of BIRD's log."""

    kind: str
    peer: str
    value: str
    text: str
    at: str
    count: int = 1


@dataclass(frozen=True)
class Counter:
    """A kernel counter: its value, and by how much it grew while the node was looked at."""

    total: int = 0
    grew: int = 0


@dataclass(frozen=True)
class HostAddress:
    """An address that is configured on the host."""

    address: str
    prefix: int | None
    interface: str


@dataclass(frozen=True)
class MtuPath:
    """What one class of path was measured to carry. carries None: nothing was learnt."""

    path_class: str
    peer: str
    wanted: int
    carries: int | None
    result: str
    reported_by: str


@dataclass(frozen=True)
class Mtu:
    """MTU facts of a node; required is what the underlay must carry (pod MTU plus encapsulation overhead)."""

    interfaces: Mapping[str, int] = field(default_factory=dict)
    encapsulation: str = ""
    required: int | None = None
    paths: tuple[MtuPath, ...] = ()


@dataclass(frozen=True)
class Clock:
    """Time synchronisation of a node."""

    service: str
    running: bool
    synchronised: bool | None
    sources_total: int | None
    sources_reachable: int | None
    why: str


@dataclass(frozen=True)
class Node:
    """Everything one node told. name and inventory_address ('' if not given there) are the inventory's.

    machine is what no two machines share. has_calico: there is some trace of Calico on it. processes_listed: all of
    them were told, so that a program which is not among them does not run. without_python: its shell was asked, which
    can do less.
    """

    name: str
    inventory_address: str
    taken_at: str
    nodename: str
    hostname: str
    machine: tuple[str, ...]
    has_calico: bool
    privileged: bool | None
    uptime_seconds: int | None
    addresses: tuple[HostAddress, ...]
    addresses_complete: bool
    bgp_addresses: Mapping[str, str]
    backend: str
    calico_version: str
    bird_expected: bool | None
    bird_expected_why: str
    daemons: Mapping[str, Daemon]
    listeners: tuple[Listener, ...]
    md5: Mapping[str, Counter]
    md5_seconds: float
    log: tuple[LogLine, ...]
    probes: Mapping[str, Probe]
    reachability: Mapping[str, Reachability]
    verdicts: tuple[Verdict, ...] | None
    source_rewrites: tuple[SourceRewrite, ...]
    mtu: Mtu | None
    clock: Clock | None
    sources: tuple[SourceStatus, ...]
    control: ControlPlane = field(default_factory=ControlPlane)
    own: AddressFacts = field(default_factory=AddressFacts)
    host: HostFacts = field(default_factory=HostFacts)
    state: HostState = field(default_factory=HostState)
    packets: PacketPaths = field(default_factory=PacketPaths)
    overlay: OverlayFacts = field(default_factory=OverlayFacts)
    sizes: Sizes = field(default_factory=Sizes)
    tools: Tools = field(default_factory=Tools)
    processes_listed: bool = True
    without_python: bool = False

    def lacks(self, source: str) -> bool:
        """This source is absent or failed: that it tells of nothing means nothing."""
        return any(one.source == source and one.status in ("absent", "failed") for one in self.sources)

    def holds(self, address: str) -> bool:
        """The address is configured on this host."""
        return any(held.address == address for held in self.addresses)

    def has_at_all(self, address: str) -> bool:
        """The address is on an interface of this host, be it one of containers, pods or a tunnel."""
        return self.holds(address) or self.own.of(address) is not None

    def log_lines(self, *kinds: str, peer: str = "") -> list[LogLine]:
        """Telling log lines of these kinds, of one peer if given."""
        return [line for line in self.log if line.kind in kinds and (not peer or line.peer == peer)]


@dataclass(frozen=True)
class MissingNode:
    """A node that was expected and told nothing. address is '' where the inventory does not tell it.

    unreachable: it was tried, and no connection could be made.
    """

    name: str
    why: str
    address: str = ""
    unreachable: bool = False
