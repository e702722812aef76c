# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd in the plan of sessions and told by no finding: no cause of what was seen, and said all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import api, words
from .seen import without_sessions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._evidence.evidence import Evidence
    from .._peering.model import Problem
    from .ranking import Candidate

MOST = 50
# Faults that tell of these kinds in words of their own.
_IN_OTHER_WORDS = {
    "duplicate_address": ("duplicate_node_ip",),
    "mesh_off_no_peers": ("mesh_disabled_no_peers",),
    "node_without_peers": ("bgppeer_selects_nothing", "mesh_disabled_no_peers"),
    "password_differs": ("bgp_password_mismatch", "bgp_password_secret_unreadable"),
    "secret_missing": ("bgp_password_secret_unreadable",),
    "secret_elsewhere": ("bgp_password_secret_unreadable",),
    "secret_key_missing": ("bgp_password_secret_unreadable",),
    "secret_unreadable": ("bgp_password_secret_unreadable",),
}


def notes(evidence: Evidence, candidates: Iterable[Candidate]) -> list[dict[str, Any]]:
    """The problems of the plan that no finding tells of, as object, kind, nodes and says; each sentence once."""
    alone = without_sessions(evidence)
    problems = evidence.expected.problems if evidence.expected else ()
    if not problems:
        return [_no_session(alone)] if alone else []
    believed = list(candidates)
    said = {seen.detail for item in believed for _signal, found in item.speaks_for for seen in found}
    said.update(item.fault.summary(evidence, item.subject) for item in believed)
    faults = {item.fault.id for item in believed}
    left: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        elsewhere = faults & set(_IN_OTHER_WORDS.get(problem.kind, ()))
        if not elsewhere and not any(problem.detail in one for one in said):
            left.setdefault((problem.object, problem.detail), problem)
    return [
        {
            "object": api.spot(one.object),
            "kind": one.kind,
            "nodes": list(api.names(evidence, one.nodes)),
            "says": one.detail,
        }
        for one in list(left.values())[:MOST]
    ]


def _no_session(names: list[str]) -> dict[str, Any]:
    """A note on nodes whose BIRD has no session, where the API was not read that would tell whether it shall."""
    says = (
        f"BIRD on {words.listed(names)} has no BGP session at all; only the Kubernetes API, which was not read, knows "
        "whether that is meant"
    )
    return {"object": "BIRD", "kind": "no_session", "nodes": names, "says": says}
