# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test`: every check in order, each with a headline and its time; at the end a plain count.

    python3 -m scripts.check                     all checks
    python3 -m scripts.check ruff mypy           some checks
    python3 -m scripts.check mypy plugins/filter a check on some files (for ruff, mypy, pytest, sanity, ansible-lint …)
    python3 -m scripts.check --list              their names

A check that fails does not keep the others from running. Exit status: 0 if nothing failed, 1 if a test failed, 2 if the
checks could not be run at all.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from scripts import environment, lab_setup, setup
from scripts.checks import faults, integration, kernel, lint, molecule, sanity, units
from scripts.checks.outcome import Outcome, by_reason, total
from scripts.console import UserError, complain, headline, say, side_by_side
from scripts.machine import processors
from scripts.paths import JUNIT, LOGS, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Check(NamedTuple):
    """One check: the name to call it by, what it proves, how it is run, what it needs besides Python.

    beside_the_last: it runs at the same time as the check before it, which mostly waits or uses one processor. Several
        of these share the other processors, so that on two they follow one another.
    only_by_name: it takes too long to be one of all checks.
    """

    name: str
    title: str
    run: Callable[[Sequence[str]], Outcome]
    needs_lab: bool = False
    needs_programs: bool = False
    beside_the_last: bool = False
    only_by_name: bool = False


CHECKS = (
    Check("format", "Python is formatted (ruff format)", lint.ruff_format),
    Check("ruff", "Python lint (ruff check)", lint.ruff_check),
    Check("mypy", "Types (mypy, strict on the core)", lint.mypy),
    Check("yamllint", "YAML is well formed (yamllint)", lint.yamllint),
    Check("ansible-lint", "Playbooks and roles (ansible-lint, profile production)", lint.ansible_lint),
    Check("changelog", "Change fragments (antsibull-changelog)", lint.changelog, beside_the_last=True),
    Check("plugin-docs", "Documentation of plugins and roles (antsibull-docs)", lint.plugin_docs, beside_the_last=True),
    Check(
        "docs",
        "Generated pages are what the sources say (make docs writes them)",
        lint.generated_docs,
        beside_the_last=True,
    ),
    Check("site", "Documentation site, without warnings (Sphinx)", lint.site, beside_the_last=True),
    Check("unit", "Unit tests", units.unit),
    Check("sanity", "ansible-test sanity, no ignore entries", sanity.sanity, needs_programs=True, beside_the_last=True),
    Check("kernel", "Node code against the real programs, in namespaces", kernel.kernel, needs_lab=True),
    Check(
        "pythons",
        "Unit tests of the node code on the oldest and the newest Python",
        units.unit_on_outermost_pythons,
        beside_the_last=True,
    ),
    Check(
        "every-python",
        "Unit tests of the node code on every other Python",
        units.unit_on_other_pythons,
        only_by_name=True,
    ),
    Check(
        "every-sanity",
        "ansible-test sanity, imports on every Python",
        sanity.every_sanity,
        needs_programs=True,
        only_by_name=True,
    ),
    Check("lab", "Faults and repairs made for real in the lab", faults.sample, needs_lab=True),
    Check("faults", "Every fault and repair in every way", faults.faults, needs_lab=True, only_by_name=True),
    Check(
        "integration", "ansible-test integration", integration.integration, needs_programs=True, beside_the_last=True
    ),
    Check(
        "molecule", "Playbooks and roles on the lab (molecule)", molecule.sample, needs_lab=True, beside_the_last=True
    ),
    Check("every-molecule", "Every role on the lab (molecule)", molecule.molecule, needs_lab=True, only_by_name=True),
)
BY_NAME = {check.name: check for check in CHECKS}


class Row(NamedTuple):
    """What a check gave and how long it took."""

    check: Check
    outcome: Outcome
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for. The exit status."""
    if "--list" in arguments:
        for check in CHECKS:
            say(f"{check.name:14}{check.title}")
        return 0
    names = [argument for argument in arguments if argument in BY_NAME]
    paths = [argument for argument in arguments if argument not in BY_NAME]
    if paths and len(names) != 1:
        raise UserError(f"{paths[0]} is no check. There are: {', '.join(BY_NAME)}. Files go with one check at a time.")
    wanted = [BY_NAME[name] for name in names] or [check for check in CHECKS if not check.only_by_name]
    _prepare(wanted)
    started = time.monotonic()
    rows = [
        row
        for group in _groups(wanted)
        for row in side_by_side([partial(_run, check, paths) for check in group], max(2, processors()))
    ]
    _summary(rows, time.monotonic() - started)
    return 1 if any(row.outcome.failed for row in rows) else 0


def _prepare(wanted: Sequence[Check]) -> None:
    """Set up what the checks need."""
    needs_lab = any(check.needs_lab for check in wanted)
    level = environment.DEVELOP if any(check.needs_programs for check in wanted) else environment.USE
    for sentence in setup.prepare_machine(level, for_lab=needs_lab):
        say(f"    {sentence}")
    environment.prepare(environment.DEVELOP)
    if needs_lab:
        lab_setup.prepare_image()


def _groups(wanted: Sequence[Check]) -> list[list[Check]]:
    """The checks that run at the same time, in order."""
    groups: list[list[Check]] = []
    for check in wanted:
        if check.beside_the_last and groups:
            groups[-1].append(check)
        else:
            groups.append([check])
    return groups


def _run(check: Check, paths: Sequence[str]) -> Row:
    """Run one check under its headline."""
    headline(check.title)
    started = time.monotonic()
    try:
        outcome = check.run(paths)
    except (UserError, OSError, subprocess.SubprocessError) as problem:
        say(f"    it could not be run: {problem}")
        outcome = Outcome(failed=(f"{check.name} could not be run: {problem}",))
    seconds = time.monotonic() - started
    say(f"    {check.name}: {outcome.sentence()} ({seconds:.1f} s)")
    return Row(check, outcome, seconds)


def _summary(rows: Sequence[Row], seconds: float) -> None:
    """Say what came of each check, what was skipped and why, what failed; the count is the last line."""
    say()
    headline("Summary")
    for row in rows:
        word = "FAILED" if row.outcome.failed else "ok"
        say(f"    {row.check.name:14}{word:8}{row.outcome.sentence():40}{row.seconds:7.1f} s")
    result = total(row.outcome for row in rows)
    _list("Skipped, and why:", by_reason(result.skipped))
    _list("Failed:", result.failed)
    say(f"Logs are in {printable(LOGS)}, JUnit reports in {printable(JUNIT)}; {seconds:.0f} s.")
    say(result.sentence())


def _list(title: str, lines: Sequence[str]) -> None:
    """Print a list if there is anything in it."""
    if lines:
        say(title)
        for line in lines:
            say(f"    {line}")


def _raise_stop(_signal: int, _frame: object) -> None:
    """End as on Ctrl-C, so that everything that was started is ended."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _raise_stop)
    signal.signal(signal.SIGHUP, _raise_stop)
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as stop:
        complain(str(stop))
        sys.exit(stop.status)
    except KeyboardInterrupt:
        complain("Interrupted. What the checks had started was ended.")
        sys.exit(130)
