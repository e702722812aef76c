# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests over a running lab: every fault made for real, healthy meshes left undisturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts import lab_setup
from scripts.checks.lint import venv_path
from scripts.checks.outcome import Outcome, skipped
from scripts.checks.units import pytest
from scripts.console import say
from scripts.paths import ROOT, venv_program

if TYPE_CHECKING:
    from collections.abc import Sequence

TESTS = "tests/lab"


def sample(paths: Sequence[str]) -> Outcome:
    """Run the tests under tests/lab but for the thorough ones, or all of those given."""
    if paths:
        return faults(paths)
    say("    some of the faults and repairs; `make faults` tries all, in an hour or two")
    return faults([TESTS, "-m", "not thorough"])


def faults(paths: Sequence[str]) -> Outcome:
    """Run all tests under tests/lab, or those given."""
    if not (ROOT / TESTS).is_dir() and not paths:
        return skipped("lab", "there are no such tests")
    problem = lab_setup.why_not()
    if problem:
        return skipped("tests over the lab", problem)
    with lab_setup.place_for("tests") as directory:
        env = {**venv_path(), "NETMEDIC_LAB": directory}
        # A test mostly waits for BGP. Three at a time, on labs of their own, keep two cores busy.
        return pytest("lab", venv_program("python"), ["-n", "3", "--dist", "worksteal", *(paths or [TESTS])], env=env)
