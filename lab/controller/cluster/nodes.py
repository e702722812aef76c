# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Nodes, their leases, and what Calico writes into their annotations."""

from __future__ import annotations

import hashlib
import platform
from typing import TYPE_CHECKING

from ... import overlay
from ..names import KUBERNETES_VERSION, PREFIX
from ..objects import Object, make, now, now_micro

if TYPE_CHECKING:
    from ...topology import Node, Plan

LEASES = "kube-node-lease"
LEASE_SECONDS = 40
_CAPACITY = {"cpu": "2", "memory": "4030880Ki", "ephemeral-storage": "40470732Ki", "pods": "110", "hugepages-2Mi": "0"}
_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def machine_id(node: Node) -> str:
    """/etc/machine-id of a node."""
    return hashlib.md5(f"{node.name} {node.address}".encode(), usedforsecurity=False).hexdigest()


def objects(plan: Plan) -> list[Object]:
    """Each Node with its lease."""
    made = []
    for node in plan.nodes:
        made += [_node(plan, node), lease(node.name)]
    return made


def lease(name: str) -> Object:
    """The lease that a kubelet renews."""
    spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now_micro()}
    return make("coordination.k8s.io/v1", "Lease", name, LEASES, spec=spec)


def _node(plan: Plan, node: Node) -> Object:
    own = f"{node.address}/{node.subnet.prefix_length}"
    annotations = {
        "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock",
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        # With the backend none calico-node writes nothing.
        **({f"{PREFIX}IPv4Address": own} if plan.topology.backend != "none" else {}),
        **overlay.written_on(plan, node),
        **({f"{PREFIX}IPv6Address": f"{node.address6}/{node.subnet.prefix_length6}"} if node.address6 else {}),
        **({f"{PREFIX}RouteReflectorClusterID": cluster} if (cluster := plan.cluster_id(node)) else {}),
    }
    made = make("v1", "Node", node.name, annotations=annotations, labels=labels(plan, node))
    # What kubeadm's controller-manager deals out; Calico's IPAM goes its own way.
    pod_cidrs = [f"10.244.{node.number}.0/24"]
    made["spec"] = {"podCIDR": pod_cidrs[0], "podCIDRs": pod_cidrs}
    made["status"] = _status(node)
    return made


def zone(number: int) -> str:
    """The zone of the subnet of this number, or in one subnet of the nodes whose number is odd or even."""
    return f"lab-{'ab'[number % 2]}"


def labels(plan: Plan, node: Node) -> dict[str, str]:
    """The labels of a Node."""
    number = plan.topology.subnets.index(node.subnet) if len(plan.topology.subnets) > 1 else node.number % 2
    found = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": "lab",
        "topology.kubernetes.io/zone": zone(number),
    }
    if node.number == 1:
        found["node-role.kubernetes.io/control-plane"] = ""
    if plan.cluster_id(node):
        found["route-reflector"] = "true"
    return found


def _status(node: Node) -> Object:
    addresses = [{"type": "InternalIP", "address": each} for each in (node.address, node.address6) if each]
    moment = {"lastHeartbeatTime": now(), "lastTransitionTime": now()}
    conditions = [
        {
            "type": "NetworkUnavailable",
            "status": "False",
            "reason": "CalicoIsUp",
            "message": "Calico is running on this node",
            **moment,
        },
        *(
            {"type": kind, "status": "False", "reason": why, "message": words, **moment}
            for kind, why, words in _PRESSURES
        ),
        {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
            **moment,
        },
    ]
    identity = machine_id(node)
    return {
        "addresses": [*addresses, {"type": "Hostname", "address": node.name}],
        "allocatable": dict(_CAPACITY),
        "capacity": dict(_CAPACITY),
        "conditions": conditions,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": f"{identity[:8]}-{identity[8:12]}-4000-8000-{identity[12:24]}",
            "containerRuntimeVersion": "containerd://1.7.13",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": KUBERNETES_VERSION,
            "kubeletVersion": KUBERNETES_VERSION,
            "machineID": identity,
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "systemUUID": f"{identity[:8]}-{identity[8:12]}-{identity[12:16]}-{identity[16:20]}-{identity[20:]}",
        },
    }
