# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of packets of IPIP (IP protocol 4) that are dropped between nodes whose BGP sessions are up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.openings import Flow
from . import commands, fix_lines, observed, packet_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject
from .packet_signals import IPIP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.packet_paths import Block

_FLOW = "ipip"
_IPIP = Flow("ipip")
# Felix' own rule for IPIP from addresses that it does not know as nodes' (felix/rules/static.go).
_MOST_NAMED = 64
_FROM_STRANGERS = "non-Calico hosts"


def where_ipip_stops(evidence: Evidence) -> Iterator[Subject]:
    """Rules of nodes that stop IPIP, where it is used; and the network between them, where something tells of it."""
    found = False
    for node in evidence.nodes.values():
        for block in node.packets.blocked(_FLOW) if packet_signals.uses(evidence, IPIP, node) else ():
            found = True
            yield packet_signals.at_rule(node, block)
    if found or not packet_signals.uses(evidence, IPIP):
        return
    if _cloud(evidence) or observed.fails_across(evidence) or packet_signals.one_way(evidence, "ipip"):
        names = packet_signals.names_of(evidence)
        yield Subject(names, (), {"nodes": list(names), "protocol": 4}, None, None)


def _cloud(evidence: Evidence) -> str:
    told = packet_signals.platform(evidence)
    return told if told == "azure" else ""


def _block(subject: Subject) -> Block | None:
    found: Block | None = subject.about
    return found


def rule_stops_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A rule of the host's own firewall stops IP protocol 4, which carries pods' packets here."""
    block = _block(subject)
    return [packet_signals.block_seen(subject.node, block)] if block and subject.node else []


def cloud_drops_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The cloud carries TCP, UDP and ICMP only: IP protocol 4 is dropped by its network, whatever is allowed."""
    return packet_signals.platform_seen(evidence, _cloud(evidence)) if subject.about is None else []


def pods_do_not_reach_other_nodes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What goes from a node to pods of another one, or through the tunnel, is not answered."""
    return observed.fails_across(evidence) if subject.about is None else []


def opens_from_the_other_side(evidence: Evidence, subject: Subject) -> list[Seen]:
    """It passes once the other side has sent something: a filter that keeps states lacks a rule for what comes in."""
    return observed.opened_by_answer(evidence) if subject.about is None else []


def leaves_and_none_comes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture shows packets of IP protocol 4 one way only."""
    return packet_signals.one_way(evidence, "ipip") if subject.about is None else []


def bgp_is_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The BGP sessions are up: the nodes do reach each other."""
    return packet_signals.sessions_are_up(evidence)


def only_answers_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What answers to this node passes the rule: it shows only where the other side begins."""
    block = _block(subject)
    told = block is not None and block.lets_answers and subject.node is not None
    return [Seen(subject.nodes[0], "firewall", "established passes")] if told else []


def it_does_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Something passes between pods, or tunnels, of different nodes."""
    return observed.passes_partly(evidence) if subject.about is None else []


def every_host_lets_it_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The hosts' own firewalls let IP protocol 4 pass: what drops it is between them."""
    asked = [node for node in evidence.nodes.values() if node.packets.evaluated]
    passing = [node for node in asked if _FLOW in node.packets.accepted]
    well = subject.about is None and len(asked) > 1 and len(passing) == len(asked)
    return [Seen("", "firewall", f"on {words.plural(len(asked), 'node')}")] if well else []


