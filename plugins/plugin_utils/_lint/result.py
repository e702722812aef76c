# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a run of the linter, and whether it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._analysis.failure import NEVER
from .._catalogue.model import SEVERITIES
from . import engine, manifests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .context import Settings
    from .model import Finding

SCHEMA = "netmedic.calico.lint/v1"
_NAMED = 3


class Result(NamedTuple):
    """Files that were read, how many objects are in them, and what is wrong, the worst first."""

    files: tuple[str, ...]
    objects: int
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "schema": SCHEMA,
            "files": list(self.files),
            "objects": self.objects,
            "findings": [one.as_dict() for one in self.findings],
        }


def run(paths: Iterable[str], settings: Settings) -> Result:
    """Lint what is in files, folders and globs as one whole."""
    loaded = manifests.read_paths(paths)
    found = [*loaded.findings, *engine.lint(loaded.documents, settings)]
    told = [one for one in found if one.rule not in settings.ignore]
    return Result(loaded.files, len(loaded.documents), tuple(sorted(told, key=lambda one: one.order)))


def failing(findings: Iterable[Finding], fail_on: str) -> list[Finding]:
    """Those of at least this severity; none for never."""
    if fail_on == NEVER:
        return []
    least = SEVERITIES.index(fail_on)
    return [one for one in findings if SEVERITIES.index(one.severity) >= least]


def failure(result: Result, fail_on: str) -> str:
    """One sentence that says why the play fails, or ''. With nothing to check it fails whatever fail_on says."""
    grave = failing(result.findings, fail_on)
    if grave:
        named = ", ".join(f"{one.rule} ({place(one)})" for one in grave[:_NAMED])
        more = f" and {len(grave) - _NAMED} more" if len(grave) > _NAMED else ""
        return f"{len(grave)} finding(s) of severity {fail_on} or above: {named}{more}."
    if not result.objects:
        why = f" {place(result.findings[0])}: {result.findings[0].summary}" if result.findings else ""
        return f"No Kubernetes object was found in {len(result.files)} file(s), so that nothing was checked.{why}"
    return ""


def place(finding: Finding) -> str:
    """File and line, as editors and compilers write them."""
    return f"{finding.file}:{finding.line}" if finding.line else finding.file
