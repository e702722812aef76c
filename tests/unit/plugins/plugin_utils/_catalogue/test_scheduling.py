# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, summary, told

GPU = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}


def take_away(mesh, kube, name):
    """The node runs nothing of Calico, and its peers are refused."""
    kube.without_pod(name)
    kube.condition(name, "Ready", *shapes.NO_CNI)
    mesh.bgp(name)["daemons"]["ipv4"].update(running=False, socket_state="absent")
    mesh.bgp(name)["listeners"] = []
    for peer in mesh.addresses:
        if peer != name:
            mesh.break_session(name, peer)


def test_a_taint_that_nobody_tolerates(mesh, kube):
    take_away(mesh, kube, "node-3")
    kube.node("node-3")["spec"]["taints"] = [GPU]
    kube.template()["tolerations"] = [{"key": "CriticalAddonsOnly", "operator": "Exists"}]
    found = told(mesh, kube)
    assert found["calico_node_not_scheduled"].role == "cause"
    assert found["calico_node_not_scheduled"].confidence >= 0.95
    assert found["bird_not_running"].role == "consequence"
    assert "dedicated=gpu:NoSchedule" in summary(mesh, kube, "calico_node_not_scheduled")
    assert "kubectl taint node node-3 dedicated=gpu:NoSchedule-" in commands(mesh, kube, "calico_node_not_scheduled")
    assert "patch -n kube-system daemonset/calico-node --type=json" in commands(mesh, kube, "calico_node_not_scheduled")


def test_a_label_that_is_asked_for(mesh, kube):
    take_away(mesh, kube, "node-3")
    kube.template()["nodeSelector"]["calico"] = "yes"
    for name in ("node-1", "node-2", "node-4"):
        kube.node(name)["metadata"]["labels"]["calico"] = "yes"
    assert "calico=yes" in summary(mesh, kube, "calico_node_not_scheduled")
    assert "kubectl label node node-3 calico=yes" in commands(mesh, kube, "calico_node_not_scheduled")


def test_a_pod_that_is_missing_for_no_told_reason_is_believed_with_less_confidence(mesh, kube):
    take_away(mesh, kube, "node-3")
    item = told(mesh, kube)["calico_node_not_scheduled"]
    assert 0.8 <= item.confidence < 0.97
    assert item.role == "cause"


def test_pods_that_a_quota_forbids(mesh, kube):
    take_away(mesh, kube, "node-3")
    message = 'Error creating: pods "calico-node-x" is forbidden: exceeded quota: compute, requested: pods=1'
    kube.event("DaemonSet", "calico-node", "FailedCreate", message)
    assert "exceeded quota" in summary(mesh, kube, "calico_node_not_scheduled")


def test_what_runs_all_the_same_is_believed_before_a_list_of_pods(mesh, kube):
    kube.without_pod("node-3")
    assert "calico_node_not_scheduled" not in told(mesh, kube)


def test_no_daemonset_at_all(mesh, kube):
    for name in mesh.addresses:
        kube.condition(name, "NetworkUnavailable", "True", "CalicoIsDown", "Calico is shutting down on this node")
    kube.objects["daemonsets"].clear()
    kube.objects["pods"].clear()
    for name in mesh.addresses:
        mesh.bgp(name)["daemons"]["ipv4"].update(running=False, socket_state="absent")
        mesh.bgp(name)["listeners"] = []
    found = told(mesh, kube)
    assert (found["daemonset_missing"].role, found["daemonset_missing"].severity) == ("cause", "critical")
    assert found["bird_not_running"].role == "consequence"
    assert "v3.28.1" in commands(mesh, kube, "daemonset_missing")


WEBHOOK = {
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "kyverno-resource-validating-webhook-cfg"},
    "webhooks": [
        {
            "name": "validate.kyverno.svc-fail",
            "failurePolicy": "Fail",
            "clientConfig": {"service": {"namespace": "kyverno", "name": "kyverno-svc", "path": "/validate/fail"}},
            "rules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                    "scope": "*",
                }
            ],
        }
    ],
}
NO_ENDPOINTS = {
    "kind": "EndpointSlice",
    "metadata": {
        "name": "kyverno-svc-x",
        "namespace": "kyverno",
        "labels": {"kubernetes.io/service-name": "kyverno-svc"},
    },
    "endpoints": [],
    "ports": [{"port": 9443}],
}
REFUSED = (
    'Error creating: Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call '
    'webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": context deadline exceeded'
)


def test_a_webhook_that_blocks_the_pods(mesh, kube):
    take_away(mesh, kube, "node-3")
    kube.objects["validatingwebhookconfigurations"] = [WEBHOOK]
    kube.event("DaemonSet", "calico-node", "FailedCreate", REFUSED, 17)
    found = told(mesh, kube)
    assert found["admission_webhook_blocks_pods"].role == "cause"
    assert found["bird_not_running"].role == "consequence"
    assert "calico_node_not_scheduled" not in found
    line = "kubectl get validatingwebhookconfiguration kyverno-resource-validating-webhook-cfg -o yaml"
    assert line in commands(mesh, kube, "admission_webhook_blocks_pods")


def test_a_dead_webhook_is_told_before_it_bites(mesh, kube):
    kube.objects["validatingwebhookconfigurations"] = [WEBHOOK]
    kube.objects["endpointslices"] = [NO_ENDPOINTS]
    item = told(mesh, kube)["admission_webhook_blocks_pods"]
    assert item.severity == "minor"
    assert "none will come back" in summary(mesh, kube, "admission_webhook_blocks_pods")
