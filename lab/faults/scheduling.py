# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""There is no calico-node pod on the node: kept away, refused, or without a DaemonSet that would make one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import cluster
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from .cluster import Object

_TAINT, _SELECTOR = "taint", "selector"
_KEY, _LABEL = "dedicated", "networking.example/calico"
_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
_POLICY = "policy-system"


def _keep_away(case: Case) -> None:
    if case.variant == _TAINT:
        # Calico's own manifest tolerates every taint; one that was edited often no longer does.
        tolerations = [{"key": "CriticalAddonsOnly", "operator": "Exists"}]
        cluster.set_template(case, lambda spec: spec.update(tolerations=[*tolerations, *_control_plane()]))
        taint = {"key": _KEY, "value": "database", "effect": "NoExecute"}
        cluster.patch(case, cluster.node(case.target), {"spec": {"taints": [taint]}})
        return
    for peer in case.peers:
        cluster.patch(case, cluster.node(peer.name), {"metadata": {"labels": {_LABEL: "true"}}})
    cluster.set_template(case, lambda spec: spec["nodeSelector"].update({_LABEL: "true"}))


def _control_plane() -> list[Object]:
    return [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}]


def _without_pod(case: Case) -> str:
    if case.target in cluster.calico_pods(case.lab):
        return f"{case.target} still has its calico-node pod"
    return _still_bird(case, case.target)


def _still_bird(case: Case, name: str) -> str:
    machine = case.lab.machine(name)
    alive = machine.exec(["pidof", "bird"], check=False).stdout.strip() or not machine.running
    return f"BIRD still runs on {name}" if alive else ""


def _delete_daemonset(case: Case) -> None:
    cluster.delete(case, cluster.CALICO_NODE)


def _without_any_pod(case: Case) -> str:
    pods = cluster.calico_pods(case.lab)
    if pods:
        return f"{len(pods)} calico-node pods are left"
    return next(filter(None, (_still_bird(case, node.name) for node in case.lab.nodes)), "")


def _refuse(case: Case) -> None:
    """A webhook of a policy engine whose own pods do not run, then a pod that is to be made anew."""
    cluster.create(case, "/api/v1/namespaces", cluster.named("v1", "Namespace", _POLICY))
    service = cluster.named("v1", "Service", "policy-webhook", _POLICY)
    service["spec"] = {"selector": {"app": "policy-webhook"}, "ports": [{"port": 443, "targetPort": 8443}]}
    cluster.create(case, f"/api/v1/namespaces/{_POLICY}/services", service)
    configuration = cluster.named("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "policy-webhook")
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "*"}
    client: Object = {"service": {"namespace": _POLICY, "name": "policy-webhook", "path": "/validate", "port": 443}}
    webhook: Object = {"name": "validate.policy.example", "failurePolicy": "Fail", "rules": [rule]}
    webhook["clientConfig"] = client
    webhook.update({"sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 10})
    cluster.create(case, _WEBHOOKS, {**configuration, "webhooks": [webhook]})
    cluster.restart_pod(case)


def _not_refused(case: Case) -> str:
    words = _without_pod(case)
    events = case.lab.api().get("/api/v1/namespaces/kube-system/events")["items"]
    told = any(each["reason"] == "FailedCreate" for each in events)
    return words or ("" if told else "nothing was refused yet")


NOT_SCHEDULED = Fault(
    id="calico_node_not_scheduled",
    description="the DaemonSet has no calico-node pod on the node",
    inject=_keep_away,
    heal=cluster.undo,
    missing=_without_pod,
    default=listener,
    variants=(
        Variant(_TAINT, "the node has a taint that the edited DaemonSet does not tolerate"),
        Variant(_SELECTOR, "the DaemonSet asks for a label that the node has not"),
    ),
)

DAEMONSET_MISSING = Fault(
    id="daemonset_missing",
    description="the DaemonSet calico-node is deleted, its pods with it",
    inject=_delete_daemonset,
    heal=cluster.undo,
    missing=_without_any_pod,
    default=None,
    ghost="calico-node",
    variants=(Variant("deleted", "kubectl delete daemonset"),),
)

WEBHOOK = Fault(
    id="admission_webhook_blocks_pods",
    description="a webhook that must agree to pods answers nobody, and calico-node's pod is to be made anew",
    inject=_refuse,
    heal=cluster.undo,
    missing=_not_refused,
    default=listener,
    variants=(Variant("no-endpoints", "its Service has no pods"),),
)
