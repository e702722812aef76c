# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents against all rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue.faults import BY_ID as FAULTS
from .context import Context, Settings
from .model import Finding, dotted
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import Document, Problem, Rule

__all__ = ["Settings", "lint"]
NOTHING = Settings()


def lint(documents: Sequence[Document], settings: Settings = NOTHING) -> list[Finding]:
    """What is wrong with documents that belong together, the worst first. What objects accept is left out."""
    context = Context(documents, settings)
    found = [
        _finding(rule, problem)
        for rule in RULES
        if rule.id not in settings.ignore
        for problem in rule.check(context)
        if rule.id not in problem.document.accepted
    ]
    return sorted(dict.fromkeys(found), key=lambda finding: finding.order)


def _finding(rule: Rule, problem: Problem) -> Finding:
    document = problem.document
    return Finding(
        rule=rule.id,
        fault=rule.id if rule.id in FAULTS else "",
        severity=problem.severity or rule.severity,
        title=rule.title,
        summary=problem.summary,
        why=rule.why,
        fix=rule.fix,
        file=document.file,
        line=document.line_of(*problem.path),
        object=document.about,
        field=dotted(problem.path),
    )
