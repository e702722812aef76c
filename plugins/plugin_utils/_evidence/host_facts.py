# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node tells of its BIRD's surroundings: other speakers, agreed timers, what is exchanged, the kernel's routes,
and what keeps BIRD from its work.

The shapes are those of RV(ansible_facts.calico_bgp) and RV(ansible_facts.calico_node.host) of
M(netmedic.calico.node_facts). Everything here says "not told" by being empty or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import captures, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAMILIES = ("ipv4", "ipv6")
RESOURCES = ("cpu", "memory", "io")
_LOOPS = "cali-cidr-block"
_PASSING = ("rx_errors", "rx_dropped", "rx_fifo", "tx_errors", "tx_dropped", "tx_fifo")


@dataclass(frozen=True)
class OtherSpeaker:
    """A program beside Calico's BIRD that may speak BGP. process '': it may not be seen whose connections these are."""

    process: str
    pid: int | None
    container: str
    peers: frozenset[str]


@dataclass(frozen=True)
class Exchange:
    """What one BIRD exchanges with whom.

    hold_times: agreed ones of less than 90 s, by peer; configured_hold, configured_keepalive: those of bird.cfg, by
    peer. without_routes: established peers that give no route; all_without_routes: that is every peer.
    """

    hold_times: Mapping[str, int] = field(default_factory=dict)
    configured_hold: Mapping[str, int] = field(default_factory=dict)
    configured_keepalive: Mapping[str, int] = field(default_factory=dict)
    without_routes: frozenset[str] = frozenset()
    all_without_routes: bool = False
    filtered: int = 0


@dataclass(frozen=True)
class KernelRoutes:
    """Routes of one family in the kernel's main table: numbers of BIRD's and Felix' destinations, and those of both.

    refused: what BIRD gives to the kernel and that is not there, or of which another stands in its place.
    instead_felix: of BIRD's routes those that the kernel refuses because Felix' are there.
    """

    bird: int = 0
    felix: int = 0
    conflicts: tuple[str, ...] = ()
    conflicts_count: int = 0
    via_router: int = 0
    off_link: int = 0
    exported: int | None = None
    in_kernel: int | None = None
    refused: tuple[str, ...] = ()
    instead_felix: int = 0


@dataclass(frozen=True)
class Strain:
    """What keeps BIRD from sending keepalives in time. pressure: percent of the last minute, by resource.

    throttled: (periods, periods cut short) of calico-node's container. losses: by interface, its counters.
    """

    pressure: Mapping[str, float] = field(default_factory=dict)
    throttled: tuple[int, int] = (0, 0)
    load: tuple[float, int] = (0.0, 0)
    oom_kills: int = 0
    losses: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def told(self) -> list[str]:
        """What is amiss, as clauses."""
        periods, short = self.throttled
        found = [f"something waited for {name} in {share:.0f} % of the last minute" for name, share in _sorted(self)]
        if periods and short * 10 >= periods:
            found.append(f"calico-node's container was held back in {short} of {periods} periods")
        if self.load[1]:
            found.append(f"load {self.load[0]:.1f} on {self.load[1]} processors")
        if self.oom_kills:
            found.append(f"{self.oom_kills} processes of calico-node killed for want of memory")
        return found


def _sorted(strain: Strain) -> list[tuple[str, float]]:
    return [(name, strain.pressure[name]) for name in RESOURCES if name in strain.pressure]


@dataclass(frozen=True)
class Stuck:
    """A BGP connection that is established and makes no progress: what it sent again so often, and what waits."""

    peer: str
    retransmits: int
    send_queue: int
    receive_queue: int


@dataclass(frozen=True)
class HostFacts:
    """Everything of the above; exchange and routes by family.

    unanswered: the peers whose BGP port was called and has not answered yet.
    kept: the peers of the mesh that BIRD named when it read its configuration anew, where nothing else tells of peers.
    loop_rules: Felix' rules against loops of Services' addresses (chain cali-cidr-block) that stop packets of pods.
    """

    speakers: tuple[OtherSpeaker, ...] = ()
    exchange: Mapping[str, Exchange] = field(default_factory=dict)
    routes: Mapping[str, KernelRoutes] = field(default_factory=dict)
    strain: Strain = field(default_factory=Strain)
    stuck: tuple[Stuck, ...] = ()
    unanswered: tuple[str, ...] = ()
    hardware: str = ""
    loop_rules: tuple[str, ...] = ()
    conversations: tuple[captures.Conversation, ...] = ()
    turned_away: tuple[captures.TurnedAway, ...] = ()
    kept: frozenset[str] = frozenset()


def read(facts: Mapping[str, Any]) -> HostFacts:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    about, bgp = plain.mapping(facts.get("calico_node")), plain.mapping(facts.get("calico_bgp"))
    host = plain.mapping(about.get("host"))
    daemons, routes = plain.mapping(bgp.get("daemons")), plain.mapping(host.get("routes"))
    return HostFacts(
        speakers=tuple(_speakers(bgp)),
        exchange={family: _exchange(plain.mapping(daemons[family])) for family in FAMILIES if daemons.get(family)},
        routes={family: _routes(plain.mapping(routes[family])) for family in FAMILIES if routes.get(family)},
        strain=_strain(plain.mapping(host.get("strain"))),
        stuck=tuple(_stuck(bgp)),
        unanswered=tuple(dict.fromkeys(_unanswered(bgp))),
        hardware=plain.text(about.get("hardware")),
        conversations=tuple(captures.conversations(bgp)),
        turned_away=tuple(captures.turned_away(bgp)),
        kept=frozenset(plain.texts(bgp.get("kept"))),
        loop_rules=tuple(_loop_rules(plain.mapping(plain.mapping(facts.get("calico_firewall")).get("pods")))),
    )


