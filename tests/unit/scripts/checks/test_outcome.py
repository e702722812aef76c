# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from scripts.checks.outcome import Outcome, Skip, by_reason, from_junit, single, skipped, total

REPORT = """<?xml version="1.0" ?>
<testsuites><testsuite name="pytest">
<testcase classname="tests.unit.test_a" name="test_one"/>
<testcase classname="tests.unit.test_a" name="test_two"><failure message="no">why</failure></testcase>
<testcase classname="tests.unit.test_a" name="test_three"><error message="no"/></testcase>
<testcase classname="tests.unit.test_a" name="test_four"><skipped message="not root&#10;more"/></testcase>
<testcase name="test_five"><skipped>No tests applicable.</skipped></testcase>
</testsuite></testsuites>
"""


def test_a_report_is_counted_case_by_case(tmp_path):
    (tmp_path / "unit.xml").write_text(REPORT)
    outcome = from_junit(tmp_path / "unit.xml", suite="unit")
    assert outcome.passed == 1
    assert outcome.failed == ("unit tests.unit.test_a test_two", "unit tests.unit.test_a test_three")
    assert outcome.skipped == (
        Skip("unit tests.unit.test_a test_four", "not root"),
        Skip("unit test_five", "No tests applicable."),
    )
    assert outcome.sentence() == "1 passed, 2 failed, 2 skipped"


def test_a_broken_report_is_a_failure(tmp_path):
    (tmp_path / "unit.xml").write_text("<testsuites>")
    assert len(from_junit(tmp_path / "unit.xml").failed) == 1


def test_a_report_that_was_not_written_is_a_failure(tmp_path):
    assert len(from_junit(tmp_path / "unit.xml").failed) == 1


def test_outcomes_add_up():
    result = total([single("a", passed=True), single("b", passed=False), skipped("c", "why"), Outcome()])
    assert result == Outcome(1, ("b",), (Skip("c", "why"),))


def test_skips_of_one_reason_stand_together():
    skips = [
        Skip("a", "no root"),
        Skip("b", "no bird"),
        Skip("c", "no root"),
        Skip("c", "no root"),
        Skip("d", "no root"),
    ]
    assert by_reason([*skips, Skip("e", "no root")]) == ["a, c (2 times), d and 1 more: no root", "b: no bird"]
