# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what happens to tunnels' packets on the way: wrong checksums, masquerading, connections seen by halves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import commands, host_words, observed, packet_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.packet_paths import Captured, InvalidDrop, Rewritten

# From here on the kernel's checksums of encapsulated packets are right again.
_MENDED = (5, 7)
_TUNNELLED = ("vxlan", "ipip")
_LOG_KIND = "bad_checksum"
# So many packets without a connection are met by any host now and then: late ends of connections, scans.
_STRAY, _MANY = 5, 100

# --- checksums ----------------------------------------------------------------------------------------------------


def tunnels_with_wrong_checksums(evidence: Evidence) -> Iterator[Subject]:
    """Nodes at, or of, which packets with wrong checksums were seen in tunnels; and tunnels that carry only pings."""
    found = False
    for node in evidence.nodes.values():
        wrong = [one for one in node.packets.captures if one.bad and one.protocol in _TUNNELLED]
        counted = _counted(node) if node.packets.offloading else {}
        if wrong or counted or node.control.lines(_LOG_KIND) or _unanswered(node):
            yield Subject((node.name,), (), {"node": node.name, **_device(node)}, node, wrong)
            found = True
    if not found and packet_signals.uses(evidence, packet_signals.VXLAN) and observed.by_protocol(evidence)[1]:
        names = packet_signals.names_of(evidence)
        yield Subject(names, (), {"nodes": list(names)}, None, [])


def _device(node: Node) -> dict[str, str]:
    return {"interface": node.packets.offloading[0]} if node.packets.offloading else {}


def _counted(node: Node) -> dict[str, int]:
    return {name: one.grew for name, one in node.packets.wrong_checksums.items() if one.grew}


def _unanswered(node: Node) -> list[Captured]:
    """The ways through VXLAN on which a capture shows connections that are asked for and none that is taken, while
    pings between the same ends are answered."""
    ways = {(one.source, one.destination): one for one in node.packets.captures if one.protocol == "vxlan"}
    return [
        one
        for (source, destination), one in ways.items()
        if (back := ways.get((destination, source))) is not None
        and one.inner_opens
        and not back.inner_accepts
        and ((one.inner_pings and back.inner_echoes) or (back.inner_pings and one.inner_echoes))
    ]


def _sums(one: Captured) -> str:
    what = f"{one.protocol} from {one.source} to {one.destination}"
    return f"{what}: {one.bad} wrong, {one.good} right"


def _is_own(node: Node, address: str) -> bool:
    return node.holds(address) or address in node.bgp_addresses.values()


