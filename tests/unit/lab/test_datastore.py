# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered, patches of faults over it, and views of single nodes."""

from __future__ import annotations

import copy
import json

from lab import datastore, topology

PLAN = topology.plan("one_subnet", 3)


def test_every_planned_node_is_registered_as_it_is():
    data = datastore.registered(PLAN)
    assert list(data["nodes"]) == ["node-1", "node-2", "node-3"]
    assert data["nodes"]["node-2"]["address"] == "10.200.0.10"
    assert data["nodes"]["node-2"]["blocks"] == ["10.244.2.0/26"]
    assert json.loads(json.dumps(data)) == data


def test_patches_merge_in_order_and_leave_their_inputs_alone():
    base = {"as_number": 1, "nodes": {"a": {"address": "x", "blocks": ["1"]}}}
    patches = [
        {"nodes": {"a": {"address": "y"}}},
        {"nodes": {"a": {"blocks": []}, "b": {"address": "z"}}},
        {"as_number": 2},
    ]
    before = copy.deepcopy((base, patches))
    merged = datastore.merged(base, patches)
    assert merged == {"as_number": 2, "nodes": {"a": {"address": "y", "blocks": []}, "b": {"address": "z"}}}
    merged["nodes"]["a"]["blocks"].append("2")
    assert (base, patches) == before


def test_a_view_is_one_nodes_only():
    patch = {"views": {"node-2": {"nodes": {"node-2": {"as_number": 64999}}}}}
    data = datastore.merged(datastore.registered(PLAN), [patch])
    assert datastore.seen_by(data, "node-2")["nodes"]["node-2"]["as_number"] == 64999
    assert datastore.seen_by(data, "node-1")["nodes"]["node-2"]["as_number"] is None
    assert "views" not in datastore.seen_by(data, "node-1")


def test_a_node_that_is_null_in_a_view_is_unknown_there():
    data = datastore.merged(datastore.registered(PLAN), [{"views": {"node-2": {"nodes": {"node-3": None}}}}])
    assert list(datastore.seen_by(data, "node-2")["nodes"]) == ["node-1", "node-2"]
    assert list(datastore.seen_by(data, "node-1")["nodes"]) == ["node-1", "node-2", "node-3"]


def test_patches_of_two_faults_can_be_withdrawn_in_any_order():
    base = datastore.registered(PLAN)
    one = {"nodes": {"node-1": {"router_id": "1.1.1.1"}}}
    other = {"nodes": {"gone": {"address": "10.200.0.200", "blocks": []}}}
    assert datastore.merged(base, [one, other]) == datastore.merged(base, [other, one])
    assert datastore.merged(base, []) == base
