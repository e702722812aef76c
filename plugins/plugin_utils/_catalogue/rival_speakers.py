# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a second BGP speaker on the nodes that peers with the same router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.host_facts import OtherSpeaker
from . import api, commands, loopback_peers, routers, session_signals, words
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

COLLISIONS = ("Connection collision", "Connection rejected", "Cease", "Connection reset", "Connection closed")

# MetalLB's process, and what a pod of it is called.
METALLB = ("speaker", "metallb")


def rival_speakers(evidence: Evidence) -> Iterator[Subject]:
    """Other speakers on the nodes that are connected with a router which Calico is to peer with, by router."""
    grouped: dict[str, list[tuple[Node, OtherSpeaker]]] = {}
    for node in evidence.nodes.values():
        wanted = {address for daemon in node.daemons.values() for address in daemon.troubled}
        for speaker in node.host.speakers:
            for address in speaker.peers & wanted:
                grouped.setdefault(address, []).append((node, speaker))
    for address, found in grouped.items():
        names = tuple(dict.fromkeys(node.name for node, _speaker in found))
        speaker = found[0][1]
        where = {"node": names[0], "address": address, "process": speaker.process, "pid": speaker.pid}
        sessions = tuple(
            session for session in api.sessions_with(evidence, (address,)) if set(evidence.labels(session)) & set(names)
        )
        yield Subject(names, sessions, where, found[0][0], found)
    yield from _speakers_turned_away(evidence, set(grouped))
    yield from loopback_peers.subjects(evidence)


def _speakers_turned_away(evidence: Evidence, known: set[str]) -> Iterator[Subject]:
    """Other speakers that a router turns away, as their own logs say, by router ('' where it is not told)."""
    grouped: dict[str, list[tuple[Node, OtherSpeaker]]] = {}
    for node in evidence.nodes.values():
        for one in node.host.turned_away:
            if one.peer not in known:
                speaker = OtherSpeaker(one.speaker, None, "", frozenset({one.peer}))
                grouped.setdefault(one.peer, []).append((node, speaker))
    for address, found in grouped.items():
        names = tuple(dict.fromkeys(node.name for node, _speaker in found))
        where = {"node": names[0], "process": found[0][1].process, **({"address": address} if address else {})}
        yield Subject(names, (), where, found[0][0], found)


