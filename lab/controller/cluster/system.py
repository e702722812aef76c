# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubeadm leaves beside the nodes: namespaces, Services, settings of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...topology import POD_POOL
from ..names import DNS_SERVICE, KUBE_SYSTEM, KUBERNETES_SERVICE, KUBERNETES_VERSION, SERVICE_CIDR
from ..objects import Object, make

if TYPE_CHECKING:
    from ...topology import Plan

NAMESPACES = ("default", "kube-node-lease", "kube-public", KUBE_SYSTEM, "shop")
_CLASSES = (("system-node-critical", 2000001000), ("system-cluster-critical", 2000000000))


def namespaces() -> list[Object]:
    """The namespaces; "shop" is the lab's own workload."""
    return [
        make(
            "v1",
            "Namespace",
            name,
            labels={"kubernetes.io/metadata.name": name},
            spec={"finalizers": ["kubernetes"]},
            status={"phase": "Active"},
        )
        for name in NAMESPACES
    ]


def objects(plan: Plan) -> list[Object]:
    """Services of the cluster itself, kubeadm's configuration, priority classes."""
    made = [
        service("kubernetes", "default", KUBERNETES_SERVICE, {}, [("https", 443, 6443)]),
        service(
            "kube-dns",
            KUBE_SYSTEM,
            DNS_SERVICE,
            {"k8s-app": "kube-dns"},
            [("dns-tcp", 53, 53), ("metrics", 9153, 9153)],
        ),
        service("web", "shop", "10.96.20.1", {"app": "web"}, [("http", 80, 8080)]),
        service("api", "shop", "10.96.20.2", {"app": "api"}, [("http", 80, 8080)]),
    ]
    configuration = (
        "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nclusterName: lab\n"
        f"controlPlaneEndpoint: {plan.topology.subnets[0].gateway}:6443\nkubernetesVersion: {KUBERNETES_VERSION}\n"
        f"networking:\n  dnsDomain: cluster.local\n  podSubnet: {POD_POOL}\n  serviceSubnet: {SERVICE_CIDR}\n"
    )
    made.append(make("v1", "ConfigMap", "kubeadm-config", KUBE_SYSTEM, data={"ClusterConfiguration": configuration}))
    for name, value in _CLASSES:
        fields: Object = {"value": value, "globalDefault": False, "preemptionPolicy": "PreemptLowerPriority"}
        made.append(make("scheduling.k8s.io/v1", "PriorityClass", name, **fields))
    made.append(_api_endpoints(plan))
    return made


def service(
    name: str, namespace: str, address: str, selector: dict[str, str], ports: list[tuple[str, int, int]]
) -> Object:
    """A ClusterIP Service; ports as (name, port, target port)."""
    spec: Object = {
        "clusterIP": address,
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [
            {"name": each, "port": port, "protocol": "TCP", "targetPort": target} for each, port, target in ports
        ],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    if selector:
        spec["selector"] = selector
    labels = selector or {"component": "apiserver", "provider": "kubernetes"}
    return make("v1", "Service", name, namespace, labels=labels, spec=spec, status={"loadBalancer": {}})


def _api_endpoints(plan: Plan) -> Object:
    """The API itself: nodes reach it at the router's address."""
    made = make(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "kubernetes",
        "default",
        labels={"kubernetes.io/service-name": "kubernetes"},
        addressType="IPv4",
    )
    made["endpoints"] = [{"addresses": [plan.topology.subnets[0].gateway], "conditions": {"ready": True}}]
    made["ports"] = [{"name": "https", "port": 6443, "protocol": "TCP"}]
    return made
