# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A believed candidate as a finding of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue.commands import explained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._catalogue.model import Missing, Remedy, Seen, Signal
    from .._evidence.evidence import Evidence
    from .ranking import Candidate

SEEN_PER_SIGNAL = 5
SESSIONS_PER_FINDING = 100


def blank(fault: str, family: str, title: str, summary: str, nodes: Iterable[str]) -> dict[str, Any]:
    """A finding in the form of the report that names no place, proves nothing and repairs nothing."""
    concerned = list(nodes)
    return {
        "fault": fault,
        "family": family,
        "title": title,
        "severity": "info",
        "confidence": 0.0,
        "role": "cause",
        "nodes": concerned,
        "affects": {"nodes": sorted(concerned), "sessions": [], "count": 0},
        "where": {},
        "summary": summary,
        "means": "",
        "evidence": [],
        "against": [],
        "missing": [],
        "alternatives": [],
        "fix": remedy("", ""),
        "verify": "",
        "waived": None,
    }


def remedy(action: str, text: str, **more: Any) -> dict[str, Any]:
    """What to do, in the form of the report; nobody does it by himself, and without commands nobody is told how."""
    return {
        "action": action,
        "text": text,
        "role": None,
        "vars": {},
        "hosts": [],
        "risk": "low",
        "disrupts": "nothing",
        "automatic": False,
        "command": "",
        "commands": [],
        **more,
    }


def finding(evidence: Evidence, item: Candidate) -> dict[str, Any]:
    """One candidate in the form of the report."""
    fault, subject = item.fault, item.subject
    missing = fault.missing(evidence, subject) if fault.missing else []
    return {
        **blank(fault.id, fault.family, fault.title, fault.summary(evidence, subject), subject.nodes),
        "severity": item.severity,
        "confidence": item.confidence,
        "role": item.role,
        "affects": _affects(evidence, item),
        "where": dict(subject.where),
        "means": fault.means,
        "evidence": _told(item.speaks_for),
        "against": _told(item.speaks_against),
        "missing": [plain(what) for what in missing],
        "alternatives": _alternatives(item),
        "fix": _fix(evidence, item),
        "verify": fault.verify,
    }


def plain(missing: Missing) -> dict[str, str]:
    """Evidence that was not had, in the form of the report."""
    return {"node": missing.node, "source": missing.source, "how": missing.how, "would_tell": missing.would_tell}


def _affects(evidence: Evidence, item: Candidate) -> dict[str, Any]:
    pairs = [evidence.labels(session) for session in item.subject.sessions]
    nodes = sorted({name for pair in pairs for name in pair} | set(item.subject.nodes))
    return {"nodes": nodes, "sessions": [list(pair) for pair in pairs[:SESSIONS_PER_FINDING]], "count": len(pairs)}


def _told(signals: Iterable[tuple[Signal, list[Seen]]]) -> list[dict[str, str]]:
    return [
        {
            "node": seen.node,
            "source": seen.source,
            "locator": seen.locator,
            "says": _sentence(signal, seen),
            "detail": seen.detail,
        }
        for signal, observations in sorted(signals, key=lambda pair: -abs(pair[0].weight))
        for seen in observations[:SEEN_PER_SIGNAL]
    ]


def _sentence(signal: Signal, seen: Seen) -> str:
    return f"{signal.says.rstrip('.')}: {seen.detail}" if seen.detail else signal.says


def _alternatives(item: Candidate) -> list[dict[str, Any]]:
    rivals = {rival.fault.id: rival.confidence for rival in reversed(item.alternatives)}
    told = {lookalike.fault: lookalike.told_apart_by for lookalike in item.fault.lookalikes}
    mirrored = {
        rival.fault.id: mine.told_apart_by
        for rival in item.alternatives
        for mine in rival.fault.lookalikes
        if mine.fault == item.fault.id
    }
    names = dict.fromkeys((*sorted(rivals, key=lambda name: -rivals[name]), *told))
    return [
        {"fault": name, "confidence": rivals.get(name, 0.01), "told_apart_by": told.get(name) or mirrored.get(name, "")}
        for name in names
    ]


def _fix(evidence: Evidence, item: Candidate) -> dict[str, Any]:
    fix = item.fault.fix
    left = fix.remainder(evidence, item.subject) if fix.remainder else None
    told = left or fix
    commands = explained(left.commands if left else fix.commands(evidence, item.subject))
    by_hand = remedy(
        told.action,
        told.text,
        hosts=[name for name in item.subject.nodes if name in evidence.nodes],
        risk=told.risk,
        disrupts=told.disrupts,
        command=commands[0] if commands else "",
        commands=commands,
    )
    by_a_role = None if left or fix.remedy is None else fix.remedy(evidence, item.subject)
    return {**by_hand, **_by_a_role(item.fault.id, by_a_role)}


def _by_a_role(fault: str, found: Remedy | None) -> dict[str, Any]:
    """What replaces the steps by hand where a role makes the repair."""
    if found is None:
        return {}
    return {
        "role": f"netmedic.calico.{found.role}",
        "vars": dict(found.variables),
        "hosts": list(found.hosts),
        "automatic": True,
        "command": f"ansible-playbook netmedic.calico.remediate -i INVENTORY -e remediate_only={fault}",
    }
