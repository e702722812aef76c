# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments with their pods, and the EndpointSlices of Services. The lab's own workload is a small shop.

Only the first pod of a node is there for real, as a network namespace behind a `cali…` interface: the one of `web`.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from .. import pods
from ..names import CALICO_VERSION, KUBE_SYSTEM
from ..objects import Object, fingerprint, is_true, make, owner, same_labels, set_condition, suffix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...topology import Node, Plan

_REVISION = "deployment.kubernetes.io/revision"
# Offset in a node's block of a pod's address, by Deployment.
_PLACES = {"web": 2, "api": 3, "coredns": 4, "calico-kube-controllers": 5}


def deployments(plan: Plan) -> list[Object]:
    """The Deployments, with the status that all is well."""
    count = len(plan.nodes)
    critical = {"priorityClassName": "system-cluster-critical"}
    controllers = {"serviceAccountName": "calico-kube-controllers", **critical}
    made = [
        _deployment(
            "calico-kube-controllers",
            KUBE_SYSTEM,
            f"docker.io/calico/kube-controllers:{CALICO_VERSION}",
            1,
            strategy={"type": "Recreate"},
            labels={"k8s-app": "calico-kube-controllers"},
            environment={"ENABLED_CONTROLLERS": "node", "DATASTORE_TYPE": "kubernetes"},
            spec=controllers,
        ),
        _deployment(
            "coredns",
            KUBE_SYSTEM,
            "registry.k8s.io/coredns/coredns:v1.11.1",
            min(2, count),
            labels={"k8s-app": "kube-dns"},
            spec={"serviceAccountName": "coredns", **critical},
        ),
        _deployment("web", "shop", "registry.example/shop/web:1.4.2", count, labels={"app": "web"}),
        _deployment("api", "shop", "registry.example/shop/api:2.0.1", count, labels={"app": "api"}),
    ]
    for each in made:
        replicas = each["spec"]["replicas"]
        each["metadata"]["annotations"] = {_REVISION: "1"}
        each["status"] = {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas}
        each["status"].update({"readyReplicas": replicas, "availableReplicas": replicas})
        set_condition(each, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    return made


def _deployment(
    name: str,
    namespace: str,
    image: str,
    replicas: int,
    *,
    labels: dict[str, str],
    strategy: Object | None = None,
    environment: dict[str, str] | None = None,
    spec: Object | None = None,
) -> Object:
    container: Object = {"name": name, "image": image, "imagePullPolicy": "IfNotPresent"}
    if environment:
        container["env"] = [{"name": key, "value": value} for key, value in environment.items()]
    template_spec: Object = {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "containers": [container],
        "tolerations": [
            {
                "key": "node.kubernetes.io/not-ready",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            },
            {
                "key": "node.kubernetes.io/unreachable",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            },
        ],
        **(spec or {}),
    }
    made = make("apps/v1", "Deployment", name, namespace, labels=labels)
    made["spec"] = {
        "progressDeadlineSeconds": 600,
        "replicas": replicas,
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": labels},
        "strategy": strategy
        or {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {"metadata": {"labels": labels}, "spec": template_spec},
    }
    return made


def replicaset(deployment: Object) -> Object:
    """The ReplicaSet of a Deployment's present template, with no pods counted yet but those it shall have."""
    digest = fingerprint(deployment["spec"]["template"])
    metadata = deployment["metadata"]
    template = deployment["spec"]["template"]
    labels = {**template["metadata"]["labels"], "pod-template-hash": digest}
    annotations = {_REVISION: (metadata.get("annotations") or {}).get(_REVISION, "1")}
    made = make(
        "apps/v1",
        "ReplicaSet",
        f"{metadata['name']}-{digest}",
        metadata["namespace"],
        labels=labels,
        annotations=annotations,
    )
    made["metadata"]["ownerReferences"] = [owner(deployment)]
    replicas = deployment["spec"].get("replicas", 1)
    made["spec"] = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
    }
    made["status"] = {"replicas": replicas, "observedGeneration": 1}
    return made


def pods_of(plan: Plan, replicas: Object) -> list[Object]:
    """The running pods of a ReplicaSet, dealt to the nodes from the second one on: few are on the control plane."""
    made = []
    name = replicas["metadata"]["ownerReferences"][0]["name"]
    count = replicas["spec"]["replicas"]
    order = [*plan.nodes[1:], plan.nodes[0]]
    for number in range(count):
        node = order[number % len(order)]
        full = f"{replicas['metadata']['name']}-{suffix(name, number)}"
        pod = pods.bound(pods.made(replicas, replicas["spec"]["template"], full), node.name)
        pods.started(pod, node.address, address(node, _PLACES[name]), ready=True)
        made.append(pod)
    return made


def address(node: Node, place: int) -> str:
    """An address of a node's block by its place in it."""
    return str(ipaddress.ip_network(node.block)[place])


def slices(found: Iterable[Object]) -> list[Object]:
    """The EndpointSlices of the Services among these objects, from the pods among them."""
    found = list(found)
    services = [each for each in found if each["kind"] == "Service" and each["spec"].get("selector")]
    all_pods = [each for each in found if each["kind"] == "Pod"]
    return [endpoint_slice(each, all_pods) for each in services]


def endpoint_slice(service: Object, all_pods: Iterable[Object]) -> Object:
    """The EndpointSlice of one Service with a selector."""
    metadata = service["metadata"]
    selector = {"matchLabels": service["spec"]["selector"]}
    made = make(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        f"{metadata['name']}-{suffix(metadata['namespace'], metadata['name'])}",
        metadata["namespace"],
        labels={
            "kubernetes.io/service-name": metadata["name"],
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
        addressType="IPv4",
    )
    made["metadata"]["generateName"] = f"{metadata['name']}-"
    made["metadata"]["ownerReferences"] = [owner(service)]
    made["endpoints"] = [
        _endpoint(each)
        for each in all_pods
        if each["metadata"]["namespace"] == metadata["namespace"]
        and (each.get("status") or {}).get("podIP")
        and same_labels(selector, each["metadata"].get("labels") or {})
    ]
    made["ports"] = [
        {"name": each.get("name", ""), "port": _target(each), "protocol": each.get("protocol", "TCP")}
        for each in service["spec"].get("ports") or []
    ]
    return made


def _target(port: Object) -> Any:
    target = port.get("targetPort")
    return target if isinstance(target, int) else port["port"]


def _endpoint(pod: Object) -> Object:
    ready = is_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]
    terminating = "deletionTimestamp" in pod["metadata"]
    metadata = pod["metadata"]
    target = {
        "kind": "Pod",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata.get("uid", ""),
    }
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": ready, "terminating": terminating},
        "nodeName": pod["spec"].get("nodeName", ""),
        "targetRef": target,
    }
