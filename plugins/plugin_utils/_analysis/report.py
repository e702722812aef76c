# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: one plain dictionary, schema netmedic.calico.report/v1. Every output is a rendering of it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .._catalogue.model import SEVERITIES, Seen, Signal
from .._cluster import flavour
from . import consequences
from .ranking import Candidate, rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

SCHEMA = "netmedic.calico.report/v1"
SEEN_PER_SIGNAL = 5
SESSIONS_PER_FINDING = 100
# How asking the API for a kind went, in the words of the report.
_API_STATUS = {"forbidden": "failed", "partial": "failed"}


def analyse(evidence: Evidence, now: datetime) -> dict[str, Any]:
    """Diagnose the evidence and tell the result as a report. now is timezone-aware."""
    candidates = rank(evidence)
    findings = [finding(evidence, item) for item in candidates]
    coverage = _coverage(evidence)
    return {
        "schema": SCHEMA,
        "generated_at": _stamp(now),
        "collected": _collected(evidence),
        "verdict": verdict(evidence, candidates),
        "flavour": _flavour(evidence),
        "coverage": coverage,
        "sessions": _sessions(evidence),
        "findings": findings,
        "impact": consequences.impact_of(evidence),
        "commonality": consequences.commonality(evidence),
        "missing_evidence": _union_of_missing(findings),
    }


def _sessions(evidence: Evidence) -> dict[str, Any]:
    """How many sessions there are, and how many there ought to be: also those that no node is configured for."""
    table, comparison = evidence.table, evidence.comparison
    absent, extra = _pairs(evidence, "missing"), _pairs(evidence, "extra")
    return {
        "expected": table.expected + absent,
        "established": table.established,
        "down": len(table.down),
        "unexpected": table.one_sided + extra,
        "not_configured": absent,
        "compared_with_api": comparison is not None,
        "seen_from_one_end": table.one_ended,
        "known": any(node.has_calico and _bgp_was_seen(node) for node in evidence.nodes.values()),
    }


def _pairs(evidence: Evidence, kind: str) -> int:
    """How many sessions differ from what the API's objects call for in this way; each counts once."""
    expected, comparison = evidence.expected, evidence.comparison
    if expected is None or comparison is None:
        return 0
    return len(
        {
            (one.family, frozenset((expected.speakers[one.node].addresses.get(one.family, one.node), peer)))
            for one in comparison.of(kind)
            for peer in one.peers
        }
    )


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
    told = flavour.summary(evidence.flavour)
    if not told["encapsulation"]:
        # Without the API the nodes tell what they use, not what the pools want.
        nodes = evidence.nodes.values()
        told["encapsulation"] = sorted({one.mtu.encapsulation for one in nodes if one.mtu and one.mtu.encapsulation})
    return told


def _api(evidence: Evidence) -> dict[str, Any]:
    """How the Kubernetes API was asked: whether at all, whether it answered, by what, and why not."""
    cluster = evidence.cluster
    if cluster is None:
        return {"asked": False, "reached": False, "via": "", "why": "", "nodes": 0}
    return {
        "asked": True,
        "reached": cluster.reached,
        "via": cluster.via,
        "why": cluster.why,
        "nodes": len(cluster.nodes),
    }


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
        "api": _api(evidence),
        "sources": [
            *_api_sources(evidence),
            *(
                {"node": source.node, "source": source.source, "status": source.status, "detail": source.detail}
                for node in evidence.nodes.values()
                for source in node.sources
            ),
        ],
    }


def _api_sources(evidence: Evidence) -> Iterable[dict[str, str]]:
    """What was asked of the API, kind by kind, and what in its answers could not be understood; of no node."""
    cluster = evidence.cluster
    if cluster is None or not cluster.reached:
        return
    for source in cluster.sources:
        status = _API_STATUS.get(source.status, source.status)
        yield {"node": "", "source": f"api {source.source}", "status": status, "detail": source.detail}
    for sentence in cluster.malformed:
        yield {"node": "", "source": "api objects", "status": "unrecognised", "detail": sentence}


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
