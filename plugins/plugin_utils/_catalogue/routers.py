# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a router outside the cluster that refuses Calico."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from . import api, commands, session_signals, words
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.host_facts import OtherSpeaker
    from .._evidence.model import LogLine, Node, Protocol

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
MESH = "Mesh"
PREFIX_LIMIT = "Maximum number of prefixes"
# RFC 4486: the notification may hold family, subsequent family and the limit, which BIRD prints as they come.
_LIMIT_TOLD = re.compile(r"Maximum number of prefixes reached: [0-9a-f]{6}([0-9a-f]{8})\b")


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
        peer = bgp_peer(evidence, address)
        # The BGPPeer only asks for the session: what refuses it stands in the router.
        where: dict[str, object] = {"address": address, **({"peering": f"BGPPeer/{peer}"} if peer else {})}
        subject = Subject(names, api.sessions_with(evidence, (address,)), where, evidence.nodes[names[0]], one)
        if _over_limit(evidence, subject):
            limit = _limit(evidence, subject)
            where.update({"setting": "limit of prefixes", **({"limit": limit} if limit is not None else {})})
        yield subject


def bgp_peer(evidence: Evidence, address: str) -> str:
    """The BGPPeer by which nodes peer with an address, '' if none is known."""
    plan = evidence.expected
    if plan is None:
        return ""
    tables = (plan.plan.global_table, *plan.plan.tables.values())
    return next((table.by_address[address][0].bgp_peer for table in tables if address in table.by_address), "")


def called(speaker: OtherSpeaker) -> str:
    """Another speaker by its process."""
    if speaker.process and speaker.pid is None:
        return speaker.process
    return f"{speaker.process} ({speaker.pid})" if speaker.process else "a process that may not be seen"


def router_refuses(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The router answers with a refusal of its own."""
    return [
        Seen(name, "bird", f"{protocol.name}: {protocol.last_error}")
        for name, protocol in subject.about.troubled.items()
        if protocol.last_error.startswith("Received: ") and any(word in protocol.last_error for word in REFUSALS)
    ] or [
        # A router that has ended a session so often closes the next connections without a word.
        Seen(name, "bird log", line.text, line.at)
        for name in subject.about.troubled
        for line in _limit_lines(evidence.nodes[name], subject.about.address)[:1]
    ]


def _limit_lines(node: Node, address: str) -> list[LogLine]:
    """What BIRD's log tells of a router that ended the session for the number of prefixes, the newest first."""
    return [line for line in node.log if line.peer == address and PREFIX_LIMIT in f"{line.text} {line.value}"]


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
        Seen(name, "sockets", f"{called(speaker)} is connected with {address}")
        for name in subject.about.troubled
        for speaker in evidence.nodes[name].host.speakers
        if address in speaker.peers
    ]


def _over_limit(evidence: Evidence, subject: Subject) -> bool:
    """The router ends sessions because more prefixes are announced to it than it takes."""
    return any(
        PREFIX_LIMIT in protocol.last_error or _limit_lines(evidence.nodes[name], subject.about.address)
        for name, protocol in subject.about.troubled.items()
    )


def _limit(evidence: Evidence, subject: Subject) -> int | None:
    """How many prefixes the router takes, if its notification says so."""
    lines = (line for name in subject.about.troubled for line in evidence.nodes[name].log)
    texts = [f"{line.text} {line.value}" for line in lines if line.peer == subject.about.address]
    texts += [protocol.last_error for protocol in subject.about.troubled.values()]
    told = next((found for text in texts if (found := _LIMIT_TOLD.search(text))), None)
    return int(told.group(1), 16) if told else None


def _limit_summary(subject: Subject, limit: int | None) -> str:
    what = "a limit of prefixes" if limit is None else f"a limit of {limit} {'prefix' if limit == 1 else 'prefixes'}"
    return (
        f"The router {subject.about.address} has {what} for a neighbour, {words.listed(subject.nodes)} announced more, "
        "and it ended the session: raise the limit on the router, or have Calico announce fewer routes."
    )


def _router_summary(evidence: Evidence, subject: Subject) -> str:
    if _over_limit(evidence, subject):
        return _limit_summary(subject, _limit(evidence, subject))
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
            api.show(evidence, "BGPPeer", str(subject.where.get("peering", "")).partition("/")[2]),
            f"on the router: {_on_router(evidence, subject)}",
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


def _on_router(evidence: Evidence, subject: Subject) -> str:
    neighbours = ", ".join(_addresses(evidence, subject))
    if _over_limit(evidence, subject):
        return f"raise the limit of prefixes for the neighbours {neighbours}, and clear their sessions"
    return f"show the neighbours {neighbours} and why they are refused"


def _addresses(evidence: Evidence, subject: Subject) -> list[str]:
    family = "ipv6" if ":" in subject.about.address else "ipv4"
    return [evidence.nodes[name].bgp_addresses.get(family, name) for name in subject.nodes[:4]]


FAULTS = (EXTERNAL_ROUTER_CONFIG,)
