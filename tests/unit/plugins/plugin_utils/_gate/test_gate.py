# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import Cluster
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate import model
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate.gate import gate
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube


def look(kube):
    return gate(Evidence({}, cluster=kube.cluster()))


def first(kube, node="node-2"):
    return look(kube).nodes[node].first


def reason(kube, node="node-2"):
    return look(kube).nodes[node].reason


def test_a_healthy_cluster_passes(kube):
    found = look(kube)
    assert (found.known, found.examined, dict(found.nodes), found.cluster, found.scopes) == (True, 4, {}, (), ())


def test_a_silent_kubelet_comes_first(kube):
    kube.condition("node-2", "Ready", *shapes.SILENT, lastHeartbeatTime=shapes.ago(400))
    kube.without_pod("node-2")
    found = first(kube)
    assert (found.step, found.kind) == (model.HOST, "silent")
    assert "6 min ago" in found.says
    assert "NodeStatusUnknown" in found.says


def test_an_old_lease_tells_before_the_node_controller_does(kube):
    lease = {"kind": "Lease", "metadata": {"name": "node-2", "namespace": "kube-node-lease"}}
    kube.objects["leases"] = [{**lease, "spec": {"holderIdentity": "node-2", "renewTime": shapes.ago(55)}}]
    assert first(kube).kind == "silent"
    kube.objects["leases"] = [{**lease, "spec": {"holderIdentity": "node-2", "renewTime": shapes.ago(9)}}]
    assert not look(kube).nodes


def test_a_kubelet_with_a_reason_of_its_own_is_not_calicos(kube):
    kube.condition("node-2", "Ready", *shapes.PLEG)
    assert (first(kube).step, first(kube).kind) == (model.HOST, "unwell")


def test_ready_that_goes_to_and_fro(kube):
    for reason_, message, count in (
        ("Starting", "Starting kubelet.", 3),
        ("InvalidDiskCapacity", "invalid capacity 0 on image filesystem", 2),
        ("NodeNotReady", "Node node-2 status is now: NodeNotReady", 2),
        ("NodeReady", "Node node-2 status is now: NodeReady", 4),
    ):
        kube.event("Node", "node-2", reason_, message, count)
    found = first(kube)
    assert (found.step, found.kind) == (model.FLAPPING, "kubelet_restarts")
    assert "NotReady 2 times and Ready 4 times" in found.says
    assert "started 3 times" in found.says


def test_one_reboot_is_no_flapping(kube):
    kube.event("Node", "node-2", "NodeNotReady", "Node node-2 status is now: NodeNotReady", 2)
    kube.event("Node", "node-2", "NodeReady", "Node node-2 status is now: NodeReady", 1)
    assert not look(kube).nodes


@pytest.mark.parametrize("message", [shapes.NO_CNI[2], "runtime network not ready: cni config uninitialized"])
def test_no_cni_is_a_symptom_of_what_follows(kube, message):
    kube.condition("node-2", "Ready", "False", "KubeletNotReady", message)
    kube.without_pod("node-2")
    kube.template()["tolerations"] = [{"key": "CriticalAddonsOnly", "operator": "Exists"}]
    kube.node("node-2")["spec"]["taints"] = [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]
    assert first(kube).step == model.CNI
    assert (reason(kube).step, reason(kube).kind) == (model.NOT_SCHEDULED, "taint")
    assert "dedicated=gpu:NoSchedule" in reason(kube).says


def test_calico_is_down_and_a_condition_that_is_left_over(kube):
    down = ("True", "CalicoIsDown", "Calico is shutting down on this node")
    kube.condition("node-2", "NetworkUnavailable", *down, lastTransitionTime=shapes.ago(90000))
    assert (first(kube).step, first(kube).kind) == (model.CALICO_IS_DOWN, "left_over")
    kube.condition("node-2", "NetworkUnavailable", *down, lastTransitionTime=shapes.ago(30))
    assert (first(kube).step, first(kube).kind) == (model.CALICO_IS_DOWN, "down")


def test_no_daemonset(kube):
    kube.objects["daemonsets"].clear()
    kube.objects["pods"].clear()
    found = look(kube)
    assert found.cluster_wide(model.DAEMONSET) is not None
    assert {one.first.step for one in found.nodes.values()} == {model.DAEMONSET}
    assert [scope.size for scope in found.scopes] == ["all"]
    kube.status["daemonsets"] = "forbidden"
    assert not look(kube).nodes


def test_a_cluster_without_calico_lacks_no_daemonset():
    bare = Kube({})
    bare.objects["daemonsets"].clear()
    bare.objects["ippools"].clear()
    assert gate(Evidence({}, cluster=bare.cluster())).cluster == ()


REFUSALS = {
    "webhook": (
        'Error creating: Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call '
        'webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": dial tcp 10.96.3.4:443: '
        "connect: connection refused"
    ),
    "pod_security": (
        'Error creating: pods "calico-node-x7k2m" is forbidden: violates PodSecurity "restricted:latest": host '
        "namespaces (hostNetwork=true), privileged"
    ),
    "quota": 'Error creating: pods "calico-node-x7k2m" is forbidden: exceeded quota: compute, requested: pods=1',
    "service_account": (
        'Error creating: pods "calico-node-" is forbidden: error looking up service account kube-system/calico-node: '
        'serviceaccount "calico-node" not found'
    ),
    "priority_class": (
        'Error creating: pods "calico-node-" is forbidden: no PriorityClass with name system-node-critical was found'
    ),
    "other": 'Error creating: Pod "calico-node-" is invalid: spec.containers[0].image: Required value',
}
DENIED = 'Error creating: admission webhook "policy.example.org" denied the request: no hostNetwork'
PROBES = {
    "bgp": (
        "Readiness probe failed: 2024-02-12 14:42:49.280 [INFO][5037] confd/health.go 180: Number of node(s) with "
        "BGP peering established = 0\ncalico/node is not ready: BIRD is not ready: BGP not established with "
        "10.94.227.28,10.94.227.48"
    ),
    "bird_socket": (
        "Readiness probe failed: calico/node is not ready: BIRD is not ready: Error querying BIRD: unable to connect "
        "to BIRDv4 socket: dial unix /var/run/bird/bird.ctl: connect: no such file or directory"
    ),
    "felix": "Readiness probe failed: calico/node is not ready: felix is not ready: readiness probe reporting 503",
    "startup": (
        "Readiness probe failed: calico/node is not ready: BIRD is not ready: Failed to stat() nodename file: stat "
        "/var/lib/calico/nodename: no such file or directory"
    ),
    "probe": 'Readiness probe failed: command "/bin/calico-node -bird-ready -felix-ready" timed out',
}


