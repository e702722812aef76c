# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, host, log, summary, told


def test_a_healthy_cluster_gives_nothing(mesh, kube):
    kube.backend("bird")
    assert told(mesh, kube) == {}


def test_a_silent_kubelet_is_the_cause_and_calico_is_not(mesh, kube):
    kube.condition("node-2", "Ready", *shapes.SILENT, lastHeartbeatTime=shapes.ago(400))
    host(mesh, "node-2")["kubelet"] = {"running": False}
    log(mesh, "node-2", "kubelet", "start", "Failed to run kubelet: running with swap on is not supported")
    found = told(mesh, kube)
    assert list(found) == ["kubelet_not_ready"]
    assert found["kubelet_not_ready"].confidence >= 0.95
    assert "Calico is not the cause" in summary(mesh, kube, "kubelet_not_ready")
    assert "kubectl describe node node-2" in commands(mesh, kube, "kubelet_not_ready")


def test_bird_that_is_gone_with_the_kubelet_follows_from_it(mesh, kube):
    kube.condition("node-2", "Ready", *shapes.SILENT)
    mesh.bgp("node-2")["daemons"]["ipv4"].update(running=False, socket_state="absent")
    mesh.bgp("node-2")["listeners"] = []
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    found = told(mesh, kube)
    assert found["kubelet_not_ready"].role == "cause"
    assert found["bird_not_running"].role == "consequence"


def test_a_machine_that_answers_nobody_is_more_than_its_kubelet(mesh, kube):
    kube.condition("node-2", "Ready", *shapes.SILENT)
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
        mesh.reach(peer, "node-2", "failed", "silent")
    mesh.lose("node-2")
    mesh.missing[0] = MissingNode("node-2", "unreachable: timed out", "10.0.0.10", unreachable=True)
    found = told(mesh, kube)
    assert found["peer_node_down"].role == "cause"
    assert found.get("kubelet_not_ready") is None


def test_a_node_without_cni_is_no_kubelets_fault(mesh, kube):
    kube.condition("node-2", "Ready", *shapes.NO_CNI)
    assert "kubelet_not_ready" not in told(mesh, kube)


def test_all_silent_at_once_is_critical_and_points_at_what_they_share(mesh, kube):
    for name in mesh.addresses:
        kube.condition(name, "Ready", *shapes.SILENT)
    item = told(mesh, kube)["kubelet_not_ready"]
    assert item.severity == "critical"
    assert any("load balancer" in seen.detail for _signal, seen_by in item.speaks_for for seen in seen_by)


def test_ready_that_flaps(mesh, kube):
    for reason, count in (("NodeNotReady", 5), ("NodeReady", 5)):
        kube.event("Node", "node-3", reason, f"Node node-3 status is now: {reason}", count)
    found = told(mesh, kube)
    assert list(found) == ["node_ready_flapping"]
    assert found["node_ready_flapping"].severity == "minor"
    kube.condition("node-3", "Ready", *shapes.SILENT)
    found = told(mesh, kube)
    assert (found["node_ready_flapping"].role, found["node_ready_flapping"].severity) == ("cause", "major")
    assert found["kubelet_not_ready"].role == "consequence"
