# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from scripts.checks.integration import _count

PASSED = """\
Running bgp_facts integration test role
PLAY RECAP
Running node_facts integration test role
PLAY RECAP
"""
# As ansible-test 2.19 ends with --continue-on-error when targets fail.
FAILED = (
    PASSED
    + """\
ERROR: Command "ansible-playbook node_facts-xyz.yml -i inventory" returned exit status 2.
FATAL: The 1 integration test(s) listed below (out of 2) failed. See error output above for details:
node_facts
"""
)


def test_targets_are_counted():
    outcome = _count(PASSED, 0)
    assert (outcome.passed, outcome.failed) == (2, ())


def test_failed_targets_are_named():
    outcome = _count(FAILED, 1)
    assert (outcome.passed, outcome.failed) == (1, ("integration node_facts",))


def test_a_sudden_end_counts_against_the_target_that_ran():
    outcome = _count(PASSED, 1)
    assert (outcome.passed, outcome.failed) == (1, ("integration node_facts",))


def test_what_did_not_start_is_a_failure():
    outcome = _count("FATAL: no idea\n", 1)
    assert outcome.passed == 0
    assert len(outcome.failed) == 1