@pytest.mark.parametrize(("kind", "message"), [*REFUSALS.items(), ("webhook", DENIED)])
def test_who_refuses_the_pod(kube, message, kind):
    kube.without_pod("node-2")
    kube.event("DaemonSet", "calico-node", "FailedCreate", message, 12)
    kube.event("ReplicaSet", "shop-5d4f", "FailedCreate", "Error creating: exceeded quota")
    assert (first(kube).step, first(kube).kind) == (model.NOT_CREATED, kind)


def test_windows_virtual_and_new_nodes_need_no_pod(kube):
    for name in ("node-1", "node-2", "node-3"):
        kube.without_pod(name)
    kube.node("node-1")["metadata"]["labels"]["kubernetes.io/os"] = "windows"
    kube.node("node-1")["status"]["nodeInfo"]["operatingSystem"] = "windows"
    kube.node("node-2")["metadata"]["labels"]["eks.amazonaws.com/compute-type"] = "fargate"
    kube.node("node-3")["metadata"]["creationTimestamp"] = shapes.ago(20)
    assert not look(kube).nodes


def test_a_pod_that_waits_for_room(kube):
    waiting = kube.pod("node-2")
    del waiting["spec"]["nodeName"]
    message = "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) didn't match Pod's node affinity/selector."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    waiting["status"] = {"phase": "Pending", "conditions": [condition]}
    assert (first(kube).step, first(kube).kind) == (model.NOT_SCHEDULED, "resources")
    assert "Insufficient cpu" in first(kube).says


def test_an_init_container_that_fails(kube):
    pod = kube.not_ready("node-2", state={"waiting": {"reason": "PodInitializing"}})
    pod["status"]["phase"] = "Pending"
    failed = {"exitCode": 1, "reason": "Error", "message": "failed to create CNI directory: read-only file system"}
    pod["status"]["initContainerStatuses"][0].update(
        ready=False, restartCount=6, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": failed}
    )
    assert (first(kube).step, first(kube).kind) == (model.INIT, "install-cni")
    assert "exit code 1, failed to create CNI directory" in first(kube).says


def test_an_image_that_cannot_be_had(kube):
    state = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "calico/node:v9"'}}
    kube.not_ready("node-2", state=state)
    assert (first(kube).step, first(kube).kind) == (model.IMAGE, "ImagePullBackOff")


def test_a_container_that_lacks_its_configuration(kube):
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": 'configmap "calico-config" not found'}}
    kube.not_ready("node-2", state=state)
    assert first(kube).step == model.NOT_STARTING
    assert 'configmap "calico-config" not found' in first(kube).says


@pytest.mark.parametrize(
    ("last", "kind"), [({"exitCode": 137, "reason": "OOMKilled"}, "oom"), ({"exitCode": 1, "reason": "Error"}, "crash")]
)
def test_a_container_that_crashes_again_and_again(kube, last, kind):
    back_off = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=calico-node"}
    kube.not_ready("node-2", restartCount=9, state={"waiting": back_off}, lastState={"terminated": last})
    assert (first(kube).step, first(kube).kind) == (model.CRASHING, kind)
    assert f"exit code {last['exitCode']}" in first(kube).says


@pytest.mark.parametrize(("kind", "message"), PROBES.items())
def test_what_the_readiness_probe_says(kube, message, kind):
    pod = kube.not_ready("node-2")
    kube.event("Pod", pod["metadata"]["name"], "Unhealthy", message, 201)
    assert (first(kube).step, first(kube).kind) == (model.NOT_READY, kind)
    assert "confd/health.go" not in first(kube).says


def test_without_typha_the_nodes_that_wait_for_it_are_held_back(kube):
    kube.typha("10.0.0.12", ready=False)
    pod = kube.not_ready("node-2")
    kube.event("Pod", pod["metadata"]["name"], "Unhealthy", "Readiness probe failed: felix is not ready: 503")
    assert (reason(kube).step, reason(kube).kind) == (model.TYPHA, "not_ready")
    assert set(look(kube).nodes) == {"node-2"}


def test_an_api_that_gives_no_answer_is_told_and_the_nodes_still_speak(mesh):
    way = {"apiserver": {"10.96.0.1:443": {"established": 0, "opening": 2, "told": ["calico"]}}}
    mesh.facts["node-3"]["calico_node"]["host"] = {"control_plane": way}
    evidence = replace(mesh.evidence(), cluster=Cluster(reached=False, via="kubectl", why="connection refused"))
    found = gate(evidence)
    assert not found.known
    assert "connection refused" in found.cluster_wide(model.API).says
    assert [(one.name, one.first.step) for one in found.nodes.values()] == [("node-3", model.API)]


def test_nothing_is_known_without_evidence():
    assert gate(Evidence({})).nodes == {}
