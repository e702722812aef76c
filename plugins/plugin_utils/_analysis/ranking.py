# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From evidence to ranked candidates: which faults fit, how well, and which of them explain the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from .._catalogue.faults import BY_ID, FAULTS
from .._catalogue.model import ROLES, SEVERITIES, Fault, Seen, Signal, Subject, probability
from .seen import bystanders

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._evidence.evidence import Evidence, SessionKey

# From here on a candidate is told as a finding; below it is only an alternative to one.
BELIEVED = 0.5
# From here on a candidate stands by itself, even where another one explains the same sessions.
CERTAIN = 0.8
UNDETERMINED = "undetermined"
PLACE_KEYS = ("backend", "table", "chain", "rule")
_IN_CATALOGUE = {fault.id: number for number, fault in enumerate(FAULTS)}


@dataclass(eq=False)
class Candidate:
    """A fault at a place, with what speaks for and against it."""

    fault: Fault
    subject: Subject
    confidence: float
    speaks_for: list[tuple[Signal, list[Seen]]]
    speaks_against: list[tuple[Signal, list[Seen]]]
    role: str
    severity: str
    alternatives: list[Candidate] = field(default_factory=list)

    @cached_property
    def session_keys(self) -> frozenset[SessionKey]:
        """The sessions that this candidate explains."""
        return frozenset(session.key for session in self.subject.sessions)


def rank(evidence: Evidence) -> list[Candidate]:
    """The findings, best explanation first: believed candidates, and undetermined for what none of them explains."""
    candidates = weighed(evidence)
    believed = [item for item in candidates if item.confidence >= BELIEVED]
    at = _by_session(believed)
    believed = [item for item in believed if not _outshone(item, at)]
    chosen = set(believed)
    doubtful = [item for item in candidates if item not in chosen]
    at = _by_session(believed)
    believed = [item for each in believed if (item := _beside_causes(each, at, evidence))]
    _call_consequences(believed)
    explained = {key for item in believed for key in item.session_keys}
    rest = evidence.restricted_to(session for session in evidence.table.down if session.key not in explained)
    believed.extend(weigh(BY_ID[UNDETERMINED], rest))
    at = _by_session(doubtful)
    order = {item: (-item.confidence, number) for number, item in enumerate(doubtful)}
    for item in believed:
        item.alternatives = sorted(_rivals(item, at), key=order.__getitem__)[:3]
    return sorted(believed, key=_order)


def _by_session(candidates: Iterable[Candidate]) -> dict[SessionKey, list[Candidate]]:
    """The candidates that would explain each session, in their order."""
    at: dict[SessionKey, list[Candidate]] = {}
    for item in candidates:
        for key in item.session_keys:
            at.setdefault(key, []).append(item)
    return at


def weighed(evidence: Evidence) -> list[Candidate]:
    """Every fault at every place where it may be, believed or not."""
    return evidence.once(
        "weighed", lambda: [item for fault in FAULTS if fault.id != UNDETERMINED for item in weigh(fault, evidence)]
    )


def weigh(fault: Fault, evidence: Evidence) -> Iterable[Candidate]:
    """Every place where one fault may be, with the confidence that its signals give.

    A host that is no node of the cluster may be as it likes, as long as no session ends there."""
    others = evidence.once("bystanders", lambda: bystanders(evidence))
    for subject in fault.subjects(evidence):
        if subject.nodes and not subject.sessions and others.issuperset(subject.nodes):
            continue
        item = _weigh_at(fault, subject, evidence)
        if item:
            yield item


def _weigh_at(fault: Fault, subject: Subject, evidence: Evidence) -> Candidate | None:
    """One fault at one place; None where none of what it requires is seen."""
    seen = [(signal, list(signal.test(evidence, subject))) for signal in fault.signals]
    present = [(signal, what) for signal, what in seen if what]
    if not any(signal.required for signal, _what in present):
        return None
    return Candidate(
        fault=fault,
        subject=subject,
        confidence=round(probability(fault.prior + sum(signal.weight for signal, _what in present)), 2),
        speaks_for=[(signal, what) for signal, what in present if signal.weight > 0],
        speaks_against=[(signal, what) for signal, what in present if signal.weight < 0],
        role=fault.role_rule(evidence, subject) if fault.role_rule else fault.role,
        severity=_severity(fault, subject, evidence),
    )


