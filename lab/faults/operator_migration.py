# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The move from Calico's manifest to the operator stands still at the first node that it takes over.

There is no operator in the lab: its objects are made as it leaves them when it waits (tigera/operator,
pkg/controller/migration and pkg/controller/status). What follows from them is the lab's own controllers': the old pod
leaves the node that was taken over, with its BIRD, and the new one's images cannot be had there.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .. import waiting
from ..api_client import JSON_PATCH
from ..controller.names import CALICO_NODE, CALICO_VERSION
from ..controller.objects import now
from ..topology import POD_POOL
from . import cluster, objects
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from .cluster import Object

LABEL = "projectcalico.org/operator-node-migration"
BEFORE, AFTER = "pre-operator", "migrated"
_SPACE, _OPERATORS_SPACE = "calico-system", "tigera-operator"
_REGISTRY = "quay.io"
_SPACES = "/api/v1/namespaces"
_APPS = "/apis/apps/v1/namespaces"
_OPERATOR = "/apis/operator.tigera.io/v1"
_ACCOUNTS = (CALICO_NODE, "calico-kube-controllers", "calico-typha")
# What the manifest's ConfigMap says, which the operator writes into its templates.
_SETTINGS = {"calico_backend": "bird", "veth_mtu": "0", "cni_network_config": "{}"}
_LIMIT = 20.0


def _begin(case: Case) -> None:
    """What an administrator and the operator do, in their order, until the first node is not Ready again."""
    case.lab.cut_registry(case.target, cut=True)
    _install_operator(case)
    _take_over_deployments(case)
    _label(case, {node.name: BEFORE for node in case.lab.nodes})
    old = case.lab.api().get(cluster.CALICO_NODE)
    _keep_to_nodes_before(case, old)
    cluster.create(case, f"{_APPS}/{_SPACE}/daemonsets", _operators_daemonset(case, old))
    _label(case, {case.target: AFTER})
    waiting.until(lambda: _not_stuck(case), "the operator's pod", _LIMIT)
    _complain(case)


def _install_operator(case: Case) -> None:
    for space, accounts in ((_OPERATORS_SPACE, ("tigera-operator",)), (_SPACE, _ACCOUNTS)):
        cluster.create(case, _SPACES, cluster.named("v1", "Namespace", space))
        for account in accounts:
            found = cluster.named("v1", "ServiceAccount", account, space)
            cluster.create(case, f"{_SPACES}/{space}/serviceaccounts", found)
    container = {"name": "tigera-operator", "image": "quay.io/tigera/operator:v1.36.7", "command": ["operator"]}
    spec = _deployment(case, "tigera-operator", "tigera-operator", container, hostNetwork=True)
    made = cluster.named("apps/v1", "Deployment", "tigera-operator", _OPERATORS_SPACE, spec=spec)
    cluster.create(case, f"{_APPS}/{_OPERATORS_SPACE}/deployments", made)
    pool = {"name": "default-ipv4-ippool", "cidr": POD_POOL, "encapsulation": "None", "natOutgoing": "Enabled"}
    network = {"bgp": "Enabled", "ipPools": [pool], "linuxDataplane": "Iptables"}
    installation = {"variant": "Calico", "registry": f"{_REGISTRY}/", "calicoNetwork": network}
    made = cluster.named("operator.tigera.io/v1", "Installation", "default", spec=installation)
    cluster.create(case, f"{_OPERATOR}/installations", made)


def _take_over_deployments(case: Case) -> None:
    """Those come first: the controllers, and Typha, which the operator always wants."""
    path = f"{cluster.DEPLOYMENTS}/calico-kube-controllers"
    old = case.lab.api().get(path)["spec"]["template"]["spec"]["containers"][0]
    cluster.delete(case, path)
    ports = [{"containerPort": 5473, "name": "calico-typha", "protocol": "TCP"}]
    typha = {"name": "calico-typha", "image": f"{_REGISTRY}/calico/typha:{CALICO_VERSION}", "ports": ports}
    _create_deployment(case, "calico-kube-controllers", _of_operator(old))
    _create_deployment(case, "calico-typha", typha, hostNetwork=True)
    service = {"selector": {"k8s-app": "calico-typha"}, "ports": [{"name": "calico-typha", "port": 5473}]}
    made = _owned(case, cluster.named("v1", "Service", "calico-typha", _SPACE, spec=service))
    cluster.create(case, f"{_SPACES}/{_SPACE}/services", made)


def _create_deployment(case: Case, name: str, container: Object, **more: Any) -> None:
    spec = _deployment(case, name, name, container, **more)
    made = _owned(case, cluster.named("apps/v1", "Deployment", name, _SPACE, spec=spec))
    cluster.create(case, f"{_APPS}/{_SPACE}/deployments", made)


def _deployment(case: Case, name: str, account: str, container: Object, **more: Any) -> Object:
    """One pod, on a node that has its image."""
    labels = {"k8s-app": name}
    others = [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [case.target]}]
    required = {"nodeSelectorTerms": [{"matchExpressions": others}]}
    pod = {
        "serviceAccountName": account,
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
        "containers": [container],
        **more,
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}


