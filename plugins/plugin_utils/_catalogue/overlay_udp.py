# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of VXLAN packets that are dropped between nodes: by a host's own firewall, or by the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._cluster.components import CANAL
from .._cluster.flavour import FLANNEL_ONLY
from .._evidence.openings import Flow
from .._overlay.compare import overlays
from .._overlay.model import CALICO, FLANNEL, PORTS, Overlay
from . import commands, observed, packet_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.packet_paths import Block
    from .._overlay.model import Silence

ANSWERED = "answered"
SHOWN = 4


class Stopped(NamedTuple):
    """What a subject is about: the overlay, the rule that stops it (None: the network), and the pairs in silence."""

    overlay: Overlay
    block: Block | None
    silent: tuple[Silence, ...]


def blocked_overlays(evidence: Evidence) -> Iterator[Subject]:
    """Each rule of a host that stops an overlay's packets, the fewest nodes that explain silence with no rule, and the
    network as a whole where only what somebody tried, or captured, tells.
    """
    told = False
    for overlay in overlays(evidence) or _supposed(evidence):
        explained: set[str] = set()
        for node in evidence.nodes.values():
            for block in node.packets.blocked(overlay.flow):
                told = True
                explained.add(node.name)
                silent = tuple(one for one in overlay.silent if node.name in (one.at, one.to))
                yield packet_signals.at_rule(node, block, Stopped(overlay, block, silent))
        told = told or bool(overlay.silent)
        if not told and _by_trial(evidence):
            names = packet_signals.names_of(evidence)
            where = {"nodes": list(names), "protocol": f"UDP {overlay.port}"}
            yield Subject(names, (), where, None, Stopped(overlay, None, ()))
        sound = [one for one in overlay.silent if _otherwise_sound(evidence, overlay, one, explained)]
        yield from _by_network(evidence, overlay, sound)


def _by_trial(evidence: Evidence) -> bool:
    """What somebody tried, or captured, tells that packets are lost."""
    lost = observed.fails_across(evidence) or packet_signals.one_way(evidence, packet_signals.VXLAN)
    return bool(lost or observed.port_is_lost(evidence, *PORTS.values())[0])


def _supposed(evidence: Evidence) -> tuple[Overlay, ...]:
    """What carries pods' packets, where no node told of its device: whose port somebody tried, else Calico's or
    Canal's."""
    if not packet_signals.uses(evidence, packet_signals.VXLAN):
        return ()
    device = FLANNEL if evidence.flavour.kind in (CANAL, FLANNEL_ONLY) else CALICO
    asked = {one.port for one in observed.port_is_lost(evidence, *PORTS.values())[0]}
    device = next((name for name, port in PORTS.items() if asked == {port}), device)
    return (Overlay(device=device, port=PORTS[device]),)


def _by_network(evidence: Evidence, overlay: Overlay, silent: list[Silence]) -> Iterator[Subject]:
    remaining = list(silent)
    while remaining:
        weight: dict[str, set[str]] = {}
        for one in remaining:
            weight.setdefault(one.at, set()).add(one.to)
            weight.setdefault(one.to, set()).add(one.at)
        leader = min(weight, key=lambda name: (-len(weight[name]), name))
        mine = [one for one in remaining if leader in (one.at, one.to)]
        far = sorted({name for one in mine for name in (one.at, one.to)} - {leader})
        names = (leader, *far) if len(far) == 1 else (leader,)
        where = {"node": leader, "between": [leader, *far], "protocol": f"UDP {overlay.port}"}
        yield Subject(names, (), where, evidence.nodes.get(leader), Stopped(overlay, None, tuple(mine)))
        remaining = [one for one in remaining if leader not in (one.at, one.to)]


def _otherwise_sound(evidence: Evidence, overlay: Overlay, one: Silence, explained: set[str]) -> bool:
    """No end of it has another trouble that makes it silent."""
    ends = {one.at, one.to}
    lacking = {name for lack in overlay.lacks for name in (lack.at, lack.to) if {lack.at, lack.to} == ends}
    troubled = {
        name
        for name in ends
        if (node := evidence.nodes.get(name)) is not None
        and any(trouble.name == overlay.device and trouble.problem for trouble in node.overlay.troubles)
    }
    return not (ends & explained or lacking or troubled or ends & set(overlay.odd))


def rule_stops_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host's firewall, evaluated rule by rule, stops the VXLAN packets of these nodes."""
    block = _about(subject).block
    return [packet_signals.block_seen(subject.node, block)] if block is not None and subject.node is not None else []


def _about(subject: Subject) -> Stopped:
    about: Stopped = subject.about
    return about


