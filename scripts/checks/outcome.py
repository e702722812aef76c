# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check found out: how many tests passed, which failed, which could not be run and why."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # our own tools' reports, not strangers' files
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Skip(NamedTuple):
    """A test that was not run, and the reason."""

    name: str
    reason: str


class Outcome(NamedTuple):
    """Counts of one check, or the sum of several."""

    passed: int = 0
    failed: tuple[str, ...] = ()
    skipped: tuple[Skip, ...] = ()

    def plus(self, other: Outcome) -> Outcome:
        """Both together."""
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def sentence(self) -> str:
        """The plain count."""
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """The sum of several outcomes."""
    result = Outcome()
    for outcome in outcomes:
        result = result.plus(outcome)
    return result


def single(name: str, *, passed: bool) -> Outcome:
    """The outcome of a tool that counts as one test."""
    return Outcome(passed=1) if passed else Outcome(failed=(name,))


def skipped(name: str, reason: str) -> Outcome:
    """The outcome of a test that could not be run."""
    return Outcome(skipped=(Skip(name, reason),))


def from_junit(*reports: Path, suite: str = "") -> Outcome:
    """Count the test cases in JUnit reports. A report that cannot be read is one failure."""
    return total(_one_report(report, suite) for report in reports)


def _one_report(report: Path, suite: str) -> Outcome:
    """Count the test cases in one JUnit report."""
    try:
        tree = ET.parse(report)  # noqa: S314  # written by our own tools a moment ago
    except (OSError, ET.ParseError) as error:
        return Outcome(failed=(f"{suite or report.stem}: its report cannot be read ({error})",))
    return total(_one_case(case, suite) for case in tree.iter("testcase"))


def _one_case(case: ET.Element, suite: str) -> Outcome:
    """Count one test case."""
    names = (suite, case.get("classname", ""), case.get("name", ""))
    name = " ".join(part for part in names if part)
    if case.find("failure") is not None or case.find("error") is not None:
        return Outcome(failed=(name,))
    skip = case.find("skipped")
    if skip is not None:
        reason = (skip.get("message") or skip.text or "no reason given").strip().splitlines()[0]
        return Outcome(skipped=(Skip(name, reason),))
    return Outcome(passed=1)


def by_reason(skips: Iterable[Skip], *, names_shown: int = 3) -> list[str]:
    """Lines that list the skipped tests, those with the same reason together."""
    groups: dict[str, list[str]] = {}
    for skip in skips:
        groups.setdefault(skip.reason, []).append(skip.name)
    lines = []
    for reason, names in groups.items():
        counted = [name if times == 1 else f"{name} ({times} times)" for name, times in Counter(names).items()]
        more = f" and {len(counted) - names_shown} more" if len(counted) > names_shown else ""
        lines.append(f"{', '.join(counted[:names_shown])}{more}: {reason}")
    return lines
