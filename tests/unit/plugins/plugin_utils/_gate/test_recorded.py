# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as an API gave them, in clusters that were broken on purpose; see recorded/SOURCE."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import objects
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate import model
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate.gate import gate

RECORDED = Path(__file__).parent / "recorded"
EVERYBODY = ("node-1", "node-2", "node-3")


def evidence(name):
    fact = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return Evidence({}, cluster=objects.read(fact))


def test_a_healthy_cluster_passes():
    assert not gate(evidence("healthy")).nodes
    assert not gate(evidence("healthy")).cluster


@pytest.mark.parametrize(
    ("name", "step", "kind", "nodes", "fault"),
    [
        ("taint", model.NOT_SCHEDULED, "taint", ("node-2",), "calico_node_not_scheduled"),
        ("webhook", model.NOT_CREATED, "webhook", ("node-3",), "admission_webhook_blocks_pods"),
        ("no_daemonset", model.DAEMONSET, "missing", EVERYBODY, "daemonset_missing"),
    ],
)
def test_what_stands_in_the_way(name, step, kind, nodes, fault):
    told = evidence(name)
    assert {(one.node, one.reason.step, one.reason.kind) for one in gate(told).nodes.values()} == {
        (node, step, kind) for node in nodes
    }
    assert {one.first.step for one in gate(told).nodes.values()} == {model.CALICO_IS_DOWN}
    first = next(item for item in rank(told) if item.role == "cause")
    assert (first.fault.id, first.subject.nodes) == (fault, nodes)
