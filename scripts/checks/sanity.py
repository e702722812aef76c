# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-test sanity` of what users get (galaxy.yml tells what that is), without ignore entries: every sanity test on
every Python counts. The rest of the sources is looked at by ruff and mypy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scripts import machine
from scripts.checks import workshop
from scripts.checks.outcome import Outcome, Skip, from_junit
from scripts.console import run, say
from scripts.machine import CONTROLLER_PYTHONS
from scripts.paths import LOGS, ROOT, venv_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMPLAINT = re.compile(r"^(ERROR|FATAL|WARNING: Skipping|See documentation)")
NEEDS_PROGRAM = {"pslint": ("pwsh", "*.ps1"), "shellcheck": ("shellcheck", "*.sh")}
_IMPORTED_ON = (3, 8)  # the oldest Python of nodes that ansible-core has
NOT_APPLICABLE = "the collection has no files of the kind that this sanity test looks at"


def sanity(paths: Sequence[str]) -> Outcome:
    """Run the sanity tests, of which `import` looks at the controller's code on the newest Python only: each of them
    takes minutes, and the unit tests have imported that code already."""
    if paths:
        return every_sanity(paths)
    newest = max(CONTROLLER_PYTHONS)
    importing = [python.version for python in machine.interpreters() if _IMPORTED_ON <= python.version <= newest]
    importing = [version for version in importing if version not in CONTROLLER_PYTHONS] + importing[-1:]
    names = [f"{major}.{minor}" for major, minor in importing]
    return _runs([["--skip-test", "import"], *(["--test", "import", "--python", name] for name in names)])


def every_sanity(paths: Sequence[str]) -> Outcome:
    """Run all sanity tests on every Python."""
    return _runs([paths])


def _runs(several: Sequence[Sequence[str]]) -> Outcome:
    """Run ansible-test with each of some arguments on a clean copy of what is shipped."""
    ignored = [path.name for path in (ROOT / "tests" / "sanity").glob("ignore-*.txt") if path.read_text().strip()]
    if ignored:
        return Outcome(failed=tuple(f"sanity: tests/sanity/{name} has entries; there must be none" for name in ignored))
    with workshop.prepared(shipped_only=True) as env:
        statuses = [_run(arguments, f"sanity-{number}.log", env) for number, arguments in enumerate(several, 1)]
        outcome = _readable(from_junit(*sorted((workshop.OUTPUT / "junit").glob("*.xml"))))
    if any(statuses) and not outcome.failed:
        return outcome.plus(Outcome(failed=(f"sanity: ansible-test ended with status {max(statuses)}",)))
    return outcome


def _run(arguments: Sequence[str], log: str, env: Mapping[str, str]) -> int:
    """Run ansible-test once, show its complaints. Its exit status."""
    argv = [venv_program("ansible-test"), "sanity", "--junit", "--color", "no", *arguments]
    done = run(argv, log=LOGS / log, cwd=workshop.COPY, env=env)
    if done.status:
        lines = done.output.splitlines()
        for line in [line for line in lines if COMPLAINT.match(line)] or lines[-20:]:
            say(f"    {line}")
    return done.status


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
