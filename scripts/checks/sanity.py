# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-test sanity`, without ignore entries: every sanity test on every Python counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scripts import machine
from scripts.checks import workshop
from scripts.checks.outcome import Outcome, Skip, from_junit
from scripts.console import run, say
from scripts.paths import LOGS, ROOT, venv_program

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPLAINT = re.compile(r"^(ERROR|FATAL|WARNING: Skipping|See documentation)")
NEEDS_PROGRAM = {"pslint": ("pwsh", "*.ps1"), "shellcheck": ("shellcheck", "*.sh")}
NOT_APPLICABLE = "the collection has no files of the kind that this sanity test looks at"


def sanity(paths: Sequence[str]) -> Outcome:
    """Run all sanity tests on a clean copy of the sources."""
    ignored = [path.name for path in (ROOT / "tests" / "sanity").glob("ignore-*.txt") if path.read_text().strip()]
    if ignored:
        return Outcome(failed=tuple(f"sanity: tests/sanity/{name} has entries; there must be none" for name in ignored))
    log = LOGS / "sanity.log"
    with workshop.prepared() as env:
        argv = [venv_program("ansible-test"), "sanity", "--junit", "--color", "no", *paths]
        done = run(argv, log=log, cwd=workshop.COPY, env=env)
        outcome = _readable(from_junit(*sorted((workshop.OUTPUT / "junit").glob("*.xml"))))
    complaints = [line for line in done.output.splitlines() if COMPLAINT.match(line)]
    if done.status:
        for line in complaints or done.output.splitlines()[-20:]:
            say(f"    {line}")
    if done.status and not outcome.failed:
        return outcome.plus(Outcome(failed=(f"sanity: ansible-test ended with status {done.status}, see {log.name}",)))
    return outcome


def _readable(outcome: Outcome) -> Outcome:
    """Say in plain words why a sanity test was not run."""
    return outcome._replace(skipped=tuple(Skip(skip.name, _reason(skip)) for skip in outcome.skipped))


def _reason(skip: Skip) -> str:
    """Why a sanity test was not run; ansible-test says of all of them that they are not applicable."""
    for test, (program, files) in NEEDS_PROGRAM.items():
        if test in skip.name and machine.find_program(program) is None and any(workshop.COPY.rglob(files)):
            return f"the program {program} is not on this machine"
    if "could not be found" in skip.reason:
        return "this Python is not on this machine"
    return NOT_APPLICABLE if "No tests applicable" in skip.reason else skip.reason
