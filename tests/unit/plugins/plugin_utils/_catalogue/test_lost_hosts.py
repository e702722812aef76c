# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubelet that is lost alone, and a machine that is lost with it."""

from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import alone
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import summary, told


def causes(found):
    return {fault for fault, item in found.items() if item.role == "cause"}


def unreachable(mesh, name="node-2"):
    """Ansible cannot reach a node with which nobody's session is read as down."""
    address = mesh.addresses[name]
    mesh.lose(name)
    mesh.missing[-1] = MissingNode(name, "unreachable: timed out", address, unreachable=True)
    for other in mesh.facts:
        peers = [one for one in mesh.addresses.values() if one not in (mesh.addresses[other], address)]
        mesh.daemon(other)["peers"] = {"total": 2, "established": 2, "packed": {"Mesh": {"": " ".join(peers)}}}


def test_a_kubelet_and_its_host_lost_at_once_are_the_machine(mesh, kube):
    kube.condition("node-2", "Ready", *shapes.SILENT)
    unreachable(mesh)
    found = told(mesh, kube)
    assert causes(found) == {"peer_node_down"}
    assert found["peer_node_down"].subject.nodes == ("node-2",)
    assert found["peer_node_down"].subject.where["object"] == "Node/node-2"
    assert "is down or unreachable as a whole" in summary(mesh, kube, "peer_node_down")


def test_a_host_whose_sessions_are_up_has_lost_its_kubelet_only(mesh, kube):
    kube.condition("node-2", "Ready", *shapes.SILENT)
    mesh.lose("node-2")
    mesh.missing[0] = MissingNode("node-2", "unreachable: timed out", "10.0.0.10", unreachable=True)
    assert causes(told(mesh, kube)) == {"kubelet_not_ready"}


def test_a_host_that_answers_has_lost_its_kubelet_only(mesh, kube):
    kube.condition("node-2", "Ready", *shapes.SILENT)
    assert causes(told(mesh, kube)) == {"kubelet_not_ready"}


def unready(kube, *names):
    for name in names:
        status = kube.pod(name)["status"]
        for one in status["conditions"]:
            if one["type"] == "Ready":
                one["status"] = "False"
        status["containerStatuses"][0]["ready"] = False


UNTOLD = ("False", "", "")


def test_a_node_that_all_others_have_lost_is_down(kube):
    kube.condition("node-2", "Ready", *UNTOLD)
    unready(kube, "node-1", "node-3", "node-4")
    found = alone(kube)
    assert causes(found) == {"peer_node_down"}
    assert 0.5 <= found["peer_node_down"].confidence < 0.8


def test_readiness_that_names_the_lost_peer_tells_the_same(kube):
    kube.condition("node-2", "Ready", *UNTOLD)
    message = "Readiness probe failed: calico/node is not ready: BIRD is not ready: BGP not established with 10.0.0.10"
    kube.event("Pod", "calico-node-00000", "Unhealthy", message)
    assert "peer_node_down" in causes(alone(kube))


def test_some_pods_that_are_not_ready_tell_nothing_of_a_lost_node(kube):
    kube.condition("node-2", "Ready", *UNTOLD)
    unready(kube, "node-1")
    assert "peer_node_down" not in causes(alone(kube))


def test_several_nodes_that_are_not_ready_are_not_told_apart_by_pods(kube):
    for name in ("node-2", "node-3"):
        kube.condition(name, "Ready", *UNTOLD)
    unready(kube, "node-1", "node-4")
    assert "peer_node_down" not in causes(alone(kube))


def test_one_silent_kubelet_and_one_lost_machine_are_two_findings(mesh, kube):
    for name in ("node-2", "node-3"):
        kube.condition(name, "Ready", *shapes.SILENT)
    unreachable(mesh)
    found = told(mesh, kube)
    assert found["peer_node_down"].subject.nodes == ("node-2",)
    assert found["kubelet_not_ready"].subject.nodes == ("node-3",)
