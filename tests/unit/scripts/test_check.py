# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from scripts import check
from scripts.checks import molecule
from scripts.paths import ROOT


def test_checks_that_run_beside_the_last_are_with_it():
    wanted = [check.BY_NAME[name] for name in ("unit", "sanity", "kernel", "lab", "integration", "molecule")]
    groups = [[one.name for one in group] for group in check._groups(wanted)]
    assert groups == [["unit", "sanity"], ["kernel"], ["lab", "integration", "molecule"]]


def test_scenarios_of_the_sample_exist():
    assert {path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")} >= set(molecule.SAMPLE)