def _speakers(bgp: Mapping[str, Any]) -> Iterator[OtherSpeaker]:
    for item in plain.mappings(bgp.get("other_speakers")):
        yield OtherSpeaker(
            plain.text(item.get("process")),
            plain.integer(item.get("pid")),
            plain.text(item.get("container")),
            frozenset(plain.unpacked(item.get("peers"))),
        )


def _exchange(daemon: Mapping[str, Any]) -> Exchange:
    peers, config = plain.mapping(daemon.get("peers")), plain.mapping(daemon.get("config"))
    without = peers.get("without_routes")
    return Exchange(
        hold_times=_by_peer(peers.get("short_hold_times")),
        configured_hold=_by_peer(config.get("hold_times")),
        configured_keepalive=_by_peer(config.get("keepalive_times")),
        without_routes=frozenset(plain.unpacked(without)),
        all_without_routes=without == "all",
        filtered=plain.count(peers.get("routes_filtered")),
    )


def _by_peer(packed: Any) -> dict[str, int]:
    """Peers packed by a number of seconds, as seconds by peer."""
    found: dict[str, int] = {}
    for seconds, peers in plain.mapping(packed).items():
        number = plain.integer(seconds)
        if number is not None:
            found.update(dict.fromkeys(plain.unpacked(peers), number))
    return found


def _routes(item: Mapping[str, Any]) -> KernelRoutes:
    conflicts = plain.texts(item.get("conflicts"))
    absent = plain.mapping(item.get("not_in_kernel"))
    lacking = [*_prefixes(absent.get("missing")), *_prefixes(absent.get("refused"))]
    return KernelRoutes(
        bird=plain.count(item.get("bird")),
        felix=plain.count(item.get("felix")),
        conflicts=conflicts,
        conflicts_count=plain.count(item.get("conflicts_count")) or len(conflicts),
        via_router=_counted(item.get("via_router")),
        off_link=_counted(item.get("off_link")),
        exported=plain.integer(absent.get("exported")),
        in_kernel=plain.integer(absent.get("in_kernel")),
        refused=tuple(dict.fromkeys(lacking)),
        instead_felix=plain.count(absent.get("instead_felix")),
    )


def _counted(gateways: Any) -> int:
    """Number the routes of all gateways."""
    return sum(plain.count(number) for number in plain.mapping(gateways).values())


def _prefixes(packed: Any) -> Iterator[str]:
    """Prefixes that are packed by their length."""
    for length, addresses in plain.mapping(packed).items():
        yield from (f"{address}/{length}" for address in plain.unpacked(addresses))


def _strain(item: Mapping[str, Any]) -> Strain:
    pressure, load = plain.mapping(item.get("pressure")), plain.mapping(item.get("load"))
    held = plain.mapping(item.get("calico_node"))
    throttled = plain.mapping(held.get("throttled"))
    shares = {name: [plain.seconds(one) for one in plain.sequence(pressure.get(name))] for name in RESOURCES}
    return Strain(
        pressure={name: share[-1] for name, share in shares.items() if share},
        throttled=(plain.count(throttled.get("periods")), plain.count(throttled.get("throttled"))),
        load=(plain.seconds(load.get("minute")), plain.count(load.get("processors"))),
        oom_kills=plain.count(held.get("oom_kills")),
        losses=_losses(plain.mapping(item.get("interfaces"))),
    )


def _losses(interfaces: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """By interface what it lost; a counter is a number, or total and by how much it grew."""
    found: dict[str, dict[str, int]] = {}
    for name, counters in interfaces.items():
        numbers = {key: _total(value) for key, value in plain.mapping(counters).items() if key in _PASSING}
        lost = {key: number for key, number in numbers.items() if number}
        if lost:
            found[name] = lost
    return found


def _total(value: Any) -> int:
    return plain.count(plain.mapping(value).get("total")) if isinstance(value, dict) else plain.count(value)


def _stuck(bgp: Mapping[str, Any]) -> Iterator[Stuck]:
    for item in plain.mappings(bgp.get("sockets")):
        one = Stuck(
            plain.text(item.get("peer")),
            plain.count(item.get("retransmits")),
            plain.count(item.get("send_queue")),
            plain.count(item.get("receive_queue")),
        )
        if item.get("state") == "ESTABLISHED" and (one.retransmits or item.get("stuck_seconds")):
            yield one


def _unanswered(bgp: Mapping[str, Any]) -> Iterator[str]:
    """The peers that were called on the BGP port and have not answered yet."""
    for item in plain.mappings(bgp.get("sockets")):
        if item.get("state") == "SYN_SENT" and plain.text(item.get("peer")):
            yield plain.text(item.get("peer"))


def _loop_rules(pods: Mapping[str, Any]) -> Iterator[str]:
    for item in plain.mappings(pods.get("felix_rules")):
        rule = plain.mapping(item.get("rule"))
        if _LOOPS in plain.text(rule.get("chain")) or not item.get("ways"):
            yield plain.text(rule.get("text"))
