# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.netmedic.calico.tests.unit.roles.report import promtool

TESTS = Path(__file__).parent / "components.test.yml"


@promtool.needed
def test_each_alert_on_a_component_is_raised_by_what_it_is_for_and_by_nothing_else():
    well, said = promtool.run("test", "rules", TESTS)
    assert well, said


@promtool.needed
def test_a_wrong_expectation_is_noticed(tmp_path):
    row = {"series": 'felix_resync_state{instance="ill"}', "values": "1+0x20"}
    test = {"interval": "1m", "input_series": [row], "promql_expr_test": [promtool.firing(15)]}
    with pytest.raises(AssertionError, match="CalicoFelixNotInSync"):
        promtool.check(tmp_path, promtool.COMPONENTS, [test])


def test_no_alert_is_without_a_test():
    groups = yaml.safe_load(promtool.COMPONENTS.read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    expected = re.findall(r'alertname="(\w+)"', TESTS.read_text())
    assert alerts == set(expected)
