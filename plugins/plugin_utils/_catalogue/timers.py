# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of sessions that end because keepalives do not come in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.evidence import culprits
from . import api, commands, session_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.captures import Conversation, Notice
    from .._evidence.evidence import Evidence
    from .._evidence.model import LogLine, Node
    from .._evidence.sessions import Session

EXPIRED = "Hold timer expired"
# RFC 4271: no hold time is shorter, in seconds, so that a timer cannot have run out since.
LEAST_HOLD_TIME = 3.0
SHOWN = 4


def expired_sessions(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain the sessions whose hold timer expired, whether they are down or up again."""
    down = [(one, evidence.labels(one)) for one in evidence.table.down if _expired(one)]
    told: set[str] = set()
    for names, sessions in culprits(down):
        unheard = _unheard(evidence, sessions)
        ordered = tuple(
            sorted(names, key=lambda name: (not _strained(evidence, name), -unheard.get(name, 0), names.index(name)))
        )
        told.update(name for one in sessions for name in evidence.labels(one))
        yield _subject(evidence, ordered, sessions)
    flapping = [name for name, node in evidence.nodes.items() if name not in told and _lines(node)]
    strained = [name for name in flapping if _strained(evidence, name)]
    for name in strained or _most_named(evidence, flapping):
        told.add(name)
        yield _subject(evidence, (name,), ())
    for name, one, notice in _captured(evidence):
        if name not in told:
            told.add(name)
            late = _named(evidence, one.other(notice.by))
            yield _subject(evidence, (name,) if _was_heard(notice) else (late, name), ())


def _was_heard(notice: Notice) -> bool:
    """The other end's last message had come so short a time before that no timer can have run out since."""
    return notice.heard_before is not None and notice.heard_before < LEAST_HOLD_TIME


def _named(evidence: Evidence, end: str) -> str:
    """What a node is called that a capture names by its address or its name."""
    return end if end in evidence.nodes else evidence.name_of(end)


def _unheard(evidence: Evidence, sessions: tuple[Session, ...]) -> dict[str, int]:
    """How often each end was not heard in time: its peer's timer expired, or the peer told it so."""
    tally: dict[str, int] = {}
    for session in sessions:
        for side, other in session.sides():
            error = side.protocol.last_error if side.protocol else ""
            if EXPIRED in error:
                late = side if error.startswith("Received:") else other
                name = evidence.name_of(late.address) or late.label
                tally[name] = tally.get(name, 0) + 1
    return tally


def _captured(evidence: Evidence) -> Iterator[tuple[str, Conversation, Notice]]:
    """What captures show of expired timers, with the end that says so, by name."""
    for node in evidence.nodes.values():
        for one in node.host.conversations:
            for notice in one.notices:
                if EXPIRED.lower() in notice.says.lower():
                    yield _named(evidence, notice.by), one, notice


def _subject(evidence: Evidence, names: tuple[str, ...], sessions: tuple[Session, ...]) -> Subject:
    return Subject(names, sessions, {"node": names[0], "nodes": list(names)}, evidence.nodes.get(names[0]))


def _expired(session: Session) -> bool:
    return any(side.protocol and EXPIRED in side.protocol.last_error for side, _other in session.sides())


def _lines(node: Node) -> list[LogLine]:
    return node.log_lines("hold_timer_expired")


def _most_named(evidence: Evidence, names: list[str]) -> list[str]:
    """Of nodes that note expired timers, the one whom the others name; all of them where nobody stands out."""
    tally: dict[str, int] = {}
    for name in names:
        for line in _lines(evidence.nodes[name]):
            for end in {name, evidence.name_of(line.peer)} - {""}:
                tally[end] = tally.get(end, 0) + 1
    most = max(tally.values(), default=0)
    return sorted(name for name, count in tally.items() if count == most)[:2] if most > 1 else names[:2]


def _strained(evidence: Evidence, name: str) -> list[str]:
    node = evidence.nodes.get(name)
    return node.host.strain.told if node else []


def timer_expired(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The last error of the session is that its hold timer expired."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name}: {side.protocol.last_error}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol and EXPIRED in side.protocol.last_error
    ][:SHOWN]


def timer_expired_before(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD noted of late that hold timers expired."""
    found = [
        Seen(node.name, "bird log", f"{line.text} ({line.count} times)" if line.count > 1 else line.text, line.at)
        for node in evidence.nodes.values()
        for line in _lines(node)
        if node.name in subject.nodes or evidence.name_of(line.peer) in subject.nodes
    ]
    return found[:SHOWN]


def capture_shows_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture shows the notification that the hold timer expired."""
    return [
        Seen(name, "tcpdump", f"{notice.by} to {one.other(notice.by)}: {notice.says}")
        for name, one, notice in _captured(evidence)
        if name in subject.nodes
    ][:SHOWN]


def peer_was_on_the_wire(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's messages were on the wire shortly before: the end whose timer expired did not get to reading them."""
    return [
        Seen(name, "tcpdump", f"last message of {one.other(notice.by)} {notice.heard_before:.1f} s before")
        for name, one, notice in _captured(evidence)
        if name in subject.nodes and _was_heard(notice)
    ][:SHOWN]


def again_and_again(evidence: Evidence, subject: Subject) -> list[Seen]:
    """It expired several times: sessions come up and end again."""
    return [seen for seen in timer_expired_before(evidence, subject) if " times)" in seen.detail]


def it_may_be_long_ago(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nothing tells when it expired, and the sessions of which BIRD tells are all up."""
    lines = [line for name in subject.nodes if name in evidence.nodes for line in _lines(evidence.nodes[name])]
    undated = bool(lines) and not any(line.at for line in lines)
    return (
        [Seen(subject.nodes[0], "bird log", lines[0].text)]
        if undated and evidence.table.established and not evidence.table.down
        else []
    )


def host_is_strained(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host, or calico-node's container on it, is short of what BIRD needs to send keepalives in time."""
    return [Seen(name, "host", what) for name in subject.nodes for what in _strained(evidence, name)]


def timers_are_short(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The hold time is far shorter than BIRD's own, so that a short pause ends the session."""
    found = []
    for name in subject.nodes:
        node = evidence.nodes.get(name)
        for exchange in node.host.exchange.values() if node else ():
            for peer, seconds in {**exchange.hold_times, **exchange.configured_hold}.items():
                found.append(Seen(name, "bird", f"{seconds} s with {evidence.name_of(peer)}"))
    # What a peer agrees upon with others it asks for here, too: a session that is down has agreed upon nothing.
    ends = {side.address for session in subject.sessions for side, _other in session.sides() if side.node is None}
    found += [
        Seen(node.name, "bird", f"{exchange.hold_times[end]} s with {evidence.name_of(end)}")
        for end in sorted(ends)
        for node in evidence.nodes.values()
        for exchange in node.host.exchange.values()
        if end in exchange.hold_times and node.name not in subject.nodes
    ]
    found += [
        api.seen(f"BGPPeer {one.name}", "spec.keepaliveTime", one.keepalive_time)
        for one in (evidence.cluster.bgp_peers if evidence.cluster else ())
        if one.keepalive_time
    ]
    return found[:SHOWN]


def connection_is_stuck(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A BGP connection of such a node is established and gets nothing through."""
    return [
        Seen(
            name,
            "sockets",
            f"with {evidence.name_of(one.peer)}: {one.retransmits} retransmits, {one.send_queue} bytes wait",
        )
        for name in subject.nodes
        if name in evidence.nodes
        for one in evidence.nodes[name].host.stuck
    ][:SHOWN]


def interface_loses_packets(evidence: Evidence, subject: Subject) -> list[Seen]:
    """An interface towards peers loses packets."""
    return [
        Seen(name, "interfaces", f"{interface}: {words.listed(f'{what} {count}' for what, count in lost.items())}")
        for name in subject.nodes
        if name in evidence.nodes
        for interface, lost in evidence.nodes[name].host.strain.losses.items()
    ][:SHOWN]


def peer_is_gone(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's host answers nothing at all now, so that its silence needs no other explanation."""
    return session_signals.peer_host_is_dead(evidence, subject)


def now_nothing_answers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """New connections get no answer at all now: what ended the session is no matter of time."""
    found = session_signals.syn_is_not_answered(evidence, subject)
    return found + session_signals.syn_is_refused(evidence, subject)


def _severity(evidence: Evidence, subject: Subject) -> str:
    """major where sessions are down, minor where they are up again."""
    return "major" if subject.sessions or capture_shows_it(evidence, subject) else "minor"


def _summary(evidence: Evidence, subject: Subject) -> str:
    strain = [what for name in subject.nodes for what in _strained(evidence, name)]
    why = f": {strain[0]}" if strain else ""
    if subject.sessions:
        return f"Sessions of {words.listed(subject.nodes)} ended because keepalives did not come in time{why}."
    if peer_was_on_the_wire(evidence, subject):
        return f"BIRD on {subject.nodes[0]} let its hold timer expire while its peer's messages lay there unread{why}."
    return f"Hold timers expired at {words.listed(subject.nodes)} of late; the sessions are up again{why}."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    lines = [
        commands.on_node(subject.nodes[0], "cat /proc/pressure/cpu; uptime; ip -s link"),
        commands.pods_of(evidence, subject.nodes[0]),
    ]
    if timers_are_short(evidence, subject):
        lines.append(f"{api.show(evidence, 'BGPPeer')} | grep -e name: -e keepaliveTime")
    agent = api.agent(evidence)
    if agent is not None and host_is_strained(evidence, subject):
        raise_it = f"kubectl set resources {api.daemonset(evidence)} -c calico-node --requests=cpu=500m --limits=cpu=0"
        container = {"name": "calico-node", "resources": {"requests": {"cpu": "500m"}}}
        pod = {"spec": {"containers": [container]}}
        installation = {"calicoNodeDaemonSet": {"spec": {"template": pod}}}
        lines += api.at_owner(evidence, "env/RESOURCES", [raise_it], installation, "cpu request of 500m, no limit")
    return lines


HOLD_TIMER_EXPIRED = Fault(
    id="hold_timer_expired",
    family="bgp_config",
    title="Keepalives do not come in time",
    severity="major",
    role="cause",
    means=(
        "Each end drops a session when it has heard nothing for the hold time (240 s, if nobody asks for less). "
        "Packets are lost, are too big for the path, or BIRD gets no processor time to send or read them."
    ),
    subjects=expired_sessions,
    signals=(
        Signal(timer_expired, MODERATE, required=True),
        Signal(timer_expired_before, MODERATE, required=True),
        Signal(capture_shows_it, MODERATE, required=True),
        Signal(peer_was_on_the_wire, STRONG),
        Signal(again_and_again, MODERATE),
        Signal(it_may_be_long_ago, -WEAK),
        Signal(host_is_strained, STRONG),
        Signal(timers_are_short, MODERATE),
        Signal(connection_is_stuck, MODERATE),
        Signal(interface_loses_packets, MODERATE),
        Signal(now_nothing_answers, -STRONG),
        Signal(peer_is_gone, -DECISIVE),
    ),
    summary=_summary,
    severity_rule=_severity,
    fix=Fix(
        action="relieve_bird",
        text=(
            "Give calico-node the processor time that it needs (a request, no limit), find what loses packets between "
            "the nodes, and do not ask for shorter timers than the path and the hosts can keep."
        ),
        risk="medium",
        disrupts="calico-node is restarted node by node where its resources are changed",
        commands=_commands,
    ),
    verify="No hold timer expires for an hour, and the sessions' ages grow.",
    lookalikes=(
        Lookalike("bird_hung", "BIRD does not answer at all"),
        Lookalike("mtu_mismatch", "small messages pass and large ones do not"),
        Lookalike("tcp179_blocked_network", "no new connection is answered either"),
        Lookalike("peer_node_down", "the peer's host answers nothing"),
        Lookalike("middlebox_breaks_bgp", "new connections are made, and not even their first message is answered"),
    ),
    explains=("undetermined",),
)

FAULTS = (HOLD_TIMER_EXPIRED,)
