# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disturbed repairs are drawn."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos import drawn
from chaos.measure import why_by_hand
from chaos.playbooks import Outcome
from lab.faults.registry import FAULTS


def test_the_same_seed_draws_the_same():
    assert drawn.runs(3, 120) == drawn.runs(3, 120)
    assert drawn.runs(3, 120) != drawn.runs(4, 120)


def test_every_repair_is_made_undisturbed_before_any_is_disturbed():
    made = drawn.runs(1, 200)
    proofs = drawn.repairable()
    assert len(made) == 200
    assert made[: len(proofs)] == proofs
    assert all(run.disturbance in drawn.DISTURBANCES for run in made[len(proofs) :])


def test_each_disturbance_comes_equally_often():
    counts = Counter(run.disturbance for run in drawn.runs(1, 100, proofs=False))
    assert set(counts) == set(drawn.DISTURBANCES)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_only_what_the_lab_can_make_is_drawn():
    known = {(fault.id, variant.name) for fault in FAULTS for variant in fault.variants}
    assert {(run.fault, run.variant) for run in drawn.repairable()} <= known
    assert all(0 <= run.moment <= 1 for run in drawn.runs(5, 200))


@pytest.mark.parametrize(
    ("fault", "status", "told", "came", "by_hand"),
    [
        # A full table drops some packets, and lets sessions come and go.
        ("conntrack_full", 2, "cannot be set: /proc/sys is read-only here, or not for this user", True, True),
        ("ip_forward_off", 2, "cannot be set: /proc/sys is read-only here, or not for this user", False, False),
        ("conntrack_full", 2, "The host cannot be reached", False, False),
        ("ip_forward_off", 0, "Plan: nothing is to be repaired\n  by hand   x on node-1: y\nTASK [z]", False, True),
        ("ip_forward_off", 0, "Plan: nothing is to be repaired\n  by hand   x on node-1: y\nTASK [z]", True, False),
        ("ip_forward_off", 0, "Plan: one step\nTASK [z]", False, False),
    ],
)
def test_a_run_that_does_nothing_needs_a_reason(fault, status, told, came, by_hand):
    assert bool(why_by_hand(drawn.Run(fault, "", drawn.FIRST), Outcome(status, told), came=came)) is by_hand


def test_runs_are_chosen_by_words_of_their_names():
    made = drawn.runs(1, 200)
    chosen = drawn.named(made, ["ssh cut"])
    assert chosen
    assert all("ssh cut" in run.name for run in chosen)
    assert drawn.named(made, []) == made
