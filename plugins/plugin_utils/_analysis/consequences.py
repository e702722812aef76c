# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the trouble means for pods and Services, and what the nodes in trouble share, as the report tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._gate import model
from .._gate.gate import gate
from .._impact.impact import impact

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence


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
    }


def commonality(evidence: Evidence) -> list[dict[str, Any]]:
    """What the nodes share at which the same thing is wrong before Calico, where that is hardly by chance."""
    return [
        {
            "attribute": shared.attribute,
            "value": shared.value,
            "affected": shared.affected,
            "of": shared.of,
            "elsewhere": shared.elsewhere,
            "p_value": shared.p_value,
        }
        for scope in gate(evidence).scopes
        for shared in scope.shared
    ]
