# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of preflight: the findings of all checks and the matrix, in the form of every report."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Any

from .._analysis.failure import counts
from .._analysis.report import SCHEMA
from .._catalogue.model import SEVERITIES
from . import matrix, sizes
from .checks import CHECKS
from .finding import worst_first
from .plan import has_passwords
from .reach import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .model import Scene

_SESSIONS = ("expected", "established", "down", "unexpected", "not_configured", "seen_from_one_end")


def judge(scene: Scene) -> dict[str, Any]:
    """The report, schema netmedic.calico.report/v1 with the field preflight.

    ValueError, with a sentence, for plans that cannot be.
    """
    flavours = list(scene.flavours)
    told = matrix.told(scene)
    findings = worst_first(found for check in CHECKS for found in check(scene))
    stamps = sorted(node.taken_at for node in scene.evidence.nodes.values() if node.taken_at)
    return {
        "schema": SCHEMA,
        "generated_at": scene.now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "collected": {"first": stamps[0], "last": stamps[-1]} if stamps else {"first": "", "last": ""},
        "verdict": verdict(scene, findings),
        "flavour": {"backend": "", "installer": "", "encapsulation": [], "version": "", "bgp_expected": None},
        "coverage": _coverage(scene),
        "sessions": {**dict.fromkeys(_SESSIONS, 0), "compared_with_api": False, "known": True},
        "overlay": [],
        "findings": findings,
        "impact": None,
        "culprits": [],
        "mesh": {"nodes": [_drawn(scene, name) for name in scene.hosts]},
        "commonality": [],
        "notes": [],
        "missing_evidence": [],
        "preflight": {"flavours": flavours, "matrix": told},
    }


def verdict(scene: Scene, findings: Iterable[Mapping[str, Any]]) -> str:
    """faulty if something grave was found, degraded if something less grave was, else healthy."""
    grave = [SEVERITIES.index(one["severity"]) for one in findings if counts(one)]
    if any(one >= SEVERITIES.index("major") for one in grave):
        return "faulty"
    if not scene.evidence.nodes:
        return "undetermined"
    return "degraded" if any(one >= SEVERITIES.index("minor") for one in grave) else "healthy"


def _coverage(scene: Scene) -> dict[str, Any]:
    evidence = scene.evidence
    nodes = evidence.nodes.values()
    api = evidence.cluster
    return {
        "nodes": {
            "expected": len(scene.hosts),
            "collected": sum(not host.why for host in scene.hosts.values()),
            "missing": [{"node": host.name, "why": host.why} for host in scene.hosts.values() if host.why],
            "ignored": [{"node": other.name, "why": other.why} for other in evidence.ignored],
            "aliases": [],
            "without_python": [node.name for node in nodes if node.without_python],
            "without_root": [node.name for node in nodes if node.privileged is False],
            "unlisted": [],
            "without_calico": [],
        },
        "api": {
            "asked": api is not None,
            "reached": bool(api and api.reached),
            "via": api.via if api else "",
            "why": api.why if api else "",
            "nodes": len(api.nodes) if api else 0,
        },
        "sources": [*_problems(scene), *_signed(scene), *sizes.not_measured(Reach.of(scene)), *_sources(scene)],
    }


def _problems(scene: Scene) -> Iterator[dict[str, str]]:
    """What listeners and probers could not do."""
    for host in scene.hosts.values():
        for told in (host.listened, host.probed):
            for problem in told.get("problems") or ():
                yield {"node": host.name, "source": "preflight", "status": "failed", "detail": str(problem)}


def _signed(scene: Scene) -> Iterator[dict[str, str]]:
    for host in scene.hosts.values():
        if has_passwords(host):
            detail = "TCP 179 was not probed: BIRD's sessions here have a password, and it counts SYNs without one."
            yield {"node": host.name, "source": "probe", "status": "failed", "detail": detail}


def _sources(scene: Scene) -> Iterator[dict[str, str]]:
    for node in scene.evidence.nodes.values():
        for one in node.sources:
            yield {"node": one.node, "source": one.source, "status": one.status, "detail": one.detail}


def _drawn(scene: Scene, name: str) -> dict[str, Any]:
    host = scene.hosts[name]
    return {"name": name, "read": not host.why, **({"address": host.addresses[0]} if host.addresses else {})}