def _owned(case: Case, obj: Object) -> Object:
    """An object that the operator made for the Installation."""
    uid = case.lab.api().get(f"{_OPERATOR}/installations/default")["metadata"]["uid"]
    owner = {"apiVersion": "operator.tigera.io/v1", "kind": "Installation", "name": "default", "uid": uid}
    obj["metadata"]["ownerReferences"] = [{**owner, "controller": True, "blockOwnerDeletion": True}]
    return obj


def _of_operator(container: Object) -> Object:
    """A container as the operator renders it: its registry, and values in place of references to a ConfigMap."""
    made = copy.deepcopy(container)
    made["image"] = made["image"].replace("docker.io/", f"{_REGISTRY}/")
    for each in made.get("env") or []:
        key = (each.get("valueFrom") or {}).get("configMapKeyRef", {}).get("key")
        if key:
            each.pop("valueFrom")
            each["value"] = _SETTINGS.get(key, "")
    return made


def _label(case: Case, values: dict[str, str]) -> None:
    for name, value in values.items():
        cluster.patch(case, cluster.node(name), {"metadata": {"labels": {LABEL: value}}})


def _keep_to_nodes_before(case: Case, old: Object) -> None:
    """The manifest's DaemonSet is for nodes that are still to come. Its pods are left to run, to save the time."""
    selector = {**(old["spec"]["template"]["spec"].get("nodeSelector") or {}), LABEL: BEFORE}
    changes = [
        {"op": "replace", "path": "/spec/updateStrategy", "value": {"type": "OnDelete"}},
        {"op": "add", "path": "/spec/template/spec/nodeSelector", "value": selector},
    ]
    cluster.patch(case, cluster.CALICO_NODE, changes, JSON_PATCH)


def _operators_daemonset(case: Case, old: Object) -> Object:
    spec = copy.deepcopy(old["spec"])
    pod = spec["template"]["spec"]
    pod["nodeSelector"] = {**(pod.get("nodeSelector") or {}), LABEL: AFTER}
    for kind in ("initContainers", "containers"):
        pod[kind] = [_of_operator(each) for each in pod.get(kind) or []]
    typha = {"FELIX_TYPHAK8SNAMESPACE": _SPACE, "FELIX_TYPHAK8SSERVICENAME": "calico-typha"}
    pod["containers"][0]["env"] += [{"name": name, "value": value} for name, value in typha.items()]
    return _owned(case, cluster.named("apps/v1", "DaemonSet", CALICO_NODE, _SPACE, spec=spec))


def _pod(case: Case) -> Object | None:
    """The operator's pod on the node that it took over."""
    found = case.lab.api().get(f"{_SPACES}/{_SPACE}/pods?labelSelector=k8s-app%3D{CALICO_NODE}")["items"]
    return next((each for each in found if each["spec"].get("nodeName") == case.target), None)


def _not_stuck(case: Case) -> str:
    pod = _pod(case)
    states = ((pod or {}).get("status") or {}).get("initContainerStatuses") or []
    if not any("waiting" in each.get("state", {}) for each in states):
        return f"the operator's pod on {case.target} does not wait for its image yet"
    if case.target in cluster.calico_pods(case.lab):
        return f"the old pod is still on {case.target}"
    return ""


def _complain(case: Case) -> None:
    """TigeraStatus calico, in the operator's words."""
    pod = _pod(case) or {"metadata": {"name": CALICO_NODE}, "spec": {"initContainers": [{"name": "install-cni"}]}}
    said = f"Pod {_SPACE}/{pod['metadata']['name']} failed to pull container image for: "
    said += str(pod["spec"]["initContainers"][0]["name"])
    waits = f'DaemonSet "{_SPACE}/{CALICO_NODE}" is not available (awaiting 1 nodes)'
    moment = now()
    told = (
        ("Available", "False", "Unknown", ""),
        ("Progressing", "True", "ResourceNotReady", waits),
        ("Degraded", "True", "PodFailure", said),
    )
    conditions = [
        {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": moment}
        for kind, status, reason, message in told
    ]
    path = f"{_OPERATOR}/tigerastatuses"
    cluster.create(case, path, cluster.named("operator.tigera.io/v1", "TigeraStatus", "calico", spec={}))
    # It goes with its object.
    case.lab.api().patch(f"{path}/calico/status", {"status": {"conditions": conditions}})


def _missing(case: Case) -> str:
    nodes = [node for node in case.lab.nodes if node.name != case.target]
    return _not_stuck(case) or next((words for node in nodes if (words := cluster.pod_missing(case, node.name))), "")


def _give_up(case: Case) -> None:
    """Back to the manifest."""
    case.lab.cut_registry(case.target, cut=False)
    cluster.undo(case)


STUCK = Fault(
    id="operator_migration_stuck",
    description="the move from the manifest to the operator stands still at the target",
    inject=_begin,
    heal=_give_up,
    missing=_missing,
    default=listener,
    variants=(Variant("image", "the first node that is taken over cannot pull the operator's images"),),
    check=objects.must_have_api,
    least_nodes=3,
)