def some_are_right_and_some_wrong(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The same sender's tunnel packets arrive with right checksums, and with wrong ones."""
    return [
        Seen(subject.nodes[0], "tcpdump", _sums(one))
        for one in subject.about
        if one.good and not _sent_here(subject, one)
    ]


def wrong_ones_come_in(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Tunnel packets come in with wrong checksums."""
    node = subject.node
    coming = [one for one in subject.about if node is not None and _is_own(node, one.destination)]
    return [Seen(subject.nodes[0], "tcpdump", _sums(one)) for one in coming]


def wrong_ones_are_seen(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture shows tunnel packets with wrong checksums."""
    return [Seen(subject.nodes[0], "tcpdump", _sums(one)) for one in subject.about]


def calls_in_them_are_repeated(evidence: Evidence, subject: Subject) -> list[Seen]:
    """All that the capture shows of a tunnel is wrong, and who calls in it calls again, as nobody answers."""
    taken = any(one.inner_accepts for one in subject.node.packets.captures) if subject.node is not None else True
    return [
        Seen(subject.nodes[0], "tcpdump", f"{one.source} to {one.destination}: {one.inner_opens} SYN, no SYN-ACK")
        for one in subject.about
        if one.inner_opens > 1 and not one.good and not taken
    ]


def _sent_here(subject: Subject, one: Captured) -> bool:
    return subject.node is not None and _is_own(subject.node, one.source)


def seen_where_they_are_sent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """They were seen where they are sent, before the card makes the checksums: there they always look wrong."""
    mine = [one for one in subject.about if _sent_here(subject, one)]
    return [Seen(subject.nodes[0], "tcpdump", f"{mine[0].source} is this node's own")] if mine else []


def captured_pings_only(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture shows pings that are answered through VXLAN, and connections that are not: policies do that, too."""
    return [
        Seen(subject.nodes[0], "tcpdump", f"{one.source} to {one.destination}: {one.inner_opens} SYN, no SYN-ACK")
        for one in (_unanswered(subject.node) if subject.node is not None else [])
    ]


def kernel_drops_them(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The receiving kernel logs that it drops packets to VXLAN's port, for their checksums are wrong."""
    return host_words.told(subject, _LOG_KIND)


def errors_are_counted(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel counts packets with wrong checksums just now."""
    counted = _counted(subject.node) if subject.node else {}
    return [Seen(subject.nodes[0], "/proc/net/snmp", f"{name}: {grew} more") for name, grew in counted.items()]


def a_tunnel_leaves_it_to_the_card(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A tunnel device leaves the checksums of what it sends to the network card (tx-checksumming is on)."""
    node = subject.node
    return (
        [Seen(node.name, "ethtool", words.listed(node.packets.offloading))] if node and node.packets.offloading else []
    )


def kernel_is_old(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel is one of those (before 5.7) that make wrong checksums for encapsulated packets."""
    release = _release(subject.node) if subject.node else ()
    return (
        [Seen(subject.nodes[0], "kernel", subject.node.packets.kernel)]
        if subject.node and release and release < _MENDED
        else []
    )


def _release(node: Node) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", node.packets.kernel)
    return tuple(map(int, found.groups())) if found else ()


def tunnel_carries_pings_only(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Through the same VXLAN tunnel pings pass and TCP or UDP does not: what differs are the inner checksums."""
    return observed.by_protocol(evidence)[1] if subject.node is None else []


def cards_know_the_port(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The nodes run on vSphere, whose network cards (vmxnet3) take over VXLAN's checksums on UDP 4789."""
    told = packet_signals.platform(evidence) if subject.node is None else ""
    return packet_signals.platform_seen(evidence, told) if told == "vsphere" else []


def small_pass_and_sessions_stall(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pings pass, TCP or UDP between the same ends does not."""
    return observed.by_protocol(evidence)[1] if subject.node is not None else []


def _switch_off(evidence: Evidence, subject: Subject) -> Remedy | None:
    """On every node whose tunnel devices leave it to the card: the checksums are the senders'."""
    sending = tuple(sorted(node.name for node in evidence.nodes.values() if node.packets.offloading))
    if not sending:
        return None
    return Remedy(
        "host_network",
        {"host_network_parts": ["checksum_offload"], "host_network_checksum_offload": "off"},
        sending,
    )


CHECKSUM_OFFLOAD = Fault(
    id="checksum_offload",
    family="encapsulation",
    title="Packets of a tunnel carry wrong checksums",
    severity="major",
    role="cause",
    means=(
        "A tunnel device leaves the checksums of its packets to the network card, and the card, its driver or "
        "the kernel "
        "gets them wrong for packets that are encapsulated. The receiver drops these without a word: pings pass, TCP "
        "stalls or is reset, often only what goes to a Service, which is rewritten on its way."
    ),
    subjects=tunnels_with_wrong_checksums,
    signals=(
        Signal(some_are_right_and_some_wrong, DECISIVE, required=True),
        Signal(wrong_ones_come_in, STRONG + MODERATE, required=True),
        Signal(kernel_drops_them, STRONG + MODERATE, required=True),
        Signal(errors_are_counted, STRONG, required=True),
        Signal(wrong_ones_are_seen, WEAK, required=True),
        Signal(calls_in_them_are_repeated, MODERATE),
        Signal(captured_pings_only, WEAK, required=True),
        Signal(tunnel_carries_pings_only, MODERATE, required=True),
        Signal(cards_know_the_port, MODERATE),
        Signal(a_tunnel_leaves_it_to_the_card, MODERATE),
        Signal(kernel_is_old, MODERATE),
        Signal(small_pass_and_sessions_stall, MODERATE),
        Signal(seen_where_they_are_sent, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"Packets of the tunnel arrive with wrong checksums ({words.listed(_sums(one) for one in subject.about)})."
        if subject.about
        else f"{subject.nodes[0]} receives packets with wrong checksums."
        if subject.node
        else "Between pods of different nodes pings pass and TCP does not: the tunnel's checksums seem to arrive wrong."
    ),
    fix=Fix(
        action="switch_checksum_offload_off",
        text=(
            "Switch the offload off on the tunnel device of every node. Felix does so from 3.28 on, and before with "
            "FELIX_FEATUREDETECTOVERRIDE=ChecksumOffloadBroken=true; else by a unit that runs ethtool after Calico "
            "starts. A newer kernel (5.7 and later) mends it for good."
        ),
        risk="low",
        disrupts="nothing; the processor makes the checksums",
        commands=lambda evidence, subject: packet_signals.on(
            subject.nodes[0] if subject.nodes else "each node",
            [f"sudo ethtool -K {commands.word(_tunnel_name(evidence, subject), 'DEVICE')} tx-checksum-ip-generic off"],
        ),
        remedy=_switch_off,
    ),
    verify="A capture on the receiving node shows right checksums only, and a Service's pods on other nodes answer.",
    lookalikes=(
        Lookalike("mtu_mismatch", "what is lost is lost for its size, and its checksum is right"),
        Lookalike("conntrack_invalid", "the counter of a rule for INVALID packets grows"),
        Lookalike("hypervisor_iptables", "the packets do not arrive at all"),
    ),
    explains=("vxlan_udp_blocked", "ipip_blocked"),
)


def _tunnel_name(evidence: Evidence, subject: Subject) -> str:
    if subject.node and subject.node.packets.offloading:
        return subject.node.packets.offloading[0]
    return "tunl0" if packet_signals.uses(evidence, packet_signals.IPIP) else "vxlan.calico"


# --- masquerading -------------------------------------------------------------------------------------------------


def masquerading_proxies(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose kube-proxy gives everything that goes to a Service, or between nodes, the node's own source."""
    told = [node for node in evidence.nodes.values() if node.packets.proxy.masquerade_all]
    if told:
        names = tuple(sorted(node.name for node in told))
        where = {"node": names[0], "nodes": list(names), "setting": "masqueradeAll"}
        yield Subject(names, (), where, evidence.nodes[names[0]], None)
    for node in evidence.nodes.values():
        for one in node.packets.rewritten:
            if one.flows and one.rule is not None and one.rule.owner == "kube-proxy" and node not in told:
                yield Subject((node.name,), (), packet_signals.where_of(node, one.rule), node, one)


def proxy_masquerades_all(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's kube-proxy was told to masquerade everything (--masquerade-all)."""
    nodes = [evidence.nodes[name] for name in subject.nodes]
    return [
        Seen(node.name, "kube-proxy", node.packets.proxy.why) for node in nodes if node.packets.proxy.masquerade_all
    ]


def tunnels_are_masqueraded(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A rule of kube-proxy's gives packets between nodes another source address."""
    nodes = [evidence.nodes[name] for name in subject.nodes]
    return [
        Seen(
            node.name,
            "firewall",
            f"{words.listed(one.flows)}: {words.rule_place(one.rule)} makes the source {one.to or 'another one'}",
        )
        for node in nodes
        for one in node.packets.rewritten
        if one.flows and one.rule is not None and one.rule.owner == "kube-proxy"
    ][:4]


def pods_are_cut_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods do not reach those of other nodes."""
    return observed.fails_across(evidence)


def pods_reach_each_other(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods of different nodes do reach each other."""
    return observed.works_across(evidence)


def _masquerade_severity(evidence: Evidence, subject: Subject) -> str:
    """major where pods are cut off, minor where only policies and logs see wrong senders."""
    rewritten: Rewritten | None = subject.about
    return "major" if pods_are_cut_off(evidence, subject) or (rewritten and not rewritten.uncertain) else "minor"


def _masquerade_commands(evidence: Evidence) -> list[str]:
    """Take masqueradeAll out of kube-proxy's configuration, and have its pods made anew one after the other."""
    if evidence.flavour.distribution in ("k3s", "rke2"):
        return ["on each node: take masquerade-all from kube-proxy-arg in /etc/rancher/*/config.yaml, restart its unit"]
    configured = "kubectl get configmap -n kube-system kube-proxy -o yaml"
    return [
        f"{configured} | grep -i -e masqueradeAll -e clusterCIDR",
        f"{configured} | sed 's/masqueradeAll: true/masqueradeAll: false/' | kubectl replace -f -",
        "kubectl rollout restart -n kube-system daemonset/kube-proxy",
    ]


KUBE_PROXY_MASQUERADE_ALL = Fault(
    id="kube_proxy_masquerade_all",
    family="encapsulation",
    title="kube-proxy hides the senders of packets between nodes",
    severity="major",
    role="cause",
    means=(
        "With masqueradeAll kube-proxy marks whatever goes to a Service, pods' packets, too, and gives it the address "
        "of the interface by which it leaves the node. The mark stays on a packet in its tunnel. Policies then do not "
        "know the pods that send, and what is encapsulated may leave with an address that the other node does "
        "not expect."
    ),
    subjects=masquerading_proxies,
    signals=(
        Signal(proxy_masquerades_all, STRONG, required=True),
        Signal(tunnels_are_masqueraded, STRONG + MODERATE, required=True),
        Signal(pods_are_cut_off, MODERATE),
        Signal(pods_reach_each_other, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"kube-proxy on {words.listed(subject.nodes)} masquerades everything that goes to Services, pods' packets "
        "to other nodes, too."
    ),
    severity_rule=_masquerade_severity,
    fix=Fix(
        action="masquerade_only_from_outside",
        text=(
            "Take --masquerade-all (masqueradeAll) from kube-proxy's options or configuration and tell it the pods' "
            "range (clusterCIDR) instead, so that only what comes from outside is masqueraded; then restart it, one "
            "node at a time."
        ),
        risk="medium",
        disrupts="connections to Services for a moment, while kube-proxy writes its rules anew",
        commands=lambda evidence, subject: [
            *_masquerade_commands(evidence),
            *packet_signals.on(
                subject.nodes[0], ["sudo iptables-save -t nat | grep -e KUBE-MARK-MASQ -e KUBE-POSTROUTING"]
            ),
        ],
    ),
    verify="A pod that is asked by a pod of another node sees that pod's own address.",
    lookalikes=(
        Lookalike("ipip_blocked", "packets of IP protocol 4 do not arrive at all"),
        Lookalike("bgp_source_nat", "BGP's own connections are rewritten, and sessions are down"),
    ),
)

# --- connections seen by halves -----------------------------------------------------------------------------------


def nodes_that_drop_invalid(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that drop packets which fit no connection, by the rule that does it."""
    for node in evidence.nodes.values():
        drops = [one for one in node.packets.invalid if one.packets != 0]
        most = any(one.others is not None for one in drops)
        if drops and (most or node.packets.invalid_counted.grew >= _STRAY or _one_sided(evidence, node)):
            busiest = max(drops, key=lambda one: one.packets or 0)
            yield Subject((node.name,), (), packet_signals.where_of(node, busiest.rule), node, busiest)


def _one_sided(evidence: Evidence, node: Node) -> bool:
    """Answers without their questions are seen there: in a capture, by rules of routing, or by what was tried."""
    return bool(_answers_only(node) or _two_ways(node) or observed.stalls(evidence))


def _answers_only(node: Node) -> list[Captured]:
    """TCP's second packets (SYN, ACK) from one to another where the first ones do not pass."""
    opened = {(one.destination, one.source) for one in node.packets.captures if one.opens}
    return [
        one
        for one in node.packets.captures
        if one.protocol == "tcp" and one.answers and (one.source, one.destination) not in opened
    ]


def _two_ways(node: Node) -> str:
    return words.listed(node.packets.led_elsewhere) if node.packets.led_elsewhere else ""


def invalid_are_dropped_now(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Conntrack sees packets that fit no connection just now, and a rule drops what it calls INVALID."""
    node = subject.node
    grew = node.packets.invalid_counted.grew if node else 0
    told = f"invalid: {grew} more while it was looked at"
    return [Seen(node.name, "conntrack", told)] if node and grew >= _STRAY else []


def the_rule_has_met_some(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A rule that drops INVALID packets has met some."""
    drop: InvalidDrop = subject.about
    met = words.plural(drop.packets, "packet") if drop.packets else "its counter is not told"
    return [
        Seen(subject.nodes[0], "firewall", f"{drop.way}, {words.rule_and_owner(drop.rule)}: {drop.rule.text} ({met})")
    ]


def it_has_met_many(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The rule has met packets by the hundred, more than stray ones."""
    drop: InvalidDrop = subject.about
    many = (drop.packets or 0) >= _MANY
    return [Seen(subject.nodes[0], "firewall", words.plural(drop.packets or 0, "packet"))] if many else []


def most_fit_no_connection(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Most of what a pod was sent, or has sent, was dropped so: other packets its chain has hardly met."""
    drop: InvalidDrop = subject.about
    if drop.others is None:
        return []
    dropped, others = words.plural(drop.packets or 0, "packet"), words.plural(drop.others, "other")
    told = f"{drop.rule.chain}: {dropped} dropped, {others} at most"
    return [Seen(subject.nodes[0], "firewall", told)]


def answers_take_another_way(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Packets to other nodes and their answers take different ways here."""
    if subject.node is None:
        return []
    found = [
        Seen(subject.nodes[0], "tcpdump", f"answers from {one.source} to {one.destination}, and no question")
        for one in _answers_only(subject.node)
    ]
    told = _two_ways(subject.node)
    return (found + ([Seen(subject.nodes[0], "routes", f"rules lead {told}")] if told else []))[:4]


def what_begins_stalls(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Connections are made and then stall, or pass one way only."""
    return observed.stalls(evidence)


def conntrack_is_liberal(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Conntrack is told to take TCP packets outside of the window for good (nf_conntrack_tcp_be_liberal)."""
    liberal = subject.node is not None and subject.node.packets.liberal
    return [Seen(subject.nodes[0], "sysctl", "nf_conntrack_tcp_be_liberal is 1")] if liberal else []


def _invalid_severity(evidence: Evidence, subject: Subject) -> str:
    """major where answers take another way, connections stall, or a pod loses most of its packets, else minor."""
    told = (answers_take_another_way, what_begins_stalls, most_fit_no_connection)
    return "major" if any(tells(evidence, subject) for tells in told) else "minor"


CONNTRACK_INVALID = Fault(
    id="conntrack_invalid",
    family="encapsulation",
    title="Packets are dropped because they fit no connection (INVALID)",
    severity="major",
    role="cause",
    means=(
        "Connection tracking on this node sees one direction of connections only, because the other takes another way "
        "(several interfaces, policy routing, a bypassed tunnel), or sees what is out of TCP's window. It calls such "
        "packets INVALID, and a rule of Felix, kube-proxy or a host firewall drops them: connections hang or "
        "never open."
    ),
    subjects=nodes_that_drop_invalid,
    signals=(
        Signal(invalid_are_dropped_now, STRONG, required=True),
        Signal(answers_take_another_way, STRONG, required=True),
        Signal(most_fit_no_connection, MODERATE, required=True),
        Signal(the_rule_has_met_some, WEAK, required=True),
        Signal(it_has_met_many, WEAK),
        Signal(what_begins_stalls, MODERATE),
        Signal(conntrack_is_liberal, -WEAK),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} drops packets that fit no connection, {subject.about.way}: "
        f"{words.rule_and_owner(subject.about.rule)}."
    ),
    fix=Fix(
        action="make_ways_symmetric",
        text=(
            "Let packets and their answers take the same way: one interface for what goes between nodes, no policy "
            "routing around it. Where only TCP's window is the matter (offload, a load balancer's own answers), set "
            "net.netfilter.nf_conntrack_tcp_be_liberal=1. Do not take the rule away: its owner writes it again."
        ),
        risk="medium",
        disrupts="connections by the way that is changed",
        commands=lambda evidence, subject: packet_signals.on(
            subject.nodes[0],
            [
                "ip rule; ip route show table all | grep -v local",
                "sudo conntrack -S | head -4   # does invalid= grow?",
                "sudo sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1",
            ],
        ),
    ),
    severity_rule=_invalid_severity,
    prior=-2.0,
    verify="The rule's counter and conntrack's invalid= stand still while pods talk across nodes.",
    lookalikes=(
        Lookalike("rp_filter_strict", "the packets are dropped before, and IPReversePathFilter grows"),
        Lookalike("conntrack_full", "the table is full, and the kernel says so"),
        Lookalike("checksum_offload", "checksums are wrong, which conntrack calls INVALID, too"),
        Lookalike("mtu_mismatch", "only large packets are lost"),
    ),
    missing=lambda evidence, subject: [
        Missing(
            subject.nodes[0],
            "conntrack",
            commands.on_node(
                subject.nodes[0], "sudo sysctl -w net.netfilter.nf_conntrack_log_invalid=255; sudo dmesg -w"
            ),
            "which packets do not fit, by which interface they come, and why they do not",
        )
    ],
)

FAULTS = (CHECKSUM_OFFLOAD, KUBE_PROXY_MASQUERADE_ALL, CONNTRACK_INVALID)
