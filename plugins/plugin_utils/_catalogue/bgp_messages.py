# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a path that lets TCP's handshake through and BGP's messages not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.evidence import culprits
from . import commands, reachability, session_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.captures import Conversation
    from .._evidence.evidence import Evidence
    from .._evidence.host_facts import Stuck
    from .._evidence.sessions import Session, Side

# Every path of IPv4 carries 576 bytes, 536 of them TCP's: what is smaller is not lost for its size.
SMALL = 536
# Once may happen on any path.
AGAIN = 2
RESET = "Connection reset"
_SHOWN = 4


def swallowed_messages(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain the sessions whose connections are made and carry nothing."""
    lost = [(one, evidence.labels(one)) for one in evidence.table.down if _carries_nothing(one)]
    for names, sessions in culprits(lost):
        pairs = [list(evidence.labels(session)) for session in sessions]
        where = {"between": pairs, "node": names[0]}
        yield Subject(names, sessions, where, evidence.nodes.get(names[0]), ())
    known = {name for _session, names in lost for name in names}
    for node in evidence.nodes.values():
        talks = [one for one in node.host.conversations if _is_unanswered(one)]
        # A BIRD that was asked tells more of its sessions than a few packets do.
        if talks and node.name not in known and not node.daemons:
            ends = list(dict.fromkeys(end for one in talks for end in (one.caller, one.called)))
            where = {"between": [[one.caller, one.called] for one in talks], "node": node.name}
            names = (node.name, *(name for end in ends if (name := _named(evidence, end)) != node.name))
            yield Subject(names, (), where, node, tuple(talks))


def _named(evidence: Evidence, end: str) -> str:
    """What a node is called that a capture names by its address or its name."""
    return end if end in evidence.nodes else evidence.name_of(end)


def _carries_nothing(session: Session) -> bool:
    if any(_stuck(side, other) for side, other in session.sides()):
        return True
    if any(_waits_for_open(session, side, other) for side, other in session.sides()):
        return True
    return all(side.protocol and RESET in side.protocol.last_error for side, _other in session.sides())


def _stuck(side: Side, other: Side) -> Stuck | None:
    """The connection with the other end over which the same few bytes are sent again and again."""
    found = side.node.host.stuck if side.node else ()
    return next((one for one in found if one.peer == other.address and one.retransmits >= AGAIN), None)


def _waits_for_open(session: Session, side: Side, other: Side) -> bool:
    """The calling end is connected, has sent its first message and got none, though the port answers."""
    probe = side.node.probes.get(other.address) if side.node else None
    waits = side.protocol is not None and (side.protocol.bgp_state, side.protocol.last_error) == ("OpenSent", "")
    return waits and session.dials(side) and probe is not None and probe.result == "open"


def _is_unanswered(one: Conversation) -> bool:
    """One end sent messages, which the other one neither answers nor acknowledges."""
    return any(
        mine.messages.get("open") and not mine.acknowledged and not theirs.payloads
        for mine, theirs in ((one.sent, one.answered), (one.answered, one.sent))
    )


# --- signals ---


def small_messages_are_sent_again(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The connection is established, and the few bytes sent over it are sent again and again, unacknowledged."""
    return [
        Seen(
            side.label,
            "sockets",
            f"with {other.label}: {one.send_queue} bytes wait, {one.retransmits} times sent again",
        )
        for session in subject.sessions
        for side, other in session.sides()
        if (one := _stuck(side, other)) is not None and 0 < one.send_queue <= SMALL
    ][:_SHOWN]


def both_ends_lose(evidence: Evidence, subject: Subject) -> list[Seen]:
    """It is so at both ends of the connection."""
    return [
        Seen(session.listener.label, "sockets", f"{session.listener.label} and {session.dialler.label}")
        for session in subject.sessions
        if all(_stuck(side, other) for side, other in session.sides())
    ][:_SHOWN]


def open_is_not_answered(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The caller is connected and has sent its OPEN, and no message comes back."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name} is OpenSent")
        for session in subject.sessions
        for side, other in session.sides()
        if side.protocol and _waits_for_open(session, side, other)
    ][:_SHOWN]


def both_ends_are_reset(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Each end sees the other one reset the connection, which only somebody in between can do."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name} is {words.state(side.protocol)}")
        for session in subject.sessions
        if all(one.protocol and RESET in one.protocol.last_error for one, _other in session.sides())
        for side, _other in session.sides()
        if side.protocol
    ][:_SHOWN]


