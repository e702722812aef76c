# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the trouble means for pods and Services, as the report tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue.model import SEVERITIES
from .._gate import model
from .._gate.gate import gate
from .._impact.impact import impact
from .._impact.model import Impact
from .._impact.overlay import overlay_impact
from .ranking import UNDETERMINED
from .seen import heard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .ranking import Candidate

CUT_TOLD = 20
STILL_UP = "No session is down, so that BGP itself cuts no pod off; what is found below may do so in other ways."
CANNOT_TELL = "Which pods and Services this cuts off cannot be told from what was read."


def impact_of(evidence: Evidence, candidates: Iterable[Candidate] = ()) -> dict[str, Any] | None:
    """What the sessions that are down or were never made, the machines that are lost and the overlay's trouble cut off;
    None where nothing is."""
    lost = [one.name for one in gate(evidence).nodes.values() if one.reason.step == model.HOST]
    lost = [name for name in lost if name not in evidence.nodes]
    causes = [one for one in candidates if one.role == "cause" and one.fault.id != UNDETERMINED]
    without, unmade = _without_any(evidence, causes), _unmade(evidence)
    through = overlay_impact(evidence)
    found = None
    if evidence.table.down or lost or without or unmade:
        found = impact(evidence, evidence.table.down, lost, without, unmade)
    if through is not None and (found is None or not found.bgp_matters):
        found = through
    if found is not None:
        return _told(found)
    grave = [one for one in causes if SEVERITIES.index(one.severity) >= SEVERITIES.index("major")]
    if not grave:
        return None
    calm = heard(evidence) and evidence.uses_bgp is not False
    return _told(Impact(bgp_matters=False, summary=STILL_UP if calm else CANNOT_TELL))


def _without_any(evidence: Evidence, causes: Iterable[Candidate]) -> list[str]:
    """The nodes with a cause that should have sessions and have none: BIRD does not run, or has nobody to talk to."""
    concerned = {name for one in causes for name in one.subject.nodes}
    found = [node for name, node in evidence.nodes.items() if name in concerned and node.bird_expected]
    others = len(evidence.nodes) + len(evidence.missing) > 1
    return [node.name for node in found if others and _has_no_session(node)]


def _has_no_session(node: Node) -> bool:
    """It is known for certain: of each BIRD either that it does not run, or what sessions it has."""
    daemons = node.daemons.values()
    known = all(one.running is False or one.socket_state == "answers" for one in daemons)
    return bool(daemons) and known and not any(one.established for one in daemons)


def _unmade(evidence: Evidence) -> list[tuple[str, str]]:
    """The pairs of nodes in a mesh that should have a session, which one of them has not configured."""
    comparison, plan = evidence.comparison, evidence.expected
    if comparison is None or plan is None or not plan.meshes:
        return []
    named = {address: one.name for one in evidence.registered for address in (one.stored("ipv4"), one.stored("ipv6"))}
    pairs = [
        tuple(sorted((one.inventory, named.get(peer) or evidence.name_of(peer))))
        for one in comparison.of("missing")
        for peer in one.peers
    ]
    return [(one, other) for one, other in dict.fromkeys(pairs) if one != other]


def _told(found: Impact) -> dict[str, Any]:
    return {
        "summary": found.summary,
        "isolated": list(found.isolated),
        "gone": list(found.gone),
        "pairs": found.pairs,
        "pods_cut_off": found.pods_cut_off,
        "pods_partly": found.pods_partly,
        "services": found.services,
        "counted": found.counted,
        "routes_kept_seconds": found.kept_seconds,
        "keeps": list(found.keeps),
        "cannot_reach": _cannot_reach(found),
    }


def _cannot_reach(found: Impact) -> list[dict[str, Any]]:
    """From where which pods cannot be reached; first the nodes that are cut from some others only (partly)."""
    if not found.bgp_matters:
        return []
    apart = {*found.isolated, *found.gone}
    told = []
    for name in (*sorted(found.cut), *sorted(apart - set(found.gone)))[:CUT_TOLD]:
        others = list(found.unreachable_from(name))
        told.append(
            {
                "node": name,
                "partly": name not in apart,
                "count": len(others),
                "pods_of": [other for other, _blocks in others[:CUT_TOLD]],
                "blocks": [block for _other, blocks in others[:CUT_TOLD] for block in blocks][:CUT_TOLD],
            }
        )
    return told
