# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of the matrix on a lab: break it, diagnose it, compare what was found with what was done, heal it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.errors import UsageError
from scripts.reliability_data import Told, judged

from . import diagnosis, expected, odd, places, sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab import Lab
    from lab.faults.model import Case

    from .rows import Row

BELIEVED = 0.5


class Record(NamedTuple):
    """What came of a row.

    `found_first`: of one fault, that its finding is the first; of several, that each has one which is no consequence.
    `right_place`: whether the rule or object that the finding names is one that the injection has changed; None if it
    names none. `seconds`: of the diagnosis. `disturbed`: established sessions that the diagnosis has broken.
    `wrong`: other findings that are called a cause. `told`: how sure each finding was and whether it was right, for
    docs/reliability.md. `skipped`: why the row cannot be made, "" if it was.
    """

    name: str
    topology: str
    faults: tuple[str, ...]
    found: tuple[str, ...] = ()
    found_first: bool = False
    right_node: bool = False
    right_place: bool | None = None
    confidence: float | None = None
    seconds: float = 0.0
    disturbed: int = 0
    wrong: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    skipped: str = ""

    @property
    def ok(self) -> bool:
        """Whether all is as it must be; a row that cannot be made is not judged."""
        if self.skipped:
            return True
        right = self.found_first and self.right_node and self.right_place is not False
        return right and not self.disturbed and not self.wrong


def measure(lab: Lab, row: Row) -> Record:
    """Measure a row. The lab must be healthy and is healed afterwards. LabError if it cannot be."""
    blank = Record(row.name, row.topology, tuple(each.fault for each in row.injections))
    if not row.injections:
        with odd.of(row).made(lab):
            return _healthy(lab, blank)
    before = places.look(lab)
    try:
        cases = [lab.make(each.fault, each.node, each.variant) for each in row.injections]
        return _broken(lab, blank, cases, before)
    except UsageError as problem:
        return blank._replace(skipped=str(problem))
    finally:
        lab.heal()


def _healthy(lab: Lab, blank: Record) -> Record:
    run, record = _diagnosed(lab, blank)
    wrong = tuple(finding["fault"] for finding in run.findings if finding["severity"] != "info")
    told = judged(run.findings, lambda finding: finding["severity"] == "info")
    return record._replace(found_first=not wrong, right_node=True, wrong=wrong, told=tuple(told))


def _broken(lab: Lab, blank: Record, cases: list[Case], before: places.Places) -> Record:
    after = places.look(lab)
    run, record = _diagnosed(lab, blank)
    mine = [_finding_of(case, run) for case in cases]
    told = [finding for finding in mine if finding]
    first = len(cases) > 1 or bool(run.findings and run.findings[0] is mine[0])
    outdated = tuple(filter(None, map(expected.outdated, cases)))
    placed = [places.named_rightly(before, after, finding.get("where") or {}, outdated) for finding in told]
    return record._replace(
        found_first=first and len(told) == len(cases),
        right_node=len(told) == len(cases)
        and all(expected.right_node(case, finding) for case, finding in zip(cases, told, strict=True)),
        right_place=False if False in placed else True if True in placed else None,
        confidence=min((finding["confidence"] for finding in told), default=None),
        wrong=tuple(one for one in run.causes if one not in blank.faults),
        told=tuple(judged(run.findings, lambda finding: any(_is_of(case, finding) for case in cases))),
    )


def _is_of(case: Case, finding: Mapping[str, Any]) -> bool:
    return finding["fault"] == case.fault.id and expected.right_node(case, finding)


def _finding_of(case: Case, run: diagnosis.Run) -> dict[str, Any] | None:
    """The finding of a fault: at the right node if there is one, else any."""
    same = [
        finding
        for finding in run.findings
        if finding["fault"] == case.fault.id and finding["role"] != "consequence" and finding["confidence"] >= BELIEVED
    ]
    return next((finding for finding in same if expected.right_node(case, finding)), same[0] if same else None)


def _diagnosed(lab: Lab, blank: Record) -> tuple[diagnosis.Run, Record]:
    up = sessions.established(lab)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        run = diagnosis.diagnose(lab.inventory, Path(directory))
    seconds = round(time.monotonic() - started, 1)
    broken = sessions.disturbed(up, sessions.established(lab))
    found = tuple(finding["fault"] for finding in run.findings)
    return run, blank._replace(found=found, seconds=seconds, disturbed=len(broken))
