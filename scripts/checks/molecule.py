# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule over the lab: every scenario counts as one test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from scripts import lab_setup
from scripts.checks.lint import venv_path
from scripts.checks.outcome import Outcome, Skip, single, skipped, total
from scripts.console import run, say, show_tail
from scripts.paths import BUILD, LOGS, ROOT, venv_program

if TYPE_CHECKING:
    from collections.abc import Sequence


# The whole, with and without faults, and one role that repairs; the lab's own tests play all of these roles.
SAMPLE = ("default", "faults", "bgp_firewall")


def sample(names: Sequence[str]) -> Outcome:
    """Run some of the scenarios, or those named."""
    return molecule(names or SAMPLE)


def molecule(names: Sequence[str]) -> Outcome:
    """Run every scenario from create to destroy, or those named."""
    scenarios = list(names) or sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
    problem = lab_setup.why_not()
    if problem:
        return Outcome(skipped=tuple(Skip(f"molecule {name}", problem) for name in scenarios))
    if not scenarios:
        return skipped("molecule", "there are no scenarios")
    with lab_setup.place_for("molecule") as directory:
        return total([_scenario(name, directory) for name in scenarios])


def _scenario(name: str, directory: str) -> Outcome:
    """Run one scenario."""
    log = LOGS / f"molecule-{name}.log"
    env = {
        **venv_path(),
        "NETMEDIC_LAB": directory,
        "MOLECULE_EPHEMERAL_DIRECTORY": str(BUILD / "molecule" / name),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        "PY_COLORS": "0",
    }
    say(f"    scenario {name}")
    shutil.rmtree(BUILD / "molecule" / name, ignore_errors=True)  # what an aborted run left behind
    done = run([venv_program("molecule"), "test", "--scenario-name", name], log=log, cwd=ROOT, env=env)
    if done.status:
        show_tail(done, log, 60)
    return single(f"molecule {name}", passed=done.status == 0)
