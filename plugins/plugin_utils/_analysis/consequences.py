# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the trouble means for pods and Services, as the report tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._gate import model
from .._gate.gate import gate
from .._impact.impact import impact

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence
    from .._impact.model import Impact

CUT_TOLD = 20


def impact_of(evidence: Evidence) -> dict[str, Any] | None:
    """What the sessions that are down and the machines that are lost cut off; None where nothing is."""
    lost = [one.name for one in gate(evidence).nodes.values() if one.reason.step == model.HOST]
    lost = [name for name in lost if name not in evidence.nodes]
    if not evidence.table.down and not lost:
        return None
    found = impact(evidence, evidence.table.down, lost)
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