def _beside_causes(item: Candidate, at: Mapping[SessionKey, list[Candidate]], evidence: Evidence) -> Candidate | None:
    """What is no fault explains only sessions that no cause explains at least as well; None where none is left."""
    if item.role != "not_a_fault" or not item.session_keys:
        return item
    needed = min(item.confidence, CERTAIN)
    left = tuple(
        session
        for session in item.subject.sessions
        if not any(other.role != "not_a_fault" and other.confidence >= needed for other in at[session.key])
    )
    if len(left) == len(item.subject.sessions):
        return item
    return _weigh_at(item.fault, replace(item.subject, sessions=left), evidence) if left else None


def _severity(fault: Fault, subject: Subject, evidence: Evidence) -> str:
    """By the fault's own rule if it has one; critical where a major fault has cut a node off from all its peers."""
    if fault.severity_rule:
        return fault.severity_rule(evidence, subject)
    if fault.severity != "major" or not subject.sessions:
        return fault.severity
    ends = {side.node.name: side.node for session in subject.sessions for side, _other in session.sides() if side.node}
    cut_off = [node for node in ends.values() if not any(daemon.established for daemon in node.daemons.values())]
    return "critical" if cut_off else fault.severity


def _outshone(item: Candidate, at: Mapping[SessionKey, list[Candidate]]) -> bool:
    """Uncertain, and surer causes explain all of its sessions: an alternative, not a finding of its own."""
    if item.confidence >= CERTAIN or not item.session_keys:
        return False
    rank_of = ROLES.index
    return all(
        any(other.confidence > item.confidence and rank_of(other.role) <= rank_of(item.role) for other in at[key])
        for key in item.session_keys
    )


def _call_consequences(believed: list[Candidate]) -> None:
    """Give those their role that another candidate brings about."""
    bringing: dict[str, list[Candidate]] = {}
    for cause in believed:
        for fault in cause.fault.explains:
            bringing.setdefault(fault, []).append(cause)
    at = _by_session(believed)
    for item in believed:
        # Who explains all of its sessions explains the first one.
        near = at[item.subject.sessions[0].key] if item.session_keys else bringing.get(item.fault.id, ())
        if any(_explains(cause, item) for cause in near if cause is not item):
            item.role = "consequence"


def _explains(cause: Candidate, item: Candidate) -> bool:
    """The cause brings the other one about: the catalogue says so, and they are at the same place."""
    if item.fault.id not in cause.fault.explains or cause.confidence < min(item.confidence, CERTAIN):
        return False
    if _place(cause) and _place(item) and _place(cause) != _place(item):
        return False
    if item.session_keys:
        return item.session_keys <= cause.session_keys
    return bool(set(item.subject.nodes) & set(cause.subject.nodes))


def _place(item: Candidate) -> tuple[object, ...] | None:
    where = item.subject.where
    return tuple(where.get(key) for key in PLACE_KEYS) if "rule" in where else None


def _rivals(item: Candidate, at: Mapping[SessionKey, list[Candidate]]) -> set[Candidate]:
    """The doubtful candidates that would explain some of the same sessions."""
    return {rival for key in item.session_keys for rival in at.get(key, ()) if rival.fault.id != item.fault.id}


def _order(item: Candidate) -> tuple[int, bool, int, float, int, int]:
    return (
        ROLES.index(item.role),
        item.fault.id == UNDETERMINED,
        -SEVERITIES.index(item.severity),
        -item.confidence,
        -len(item.session_keys),
        _IN_CATALOGUE[item.fault.id],
    )
