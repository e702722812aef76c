# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: break a lab, repair it while something goes wrong, and see how it stands, before and after the next run."""

from __future__ import annotations

import itertools
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import drawn, playbooks, standing
from .disturbances import DISTURBANCES

if TYPE_CHECKING:
    from lab import Lab

    from .drawn import Run
    from .playbooks import Outcome, Running

# A host undoes by itself what nobody has confirmed within two minutes, and BIRD dials anew.
SETTLING = 180.0
# For how long a run that was killed may keep others out.
LOCKED = 150.0
_JUST_BEGUN = "benign_startup_transient"
# A plan's words for what no role does, or none was allowed to. Some repairs leave nothing that could be seen here.
_FOR_A_PERSON = re.compile(r"^ *(by hand|left) ", re.MULTILINE)
_IN_USE = re.compile(r"another run|is held by|holds the lock|is being changed by")


class Record(NamedTuple):
    """What came of a run.

    status: how the disturbed repair ended. worse: sessions that it has cost. strange: what it has left that is neither
    as before nor as the repair makes it. unfinished: what the next run has left undone. second: what a run after that
    has still changed. back: what rollback has not put back (of undisturbed runs). by_hand: why nothing was to be
    repaired by a role, "" if something was. seconds: of the disturbed repair. told: the last lines of whatever failed.
    """

    name: str
    disturbance: str
    status: int = 0
    worse: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    second: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    by_hand: str = ""
    seconds: float = 0.0
    told: str = ""

    @property
    def ok(self) -> bool:
        """Whether all is as it must be."""
        return not (self.worse or self.strange or self.unfinished or self.second or self.back)


class Bench:
    """A lab with a fault in it, and the folder of its repairs."""

    def __init__(self, lab: Lab, fault: str, folder: Path) -> None:
        self.lab = lab
        self._fault = fault
        self.runs = folder / "runs"
        self._folder = folder
        self._numbers = itertools.count()

    def start(self) -> Running:
        """Start a repair."""
        return playbooks.remediate(self.lab, self.runs, self._fault, self._log())

    def repair(self) -> Outcome:
        """Repair, undisturbed; wait for a lock that a dead run has left, and until what has just begun is no excuse."""
        end = time.monotonic() + LOCKED
        while True:
            outcome = self.start().wait()
            early = _JUST_BEGUN in outcome.plan if outcome.status == 0 else _IN_USE.search(outcome.printed)
            if not early or time.monotonic() > end:
                return outcome
            time.sleep(5)

    def has_begun(self) -> bool:
        """Whether any run has begun to change something. What is other without that, the disturbance has changed."""
        return any(self.runs.glob("*/plan.json"))

    def put_back(self) -> Outcome | None:
        """Roll back all runs that have changed something, the last one first; the first that fails, or None."""
        for run in sorted((each.name for each in self.runs.iterdir() if each.is_dir()), reverse=True):
            outcome = playbooks.rollback(self.lab, self.runs, self._fault, run, self._log()).wait()
            if outcome.status != 0:
                return outcome
        return None

    def _log(self) -> Path:
        return self._folder / f"{next(self._numbers)}.log"


def measure(lab: Lab, run: Run) -> Record:
    """Measure a run on a healthy lab, which is not fit for another run then."""
    healthy = standing.look(lab)
    case = lab.make(run.fault, None, run.variant)
    # The subject of some faults is a machine that is gone.
    node = next((each for each in lab.nodes if each.name == case.target), lab.nodes[0])
    broken = standing.look(lab)
    wanted = standing.wanted(healthy, broken)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(lab, run.fault, Path(name))
        started = time.monotonic()
        outcome = DISTURBANCES[run.disturbance](lab, run, node, bench.start)
        blank = Record(run.name, run.disturbance, outcome.status, seconds=round(time.monotonic() - started, 1))
        between = standing.settled(lab, broken.sessions, SETTLING)
        finishing = outcome if run.disturbance == drawn.UNDISTURBED else bench.repair()
        repaired = standing.settled(lab, wanted.sessions, SETTLING / 3)
        why = why_by_hand(run, finishing, came=not repaired.sessions <= broken.sessions)
        if why and (repaired.settings == broken.settings or not bench.has_begun()):
            return blank._replace(by_hand=why)
        second = bench.repair()
        record = blank._replace(
            worse=tuple(standing.worse(broken, between)),
            strange=tuple(standing.strange(broken, between, repaired)),
            unfinished=tuple(standing.worse(wanted, repaired)),
            second=tuple(standing.other(repaired, standing.look(lab))) or _not_at_rest(second),
        )
        if run.disturbance == drawn.UNDISTURBED:
            record = record._replace(back=_back_and_forth(bench, broken, repaired))
        return record if record.ok else record._replace(told=finishing.told)


def why_by_hand(run: Run, outcome: Outcome, *, came: bool) -> str:
    """Why a run that has changed no setting was right not to, or ''. came: a session is up that was not."""
    if outcome.status == 0 and not came and _FOR_A_PERSON.search(outcome.plan):
        return outcome.plan
    refusal = drawn.REFUSED_HERE.get(run.fault)
    return f"refused, as it must be in a lab: {refusal}" if refusal and refusal in outcome.printed else ""


def _not_at_rest(second: Outcome) -> tuple[str, ...]:
    """That a run with nothing left to repair has failed."""
    return () if second.status == 0 else (f"the next run ended with {second.status}: {second.told[-300:]}",)


def _back_and_forth(bench: Bench, broken: standing.Standing, repaired: standing.Standing) -> tuple[str, ...]:
    """Roll back, see that all is as it was, and repair once more."""
    failed = bench.put_back()
    if failed is not None:
        return (f"rollback ended with {failed.status}: {failed.told}",)
    wrong = standing.as_before(bench.lab, broken._replace(sessions=frozenset()), SETTLING / 3)
    if wrong:
        return tuple(wrong)
    standing.let_hold_times_end(bench.lab, broken)
    forward = bench.repair()
    if forward.status != 0:
        return (f"forward again ended with {forward.status}: {forward.told}",)
    wrong = standing.as_before(bench.lab, repaired, SETTLING / 3)
    return (*wrong, f"the plan was: {forward.plan}") if wrong else ()