def another_explanation_is_seen(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Something else is known to be wrong with what goes between nodes: kube-proxy hides the senders."""
    told = [node for node in evidence.nodes.values() if node.packets.proxy.masquerade_all]
    return [Seen(node.name, "kube-proxy", node.packets.proxy.why) for node in told] if subject.about is None else []


def _summary(evidence: Evidence, subject: Subject) -> str:
    block = _block(subject)
    if block is not None and block.rule is not None:
        way = {"inbound": "that come in", "outbound": "that it sends"}.get(block.direction, "")
        strangers = _FROM_STRANGERS in block.rule.text
        why = "; the senders' addresses are not those that are on record for the nodes" if strangers else ""
        return (
            f"{subject.nodes[0]} {block.verdict}s packets of IP protocol 4 (IPIP) {way}: "
            f"{words.rule_and_owner(block.rule)}{why}."
        )
    if _cloud(evidence):
        return "Azure's network drops IP protocol 4, so that IPIP carries nothing between the nodes."
    return "IP protocol 4 (IPIP) seems to be dropped between the nodes: BGP works, pods of different nodes do not."


def _others(evidence: Evidence, subject: Subject) -> list[str]:
    """The addresses of the other nodes that were read."""
    nodes = (node for node in evidence.nodes.values() if node.name not in subject.nodes)
    return sorted(address for node in nodes if (address := node.bgp_addresses.get("ipv4", "")))[:_MOST_NAMED]


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    block = _block(subject)
    if block is None or block.rule is None:
        if _cloud(evidence):
            return fix_lines.pool_changes(evidence, fix_lines.NEVER, fix_lines.ALWAYS)
        return ["allow IP protocol 4 (not TCP or UDP port 4) between the nodes' addresses in security groups and ACLs"]
    peers = [commands.word(peer, "NODES") for peer in block.peers] or _others(evidence, subject) or ["NODES"]
    if _FROM_STRANGERS in block.rule.text:
        return ["calicoctl get nodes -o wide   # is every node's address the one that it sends from?"]
    if block.rule.owner == "ufw":
        line = f"-A ufw-before-input -p 4 -s {','.join(peers)} -j ACCEPT"
        edit = f"put the line '{line}' before COMMIT into /etc/ufw/before.rules, then: ufw reload"
        return [f"on {commands.node_word(subject.nodes[0])}: {edit}"]
    return packet_signals.on(subject.nodes[0], packet_signals.opened(block, _IPIP, peers))


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    block = _block(subject)
    if block is None or block.rule is None or _FROM_STRANGERS in block.rule.text:
        return None
    return packet_signals.remedy("ipip", block, _IPIP, subject.nodes[0])


def _missing(evidence: Evidence, subject: Subject) -> list[Missing]:
    if _block(subject) is not None or _cloud(evidence):
        return []
    name = subject.nodes[0] if subject.nodes else "a node"
    return [
        Missing(
            name,
            "tcpdump",
            commands.capture(name, "ip proto 4", packets=10),
            "whether packets arrive at the node that it sends to, if run there, too: those that leave and do not "
            "arrive are dropped by the network, those that arrive by a host",
        )
    ]


def _severity(evidence: Evidence, subject: Subject) -> str:
    """major where a rule of one node stops it, critical where the network between the nodes does."""
    return "major" if _block(subject) is not None else "critical"


IPIP_BLOCKED = Fault(
    id="ipip_blocked",
    family="encapsulation",
    title="IPIP is dropped between the nodes",
    severity="critical",
    role="cause",
    means=(
        "Pods' packets travel between nodes inside packets of IP protocol 4, which is neither TCP nor UDP and has no "
        "ports. A firewall, security group or cloud that lets TCP 179 pass and not protocol 4 leaves BGP up, and every "
        "node Ready, while pods of different nodes cannot reach each other."
    ),
    subjects=where_ipip_stops,
    signals=(
        Signal(rule_stops_it, DECISIVE, required=True),
        Signal(cloud_drops_it, STRONG, required=True),
        Signal(leaves_and_none_comes, STRONG, required=True),
        Signal(pods_do_not_reach_other_nodes, WEAK, required=True),
        Signal(opens_from_the_other_side, STRONG),
        Signal(bgp_is_well, WEAK),
        Signal(every_host_lets_it_pass, WEAK),
        Signal(only_answers_pass, -WEAK),
        Signal(another_explanation_is_seen, -MODERATE),
        Signal(it_does_pass, -DECISIVE),
    ),
    summary=_summary,
    fix=Fix(
        action="allow_ipip",
        text=(
            "Allow IP protocol 4 between the nodes, ahead of what stops it, in the language of the firewall's "
            "owner. In "
            "a cloud that carries no such packets use VXLAN instead. What iptables or nft insert is gone after a "
            "reboot."
        ),
        risk="medium",
        disrupts=(
            "nothing where a rule is added; a change of a pool's encapsulation cuts pods' traffic for some seconds"
        ),
        commands=_commands,
        remedy=_remedy,
    ),
    verify="A pod reaches a pod of another node, and the counters of tunl0 grow in both directions.",
    severity_rule=_severity,
    lookalikes=(
        Lookalike("vxlan_udp_blocked", "the pools use VXLAN"),
        Lookalike("mtu_mismatch", "small packets pass, large ones do not"),
        Lookalike("rp_filter_strict", "the packets arrive, and the counter IPReversePathFilter grows"),
        Lookalike("tunnel_device_missing", "tunl0 is absent, down or without an address"),
        Lookalike("kube_proxy_masquerade_all", "kube-proxy runs with --masquerade-all"),
        Lookalike("leftover_iptables_rules", "the rule is one of another network plugin"),
    ),
    missing=_missing,
)

FAULTS = (IPIP_BLOCKED,)
