# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that go by another name than their Node."""

from __future__ import annotations

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import log, summary, told

FAULT = "nodename_mismatch"


def gone(mesh, name):
    """calico-node has ended on a node: there is no BIRD, and its peers wait."""
    for peer in mesh.addresses:
        if peer != name:
            mesh.break_session(name, peer)
    mesh.daemon(name).update(running=False, socket_state="absent", troubled=[], peers={})
    mesh.bgp(name)["listeners"] = []


def test_that_bird_does_not_run_is_the_consequence(mesh, kube):
    gone(mesh, "node-2")
    mesh.facts["node-2"]["calico_node"].update(nodename="node-2.example.net", nodename_source="hostname")
    words = 'Failed to read Node from datastore error=nodes "node-2.example.net" not found'
    log(mesh, "node-2", "calico-node", "datastore", words)
    found = told(mesh, kube)
    assert found[FAULT].role == "cause"
    assert found[FAULT].subject.nodes == ("node-2",)
    assert {item.role for fault, item in found.items() if fault != FAULT} <= {"consequence"}
    assert "node-2.example.net" in summary(mesh, kube, FAULT)


def test_of_two_hosts_the_one_without_the_nodes_address_is_wrong(mesh, kube):
    mesh.facts["node-3"]["calico_node"].update(nodename="node-1", nodename_source="file", has_calico=True)
    mesh.facts["node-3"]["calico_node"].setdefault("calico", {})["version"] = "v3.29.1"
    mesh.facts["node-1"]["calico_node"].setdefault("calico", {})["version"] = "v3.29.1"
    found = told(mesh, kube)
    assert found[FAULT].subject.nodes == ("node-3", "node-1")
    assert found[FAULT].subject.where["node"] == "node-3"
