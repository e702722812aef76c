# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of Nodes of which Kubernetes knows no InternalIP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import api, commands, fix_lines, words
from .address_claims import agent_is_unwell
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Pod
    from .._evidence.evidence import Evidence


def nodes_without_internal_ip(evidence: Evidence) -> Iterator[Subject]:
    """Nodes of which Kubernetes knows no InternalIP."""
    cluster = evidence.cluster
    if cluster is None:
        return
    names = {one.record: one.name for one in evidence.registered}
    for name, kube in cluster.nodes.items():
        told = bool(kube.addresses or kube.conditions or kube.taints)
        if told and not kube.internal_addresses:
            where = api.where(f"node {name}", "status.addresses", node=names.get(name, name))
            yield Subject((names.get(name, name),), (), where, evidence.nodes.get(names.get(name, name)), kube)
    for name in sorted({pod.node for pod in cluster.pods_of("calico-node", "canal") if _lacks_address(pod)}):
        if name not in cluster.nodes:
            yield Subject((name,), (), api.where(f"node {name}", "status.addresses", node=name), None, name)


def _lacks_address(pod: Pod) -> bool:
    """A pod on the host's network that runs and has no address: the node has none that it could take."""
    return bool(pod.node) and pod.phase == "Running" and pod.addressless


def no_internal_ip(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The Node has addresses, and none of them is an InternalIP."""
    kube = evidence.cluster.nodes.get(_record(subject)) if evidence.cluster else None
    if kube is None or not kube.addresses or kube.internal_addresses:
        return []
    told = words.listed(f"{kind} {address}" for kind, address in kube.addresses)
    return [Seen(subject.nodes[0], f"Node/{kube.name}", told, "status.addresses")]


def no_address_at_all(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The Node has no address at all, and other Nodes have."""
    cluster = evidence.cluster
    kube = cluster.nodes.get(_record(subject)) if cluster else None
    if cluster is None or kube is None or kube.addresses:
        return []
    others = any(one.internal_addresses for one in cluster.nodes.values())
    return [Seen(subject.nodes[0], f"Node/{kube.name}", "none", "status.addresses")] if others else []


def waits_for_cloud(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The cloud's controller has not set the Node up yet: it is what gives it its addresses."""
    kube = evidence.cluster.nodes.get(_record(subject)) if evidence.cluster else None
    taints = [
        one.key
        for one in (kube.taints if kube else ())
        if one.key.endswith("cloudprovider.kubernetes.io/uninitialized")
    ]
    return [Seen(subject.nodes[0], f"Node/{_record(subject)}", taint, "spec.taints") for taint in taints]


def pods_have_no_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Several pods of Calico's run on their nodes' networks and have no address, one of them on this node."""
    pods = evidence.cluster.pods_of("calico-node", "canal", "typha") if evidence.cluster else ()
    lacking = [pod for pod in pods if _lacks_address(pod)]
    # A single one may be an object of which somebody showed a part.
    if len(lacking) < 2 or len(lacking) < len([pod for pod in pods if pod.phase == "Running"]) / 2:
        return []
    return [
        Seen(subject.nodes[0], f"Pod/{pod.name}", "Running, no address", "status.podIP")
        for pod in lacking
        if pod.node == _record(subject)
    ]


def _record(subject: Subject) -> str:
    return str(subject.where["object"]).partition("/")[2]


def tell_kubelet(evidence: Evidence, name: str) -> list[str]:
    """Tell kubelet the node's address, where no cloud's controller does; by the file that its distribution reads."""
    address = fix_lines.true_address(evidence, name).partition("/")[0]
    kind = evidence.flavour.distribution
    if kind in ("k3s", "rke2"):
        line = f"echo 'node-ip: {address}' | sudo tee -a /etc/rancher/{kind}/config.yaml"
        return [commands.on_node(name, line), fix_lines.restarted_unit(evidence, name)]
    files = "/etc/default/kubelet (/etc/sysconfig/kubelet on RHEL and its kin)"
    return [
        f"on {commands.node_word(name)}: add --node-ip={address} to KUBELET_EXTRA_ARGS in {files}",
        commands.on_node(name, "sudo systemctl restart kubelet"),
    ]


NODE_HAS_NO_INTERNAL_IP = Fault(
    id="node_has_no_internal_ip",
    family="node_address",
    title="The Node has no InternalIP",
    severity="major",
    role="cause",
    means=(
        "Kubernetes knows no InternalIP of this Node. Pods on the host's network have no address then, Typha among "
        "them, so that Felix finds no Typha; and autodetection by the InternalIP finds nothing."
    ),
    subjects=nodes_without_internal_ip,
    signals=(
        Signal(no_internal_ip, STRONG + MODERATE, required=True),
        Signal(no_address_at_all, STRONG, required=True),
        Signal(waits_for_cloud, MODERATE, required=True),
        Signal(pods_have_no_address, STRONG, required=True),
        Signal(agent_is_unwell, WEAK),
    ),
    summary=lambda evidence, subject: f"Kubernetes knows no InternalIP of {subject.nodes[0]}.",
    fix=Fix(
        action="give_internal_ip",
        text=(
            "It is kubelet, or with an external cloud provider its controller, that sets a Node's addresses: tell "
            "kubelet which is the node's (--node-ip), or repair the cloud controller manager."
        ),
        risk="low",
        disrupts="kubelet is restarted; pods go on",
        commands=lambda evidence, subject: [
            f"kubectl get node {commands.kube_name(evidence, subject.nodes[0])} -o yaml | grep -A8 addresses:",
            "kubectl get pods -A | grep -i cloud-controller",
            commands.on_node(subject.nodes[0], "sudo ps -o args= -C kubelet | tr ' ' '\\n' | grep -e node-ip -e cloud"),
            *tell_kubelet(evidence, subject.nodes[0]),
        ],
    ),
    verify="The Node lists its InternalIP, and calico-node and Typha have addresses.",
    lookalikes=(
        Lookalike("typha_discovery_misconfigured", "the Nodes have addresses, and Typha's Service has another name"),
        Lookalike("kubelet_not_ready", "the Node has its addresses, and kubelet stopped reporting"),
    ),
    explains=("autodetection_found_nothing", "typha_discovery_misconfigured", "typha_down", "undetermined"),
)

FAULTS = (NODE_HAS_NO_INTERNAL_IP,)
