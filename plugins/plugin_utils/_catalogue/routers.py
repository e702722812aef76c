# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults with machines outside the cluster: a router that refuses Calico, and a second speaker on the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import api, commands, session_signals, words
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.host_facts import OtherSpeaker
    from .._evidence.model import Node, Protocol

# What a router says when it refuses. That it was told another AS number is another fault; an expired timer, too.
REFUSALS = (
    "Connection rejected",
    "Administrative shutdown",
    "Administrative reset",
    "Maximum number of prefixes",
    "Peer de-configured",
    "Out of resources",
    "Unsupported",
    "No supported AFI",
    "Required capability missing",
    "Authentication failure",
    "Bad BGP identifier",
    "Cease",
)
COLLISIONS = ("Connection collision", "Connection rejected", "Cease", "Connection reset", "Connection closed")
MESH = "Mesh"


class Outside(NamedTuple):
    """A router that nodes are to peer with: its address, and by node the protocol that is not established."""

    address: str
    troubled: dict[str, Protocol]


def _outside(evidence: Evidence) -> dict[str, Outside]:
    """By address the peers in trouble that are no nodes and come from BGPPeers."""
    plan = evidence.expected
    found: dict[str, Outside] = {}
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            for address, protocol in daemon.troubled.items():
                known = address in evidence.owners or (plan is not None and plan.owner(address))
                if protocol.kind != MESH and not known and evidence.missing_at(address) is None:
                    found.setdefault(address, Outside(address, {})).troubled[node.name] = protocol
    return found


def routers_in_trouble(evidence: Evidence) -> Iterator[Subject]:
    """Each machine outside the cluster with which sessions are down."""
    for address, one in _outside(evidence).items():
        names = tuple(sorted(one.troubled))
        peer = _bgp_peer(evidence, address)
        where = api.where(f"BGPPeer {peer}", "spec.peerIP", address=address) if peer else {"address": address}
        yield Subject(names, api.sessions_with(evidence, (address,)), where, evidence.nodes[names[0]], one)


def _bgp_peer(evidence: Evidence, address: str) -> str:
    """The BGPPeer by which nodes peer with an address, '' if none is known."""
    plan = evidence.expected
    if plan is None:
        return ""
    tables = (plan.plan.global_table, *plan.plan.tables.values())
    return next((table.by_address[address][0].bgp_peer for table in tables if address in table.by_address), "")


