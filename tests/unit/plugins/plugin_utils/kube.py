# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A builder of the fact calico_cluster with objects as "kubectl get -o json" prints them.

The shapes are those of Kubernetes 1.29 and of Calico's manifests; the messages are those that kubelet, the scheduler,
the API server and calico-node print.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import objects

if TYPE_CHECKING:
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import Cluster

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = (
    *("nodes", "pods", "daemonsets", "deployments", "events", "services", "endpointslices", "configmaps", "ippools"),
    *("blockaffinities", "felixconfigurations", "clusterinformations", "bgpconfigurations", "installations"),
)
READY = ("True", "KubeletReady", "kubelet is posting ready status")
SILENT = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
NO_CNI = (
    "False",
    "KubeletNotReady",
    (
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
        "returns error: cni plugin not initialized"
    ),
)
PLEG = ("False", "KubeletNotReady", "PLEG is not healthy: pleg was last seen active 3m7s ago; threshold is 3m0s")


def ago(seconds: float) -> str:
    """A stamp so many seconds before the cluster was read."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Kube:
    """A healthy cluster with Calico by manifest until a test changes it."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        self.status = dict.fromkeys(KINDS, "ok")
        self.more: dict[str, Any] = {}
        for number, (name, address) in enumerate(addresses.items()):
            self.objects["nodes"].append(self._node(name, address))
            self.objects["pods"].append(self._pod(f"calico-node-{number:05d}", name, address))
            block = {"cidr": f"10.244.{number}.0/26", "node": name, "state": "confirmed"}
            self.objects["blockaffinities"].append(
                {"kind": "BlockAffinity", "metadata": {"name": f"{name}-10-244-{number}-0-26"}, "spec": block}
            )
        self.objects["daemonsets"].append(self._daemonset(len(addresses)))
        self.objects["ippools"].append(
            {
                "kind": "IPPool",
                "metadata": {"name": "default-ipv4-ippool"},
                "spec": {"cidr": "10.244.0.0/16", "ipipMode": "Always", "vxlanMode": "Never", "natOutgoing": True},
            }
        )
        information = {"calicoVersion": "v3.28.1", "clusterType": "k8s,bgp,kdd", "datastoreReady": True}
        self.objects["clusterinformations"].append(
            {"kind": "ClusterInformation", "metadata": {"name": "default"}, "spec": information}
        )

    @staticmethod
    def _node(name: str, address: str) -> dict[str, Any]:
        healthy = [
            {"type": kind, "status": "False", "reason": reason, "lastHeartbeatTime": ago(120)}
            for kind, reason in (
                ("MemoryPressure", "KubeletHasSufficientMemory"),
                ("DiskPressure", "KubeletHasNoDiskPressure"),
                ("PIDPressure", "KubeletHasSufficientPID"),
            )
        ]
        network = {"type": "NetworkUnavailable", "status": "False", "reason": "CalicoIsUp"}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "creationTimestamp": ago(864000),
                "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
                "annotations": {
                    "projectcalico.org/IPv4Address": f"{address}/24",
                    "projectcalico.org/IPv4IPIPTunnelAddr": "10.244.0.1",
                },
            },
            "spec": {"podCIDR": "10.244.0.0/24"},
            "status": {
                "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
                "conditions": [
                    {**network, "message": "Calico is running on this node", "lastTransitionTime": ago(86400)},
                    *healthy,
                    dict(zip(("type", "status", "reason", "message"), ("Ready", *READY), strict=True)),
                ],
                "nodeInfo": {"kubeletVersion": "v1.29.3", "osImage": "Debian GNU/Linux 12", "operatingSystem": "linux"},
            },
        }

    @staticmethod
    def _pod(name: str, node: str, address: str) -> dict[str, Any]:
        done = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": ago(86400)}}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "kube-system",
                "labels": {"k8s-app": "calico-node"},
                "ownerReferences": [{"kind": "DaemonSet", "name": "calico-node", "controller": True}],
            },
            "spec": {
                "nodeName": node,
                "containers": [{"name": "calico-node", "image": "docker.io/calico/node:v3.28.1"}],
                "initContainers": [{"name": "install-cni", "image": "docker.io/calico/cni:v3.28.1"}],
            },
            "status": {
                "phase": "Running",
                "podIP": address,
                "conditions": [
                    {"type": "Ready", "status": "True", "lastTransitionTime": ago(86000)},
                    {"type": "PodScheduled", "status": "True"},
                ],
                "initContainerStatuses": [{"name": "install-cni", "ready": True, "restartCount": 0, "state": done}],
                "containerStatuses": [
                    {
                        "name": "calico-node",
                        "ready": True,
                        "restartCount": 0,
                        "state": {"running": {"startedAt": ago(86390)}},
                    }
                ],
            },
        }

    @staticmethod
    def _daemonset(number: int) -> dict[str, Any]:
        probe = {"exec": {"command": ["/bin/calico-node", "-felix-ready", "-bird-ready"]}}
        backend = {"configMapKeyRef": {"name": "calico-config", "key": "calico_backend"}}
        return {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "calico-node", "namespace": "kube-system", "creationTimestamp": ago(864000)},
            "spec": {
                "template": {
                    "metadata": {"labels": {"k8s-app": "calico-node"}},
                    "spec": {
                        "hostNetwork": True,
                        "nodeSelector": {"kubernetes.io/os": "linux"},
                        "tolerations": [
                            {"effect": "NoSchedule", "operator": "Exists"},
                            {"key": "CriticalAddonsOnly", "operator": "Exists"},
                            {"effect": "NoExecute", "operator": "Exists"},
                        ],
                        "containers": [
                            {
                                "name": "calico-node",
                                "readinessProbe": probe,
                                "env": [
                                    {"name": "DATASTORE_TYPE", "value": "kubernetes"},
                                    {"name": "CALICO_NETWORKING_BACKEND", "valueFrom": backend},
                                ],
                            }
                        ],
                    },
                }
            },
            "status": {"desiredNumberScheduled": number, "numberReady": number},
        }

    def node(self, name: str) -> dict[str, Any]:
        """A Node by its name."""
        return next(one for one in self.objects["nodes"] if one["metadata"]["name"] == name)

    def pod(self, node: str) -> dict[str, Any]:
        """The calico-node pod of a node."""
        return next(one for one in self.objects["pods"] if one["spec"].get("nodeName") == node)

    def without_pod(self, node: str) -> None:
        """Take the calico-node pod of a node away."""
        self.objects["pods"].remove(self.pod(node))

    def template(self) -> dict[str, Any]:
        """The specification of the DaemonSet's pods."""
        found: dict[str, Any] = self.objects["daemonsets"][0]["spec"]["template"]["spec"]
        return found

    def condition(self, name: str, kind: str, status: str, reason: str, message: str, **more: Any) -> None:
        """Set a condition of a Node."""
        conditions = self.node(name)["status"]["conditions"]
        conditions[:] = [one for one in conditions if one["type"] != kind]
        conditions.append({"type": kind, "status": status, "reason": reason, "message": message, **more})

    def not_ready(self, node: str, **status: Any) -> dict[str, Any]:
        """The calico-node container of a node is not ready; status replaces what its container status says."""
        pod = self.pod(node)
        pod["status"]["conditions"][0] = {"type": "Ready", "status": "False", "reason": "ContainersNotReady"}
        pod["status"]["containerStatuses"][0].update({"ready": False, **status})
        return pod

    def event(self, kind: str, name: str, reason: str, message: str, count: int = 1, seconds: float = 60) -> None:
        """An event about an object."""
        self.objects["events"].append(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"{name}.17a2b3c4d5e6f708", "namespace": "kube-system"},
                "involvedObject": {"kind": kind, "name": name, "namespace": "" if kind == "Node" else "kube-system"},
                "type": "Normal" if reason in ("NodeReady", "NodeNotReady", "Starting") else "Warning",
                "reason": reason,
                "message": message,
                "count": count,
                "firstTimestamp": ago(seconds + 600),
                "lastTimestamp": ago(seconds),
                "source": {"component": "kubelet"},
            }
        )

    def backend(self, value: str) -> None:
        """What the ConfigMap calico-config says of the backend."""
        self.objects["configmaps"] = [
            {
                "kind": "ConfigMap",
                "metadata": {"name": "calico-config", "namespace": "kube-system"},
                "data": {"calico_backend": value, "typha_service_name": "none"},
            }
        ]

    def typha(self, *addresses: str, ready: bool = True, service: str = "calico-typha", told: str = "") -> None:
        """Typhas at these addresses behind a Service; calico-node is told of it, or of another one."""
        self.template()["containers"][0]["env"].append(
            {"name": "FELIX_TYPHAK8SSERVICENAME", "value": told or "calico-typha"}
        )
        labels = {"k8s-app": "calico-typha"}
        meta = {"name": "calico-typha", "namespace": "kube-system"}
        spec = {"replicas": len(addresses), "template": {"metadata": {"labels": labels}, "spec": {}}}
        self.objects["deployments"].append(
            {"kind": "Deployment", "metadata": {**meta, "labels": labels}, "spec": spec, "status": {"replicas": 1}}
        )
        for number, address in enumerate(addresses):
            self.objects["pods"].append(
                {
                    "kind": "Pod",
                    "metadata": {**meta, "name": f"calico-typha-75b899457d-{number:05d}", "labels": labels},
                    "spec": {"nodeName": "node-4", "containers": [{"name": "calico-typha"}]},
                    "status": {
                        "phase": "Running",
                        "podIP": address,
                        "conditions": [{"type": "Ready", "status": str(ready)}],
                        "containerStatuses": [{"name": "calico-typha", "ready": ready, "state": {"running": {}}}],
                    },
                }
            )
        self.objects["services"].append(
            {
                "kind": "Service",
                "metadata": {"name": service, "namespace": "kube-system"},
                "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 5473}]},
            }
        )
        self.objects["endpointslices"].append(
            {
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"{service}-x",
                    "namespace": "kube-system",
                    "labels": {"kubernetes.io/service-name": service},
                },
                "ports": [{"port": 5473}],
                "endpoints": [{"addresses": [one], "conditions": {"ready": ready}} for one in addresses],
            }
        )

    def fact(self) -> dict[str, Any]:
        """The fact calico_cluster."""
        return {
            "schema": 1,
            "reached": True,
            "via": "kubernetes client",
            "taken_at": ago(0),
            "version": "v1.29.3",
            "group": "crd.projectcalico.org/v1",
            "sources": [{"source": kind, "status": status} for kind, status in self.status.items()],
            "objects": self.objects,
            **self.more,
        }

    def cluster(self) -> Cluster:
        """The records that are read from it."""
        return objects.read(self.fact())
