# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: one plain dictionary, schema netmedic.calico.report/v1. Every output is a rendering of it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .._catalogue.model import SEVERITIES
from .._cluster import flavour
from .._commonality.groups import commonality, culprits_of
from .._overlay import report as overlays
from . import consequences
from .findings import finding
from .guesses import with_guesses
from .notes import notes
from .picture import picture
from .ranking import UNDETERMINED, Candidate, rank
from .seen import bgp_was_seen, heard, shows_calico, without_sessions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._evidence.evidence import Evidence

SCHEMA = "netmedic.calico.report/v1"
CULPRITS_TOLD = 100
# From so many kinds on that may not be read it is told once: the account's rights were not set up.
MANY_FORBIDDEN = 4
# How asking the API for a kind went, in the words of the report.
_API_STATUS = {"forbidden": "failed", "partial": "failed"}


def analyse(evidence: Evidence, now: datetime) -> dict[str, Any]:
    """Diagnose the evidence and tell the result as a report. now is timezone-aware."""
    candidates = rank(evidence)
    findings = with_guesses(evidence, candidates, [finding(evidence, item) for item in candidates])
    coverage = _coverage(evidence)
    return {
        "schema": SCHEMA,
        "generated_at": _stamp(now),
        "collected": _collected(evidence),
        "verdict": verdict(evidence, candidates, findings),
        "flavour": _flavour(evidence),
        "coverage": coverage,
        "sessions": _sessions(evidence),
        "overlay": overlays.told(evidence),
        "findings": findings,
        "impact": consequences.impact_of(evidence, candidates),
        "culprits": culprits_of(evidence)[:CULPRITS_TOLD],
        "mesh": picture(evidence),
        "commonality": commonality(evidence, findings),
        "notes": notes(evidence, candidates, findings),
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
        "known": heard(evidence),
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


def verdict(evidence: Evidence, candidates: Iterable[Candidate], findings: Iterable[Mapping[str, Any]]) -> str:
    """healthy only if every expected node and session was seen and is well, and nothing is left unexplained."""
    items = list(candidates)
    if any(item.role == "cause" and SEVERITIES.index(item.severity) >= SEVERITIES.index("major") for item in items):
        return "faulty"
    if not any(node.has_calico for node in evidence.nodes.values()):
        return "undetermined"
    if any(item.role != "not_a_fault" for item in items):
        return "degraded"
    unheard = [node for node in evidence.nodes.values() if not bgp_was_seen(node)]
    unseen = (
        any(one["fault"] == UNDETERMINED and one["severity"] != "info" for one in findings)
        or evidence.missing
        or unheard
        or evidence.unlisted
        or evidence.table.down
        or without_sessions(evidence)
    )
    return "undetermined" if unseen else "healthy"


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
            "ignored": [{"node": other.name, "why": other.why} for other in evidence.ignored],
            "aliases": [{"node": name, "same_as": other} for name, other in evidence.aliases.items()],
            "without_python": [node.name for node in evidence.nodes.values() if node.without_python],
            "without_root": [node.name for node in evidence.nodes.values() if node.privileged is False],
            "unlisted": evidence.unlisted,
            "without_calico": [node.name for node in evidence.nodes.values() if not shows_calico(evidence, node)],
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
    forbidden = [source for source in cluster.sources if source.status == "forbidden"]
    if len(forbidden) >= MANY_FORBIDDEN:
        names = ", ".join(source.source for source in forbidden)
        detail = f"{len(forbidden)} kinds may not be read by this account ({names}). {forbidden[0].detail}"
        yield {"node": "", "source": "api", "status": "failed", "detail": detail}
    for source in cluster.sources:
        if source.status == "forbidden" and len(forbidden) >= MANY_FORBIDDEN:
            continue
        status = _API_STATUS.get(source.status, source.status)
        yield {"node": "", "source": f"api {source.source}", "status": status, "detail": source.detail}
    for sentence in cluster.malformed:
        yield {"node": "", "source": "api objects", "status": "unrecognised", "detail": sentence}


def _union_of_missing(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What is missing over all findings, that of the surest findings first, each once."""
    wanted: dict[tuple[str, str], dict[str, str]] = {}
    for told in findings:
        for item in told["missing"]:
            wanted.setdefault((item["node"], item["source"]), item)
    return list(wanted.values())