def router_refuses(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The router answers with a refusal of its own."""
    return [
        Seen(name, "bird", f"{protocol.name}: {protocol.last_error}")
        for name, protocol in subject.about.troubled.items()
        if protocol.last_error.startswith("Received: ") and any(word in protocol.last_error for word in REFUSALS)
    ]


def router_does_not_listen(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The router is there, and refuses connections to BGP's port."""
    address = subject.about.address
    return [
        Seen(name, "probe", f"SYN to {address}: reset")
        for name in subject.about.troubled
        if (probe := evidence.nodes[name].probes.get(address)) is not None and probe.result == "reset"
    ]


def router_closes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The router takes the connection, and closes it before the session is made."""
    return [
        Seen(name, "bird", f"{protocol.name} is {words.state(protocol)}")
        for name, protocol in subject.about.troubled.items()
        if any(word in protocol.last_error for word in ("Connection closed", "Connection reset"))
    ]


def other_nodes_are_accepted(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The same router has sessions with other nodes that are up."""
    return [
        Seen(node.name, "bird", f"Established with {subject.about.address}")
        for node in evidence.nodes.values()
        if any(subject.about.address in daemon.established for daemon in node.daemons.values())
    ][:2]


def nobody_is_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nobody answers at the router's address at all."""
    dead = session_signals.peer_host_is_dead(evidence, subject)
    return [seen for seen in dead if seen.detail.startswith(f"{subject.about.address}:")]


def another_speaker_is_connected(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Another BGP speaker on such a node has a connection with the same router."""
    address = subject.about.address
    return [
        Seen(name, "sockets", f"{_called(speaker)} is connected with {address}")
        for name in subject.about.troubled
        for speaker in evidence.nodes[name].host.speakers
        if address in speaker.peers
    ]


def _router_summary(evidence: Evidence, subject: Subject) -> str:
    told = router_refuses(evidence, subject)
    how = (
        f"refuses {words.listed(subject.nodes)} ({told[0].detail})"
        if told
        else f"does not accept {words.listed(subject.nodes)}"
    )
    return f"The router {subject.about.address} {how}."


EXTERNAL_ROUTER_CONFIG = Fault(
    id="external_router_config",
    family="bgp_config",
    title="A router outside the cluster does not accept the nodes",
    severity="major",
    role="cause",
    means=(
        "The router answers and refuses: it does not know these neighbours, has other settings for them, or a limit of "
        "prefixes that they exceed. That is decided in the router's configuration, which is not seen from here."
    ),
    subjects=routers_in_trouble,
    signals=(
        Signal(router_refuses, STRONG + MODERATE, required=True),
        Signal(router_does_not_listen, MODERATE + WEAK, required=True),
        Signal(router_closes, MODERATE + WEAK, required=True),
        Signal(other_nodes_are_accepted, WEAK),
        Signal(nobody_is_there, -STRONG),
        Signal(another_speaker_is_connected, -STRONG),
    ),
    summary=_router_summary,
    fix=Fix(
        action="correct_router",
        text=(
            "Compare the router's neighbour entries with what the nodes send: addresses and AS number, a password, the "
            "limit of prefixes, multihop, and the address families. Then clear the session there."
        ),
        risk="medium",
        disrupts="what the router's administrator changes",
        commands=lambda evidence, subject: [
            *(
                f"kubectl get node {commands.kube_name(evidence, name)} -o yaml | grep projectcalico.org/"
                for name in subject.nodes[:2]
            ),
            api.show(evidence, "BGPPeer", str(subject.where.get("object", "")).partition("/")[2]),
            f"on the router: show the neighbours {', '.join(_addresses(evidence, subject))} and why they are refused",
        ],
    ),
    verify="The sessions with the router are Established, and it has the nodes' routes.",
    lookalikes=(
        Lookalike("as_mismatch", "the router names the AS number that it does not expect"),
        Lookalike("bgppeer_wrong_address", "no router is at the address"),
        Lookalike("metallb_conflict", "another speaker of the same node has the session"),
        Lookalike("bgp_password_mismatch", "no answer comes at all, and counters of signatures grow"),
    ),
    explains=("undetermined", "peer_bird_not_running", "stale_node_in_mesh"),
)


def _addresses(evidence: Evidence, subject: Subject) -> list[str]:
    family = "ipv6" if ":" in subject.about.address else "ipv4"
    return [evidence.nodes[name].bgp_addresses.get(family, name) for name in subject.nodes[:4]]


# --- a second speaker ---


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


def _called(speaker: OtherSpeaker) -> str:
    return f"{speaker.process} ({speaker.pid})" if speaker.process else "a process that may not be seen"


def rival_has_the_session(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Another program on the node is connected with the router, with which Calico's BIRD has no session."""
    return [
        Seen(node.name, "sockets", f"{_called(speaker)} is connected with {subject.where['address']}")
        for node, speaker in subject.about
        if speaker.process
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
    address = str(subject.where["address"])
    return [
        Seen(node.name, "bird", f"{protocol.name} is {words.state(protocol)}")
        for node, _speaker in subject.about
        for daemon in node.daemons.values()
        if (protocol := daemon.troubled.get(address)) is not None
        and any(word in protocol.last_error for word in COLLISIONS)
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
        Signal(router_takes_one_only, MODERATE),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
    ),
    summary=lambda evidence, subject: (
        f"On {words.listed(subject.nodes)} {_called(subject.about[0][1])} has the session with "
        f"{subject.where['address']} that Calico's BIRD is to have."
    ),
    fix=Fix(
        action="separate_speakers",
        text=(
            "Let one speaker have the router: have Calico advertise the load balancers' addresses "
            "(serviceLoadBalancerIPs) and MetalLB hand them out only, or give MetalLB routers of its own, or layer 2."
        ),
        risk="medium",
        disrupts="what the other speaker advertises, if it is the one that goes",
        commands=lambda evidence, subject: [
            commands.on_node(subject.nodes[0], "sudo ss -tnp | grep -w 179"),
            "kubectl get bgppeers.metallb.io,bgpadvertisements.metallb.io -A",
            api.show(evidence, "BGPPeer"),
        ],
    ),
    verify="Each router has one session with each node, and Calico's are Established.",
    lookalikes=(
        Lookalike("port179_conflict", "the other program listens on BGP's port on the node itself"),
        Lookalike("external_router_config", "no other speaker is connected with the router"),
    ),
    explains=("external_router_config", "undetermined", "as_mismatch"),
)

FAULTS = (METALLB_CONFLICT, EXTERNAL_ROUTER_CONFIG)
