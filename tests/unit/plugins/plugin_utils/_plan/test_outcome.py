# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.make import plan
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.model import Wishes
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.outcome import outcome

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
BLOCKED, SKEWED = "tcp179_blocked_host_firewall", "clock_skew"
WISHES = Wishes(bundle="/saved", inventory=("a", "b", "c", "d"), max_nodes="4")
BACK = "What this run did is undone by: ansible-playbook netmedic.calico.rollback -i INVENTORY -e rollback_run=/runs/x"


@pytest.fixture
def told(found, report):
    """What came of a plan of three turns."""

    def make(taken=3, broken=None, left=(), worse=()):
        made = plan(report(found(BLOCKED, "a", "b"), found(SKEWED, "c", role="time_sync")), WISHES, NOW)
        ledger = {"findings": {"left": list(left)}, "worse": list(worse)}
        return outcome(made, ledger, taken, broken or {}, "/runs/x")

    return make


def test_all_is_well(told):
    assert told() == {"good": True, "pending": False, "failed": ""}


def test_findings_that_were_not_meant_are_left_alone(told):
    assert told(left=[f"{BLOCKED}@d", "undetermined@a"])["good"]


def test_what_worked_and_does_not_any_more(told):
    found = told(worse=["a has lost its session with 10.0.0.2"])
    assert found["pending"]
    assert found["failed"] == f"Worse than before: a has lost its session with 10.0.0.2. {BACK}"


def test_what_is_still_there_after_its_repair(told):
    found = told(left=[f"{BLOCKED}@a,d"])
    assert found["pending"]
    assert found["failed"] == f"Still found after its repair: {BLOCKED} on a,d. {BACK}"


def test_a_step_that_failed_between_others(told):
    found = told(taken=1, broken={"why": "After 40 seconds it was undone."})
    assert not found["pending"]
    assert found["failed"] == (
        "bgp_firewall (step 2, a) failed: After 40 seconds it was undone. Done before it and kept: time_sync (step 1, "
        "c). Not begun: bgp_firewall (step 2, b). Run again once the cause is removed: what is done already is not "
        f"done again. {BACK}"
    )


def test_what_was_not_begun_was_not_repaired_in_vain(told):
    found = told(taken=1, broken={"why": "No."}, left=[f"{BLOCKED}@a,b"])["failed"]
    assert f"Still found: {BLOCKED} on a,b." in found
    assert "after its repair" not in found


def test_what_was_not_repaired_is_not_waited_for(told):
    assert not told(taken=1, left=[f"{BLOCKED}@a"])["pending"]
    assert told(taken=1, worse=["a has lost its session with 10.0.0.2"])["pending"]


def test_a_host_that_was_lost_at_the_first_step(told):
    failed = told(taken=0)["failed"]
    assert failed.startswith(
        "time_sync (step 1, c) failed: the host cannot be reached any more. Nothing was done before it."
    )
    # It is not known what was done there.
    assert BACK not in failed
    assert failed.endswith(BACK.replace("What this run did is", "If anything is left of what this run did, it is"))


def test_a_long_row_is_cut_short(told):
    assert "and 3 more" in told(worse=[f"a has lost {number}" for number in range(8)])["failed"]