def open_is_seen_unanswered(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture shows an OPEN, which is only sent over an established connection, and no message of the other end."""
    return [
        Seen(subject.nodes[0], "tcpdump", f"{one.caller} to {one.called}: OPEN, nothing from the other end")
        for one in subject.about
    ][:_SHOWN]


def open_is_seen_again(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The capture shows the same bytes sent again."""
    return [
        Seen(subject.nodes[0], "tcpdump", f"{one.caller} to {one.called}: {again} times the same bytes")
        for one in subject.about
        if (again := max(one.sent.repeated, one.answered.repeated)) >= AGAIN
    ][:_SHOWN]


def only_large_messages_wait(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What waits is more than a small packet carries: the size may be why it is lost."""
    return [
        Seen(side.label, "sockets", f"with {other.label}: {one.send_queue} bytes wait")
        for session in subject.sessions
        for side, other in session.sides()
        if (one := _stuck(side, other)) is not None and one.send_queue > SMALL
    ][:_SHOWN]


def peer_does_not_read(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The messages arrive, and BIRD there does not read them."""
    found = []
    for session in subject.sessions:
        for side, other in session.sides():
            unread = side.node.host.stuck if side.node else ()
            found += [
                Seen(side.label, "sockets", f"from {other.label}: {one.receive_queue} bytes unread")
                for one in unread
                if one.peer == other.address and one.receive_queue
            ]
            if side.daemon is not None and side.daemon.socket_state in ("no_answer", "garbage"):
                found.append(Seen(side.label, "bird", f"control socket: {side.daemon.socket_state}"))
    return found[:_SHOWN]


def _summary(evidence: Evidence, subject: Subject) -> str:
    if subject.about:
        one = subject.about[0]
        return f"{one.caller} and {one.called} are connected, and no message of BGP comes back over the connection."
    pairs = words.listed(" and ".join(evidence.labels(session)) for session in subject.sessions)
    if both_ends_are_reset(evidence, subject):
        return f"Somebody between {pairs} resets their BGP connections: each end takes the other one for it."
    return f"TCP connections between {pairs} are made, and BGP's messages do not get through them."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    if subject.sessions:
        session = subject.sessions[0]
        ends = [(session.dialler.label, session.listener.address), (session.listener.label, session.dialler.address)]
    else:
        ends = [(subject.nodes[0], subject.about[0].called)]
    lines = [
        commands.on_node(
            name, f"timeout 30 tcpdump -c 20 -vni any 'tcp port 179 and host {commands.word(peer, 'PEER')}'"
        )
        for name, peer in ends
    ]
    lines.append("on what lies between them (firewall, IPS, VPN, load balancer): let TCP 179 pass without inspection")
    return lines


def _missing(evidence: Evidence, subject: Subject) -> list[Missing]:
    if not subject.sessions:
        peer = subject.nodes[-1]
        how = commands.capture(peer, "tcp port 179", packets=20, options="-vni")
        return [Missing(peer, "tcpdump", how, "whether the messages arrive at the other end")]
    session = subject.sessions[0]
    how = commands.capture(session.listener.label, "tcp port 179", packets=20, options="-vni")
    return [
        Missing(session.listener.label, "tcpdump", how, "SYN and ACK without any message prove that it is the path")
    ]


MIDDLEBOX_BREAKS_BGP = Fault(
    id="middlebox_breaks_bgp",
    family="reachability",
    title="Connections are made, and something on the way swallows BGP's messages",
    severity="major",
    role="cause",
    means=(
        "TCP's handshake passes between the nodes, so the port is open. What BGP sends then, small as it is, is lost "
        "on the way or answered with a reset: a firewall that inspects, an intrusion prevention system, a VPN or a "
        "load balancer in between."
    ),
    subjects=swallowed_messages,
    signals=(
        Signal(small_messages_are_sent_again, STRONG + WEAK, required=True),
        Signal(both_ends_lose, MODERATE),
        Signal(open_is_not_answered, MODERATE, required=True),
        Signal(both_ends_are_reset, STRONG, required=True),
        Signal(open_is_seen_unanswered, MODERATE + WEAK, required=True),
        Signal(open_is_seen_again, MODERATE),
        Signal(session_signals.syn_is_answered, WEAK),
        Signal(session_signals.both_ends_allow, WEAK),
        Signal(only_large_messages_wait, -STRONG - MODERATE),
        Signal(peer_does_not_read, -DECISIVE),
        Signal(session_signals.syn_is_not_answered, -STRONG),
        Signal(session_signals.syn_is_refused, -STRONG),
        Signal(session_signals.peer_host_is_dead, -DECISIVE),
        Signal(reachability.host_blocks_after_all, -DECISIVE),
        Signal(reachability.source_is_rewritten, -STRONG),
    ),
    summary=_summary,
    fix=Fix(
        action="let_bgp_messages_pass",
        text=(
            "Find what lies between the nodes and looks into connections, and exempt TCP 179 between the nodes from "
            "it. Captures at both ends show on which side of it the messages end."
        ),
        risk="low",
        disrupts="nothing",
        commands=_commands,
    ),
    verify="The sessions are Established at both ends, and nothing waits in the queues of their connections.",
    prior=-1.5,
    lookalikes=(
        Lookalike(
            "mtu_mismatch", "the session comes up, and only large updates are lost; measured paths are too small"
        ),
        Lookalike("tcp179_blocked_network", "not even the handshake passes"),
        Lookalike("bird_hung", "the messages arrive and are acknowledged, and BIRD does not read them"),
        Lookalike("bgp_source_nat", "the listener's BIRD notes a call from an unknown address"),
        Lookalike("hold_timer_expired", "messages pass, and late; the session comes up again"),
    ),
    explains=("hold_timer_expired", "external_router_config", "undetermined"),
    missing=_missing,
)

FAULTS = (MIDDLEBOX_BREAKS_BGP,)