def echoes_are_lost(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Echoes between these nodes get no answer by way of the overlay."""
    silent = _about(subject).silent
    return [Seen(one.at, "echo", f"to {one.to} through {_about(subject).overlay.device}: silence") for one in silent][
        :SHOWN
    ]


def only_the_overlay_is_silent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The same nodes answer each other by the underlay, no host's firewall stops the overlay's packets, and the ways
    through it are whole.
    """
    overlay, block, silent = _about(subject)
    if block is not None:
        return []
    below = [one for one in silent if one.below == ANSWERED]
    return [Seen(one.at, "echo", f"{one.to} answers, but not by way of {overlay.device}") for one in below][:SHOWN]


def nobody_answers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """These nodes do not answer each other by the underlay either."""
    _overlay, block, silent = _about(subject)
    if block is not None or any(one.below == ANSWERED for one in silent):
        return []
    return [Seen(one.at, "echo", f"{one.to} does not answer at all") for one in silent][:SHOWN]


def a_firewall_was_not_evaluated(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The firewall of one of these hosts could not be evaluated, or not decided for such packets."""
    overlay, block, silent = _about(subject)
    if block is not None:
        return []
    found = []
    for name in sorted({name for one in silent for name in (one.at, one.to)}):
        node = evidence.nodes.get(name)
        undecided = [one for one in (node.packets.blocks if node else ()) if overlay.flow in one.flows]
        if node is None or not node.packets.evaluated:
            found.append(Seen(name, "firewall", "not evaluated"))
        elif undecided:
            found.append(Seen(name, "firewall", f"{undecided[0].direction}: {undecided[0].why_unknown}"))
    return found[:SHOWN]


def echoes_pass_all_the_same(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Echoes through the overlay to and from this node are answered all the same."""
    overlay, block, silent = _about(subject)
    node = subject.node
    if block is None or silent or node is None:
        return []
    answered = [one for one, result in node.overlay.echoes.get(overlay.device, {}).items() if result == ANSWERED]
    return [Seen(node.name, "echo", f"{words.listed(answered)} answered")] if answered else []


def pods_do_not_reach_other_nodes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What goes from a node to pods of another one, or through the tunnel, is not answered."""
    return observed.fails_across(evidence) if _by_hearsay(subject) else []


def leaves_and_none_comes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture shows VXLAN's packets one way only."""
    return packet_signals.one_way(evidence, packet_signals.VXLAN) if _by_hearsay(subject) else []


def the_port_itself_is_lost(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What one host sends to VXLAN's port of another one does not come there."""
    lost, _passing = observed.port_is_lost(evidence, _about(subject).overlay.port)
    return [observed.seen(one) for one in lost][:SHOWN] if _by_hearsay(subject) else []


def other_ports_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By another UDP port the same host reaches the same one."""
    _lost, passing = observed.port_is_lost(evidence, _about(subject).overlay.port)
    return [observed.seen(one) for one in passing][:SHOWN] if _by_hearsay(subject) else []


def they_do_arrive(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture on the node that they are sent to shows them: they come that far."""
    if not _by_hearsay(subject):
        return []
    return [
        Seen(node.name, "tcpdump", f"{words.plural(one.packets, 'packet')} from {one.source}")
        for node, one in packet_signals.captured(evidence, packet_signals.VXLAN)
        if evidence.owners.get(one.destination) is node
    ][:SHOWN]


def checksums_are_wrong(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Captured packets have wrong checksums: whoever receives them throws them away."""
    if not _by_hearsay(subject):
        return []
    return [
        Seen(node.name, "tcpdump", f"{one.bad} from {one.source}")
        for node, one in packet_signals.captured(evidence, packet_signals.VXLAN)
        if one.bad
    ][:SHOWN]


def it_does_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Something passes between pods, or tunnels, of different nodes."""
    return observed.passes_partly(evidence) if _by_hearsay(subject) else []


def _by_hearsay(subject: Subject) -> bool:
    """No rule and no echo tells; somebody's own trials or captures do."""
    about = _about(subject)
    return about.block is None and not about.silent


def _summary(evidence: Evidence, subject: Subject) -> str:
    overlay, block, silent = _about(subject)
    what = f"UDP {overlay.port} ({overlay.device})"
    if _by_hearsay(subject):
        return f"{what} seems to be dropped between the nodes: pods of different nodes do not reach each other."
    if block is None:
        names = sorted({name for one in silent for name in (one.at, one.to)} - {subject.nodes[0]})
        return (
            f"The network between {subject.nodes[0]} and {words.listed(names)} does not carry {what}; the hosts reach "
            "each other otherwise, and their own firewalls let it pass."
        )
    verb = "rejects" if block.verdict == "reject" else "drops"
    rule = f" ({words.rule_and_owner(block.rule)})" if block.rule else ""
    peers = block.peers
    owners = {end: one.name for one in overlay.ends.values() for end in one.ends}
    others = words.listed(owners.get(one, one) for one in peers) if peers else "the other nodes"
    way = f"what it sends to {others}" if block.direction == "outbound" else f"what comes from {others}"
    return f"The firewall of {subject.nodes[0]} {verb} {what}, {way}{rule}: pods do not reach each other across nodes."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    overlay, block, silent = _about(subject)
    # What only a capture tells may be of no node that is known.
    name = subject.nodes[0] if subject.nodes else commands.word("", "NODE")
    if block is None:
        near, far = (silent[0].at, silent[0].to) if silent else (name, "PEER")
        end = overlay.ends.get(far)
        address = commands.word(end.address if end else "", "TUNNEL_ADDRESS")
        return [
            commands.on_node(far, f"sudo timeout 20 tcpdump -c 5 -ni any 'udp port {overlay.port}'"),
            commands.on_node(near, f"ping -c 3 {address}   # meanwhile: does the first command see packets?"),
            f"allow UDP {overlay.port} between all nodes in security groups, ACLs and routers",
        ]
    return packet_signals.on(name, _lines(block, overlay))


def _lines(block: Block, overlay: Overlay) -> list[str]:
    """What opens the way ahead of the rule, in the language of its owner."""
    rule = block.rule
    peers = [commands.word(peer, "NODES") for peer in block.peers]
    peers = peers or [commands.word(one.end, "NODES") for one in overlay.ends.values() if one.end] or ["NODES"]
    owner = rule.owner if rule is not None else ""
    if owner == "calico":
        return [
            "ip -4 address show   # is the node's registered address, by which Felix knows it, the one it sends from?"
        ]
    return packet_signals.opened(block, Flow("udp", overlay.port), peers)


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    overlay, block, _silent = _about(subject)
    if block is None:
        return None
    return packet_signals.remedy("vxlan", block, Flow("udp", overlay.port), subject.nodes[0])


def _missing(evidence: Evidence, subject: Subject) -> list[Missing]:
    overlay, block, silent = _about(subject)
    if block is not None or not silent:
        return []
    far = silent[0].to
    how = commands.capture(far, f"udp port {overlay.port}", seconds=20)
    tells = f"whether packets arrive at the host at all while {silent[0].at} pings through it"
    return [Missing(far, "tcpdump", how, tells)]


VXLAN_UDP_BLOCKED = Fault(
    id="vxlan_udp_blocked",
    family="encapsulation",
    title="VXLAN's packets are dropped between nodes",
    severity="critical",
    role="cause",
    means=(
        "Packets between pods of different nodes travel inside UDP packets between the nodes: to port 4789 with "
        "Calico's VXLAN, to 8472 with flannel's. A host's firewall or something in the network drops these, so pods "
        "reach only pods of their own node, while the nodes reach each other."
    ),
    subjects=blocked_overlays,
    signals=(
        Signal(rule_stops_it, DECISIVE, required=True),
        Signal(only_the_overlay_is_silent, STRONG, required=True),
        Signal(echoes_are_lost, MODERATE),
        Signal(leaves_and_none_comes, STRONG, required=True),
        # UDP is answered by nobody: alone it tells little, beside a port that passes much.
        Signal(the_port_itself_is_lost, WEAK, required=True),
        Signal(other_ports_pass, STRONG),
        Signal(pods_do_not_reach_other_nodes, WEAK, required=True),
        Signal(it_does_pass, -DECISIVE),
        Signal(checksums_are_wrong, -DECISIVE),
        Signal(they_do_arrive, -STRONG),
        Signal(nobody_answers, -STRONG),
        Signal(a_firewall_was_not_evaluated, -MODERATE),
        Signal(echoes_pass_all_the_same, -STRONG),
    ),
    summary=_summary,
    fix=Fix(
        action="allow_vxlan_port",
        text=(
            "Allow VXLAN's UDP port from every node to every other one, in the language of what stops it. What "
            "iptables or nft insert is gone after a reboot: write it into the host's own rule files too."
        ),
        risk="low",
        disrupts="nothing",
        commands=_commands,
        remedy=_remedy,
    ),
    verify="Echoes to the other nodes' tunnel addresses are answered.",
    lookalikes=(
        Lookalike("tunnel_device_missing", "the device is not there, is down, or is not made as the others are"),
        Lookalike("routes_missing", "the ways through the device are not whole"),
        Lookalike("host_firewall_blocks_pod_interfaces", "the packets arrive, and are dropped between tunnel and pods"),
        Lookalike("mtu_mismatch", "small packets pass"),
    ),
    missing=_missing,
)

FAULTS = (VXLAN_UDP_BLOCKED,)