def rival_has_the_session(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Another program on the node is connected with the router, with which Calico's BIRD has no session."""
    return [
        Seen(node.name, "sockets", f"{routers.called(speaker)} is connected with {subject.where['address']}")
        for node, speaker in subject.about
        if speaker.process and speaker.pid is not None
    ]


def somebody_has_the_session(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A connection with the router exists that is not Calico's."""
    return [
        Seen(node.name, "sockets", f"connected with {subject.where['address']}")
        for node, speaker in subject.about
        if not speaker.process
    ]


def router_takes_one_only(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The router closes or refuses what Calico's BIRD opens."""
    address = str(subject.where.get("address", ""))
    return [
        Seen(node.name, "bird", f"{protocol.name} is {words.state(protocol)}")
        for node, _speaker in subject.about
        for daemon in node.daemons.values()
        if (protocol := daemon.troubled.get(address)) is not None
        and any(word in protocol.last_error for word in COLLISIONS)
    ]


def speaker_is_told_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The router answers another speaker's OPEN with a notification, as one that has a session with that address."""
    return _turned_away(subject, notified=True)


def router_hangs_up_on_speaker(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The router hangs up on another speaker without a word."""
    return _turned_away(subject, notified=False)


def _turned_away(subject: Subject, *, notified: bool) -> list[Seen]:
    address = str(subject.where.get("address", ""))
    return [
        Seen(node.name, f"{one.speaker} log", f"{one.text} ({one.count} times)" if one.count > 1 else one.text, one.at)
        for node in {found.name: found for found, _speaker in subject.about}.values()
        for one in node.host.turned_away
        if one.peer == address and one.notified is notified
    ]


def calico_has_the_session(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico's BIRD on the same node has a session with the same router."""
    address = str(subject.where.get("address", ""))
    return [
        Seen(node.name, "bird", f"Established with {address}")
        for node, speaker in subject.about
        if speaker.pid is None and any(address in daemon.established for daemon in node.daemons.values())
    ]


def calico_is_to_peer_with_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A BGPPeer has Calico peer with the same router."""
    peer = routers.bgp_peer(evidence, str(subject.where.get("address", "")))
    return [api.seen(f"BGPPeer {peer}", "spec.peerIP", str(subject.where["address"]))] if peer else []


def _rival_summary(evidence: Evidence, subject: Subject) -> str:
    if loopback_peers.is_one(subject):
        return loopback_peers.summary(subject)
    speaker, address = routers.called(subject.about[0][1]), subject.where.get("address", "its router")
    names = words.listed(subject.nodes)
    if subject.about[0][1].pid is None and subject.about[0][1].process:
        return f"On {names} {address} turns {speaker} away: it has a session with that address already, Calico's."
    return f"On {names} {speaker} has the session with {address} that Calico's BIRD is to have."


def _separate(evidence: Evidence, subject: Subject) -> list[str]:
    """Have Calico advertise what MetalLB hands out, and take MetalLB's own peering away."""
    if not subject.about or subject.about[0][1].process not in METALLB:
        return []
    default = evidence.cluster.bgp_configurations.get("default") if evidence.cluster else None
    ranges = [{"cidr": one} for one in (default.service_load_balancer_cidrs if default else ())]
    change = api.patch(
        evidence, "BGPConfiguration", "default", {"serviceLoadBalancerIPs": [*ranges, {"cidr": "LB-RANGE"}]}
    )
    router = subject.where.get("address") or "the router"
    return [
        f"{change}   # LB-RANGE: addresses of MetalLB's IPAddressPool",
        f"kubectl delete bgppeers.metallb.io -n metallb-system PEERING   # PEERING: MetalLB's own with {router}",
    ]


METALLB_CONFLICT = Fault(
    id="metallb_conflict",
    family="bgp_config",
    title="Another BGP speaker of the node has the session with the router",
    severity="major",
    role="cause",
    means=(
        "A router takes one session for each address. MetalLB's speaker, or another one on the same node, has it "
        "already, so Calico's BIRD is turned away, or the two throw each other out in turn."
    ),
    subjects=rival_speakers,
    signals=(
        Signal(rival_has_the_session, STRONG + WEAK, required=True),
        Signal(somebody_has_the_session, MODERATE, required=True),
        Signal(speaker_is_told_off, MODERATE + WEAK, required=True),
        Signal(router_hangs_up_on_speaker, WEAK, required=True),
        Signal(loopback_peers.host_peers_with_itself, MODERATE + WEAK, required=True),
        Signal(loopback_peers.metallb_is_there, MODERATE),
        Signal(calico_has_the_session, STRONG),
        Signal(calico_is_to_peer_with_it, MODERATE),
        Signal(router_takes_one_only, MODERATE),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
    ),
    summary=_rival_summary,
    fix=Fix(
        action="separate_speakers",
        text=(
            "Let one speaker have the router: have Calico advertise the load balancers' addresses "
            "(serviceLoadBalancerIPs) and MetalLB hand them out only, or give MetalLB routers of its own, or layer 2."
        ),
        risk="medium",
        disrupts="what the other speaker advertises, if it is the one that goes",
        commands=lambda evidence, subject: [
            *(commands.on_node(name, "sudo ss -tnp | grep -w 179") for name in subject.nodes[:1]),
            "kubectl get bgppeers.metallb.io,bgpadvertisements.metallb.io -A",
            api.show(evidence, "BGPPeer"),
            *_separate(evidence, subject),
        ],
    ),
    verify="Each router has one session with each node, and Calico's are Established.",
    lookalikes=(
        Lookalike("port179_conflict", "the other program listens on BGP's port on the node itself"),
        Lookalike("external_router_config", "no other speaker is connected with the router"),
        Lookalike("as_mismatch", "the notification is about an AS number, and comes to whoever calls first, too"),
    ),
    explains=("external_router_config", "undetermined", "as_mismatch"),
)

FAULTS = (METALLB_CONFLICT,)
