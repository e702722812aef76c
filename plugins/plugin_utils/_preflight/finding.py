# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding of preflight, in the form of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._analysis.findings import blank, remedy
from .._catalogue.faults import BY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FAMILY = "preflight"
SURE = 0.99


def finding(
    fault: str,
    severity: str,
    nodes: Iterable[str],
    summary: str,
    fix: str = "",
    commands: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A finding. fault: an id of the catalogue, whose words are taken, or preflight.<subject> with title in more.

    fix: what to do, a sentence; commands: lines to type. more: other fields of the report's findings (where, evidence,
    means, role, confidence, affects, ...) that replace the usual ones.
    """
    known = BY_ID.get(fault)
    family, title = (known.family, known.title) if known else (FAMILY, more.get("title", summary))
    told = blank(fault, family, title, summary, nodes)
    told.update(severity=severity, confidence=SURE)
    if known:
        told.update(means=known.means, verify=known.verify)
    lines = list(commands)
    told["fix"] = remedy("by_hand" if fix else "none", fix, command=lines[0] if lines else "", commands=lines)
    told.update(more)
    return told


def seen(node: str, source: str, says: str, detail: str = "", locator: str = "") -> dict[str, str]:
    """One piece of evidence."""
    return {"node": node, "source": source, "locator": locator, "says": says, "detail": detail}


def worst_first(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Findings by severity, in their order within it."""
    order = {"critical": 0, "major": 1, "minor": 2, "info": 3}
    return sorted((dict(one) for one in findings), key=lambda one: order.get(one["severity"], 4))
