# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings that are no faults, and the honest answer where the evidence does not decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.evidence import Evidence, culprits, steps, verdict_on
from .._gate import backend
from .._gate.names import inventory_names
from .._overlay.compare import overlays
from . import agent_pod, commands, startup_words, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.model import Node, Verdict
    from .._evidence.sessions import Session, Side

YOUNG_SECONDS = 30
RECENT_SECONDS = 120


def _no_commands(evidence: Evidence, subject: Subject) -> list[str]:
    return []


NOTHING_TO_DO = Fix(
    action="none", text="Nothing needs to be done.", risk="low", disrupts="nothing", commands=_no_commands
)


def _boot_age(node: Node) -> int | None:
    ages = [daemon.booted_seconds_ago for daemon in node.daemons.values() if daemon.booted_seconds_ago is not None]
    return min(ages) if ages else None


def fresh_starts(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose BIRD started a moment ago while others have run for longer: a restart, not the birth of the mesh."""
    ages = {node.name: age for node in evidence.nodes.values() if (age := _boot_age(node)) is not None}
    for name, age in ages.items():
        if age >= RECENT_SECONDS:
            continue
        others = [other for other_name, other in ages.items() if other_name != name]
        elders = [other for other in others if other > age + RECENT_SECONDS / 4]
        if others and 2 * len(elders) >= len(others):
            # A session that one end knows nothing of does not come up, however long one waits.
            coming = tuple(session for session in _of_this_end(evidence, name) if session.stranger is None)
            yield Subject((name,), coming, {"node": name, "booted_seconds_ago": age}, evidence.nodes[name], age)


def _of_this_end(evidence: Evidence, name: str) -> list[Session]:
    """The sessions in trouble of a node, without those with nodes on which no BIRD runs: these tell nothing of it."""
    found = []
    for session in evidence.down_at(name):
        side = session.side_of(name)
        other = session.other(side).node if side else None
        if other is None or not other.daemons or any(one.running is not False for one in other.daemons.values()):
            found.append(session)
    return found


def all_is_well_now(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD was started a moment ago, and every session of the node is Established again."""
    daemons = subject.node.daemons.values() if subject.node else ()
    up = sum(len(daemon.established) for daemon in daemons)
    if subject.about is None or any(_of_this_end(evidence, name) for name in subject.nodes) or not up:
        return []
    return [
        Seen(
            subject.nodes[0], "bird status", f"started {subject.about} s ago; {words.plural(up, 'session')} Established"
        )
    ]


def still_within_first_seconds(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD was started less than 30 s ago; its sessions need some seconds to come up."""
    if not subject.sessions or subject.about is None or subject.about >= YOUNG_SECONDS:
        return []
    return [
        Seen(
            subject.nodes[0],
            "bird status",
            f"started {subject.about} s ago; {words.plural(len(subject.sessions), 'session')} not Established yet",
        )
    ]


def peers_lost_it_recently(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Its peers' sessions with it are younger than the peers themselves."""
    own = set(subject.node.bgp_addresses.values()) if subject.node else set()
    return [
        Seen(node.name, "bird", f"session with {subject.nodes[0]} made {age} s ago")
        for node in evidence.nodes.values()
        for daemon in node.daemons.values()
        for peer, age in daemon.recent.items()
        if peer in own
    ]


def _starts_and_complaints(evidence: Evidence) -> Iterator[Subject]:
    """The starts that nodes tell of; where they tell of none, what probes said of one."""
    starts = list(fresh_starts(evidence))
    yield from starts or startup_words.old_complaints(evidence)


def _start_summary(evidence: Evidence, subject: Subject) -> str:
    if subject.about is None:
        return "A probe failed in the first seconds after a start; every session that is known of is Established now."
    state = "its sessions are still coming up." if subject.sessions else "all its sessions are Established again."
    return f"BIRD on {subject.nodes[0]} started {subject.about} s ago; {state}"


BENIGN_STARTUP_TRANSIENT = Fault(
    id="benign_startup_transient",
    family="not_a_fault",
    title="BIRD was restarted a moment ago",
    severity="info",
    role="not_a_fault",
    means=(
        "A restart of calico-node or BIRD takes its sessions down for some seconds. Events and log lines of that "
        "moment look alarming and mean nothing now."
    ),
    subjects=_starts_and_complaints,
    signals=(
        Signal(all_is_well_now, STRONG + MODERATE, required=True),
        Signal(still_within_first_seconds, MODERATE, required=True),
        Signal(peers_lost_it_recently, MODERATE),
        Signal(startup_words.probe_failed_at_a_start, MODERATE, required=True),
        Signal(startup_words.probe_failed_before_sessions_were_up, WEAK, required=True),
        Signal(startup_words.sessions_are_up_now, MODERATE),
        Signal(startup_words.it_failed_often, -STRONG),
    ),
    summary=_start_summary,
    fix=NOTHING_TO_DO,
    verify="A second diagnosis some minutes later shows nothing.",
    prior=0.0,
    lookalikes=(Lookalike("bird_not_running", "BIRD starts again and again"),),
    explains=("undetermined",),
)


def nodes_without_bgp(evidence: Evidence) -> Iterator[Subject]:
    """The nodes on which BIRD is off by design, by their own word, or all of the cluster's by that of its objects."""
    names = [
        node.name for node in evidence.nodes.values() if node.bird_expected is False and not evidence.down_at(node.name)
    ]
    if _told(evidence).backend in backend.WITHOUT_BIRD:
        known_as = inventory_names(evidence)
        silent = [name for name in known_as.values() if name not in evidence.nodes]
        undecided = [node.name for node in evidence.nodes.values() if node.bird_expected is None and node.has_calico]
        names += [name for name in (*undecided, *silent) if not evidence.down_at(name)]
    if names:
        names = list(dict.fromkeys(names))
        yield Subject(tuple(names), (), {"nodes": names}, evidence.nodes.get(names[0]))


def _told(evidence: Evidence) -> backend.Told:
    cluster = evidence.cluster
    nothing = backend.Told("", "")
    return evidence.once("backend told by objects", lambda: backend.told(cluster) if cluster else nothing)


def bird_is_off_by_design(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico runs here with a networking backend that uses no BGP."""
    read = (evidence.nodes[name] for name in subject.nodes if name in evidence.nodes)
    return [Seen(node.name, "environment", node.bird_expected_why) for node in read if node.bird_expected is False][:4]


def objects_say_no_bird(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API's objects tell calico-node to run without BIRD."""
    told = _told(evidence)
    return [Seen("", "api objects", told.why)] if told.backend in backend.WITHOUT_BIRD else []


def flannel_is_beside_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Flannel carries the traffic here (Canal), and Calico enforces policy only."""
    agents = evidence.cluster.node_agents if evidence.cluster else ()
    return [Seen("", "daemonset", f"{one.namespace}/{one.name}") for one in agents if one.component == "canal"]


def objects_say_bird(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API's objects tell calico-node to run BIRD: these nodes differ from what is meant."""
    told = _told(evidence)
    return [Seen("", "api objects", told.why)] if told.backend == "bird" else []


def _without_bgp_summary(evidence: Evidence, subject: Subject) -> str:
    told = _told(evidence).backend
    instead = "what carries the traffic instead is not known"
    examined = [f"{one.device} (UDP {one.port})" for one in overlays(evidence) if one.readers]
    if examined:
        instead = f"{words.listed(examined)} carries the traffic instead, and was examined"
    elif flannel_is_beside_it(evidence, subject):
        instead = "look at flannel instead: flannel.1, UDP 8472 between nodes, podCIDRs"
    elif told == "vxlan" or any(
        evidence.nodes[name].backend == "vxlan" for name in subject.nodes if name in evidence.nodes
    ):
        instead = "look at VXLAN instead: vxlan.calico, UDP 4789 between nodes"
    return f"BIRD is not used on {words.listed(subject.nodes)}; there is no BGP to be broken; {instead}."


BIRD_NOT_EXPECTED = Fault(
    id="bird_not_expected",
    family="not_a_fault",
    title="This installation runs no BIRD",
    severity="info",
    role="not_a_fault",
    means=(
        "With the backend vxlan or none (policy-only, Canal) Calico runs no BIRD: there is no BGP mesh, no control "
        "socket and no listener on port 179, by design."
    ),
    subjects=nodes_without_bgp,
    signals=(
        Signal(bird_is_off_by_design, DECISIVE, required=True),
        Signal(objects_say_no_bird, DECISIVE, required=True),
        Signal(flannel_is_beside_it, MODERATE),
        Signal(objects_say_bird, -MODERATE),
    ),
    summary=_without_bgp_summary,
    fix=NOTHING_TO_DO,
    verify="Nothing.",
    lookalikes=(
        Lookalike("bird_not_running", "the backend is bird"),
        Lookalike("bird_probe_without_bird", "a readiness probe asks for BIRD all the same"),
    ),
    explains=("undetermined",),
)


def unexplained_sessions(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that would explain the sessions in trouble. The ranking keeps what no cause explains."""
    pairs = [(session, evidence.labels(session)) for session in evidence.table.down]
    for names, sessions in culprits(pairs):
        yield Subject(names, sessions, {"node": names[0], "nodes": list(names)}, evidence.nodes.get(names[0]))


def session_is_down(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The session is not Established."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name} is {words.state(side.protocol)}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol
    ][:6]


def one_end_is_missing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One end of the session could not be read."""
    found = []
    for session in subject.sessions:
        for side, _other in session.sides():
            missing = evidence.missing_at(side.address)
            if missing:
                found.append(Seen(missing.name, "ansible", missing.why))
    return list(dict.fromkeys(found))


def configured_on_one_side(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One end of the session has no protocol for the other."""
    return [
        Seen(side.label, "bird", f"no protocol for {session.other(side).label} ({session.other(side).address})")
        for session in subject.sessions
        if (side := session.stranger) is not None
    ]


def rule_was_not_evaluated(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A rule of a host's firewall on the way could not be evaluated."""
    return [
        Seen(node.name, "firewall", f"{verdict.direction}: {_undecided(verdict)}")
        for node, verdict in _undecided_verdicts(subject)
    ]


def _undecided_verdicts(subject: Subject) -> list[tuple[Node, Verdict]]:
    """What the firewalls on the way could not be decided about, each once."""
    found = {
        (node.name, id(verdict)): (node, verdict)
        for session in subject.sessions
        for side, other in session.sides()
        if session.dials(side)
        for node, direction, peer in steps(side, other)
        if (verdict := verdict_on(node, direction, peer)) is not None and verdict.verdict == "unknown"
    }
    return list(found.values())


def _undecided(verdict: Verdict) -> str:
    rule = verdict.rule
    return f"{words.rule_place(rule)}, {verdict.why_unknown}: {rule.text}" if rule else verdict.why_unknown


def _undetermined_summary(evidence: Evidence, subject: Subject) -> str:
    pairs = words.listed(" - ".join(evidence.labels(session)) for session in subject.sessions)
    verb = "is" if len(subject.sessions) == 1 else "are"
    down = f"{words.plural(len(subject.sessions), 'session')} ({pairs}) {verb} down"
    one_sided = [(session, side) for session in subject.sessions if (side := session.stranger) is not None]
    if one_sided and len(one_sided) == len(subject.sessions):
        session, side = one_sided[0]
        lacking = f"BIRD on {side.label} has no protocol for {evidence.name_at(session.other(side))}"
        more = f", and so with {len(one_sided) - 1} more" if len(one_sided) > 1 else ""
        return f"{down}: {lacking}{more}; the evidence does not tell why."
    return f"{down}, and the evidence does not tell why."


def _needed(evidence: Evidence, subject: Subject) -> list[Missing]:
    """What would decide most: first the end that could not be read, then what no module reads."""
    wanted: dict[tuple[str, str], Missing] = {}
    undecided = _undecided_verdicts(subject)
    for session in subject.sessions:
        stranger = session.stranger
        if stranger is not None:
            lists = "calicoctl get nodes -o wide; calicoctl get bgppeers -o wide"
            tells = f"whether {stranger.label} is told of {session.other(stranger).label} as a peer at all"
            wanted.setdefault((stranger.label, "datastore"), Missing(stranger.label, "datastore", lists, tells))
            continue
        for node, verdict in undecided:
            counters = commands.grows(node.name)
            tells = f"whether the counter of {words.rule_place(verdict.rule) if verdict.rule else 'a rule'} grows"
            wanted[(node.name, "firewall counters")] = Missing(node.name, "firewall counters", counters, tells)
        for side, _other in session.sides():
            for item in _needed_of(evidence, session, side):
                wanted.setdefault((item.node, item.source), item)
    return list(wanted.values())[:5]


def _needed_of(evidence: Evidence, session: Session, side: Side) -> list[Missing]:
    name = evidence.name_at(side)
    other = session.other(side)
    peer = other.identity
    if evidence.missing_at(side.address):
        return [
            Missing(
                name,
                "firewall",
                commands.rules_of(name),
                f"whether its firewall blocks TCP 179 from {peer}",
            ),
            Missing(
                name,
                "bird",
                agent_pod.sessions(evidence, name),
                "what its BIRD says about the same sessions",
            ),
            Missing(
                name,
                "kernel counters",
                commands.grows(name, 'nstat -az "TcpExtTCPMD5*"'),
                "whether it drops segments for their TCP MD5 signature",
            ),
        ]
    own = evidence.nodes.get(name)
    if own is not None and own.verdicts is None:
        rules = commands.rules_of(name)
        return [Missing(name, "firewall", rules, f"whether its firewall blocks TCP 179 with {peer}")]
    if side is session.listener:
        of_peer = f" and host {other.address}" if other.address else ""
        capture = commands.capture(name, f"tcp port 179{of_peer}")
        return [Missing(name, "tcpdump", capture, "whether the connection attempts arrive, and what answers them")]
    return []


def _first_steps(evidence: Evidence, subject: Subject) -> list[str]:
    """A node that could not be read comes first: with it read, the diagnosis decides by itself."""
    addresses = [side.address for session in subject.sessions for side, _other in session.sides()]
    unread = {missing.name for missing in map(evidence.missing_at, addresses) if missing}
    again = [
        f"make {name} reachable for Ansible (console, sshd, network), then diagnose again" for name in sorted(unread)
    ]
    return again or [item.how for item in _needed(evidence, subject)[:3]]


UNDETERMINED = Fault(
    id="undetermined",
    family="unknown",
    title="The cause could not be determined",
    severity="major",
    role="cause",
    means=(
        "Sessions are down, and what could be read does not decide between the causes that are left. The commands "
        "below would decide."
    ),
    subjects=unexplained_sessions,
    signals=(
        Signal(session_is_down, MODERATE, required=True),
        Signal(one_end_is_missing, WEAK),
        Signal(configured_on_one_side, WEAK),
        Signal(rule_was_not_evaluated, WEAK),
    ),
    summary=_undetermined_summary,
    fix=Fix(
        action="gather_more",
        text='Get the evidence that is missing (listed under "to know"), then diagnose again.',
        risk="low",
        disrupts="nothing",
        commands=_first_steps,
    ),
    verify="A diagnosis with the missing evidence names the cause.",
    missing=_needed,
)

NOT_A_FAULT = (BENIGN_STARTUP_TRANSIENT, BIRD_NOT_EXPECTED)
UNKNOWN = (UNDETERMINED,)
