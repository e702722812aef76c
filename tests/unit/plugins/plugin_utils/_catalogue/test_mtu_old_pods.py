# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left to do where Calico's MTU was lowered for a narrow router: the recorded facts of such a mesh
(tests/unit/cases/mtu_mismatch-router), with the sizes that the plugin's configuration and the pods have afterwards."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node

RECORDED = Path(__file__).parents[3] / "cases" / "mtu_mismatch-router"


@pytest.fixture
def first():
    """Return what to do by the first finding of a mesh whose plugin gives pods one MTU and whose pods have another."""

    def make(configured, existing):
        nodes = {}
        for path in RECORDED.glob("node-*.json"):
            told = json.loads(path.read_text(encoding="utf-8"))
            mtu = told["calico_mtu"]
            mtu["configured"]["cni"]["mtu"] = configured
            mtu["workloads"] = {"count": 2, "mtus": {str(existing): 2}}
            mtu["required"] = max(configured, existing)
            nodes[path.stem] = read_node(path.stem, told, "")
        report = analyse(Evidence(nodes, ()), datetime.now(UTC))
        assert report["findings"][0]["fault"] == "mtu_mismatch"
        return report["findings"][0]

    return make


def test_pods_that_are_older_than_the_repair_are_made_anew(first):
    finding = first(1400, 1500)
    assert finding["severity"] == "major"
    assert (finding["fix"]["action"], finding["fix"]["automatic"]) == ("renew_pods", False)
    assert "2 pods on node-1" in finding["fix"]["text"]
    assert any("spec.nodeName=node-1" in line for line in finding["fix"]["commands"])


def test_with_new_pods_nothing_of_calicos_is_left(first):
    finding = first(1400, 1400)
    assert finding["severity"] == "minor"
    assert finding["fix"]["action"] == "widen_path"


def test_before_the_repair_less_must_be_sent(first):
    assert first(1500, 1500)["fix"]["action"] == "align_mtu"
    assert first(1500, 1400)["fix"]["action"] == "align_mtu"
