# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of the runs, to go on from."""

from __future__ import annotations

import json

import pytest

from chaos.measure import Record
from chaos.results import Results

RIGHT = Record("a@b, undisturbed", "undisturbed")
WRONG = Record("c@d, undisturbed", "undisturbed", worse=("node-1 Mesh is down",))


def test_what_was_right_is_not_measured_again(tmp_path):
    path = tmp_path / "build" / "chaos.json"
    first = Results(1, path)
    first.add(RIGHT)
    first.add(WRONG)
    second = Results(1, path)
    second.keep()
    assert second.right() == {RIGHT.name}
    assert [run["ok"] for run in second.of([RIGHT.name, WRONG.name, "never made"])] == [True, False]


def test_a_run_made_again_takes_the_place_of_the_first(tmp_path):
    results = Results(1, tmp_path / "chaos.json")
    results.add(WRONG)
    results.add(WRONG._replace(worse=()))
    written = json.loads((tmp_path / "chaos.json").read_text(encoding="utf-8"))
    assert written["seed"] == 1
    assert [(run["name"], run["ok"]) for run in written["runs"]] == [(WRONG.name, True)]
    assert written["runs"][0]["commit"]


def test_runs_of_another_seed_are_not_gone_on_with(tmp_path):
    Results(1, tmp_path / "chaos.json").add(RIGHT)
    with pytest.raises(ValueError, match="drawn with seed 1, not 2"):
        Results(2, tmp_path / "chaos.json").keep()


def test_without_a_file_there_is_nothing_to_go_on_with(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        Results(1, tmp_path / "chaos.json").keep()
