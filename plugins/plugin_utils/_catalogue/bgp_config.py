# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of AS numbers about which the two ends of a session disagree."""

from __future__ import annotations

import re
from collections import Counter as Tally
from typing import TYPE_CHECKING

from .._evidence.evidence import Evidence, culprits
from . import agent_pod, api, as_objects, commands, words
from .as_objects import local_as
from .model import DECISIVE, MODERATE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.model import Node
    from .._evidence.sessions import Session
    from .._peering.model import Problem

OTHER_AS = "it names AS "
CHANCE = "peer_by_chance"
_ACTUAL = re.compile(r"which (?:has|uses) (?:AS )?(\d+)\b")
SETTINGS = "bgpconfigurations.crd.projectcalico.org,bgppeers.crd.projectcalico.org"


def _disagrees(session: Session) -> bool:
    """One end expects another AS number than the other end has, by configuration or by what BIRD says."""
    for side, other in session.sides():
        if side.protocol is None:
            continue
        expected, actual = side.protocol.neighbor_as, local_as(other)
        if "Bad peer AS" in side.protocol.last_error:
            return True
        if expected is not None and actual is not None and expected != actual:
            return True
    return False


def as_disagreements(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain the sessions whose ends disagree about an AS number."""
    usual = _usual_as(evidence)
    wrong = [session for session in evidence.table.down if _disagrees(session)]
    blamed: dict[str, list[Session]] = {}
    undecided = []
    for session in wrong:
        name = _wrong_end(evidence, session, usual)
        if name:
            blamed.setdefault(name, []).append(session)
        else:
            undecided.append((session, evidence.labels(session)))
    for name, sessions in blamed.items():
        yield _as_subject(evidence, (name,), tuple(sessions), usual)
    for names, some in culprits(undecided):
        yield _as_subject(evidence, names, some, usual)
    told = {name for session in wrong for name in evidence.labels(session)}
    for problem in _as_problems(evidence):
        names = api.names(evidence, problem.nodes)
        if not set(names) & told:
            where = api.where(problem.object, _as_field(problem), setting=problem.detail)
            between = api.sessions_between(evidence, names)
            yield Subject(names, between, where, evidence.nodes.get(names[0]) if names else None, usual)
    if not told:
        yield from _odd_on_record(evidence)
        yield from _by_logs(evidence)


def _by_logs(evidence: Evidence) -> Iterator[Subject]:
    """Nodes of whose sessions nothing but BIRD's log is known, in which somebody's AS number is refused."""
    for node in evidence.nodes.values():
        silent = all(daemon.total is None for daemon in node.daemons.values())
        if silent and node.log_lines("bad_peer_as") and not evidence.down_at(node.name):
            yield Subject((node.name,), (), {"node": node.name, "setting": _told_number(node)}, node, None)


def _told_number(node: Node) -> str:
    """What BIRD's log says of the AS number: the peer's at the end that refuses it, its own at the other one."""
    line = node.log_lines("bad_peer_as")[0]
    refuses = "Received: " not in line.text
    number = f" {line.value}" if line.value else ""
    return f"the AS number{number} {'of ' + (line.peer or 'its peer') if refuses else 'that it has'} is refused"


def _odd_on_record(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with an AS number of their own on record where somebody complains and it is not known of whom."""
    having = [one for one in evidence.registered if one.calico and one.calico.as_number]
    if not having or 2 * len(having) > len(evidence.registered):
        return
    for one in having:
        number = one.calico.as_number if one.calico else None
        field = api.ANNOTATION.format("ASNumber")
        where = api.where(f"node {one.record}", field, node=one.name, setting=f"its own AS is {number}, most have none")
        yield Subject((one.name,), evidence.down_at(one.name), where, one.node, None)


def _as_problems(evidence: Evidence) -> list[Problem]:
    """What the plan of sessions tells of AS numbers; Calico does not even find a node at another one's number."""
    found = api.problems(evidence, "as_mismatch", "as_missing", "one_sided", CHANCE)
    told = {"one_sided": OTHER_AS, CHANCE: "(AS "}
    return [one for one in found if told.get(one.kind, "") in one.detail]


def _as_field(problem: Problem) -> str:
    return api.ANNOTATION.format("ASNumber") if problem.object.startswith("node ") else "spec.asNumber"


def _as_subject(
    evidence: Evidence, names: tuple[str, ...], sessions: tuple[Session, ...], usual: int | None
) -> Subject:
    where: dict[str, object] = {"node": names[0], "setting": _as_setting(names[0], sessions)}
    told = [one for one in _as_problems(evidence) if set(api.names(evidence, one.nodes)) & set(names)]
    record = api.record_of(evidence, names[0])
    found = as_objects.at_fault(evidence, names[0], sessions)
    if found:
        where.update(found)
    elif told:
        where.update(api.where(told[0].object, _as_field(told[0])))
    elif record is not None and record.calico and record.calico.as_number:
        where.update(api.where(f"node {record.record}", api.ANNOTATION.format("ASNumber")))
    return Subject(names, sessions, where, evidence.nodes.get(names[0]), usual)


def _usual_as(evidence: Evidence) -> int | None:
    """The AS number most nodes have, if more than one node has it."""
    tally = Tally(
        daemon.local_as for node in evidence.nodes.values() for daemon in node.daemons.values() if daemon.local_as
    )
    ranked = tally.most_common(2)
    if not ranked or ranked[0][1] < 2 or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return None
    return ranked[0][0]


def _wrong_end(evidence: Evidence, session: Session, usual: int | None) -> str:
    """The end at fault: the one whose own AS number is unusual, else the one that expects an unusual one."""
    unusual_own = [
        side for side in (session.dialler, session.listener) if usual and local_as(side) not in (None, usual)
    ]
    if len(unusual_own) == 1:
        return evidence.name_of(unusual_own[0].address)
    unusual_expectation = [
        side
        for side, other in session.sides()
        if side.protocol
        and side.protocol.neighbor_as is not None
        and local_as(other) is not None
        and side.protocol.neighbor_as != local_as(other)
    ]
    if not unusual_own and len(unusual_expectation) == 1:
        return evidence.name_of(unusual_expectation[0].address)
    return ""


def _as_setting(name: str, sessions: tuple[Session, ...]) -> str:
    for session in sessions:
        side = session.side_of(name)
        if side is None:
            continue
        other = session.other(side)
        own, expected = local_as(side), other.protocol.neighbor_as if other.protocol else None
        if own and expected and own != expected:
            return f"its own AS is {own}, its peers expect {expected}"
        wanted, actual = side.protocol.neighbor_as if side.protocol else None, local_as(other)
        if wanted and actual and wanted != actual:
            return f"it expects AS {wanted} of {other.label}, which has {actual}"
    return "AS number"


def as_numbers_differ(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One end expects another AS number than the other end is configured with."""
    found = []
    for session in subject.sessions:
        for side, other in session.sides():
            expected, actual = side.protocol.neighbor_as if side.protocol else None, local_as(other)
            if expected and actual and expected != actual:
                found.append(
                    Seen(side.label, "bird.cfg", f"expects AS {expected} of {other.label}, which has AS {actual}")
                )
    return found


def bad_peer_as_reported(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD reports Bad peer AS: "BGP Error" at the end that refuses, "Received" at the end that is refused."""
    found = [
        Seen(side.label, "bird", f"{side.protocol.name}: {side.protocol.last_error}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol and "Bad peer AS" in side.protocol.last_error
    ]
    ends = {side.node.name: side.node for session in subject.sessions for side, _other in session.sides() if side.node}
    if not subject.sessions and subject.node is not None and "object" not in subject.where:
        ends[subject.node.name] = subject.node
    found.extend(
        Seen(node.name, "bird log", line.text, line.at)
        for node in ends.values()
        for line in node.log_lines("bad_peer_as")[:1]
    )
    return found


def objects_disagree(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By the API's objects one end expects another AS number than the other one has."""
    return [
        api.seen(problem.object, _as_field(problem), problem.detail)
        for problem in _as_problems(evidence)
        if set(api.names(evidence, problem.nodes)) & set(subject.nodes)
        or api.spot(problem.object) == subject.where.get("object")
    ]


def somebody_complains(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD of some node reports Bad peer AS, and this node has an AS number that most others have not."""
    if not str(subject.where.get("setting", "")).endswith("most have none"):
        return []
    found: list[Seen] = []
    for node in evidence.nodes.values():
        lines = [line.text for line in node.log_lines("bad_peer_as")]
        errors = [one.last_error for daemon in node.daemons.values() for one in daemon.troubled.values()]
        found.extend(Seen(node.name, "bird", text) for text in (*lines, *errors) if "Bad peer AS" in text)
    return found[:2]


def sessions_work(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The nodes' sessions are up all the same."""
    if subject.sessions:
        return []
    return [
        Seen(name, "bird", words.plural(len(daemon.established), "session"))
        for name in subject.nodes
        if name in evidence.nodes
        for daemon in evidence.nodes[name].daemons.values()
        if daemon.established and not daemon.troubled
    ][:2]


def release_is_not_known(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Which AS number a mesh peer is given differs between releases, and which one runs is not known."""
    plan = evidence.expected
    unknown = plan is not None and not plan.release.known and str(subject.where.get("object", "")).startswith("Node/")
    return [Seen("", "cluster", "Calico's release is not told")] if unknown and not subject.sessions else []


def own_as_is_the_odd_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's own AS number differs from that of all other nodes."""
    node = subject.node
    return [
        Seen(subject.nodes[0], "bird.cfg", f"AS {daemon.local_as}; the others have AS {subject.about}")
        for daemon in (node.daemons.values() if node else ())
        if subject.about and daemon.local_as and daemon.local_as != subject.about
    ]


def _as_commands(evidence: Evidence, subject: Subject) -> list[str]:
    kind, _slash, peer = str(subject.where.get("object", "")).partition("/")
    if kind == "BGPPeer":
        number = subject.where.get("should_be") or _real_as(evidence, subject)
        field = str(subject.where.get("field", "")).partition(".")[2] or "asNumber"
        plain = [api.patch(evidence, "BGPPeer", peer, {field: number or "NUMBER"}).replace('"NUMBER"', "NUMBER")]
        owned = api.at_owner(evidence, f"bgp_peer/{peer}", plain, value=f"AS {number}" if number else "")
        return [api.show(evidence, "BGPPeer", peer), *owned]
    name = subject.nodes[0] if subject.nodes else "NODE"
    look = [commands.show_annotation(evidence, name, "ASNumber"), f"kubectl get {SETTINGS} -o yaml | grep -i asnumber"]
    if own_as_is_the_odd_one(evidence, subject):
        back = f"kubectl annotate node {commands.kube_name(evidence, name)} {commands.ANNOTATION}/ASNumber-"
        return [*look, f"{back}   # back to the global AS number"]
    peers = sorted({one.other(side).label for one in subject.sessions if (side := one.side_of(name)) is not None})
    known = [peer for peer in peers if peer in evidence.nodes][: agent_pod.FEW]
    anew = f"{agent_pod.delete(evidence, name)}   # renders bird.cfg anew, once BGPPeers and the peer's Node are right"
    return [*look, *(commands.show_annotation(evidence, peer, "ASNumber") for peer in known), anew]


def _real_as(evidence: Evidence, subject: Subject) -> int | None:
    """The AS number that the peers of a BGPPeer have, if it is one."""
    found = {
        local_as(other)
        for session in subject.sessions
        for side, other in session.sides()
        if side.protocol and side.protocol.neighbor_as not in (None, local_as(other))
    } - {None}
    told = _ACTUAL.search(str(subject.where.get("setting", "")))
    return found.pop() if len(found) == 1 else int(told.group(1)) if told and not found else None


AS_MISMATCH = Fault(
    id="as_mismatch",
    family="bgp_config",
    title="The two sides disagree about an AS number",
    severity="major",
    role="cause",
    means=(
        "A BGP speaker refuses a neighbour whose AS number is not the one it was told to expect. TCP works; the "
        "session ends at the OPEN message, again and again."
    ),
    subjects=as_disagreements,
    signals=(
        Signal(as_numbers_differ, STRONG + MODERATE, required=True),
        Signal(bad_peer_as_reported, STRONG + MODERATE, required=True),
        Signal(objects_disagree, STRONG, required=True),
        Signal(somebody_complains, STRONG, required=True),
        Signal(own_as_is_the_odd_one, MODERATE),
        Signal(sessions_work, -DECISIVE),
        Signal(release_is_not_known, -STRONG),
    ),
    summary=lambda evidence, subject: _as_summary(subject),
    fix=Fix(
        action="correct_as_number",
        text=(
            "Correct the AS number where it is wrong: the node's own, the peer's entry, or the global one. Changing"
            " the global one resets every session."
        ),
        risk="low",
        disrupts="only the sessions that are down already",
        commands=_as_commands,
    ),
    verify="Both ends agree about both AS numbers, and the sessions are Established.",
    lookalikes=(Lookalike("duplicate_router_id", "the error is Bad BGP identifier"),),
    explains=("undetermined", "bird_config_rejected", "external_router_config"),
)


def _as_summary(subject: Subject) -> str:
    told = f"{words.listed(subject.nodes)}: {str(subject.where['setting']).rstrip('.')}"
    return (
        f"{told}; {words.plural(len(subject.sessions), 'session')} refused with Bad peer AS."
        if subject.sessions
        else f"{told}."
    )


FAULTS = (AS_MISMATCH,)
