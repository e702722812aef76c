# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the packets beside BGP's: between nodes (tunnels), and between pods and the ways out of their node.

The shapes are those of RV(ansible_facts.calico_firewall) and RV(ansible_facts.calico_node.host) of
M(netmedic.calico.node_facts). Everything here says "not told" by being empty or None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.packing import unpack
from . import plain, rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .rules import Rule

_CLOUD_SETUP = re.compile(r"30[24]\d\d: from \S+ lookup 30[24]\d\d$")
_MAIN_FIRST = re.compile(r"30[234]\d\d: from all lookup main suppress_prefixlength 0")
BLOCKING = ("drop", "reject")
BGP = "tcp179"


@dataclass(frozen=True)
class Block:
    """A rule that does not let packets pass. flows: of which kind ("ipip", "udp4789" …), for pods by which ways ("pods
    to eth0"). direction: inbound, outbound, or forwarded for pods. packed: the peers, as node_facts packs them; empty:
    all. answers: only what answers is stopped. lets_answers: what answers to this node passes all the same. interfaces:
    of which pods, if not of all. packets: how many the rule has met; None: it does not count.
    """

    flows: tuple[str, ...]
    direction: str
    family: str
    verdict: str
    rule: Rule | None
    packed: Mapping[str, str] = field(default_factory=dict)
    answers: bool = False
    lets_answers: bool = False
    interfaces: tuple[str, ...] = ()
    why_unknown: str = ""
    packets: int | None = None

    @property
    def surely(self) -> bool:
        """It is certain that the rule stops them."""
        return self.verdict in BLOCKING

    @property
    def peers(self) -> list[str]:
        """The peers whose packets are stopped; [] for all."""
        return list(unpack(dict(self.packed)))


@dataclass(frozen=True)
class Rewritten:
    """A NAT rule that gives packets between nodes another source. to '': it is not known which."""

    flows: tuple[str, ...]
    direction: str
    family: str
    to: str
    uncertain: bool
    rule: Rule | None


@dataclass(frozen=True)
class InvalidDrop:
    """A rule that drops what fits no connection (conntrack: INVALID), with the way on which, and how many it met;
    others: how many others the same chain met at most, where that is told."""

    way: str
    rule: Rule
    packets: int | None
    others: int | None = None


@dataclass(frozen=True)
class Count:
    """A counter since boot, and by how much it grew while the node was looked at."""

    total: int = 0
    grew: int = 0


@dataclass(frozen=True)
class Proxy:
    """What kube-proxy on the node was told. masquerade_all: everything that goes to a Service gets the node's own
    source; None: not told. why: where that stands."""

    masquerade_all: bool | None = None
    why: str = ""


@dataclass(frozen=True)
class Captured:
    """What a capture (tcpdump) on, or about, a node shows of the packets of one protocol from one address to another.

    protocol: tcp, udp, icmp, ipip, vxlan … kinds: of ICMP "echo request" and so on with their numbers. good and bad:
    outer checksums that fit and that do not, as far as they were printed. resets, opens: TCP's RST and SYN. What begins
    with inner is of the packets in a tunnel: one of them, TCP's SYN and SYN-ACK, pings and their answers.
    """

    protocol: str
    source: str
    destination: str
    port: int = 0
    packets: int = 0
    good: int = 0
    bad: int = 0
    opens: int = 0
    answers: int = 0
    resets: int = 0
    inner: str = ""
    inner_opens: int = 0
    inner_accepts: int = 0
    inner_pings: int = 0
    inner_echoes: int = 0


