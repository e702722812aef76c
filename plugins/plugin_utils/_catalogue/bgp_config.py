# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of BGP's own settings: AS numbers, router IDs, passwords."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from .._evidence.evidence import Evidence, culprits
from .._evidence.signatures import password
from . import commands, session_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.model import Node
    from .._evidence.sessions import Session, Side
    from .._evidence.signatures import Blame

SETTINGS = "bgpconfigurations.crd.projectcalico.org,bgppeers.crd.projectcalico.org"

# --- AS numbers ---------------------------------------------------------------------------------------------------


def _local_as(side: Side) -> int | None:
    if side.protocol and side.protocol.local_as is not None:
        return side.protocol.local_as
    return side.daemon.local_as if side.daemon else None


def _disagrees(session: Session) -> bool:
    """One end expects another AS number than the other end has, by configuration or by what BIRD says."""
    for side, other in session.sides():
        if side.protocol is None:
            continue
        expected, actual = side.protocol.neighbor_as, _local_as(other)
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


def _as_subject(
    evidence: Evidence, names: tuple[str, ...], sessions: tuple[Session, ...], usual: int | None
) -> Subject:
    where = {"node": names[0], "setting": _as_setting(names[0], sessions)}
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
        side for side in (session.dialler, session.listener) if usual and _local_as(side) not in (None, usual)
    ]
    if len(unusual_own) == 1:
        return evidence.name_of(unusual_own[0].address)
    unusual_expectation = [
        side
        for side, other in session.sides()
        if side.protocol
        and side.protocol.neighbor_as is not None
        and _local_as(other) is not None
        and side.protocol.neighbor_as != _local_as(other)
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
        own, expected = _local_as(side), other.protocol.neighbor_as if other.protocol else None
        if own and expected and own != expected:
            return f"its own AS is {own}, its peers expect {expected}"
        wanted, actual = side.protocol.neighbor_as if side.protocol else None, _local_as(other)
        if wanted and actual and wanted != actual:
            return f"it expects AS {wanted} of {other.label}, which has {actual}"
    return "AS number"


def as_numbers_differ(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One end expects another AS number than the other end is configured with."""
    found = []
    for session in subject.sessions:
        for side, other in session.sides():
            expected, actual = side.protocol.neighbor_as if side.protocol else None, _local_as(other)
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
    found.extend(
        Seen(node.name, "bird log", line.text, line.at)
        for node in ends.values()
        for line in node.log_lines("bad_peer_as")[:1]
    )
    return found


def own_as_is_the_odd_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's own AS number differs from that of all other nodes."""
    node = subject.node
    return [
        Seen(subject.nodes[0], "bird.cfg", f"AS {daemon.local_as}; the others have AS {subject.about}")
        for daemon in (node.daemons.values() if node else ())
        if subject.about and daemon.local_as and daemon.local_as != subject.about
    ]


def _as_commands(evidence: Evidence, subject: Subject) -> list[str]:
    name = subject.nodes[0]
    look = [commands.show_annotation(evidence, name, "ASNumber"), f"kubectl get {SETTINGS} -o yaml | grep -i asnumber"]
    if own_as_is_the_odd_one(evidence, subject):
        back = f"kubectl annotate node {commands.kube_name(evidence, name)} {commands.ANNOTATION}/ASNumber-"
        return [*look, f"{back}   # back to the global AS number"]
    return [*look, f"correct the AS number that {name} is told to expect of its peer (a BGPPeer, or the peer's Node)"]


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
        Signal(own_as_is_the_odd_one, MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"{words.listed(subject.nodes)}: {subject.where['setting']}; "
        f"{words.plural(len(subject.sessions), 'session')} refused with Bad peer AS."
    ),
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
    explains=("undetermined",),
)

# --- router IDs ---------------------------------------------------------------------------------------------------


def shared_router_ids(evidence: Evidence) -> Iterator[Subject]:
    """Router IDs that more than one node uses, the nodes whose own address differs from it first."""
    users: dict[tuple[str, str], list[Node]] = {}
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            if daemon.router_id:
                users.setdefault((daemon.family, daemon.router_id), []).append(node)
    for (_family, router_id), nodes in users.items():
        if len(nodes) > 1:
            ordered = sorted(nodes, key=lambda node: (router_id in node.bgp_addresses.values(), node.name))
            borrowers = [node for node in ordered if router_id not in node.bgp_addresses.values()] or ordered
            names = tuple(node.name for node in borrowers)
            involved = {node.name for node in nodes}
            sessions = tuple(
                session
                for session in evidence.down_at(*involved)
                if _refused_identifier(session) or set(evidence.labels(session)) <= involved
            )
            where = {"node": names[0], "router_id": router_id, "nodes": sorted(involved)}
            yield Subject(names, sessions, where, borrowers[0], router_id)


def _refused_identifier(session: Session) -> bool:
    return any(side.protocol and "Bad BGP identifier" in side.protocol.last_error for side, _other in session.sides())


def router_id_used_twice(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Two BGP speakers run with one router ID."""
    return [Seen(str(name), "bird status", f"router ID {subject.about}") for name in subject.where["nodes"]]


def bad_identifier_reported(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD reports Bad BGP identifier."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name}: {side.protocol.last_error}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol and "Bad BGP identifier" in side.protocol.last_error
    ]


DUPLICATE_ROUTER_ID = Fault(
    id="duplicate_router_id",
    family="bgp_config",
    title="Two speakers use one router ID",
    severity="major",
    role="cause",
    means=(
        "Within one AS every BGP speaker needs a router ID of its own. These speakers refuse each other as if they "
        "were talking to themselves."
    ),
    subjects=shared_router_ids,
    signals=(Signal(router_id_used_twice, STRONG + MODERATE, required=True), Signal(bad_identifier_reported, STRONG)),
    summary=lambda evidence, subject: (
        f"Router ID {subject.about} is used by {words.listed(str(name) for name in subject.where['nodes'])}; "
        f"{words.listed(subject.nodes)} should have another."
    ),
    fix=Fix(
        action="separate_router_ids",
        text=(
            "Remove the fixed CALICO_ROUTER_ID (the node's own address is the default), or set it to 'hash' where "
            "nodes have no IPv4 address."
        ),
        risk="medium",
        disrupts="all sessions of the corrected node, for some seconds",
        commands=lambda evidence, subject: [
            "kubectl get daemonset -A -o yaml | grep -A1 CALICO_ROUTER_ID",
            commands.on_node(subject.nodes[0], "sudo grep -az CALICO_ROUTER_ID /proc/[0-9]*/environ"),
        ],
    ),
    verify="Every speaker has a router ID of its own, and the sessions are Established.",
    lookalikes=(Lookalike("duplicate_node_ip", "the nodes share their address too"),),
    explains=("undetermined",),
)

# --- passwords ----------------------------------------------------------------------------------------------------

FORMS = {
    "failure": "both ends have a password, and they differ",
    "unexpected": "only the dialling end has a password",
    "not_found": "only the listening end has a password",
}


def password_mismatches(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain the sessions which fail for their passwords."""
    for blame in evidence.refused_signatures:
        names = blame.names
        where = {"node": names[0], "nodes": list(names), "form": FORMS[blame.forms[0]]}
        yield Subject(names, blame.sessions, where, evidence.nodes.get(names[0]), blame)


def passwords_on_one_side_only(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One end is configured with a TCP MD5 password and the other is not."""
    found: list[Seen] = []
    for session in subject.sessions:
        ends = [(side, password(side, other.address)) for side, other in session.sides()]
        if {has for _side, has in ends} == {True, False}:
            found.extend(
                Seen(side.label, "bird.cfg", f"{'a' if has else 'no'} password for {session.other(side).label}")
                for side, has in ends
            )
    return found


def passwords_on_both_sides(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Both ends are configured with a TCP MD5 password."""
    return [
        Seen(
            session.listener.label,
            "bird.cfg",
            f"both this end and {session.dialler.label} have a password for the other",
        )
        for session in subject.sessions
        if password(session.listener, session.dialler.address) and password(session.dialler, session.listener.address)
    ]


def signatures_are_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel of the listening node counts segments whose TCP MD5 signature is wrong, missing or unexpected."""
    listeners = {
        other.node.name: other.node for _session, _side, other in session_signals.diallers(subject) if other.node
    }
    return [
        Seen(
            node.name,
            "kernel counters",
            f"TCPMD5 {name} grew by {counter.grew} in {node.md5_seconds:.1f} s (total {counter.total})",
        )
        for node in listeners.values()
        for name, counter in node.md5.items()
        if counter.grew and name in subject.about.forms
    ]


def others_explain_the_counters(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The counters grew by no more than other diallers explain, whose passwords are refused elsewhere as well."""
    blame: Blame = subject.about
    if any(session.key not in blame.doubtful for session in blame.sessions):
        return []
    listeners = {
        session.listener.node.name: session.listener.node for session in blame.sessions if session.listener.node
    }
    return [
        Seen(name, "kernel counters", f"TCPMD5 {form} grew by {node.md5[form].grew} in {node.md5_seconds:.1f} s")
        for name, node in listeners.items()
        for form in blame.forms
        if form in node.md5
    ]


def fewer_refusals_than_diallers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The listening node counts fewer refused segments than it has diallers that get no answer."""
    return [Seen(name, "kernel counters", "not every dialler was counted") for name in subject.about.fewer]


BGP_PASSWORD_MISMATCH = Fault(
    id="bgp_password_mismatch",
    family="bgp_config",
    title="The BGP passwords do not match",
    severity="major",
    role="cause",
    means=(
        "BGP passwords sign every TCP segment (MD5). A segment with a wrong, missing or unexpected signature is"
        " dropped silently by the kernel of "
        "the listening node, so it looks like a firewall; only the kernel's TCPMD5 counters tell the two apart."
    ),
    subjects=password_mismatches,
    signals=(
        Signal(passwords_on_one_side_only, DECISIVE, required=True),
        Signal(signatures_are_refused, STRONG + MODERATE, required=True),
        Signal(passwords_on_both_sides, WEAK),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(others_explain_the_counters, -DECISIVE - WEAK),
        Signal(fewer_refusals_than_diallers, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"The BGP password of {words.listed(subject.nodes)} does not match its peers' ({subject.where['form']}); "
        f"{words.plural(len(subject.sessions), 'session')} down."
    ),
    fix=Fix(
        action="align_bgp_password",
        text=(
            "Make both ends read the same Secret: it must exist in calico-node's namespace with the named key, and "
            "calico-node must be allowed to read it."
        ),
        risk="low",
        disrupts="only the sessions that are down already",
        commands=lambda evidence, subject: [
            (f"kubectl get {SETTINGS} -o yaml | grep -B1 -A3 secretKeyRef"),
            ("kubectl auth can-i get secret/NAME -n NAMESPACE --as=system:serviceaccount:<namespace>:calico-node"),
        ],
    ),
    verify="The TCPMD5 counters of the listening nodes stand still, and the sessions are Established.",
    lookalikes=(
        Lookalike(
            "tcp179_blocked_host_firewall", "a rule of the host's firewall stops the segments before TCP sees them"
        ),
        Lookalike("tcp179_blocked_network", "the TCPMD5 counters stand still"),
    ),
    explains=("undetermined", "tcp179_blocked_network"),
)

FAULTS = (AS_MISMATCH, DUPLICATE_ROUTER_ID, BGP_PASSWORD_MISMATCH)
