# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: one plain dictionary, schema netmedic.calico.report/v1. Every output is a rendering of it."""

from __future__ import annotations

from collections import Counter as Tally
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .._catalogue.model import SEVERITIES, Seen, Signal
from .ranking import Candidate, rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

SCHEMA = "netmedic.calico.report/v1"
SEEN_PER_SIGNAL = 5
SESSIONS_PER_FINDING = 100


def analyse(evidence: Evidence, now: datetime) -> dict[str, Any]:
    """Diagnose the evidence and tell the result as a report. now is timezone-aware."""
    candidates = rank(evidence)
    findings = [finding(evidence, item) for item in candidates]
    coverage = _coverage(evidence)
    table = evidence.table
    return {
        "schema": SCHEMA,
        "generated_at": _stamp(now),
        "collected": _collected(evidence),
        "verdict": verdict(evidence, candidates),
        "flavour": _flavour(evidence),
        "coverage": coverage,
        "sessions": {
            "expected": table.expected,
            "established": table.established,
            "down": len(table.down),
            "unexpected": table.one_sided,
            "seen_from_one_end": table.one_ended,
            "known": any(node.has_calico and _bgp_was_seen(node) for node in evidence.nodes.values()),
        },
        "findings": findings,
        "commonality": [],
        "missing_evidence": _union_of_missing(findings),
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def verdict(evidence: Evidence, candidates: Iterable[Candidate]) -> str:
    """healthy only if every expected node and session was seen and is well."""
    items = list(candidates)
    if any(item.role == "cause" and SEVERITIES.index(item.severity) >= SEVERITIES.index("major") for item in items):
        return "faulty"
    if not any(node.has_calico for node in evidence.nodes.values()):
        return "undetermined"
    if any(item.role != "not_a_fault" for item in items):
        return "degraded"
    unheard = [node for node in evidence.nodes.values() if not _bgp_was_seen(node)]
    unseen = evidence.missing or unheard or evidence.unlisted or evidence.table.down
    return "undetermined" if unseen else "healthy"


def _bgp_was_seen(node: Node) -> bool:
    """BIRD answered on the node, or is known not to be used there."""
    return (
        not node.has_calico
        or node.bird_expected is False
        or any(daemon.socket_state == "answers" for daemon in node.daemons.values())
    )


def _collected(evidence: Evidence) -> dict[str, str]:
    stamps = sorted(node.taken_at for node in evidence.nodes.values() if node.taken_at)
    return {"first": stamps[0], "last": stamps[-1]} if stamps else {"first": "", "last": ""}


def _flavour(evidence: Evidence) -> dict[str, Any]:
    nodes = list(evidence.nodes.values())
    expected = [node.bird_expected for node in nodes if node.bird_expected is not None]
    return {
        "backend": _usual(node.backend for node in nodes) or "unknown",
        "installer": "",
        "encapsulation": sorted({node.mtu.encapsulation for node in nodes if node.mtu and node.mtu.encapsulation}),
        "version": _usual(node.calico_version for node in nodes),
        "bgp_expected": any(expected) if expected else None,
    }


def _usual(values: Iterable[str]) -> str:
    ranked = Tally(value for value in values if value).most_common(1)
    return ranked[0][0] if ranked else ""


def _coverage(evidence: Evidence) -> dict[str, Any]:
    return {
        "nodes": {
            "expected": len(evidence.nodes) + len(evidence.missing),
            "collected": len(evidence.nodes),
            "missing": [{"node": missing.name, "why": missing.why} for missing in evidence.missing],
            "aliases": [{"node": name, "same_as": other} for name, other in evidence.aliases.items()],
            "without_root": [node.name for node in evidence.nodes.values() if node.privileged is False],
            "unlisted": evidence.unlisted,
            "without_calico": [node.name for node in evidence.nodes.values() if not node.has_calico],
        },
        "sources": [
            {"node": source.node, "source": source.source, "status": source.status, "detail": source.detail}
            for node in evidence.nodes.values()
            for source in node.sources
        ],
    }


def finding(evidence: Evidence, item: Candidate) -> dict[str, Any]:
    """One candidate in the form of the report."""
    fault, subject = item.fault, item.subject
    missing = fault.missing(evidence, subject) if fault.missing else []
    return {
        "fault": fault.id,
        "family": fault.family,
        "title": fault.title,
        "severity": item.severity,
        "confidence": item.confidence,
        "role": item.role,
        "nodes": list(subject.nodes),
        "affects": _affects(evidence, item),
        "where": dict(subject.where),
        "summary": fault.summary(evidence, subject),
        "means": fault.means,
        "evidence": _told(item.speaks_for),
        "against": _told(item.speaks_against),
        "missing": [
            {"node": what.node, "source": what.source, "how": what.how, "would_tell": what.would_tell}
            for what in missing
        ],
        "alternatives": _alternatives(item),
        "fix": _fix(evidence, item),
        "verify": fault.verify,
        "waived": None,
    }


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
    commands = fix.commands(evidence, item.subject)
    return {
        "action": fix.action,
        "text": fix.text,
        "role": None,
        "vars": {},
        "hosts": [name for name in item.subject.nodes if name in evidence.nodes],
        "risk": fix.risk,
        "disrupts": fix.disrupts,
        "automatic": False,
        "command": commands[0] if commands else "",
        "commands": commands,
    }


def _union_of_missing(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What is missing over all findings, that of the surest findings first, each once."""
    wanted: dict[tuple[str, str], dict[str, str]] = {}
    for told in findings:
        for item in told["missing"]:
            wanted.setdefault((item["node"], item["source"]), item)
    return list(wanted.values())