@dataclass(frozen=True)
class PacketPaths:
    """All of it, of one node. evaluated: its packet filters were asked about these flows. forward_drops: by its policy,
    and what its rules let pass is not known. liberal: conntrack takes TCP outside of its window for good.
    led_elsewhere: ways by which rules of routing lead packets to peers. refusing_routes: to what BIRD has routes that
    send packets back (unreachable). own_tables: rules by which nm-cloud-setup leads what the host sends past the main
    table."""

    evaluated: bool = False
    accepted: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    pods: tuple[Block, ...] = ()
    pods_accepted: tuple[str, ...] = ()
    forward_drops: bool = False
    rewritten: tuple[Rewritten, ...] = ()
    invalid: tuple[InvalidDrop, ...] = ()
    invalid_counted: Count = field(default_factory=Count)
    wrong_checksums: Mapping[str, Count] = field(default_factory=dict)
    offloading: tuple[str, ...] = ()
    proxy: Proxy = field(default_factory=Proxy)
    captures: tuple[Captured, ...] = ()
    next_hops_off_link: Mapping[str, int] = field(default_factory=dict)
    liberal: bool = False
    led_elsewhere: tuple[str, ...] = ()
    refusing_routes: tuple[str, ...] = ()
    own_tables: tuple[str, ...] = ()
    felix_runs: bool | None = None
    kernel: str = ""
    owners: tuple[str, ...] = ()
    other_plugins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def blocked(self, *flows: str) -> list[Block]:
        """What stops packets of these kinds for certain."""
        return [one for one in self.blocks if one.surely and set(one.flows) & set(flows)]


def read(facts: Mapping[str, Any]) -> PacketPaths:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    firewall = plain.mapping(facts.get("calico_firewall"))
    host = plain.mapping(plain.mapping(facts.get("calico_node")).get("host"))
    flows, pods = plain.mapping(firewall.get("flows")), plain.mapping(firewall.get("pods"))
    names = ("checksum_errors_tcp", "checksum_errors_udp")
    return PacketPaths(
        evaluated=bool(flows),
        accepted=plain.texts(flows.get("accepted")),
        blocks=tuple(_blocks(flows)),
        pods=tuple(_of_pods(pods)),
        pods_accepted=plain.texts(pods.get("accepted")),
        forward_drops=firewall.get("forward_drops") is True,
        rewritten=tuple(_rewritten(firewall)),
        invalid=tuple(_invalid(firewall)),
        invalid_counted=_count(plain.mapping(host.get("conntrack")).get("invalid")),
        wrong_checksums={name.rpartition("_")[2]: _count(host.get(name)) for name in names if host.get(name)},
        offloading=plain.texts(host.get("checksum_offload")),
        proxy=_proxy(plain.mapping(host.get("kube_proxy"))),
        captures=tuple(_captures(host)),
        next_hops_off_link=_off_link(plain.mapping(host.get("routes"))),
        liberal=bool(plain.mapping(host.get("conntrack")).get("tcp_be_liberal")),
        led_elsewhere=tuple(plain.mapping(host.get("rerouted"))),
        refusing_routes=tuple(
            one
            for family in plain.mapping(host.get("routes")).values()
            for one in plain.texts(plain.mapping(family).get("unreachable"))
        ),
        own_tables=tuple(_own_tables(plain.mapping(host.get("rules")))),
        felix_runs=plain.flag(
            plain.mapping(plain.mapping(facts.get("calico_node")).get("calico")).get("felix_running")
        ),
        kernel=plain.text(plain.mapping(facts.get("calico_node")).get("kernel")),
        owners=plain.texts(firewall.get("owners")),
        other_plugins={name: plain.mapping(entry) for name, entry in plain.mapping(host.get("other_plugins")).items()},
    )


def _own_tables(told: Mapping[str, Any]) -> Iterator[str]:
    """nm-cloud-setup gives what has one of the host's addresses as its source a table of its own, which has a way out
    and none to pods (src/nm-cloud-setup/main.c of NetworkManager: both have numbers from 30400 on, 30200 for whole
    subnets). Its newer releases ask the main table first, for all but its way out (30350)."""
    for family in told:
        rows = plain.texts(told.get(family))
        if not any(_MAIN_FIRST.match(row) for row in rows):
            yield from (row for row in rows if _CLOUD_SETUP.match(row))


def _blocks(flows: Mapping[str, Any]) -> Iterator[Block]:
    for direction in ("inbound", "outbound"):
        for item in plain.mappings(flows.get(direction)):
            yield _block(item, direction, plain.texts(item.get("flows")))


def _of_pods(pods: Mapping[str, Any]) -> Iterator[Block]:
    for item in (*plain.mappings(pods.get("not_accepted")), *plain.mappings(pods.get("felix_rules"))):
        yield _block(item, "forwarded", plain.texts(item.get("ways")))


def _block(item: Mapping[str, Any], direction: str, flows: tuple[str, ...]) -> Block:
    peers, told = plain.mapping(item.get("peers")), plain.mapping(item.get("rule"))
    return Block(
        flows=flows,
        direction=direction,
        family=plain.text(item.get("family")) or "ipv4",
        verdict=plain.text(item.get("verdict")),
        rule=rules.read(told) if told else None,
        packed={prefix: peers[prefix] for prefix in peers if isinstance(peers[prefix], str)},
        answers=item.get("answers") is True,
        lets_answers=item.get("answers") == "accept",
        interfaces=plain.texts(item.get("interfaces")),
        why_unknown=plain.text(item.get("why_unknown")),
        packets=plain.integer(told.get("packets")),
    )


def _rewritten(firewall: Mapping[str, Any]) -> Iterator[Rewritten]:
    for item in plain.mappings(firewall.get("source_nat")):
        yield Rewritten(
            tuple(name for name in plain.texts(item.get("flows")) if name != BGP),
            plain.text(item.get("direction")) or "outbound",
            plain.text(item.get("family")) or "ipv4",
            plain.text(item.get("to")),
            bool(item.get("uncertain")),
            rules.read(plain.mapping(item.get("rule"))) if item.get("rule") else None,
        )


def _invalid(firewall: Mapping[str, Any]) -> Iterator[InvalidDrop]:
    for item in plain.mappings(firewall.get("invalid_dropped")):
        told = plain.mapping(item.get("rule"))
        others = plain.integer(item.get("others"))
        yield InvalidDrop(plain.text(item.get("way")), rules.read(told), plain.integer(told.get("packets")), others)


def _count(value: Any) -> Count:
    if isinstance(value, dict):
        return Count(plain.count(value.get("total")), plain.count(value.get("grew")))
    return Count(plain.count(value))


def _proxy(item: Mapping[str, Any]) -> Proxy:
    return Proxy(plain.flag(item.get("masquerade_all")), plain.text(item.get("why")))


def _captures(host: Mapping[str, Any]) -> Iterator[Captured]:
    for item in plain.mappings(host.get("captured")):
        yield Captured(
            protocol=plain.text(item.get("protocol")),
            source=plain.text(item.get("source")),
            destination=plain.text(item.get("destination")),
            port=plain.count(item.get("port")),
            packets=plain.count(item.get("packets")),
            good=plain.count(item.get("good_checksums")),
            bad=plain.count(item.get("bad_checksums")),
            opens=plain.count(item.get("opens")),
            answers=plain.count(item.get("answers")),
            resets=plain.count(item.get("resets")),
            inner=plain.text(item.get("inner")),
            inner_opens=plain.count(item.get("inner_opens")),
            inner_accepts=plain.count(item.get("inner_accepts")),
            inner_pings=plain.count(item.get("inner_pings")),
            inner_echoes=plain.count(item.get("inner_echoes")),
        )


def _off_link(routes: Mapping[str, Any]) -> dict[str, int]:
    """BIRD's routes by next hops that are not on the link, by next hop."""
    return {
        gateway: plain.count(number)
        for family in plain.mapping(routes).values()
        for gateway, number in plain.mapping(plain.mapping(family).get("off_link")).items()
    }
