# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repairs that fixes of several faults print, with the values that the evidence knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._cluster import effective
from . import address_truth, agent_pod, api, commands

if TYPE_CHECKING:
    from .._cluster.model import KubeNode
    from .._evidence.evidence import Evidence

NEVER, ALWAYS, CROSS = "Never", "Always", "CrossSubnet"
UNKNOWN_ADDRESS = "ADDRESS/LENGTH"
# Units under which distributions run the kubelet and kube-proxy in one process: on servers, and on agents.
_ROLE = "node-role.kubernetes.io/"
_OF_SERVERS = frozenset(("control-plane", "master", "etcd"))
# Managed control planes, by what the nodes tell of their distribution.
_PROVIDERS = {
    "eks": "Amazon EKS",
    "gke": "Google Kubernetes Engine",
    "aks": "Azure Kubernetes Service",
    "iks": "IBM Cloud Kubernetes Service",
    "roks": "Red Hat OpenShift on IBM Cloud",
}
_UNITS = {"k3s": ("k3s", "k3s-agent"), "rke2": ("rke2-server", "rke2-agent")}
_KUBELETS = {**_UNITS, "microk8s": ("snap.microk8s.daemon-kubelite", "snap.microk8s.daemon-kubelite")}
_PICK_POOLS = "-o custom-columns=NAME:.metadata.name,CIDR:.spec.cidr,IPIP:.spec.ipipMode,VXLAN:.spec.vxlanMode"


def true_address(evidence: Evidence, name: str, family: str = "ipv4", but: str = "") -> str:
    """The address by which others reach a node, with its prefix length; the placeholder where nothing tells it."""
    node, record = evidence.nodes.get(name), api.record_of(evidence, name)
    found = address_truth.truth(evidence, node, record, family) if node is not None else None
    held = node.own.of(found.address) if node is not None and found is not None and found.address else None
    return held.with_length if held is not None and held.address != but else UNKNOWN_ADDRESS


def pool_changes(evidence: Evidence, ipip: str, vxlan: str, names: tuple[str, ...] = ()) -> list[str]:
    """The encapsulation of pools changed at their owners: of those named, else of all that encapsulate otherwise."""
    spec = {"ipipMode": ipip, "vxlanMode": vxlan}
    cluster = evidence.cluster
    wanted = names or tuple(
        one.name
        for one in (cluster.pools if cluster else ())
        if not one.disabled and ":" not in one.cidr and (one.ipip, one.vxlan) != (ipip, vxlan)
    )
    installation = _installed_pools(evidence, ipip, vxlan)
    if not wanted and installation:
        return api.at_owner(evidence, "pools", [], installation, encapsulation_word(ipip, vxlan))
    lines = [
        line
        for name in wanted
        for line in api.at_owner(
            evidence,
            f"pool/{name}",
            [api.patch(evidence, "IPPool", name, spec)],
            installation,
            encapsulation_word(ipip, vxlan),
        )
    ]
    if lines:
        return list(dict.fromkeys(lines))
    look = f"kubectl get {api.resource(cluster, 'IPPool')} {_PICK_POOLS}"
    return [look, f"{api.patch(evidence, 'IPPool', 'NAME', spec)}   # NAME: each pool of the nodes' pods"]


def _installed_pools(evidence: Evidence, ipip: str, vxlan: str) -> dict[str, Any] | None:
    """The Installation's list of pools with another encapsulation: a merge patch replaces a list as a whole."""
    told = effective.installed(evidence.cluster, "calicoNetwork", "ipPools") if evidence.cluster else None
    if not isinstance(told, list) or not all(isinstance(one, Mapping) and one.get("cidr") for one in told):
        return None
    changed = [
        {**one, "encapsulation": encapsulation_word(ipip, vxlan)} if ":" not in str(one["cidr"]) else dict(one)
        for one in told
    ]
    return {"calicoNetwork": {"ipPools": changed}} if changed else None


def encapsulation_word(ipip: str, vxlan: str) -> str:
    """How the operator's Installation calls an encapsulation."""
    kind, mode = ("VXLAN", vxlan) if vxlan != NEVER else ("IPIP", ipip)
    return "None" if mode == NEVER else f"{kind}{mode if mode == CROSS else ''}"


def service_of_api(evidence: Evidence) -> str:
    """Address and port of the API server's Service; a search for them where nobody told."""
    found = evidence.cluster.services if evidence.cluster else ()
    for one in found:
        if (one.namespace, one.name) == ("default", "kubernetes") and one.cluster_ips and one.ports:
            address = commands.word(one.cluster_ips[0], "")
            return f"{f'[{address}]' if ':' in address else address}:{one.ports[0]}"
    return "$(kubectl get service kubernetes -o 'jsonpath={.spec.clusterIP}:{.spec.ports[0].port}')"


def kube_proxy_anew(evidence: Evidence, name: str) -> str:
    """Have kube-proxy on one node write its rules anew."""
    units = _UNITS.get(evidence.flavour.distribution)
    if units is not None and units[0] == "k3s":
        return restarted_unit(evidence, name)
    label = "component=kube-proxy" if units is not None else "k8s-app=kube-proxy"
    return f"kubectl delete pod -n kube-system -l {label} {commands.on_this(evidence, name)}"


def restarted_unit(evidence: Evidence, name: str) -> str:
    """Restart the unit in which a distribution runs the kubelet: a server's or an agent's, by the node's role; where
    that is not told, the one of both that runs."""
    server, agent = _KUBELETS.get(evidence.flavour.distribution, ("kubelet", "kubelet"))
    nodes = evidence.cluster.nodes if evidence.cluster else {}
    node = nodes.get(commands.kube_name(evidence, name))
    if server == agent or (node is not None and _serves(node)):
        return commands.on_node(name, f"sudo systemctl restart {server}")
    # A table tells roles, too: where others have them, who has none is an agent.
    if node is not None and (node.is_whole or any(map(_serves, nodes.values()))):
        return commands.on_node(name, f"sudo systemctl restart {agent}")
    return commands.on_node(name, f"sudo systemctl try-restart {server} {agent}")


def _serves(node: KubeNode) -> bool:
    return any(label.startswith(_ROLE) and label[len(_ROLE) :] in _OF_SERVERS for label in node.labels)


def provider_of_control_plane(evidence: Evidence) -> str:
    """Who runs the control plane, where that is a cloud's provider whose machines nobody else logs in to; else ''."""
    return _PROVIDERS.get(evidence.flavour.distribution, "")


def _renewed_by_provider(evidence: Evidence, name: str, paths: list[str], whose: str) -> list[str]:
    """On a managed cluster the provider renews what is of the control plane, and a node is replaced, not repaired."""
    anew = f"{agent_pod.delete(evidence, name)}   # when the certificates are good again"
    if paths:
        drain = f"kubectl drain {commands.kube_name(evidence, name)} --ignore-daemonsets --delete-emptydir-data"
        return [f"{drain}   # then have {whose} replace the machine: its certificates are made with it", anew]
    return [f"ask {whose} to renew the control plane's certificate   # nobody else can", anew]


def _control_plane(evidence: Evidence) -> list[str]:
    """The nodes of the control plane; where nobody tells them, a word to fill in."""
    nodes = evidence.cluster.nodes.values() if evidence.cluster else ()
    roles = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
    names = [one.name for one in nodes if any(role in one.labels for role in roles)]
    return list(api.names(evidence, names))[: agent_pod.FEW] or ["CONTROL-PLANE-NODE"]


def renewed_certificates(evidence: Evidence, name: str, paths: list[str]) -> list[str]:
    """Have certificates on a node renewed by what made them, and those that hold the old ones read the new."""
    if evidence.flavour.distribution in _UNITS:
        return [f"{restarted_unit(evidence, name)}   # renews what ends within 90 days"]
    whose = provider_of_control_plane(evidence)
    if whose:
        return _renewed_by_provider(evidence, name, paths, whose)
    clients = [path for path in paths if "kubelet-client" in path]
    kubelets = [path for path in paths if "kubelet" in path and path not in clients]
    others = [path for path in paths if "kubelet" not in path]
    lines = []
    if others or not paths:
        # Without a file it is the certificate of the server that was met.
        for at in [name] if others else _control_plane(evidence):
            renew = commands.on_node(at, "sudo kubeadm certs renew all")
            lines.append(f"{renew}   # where kubeadm made it; then restart the static pods, one by one")
    if kubelets:
        restart = commands.on_node(name, "sudo systemctl restart kubelet")
        lines.append(f"{restart}   # it asks for a new one; past the end it needs kubeadm join anew")
    if clients:
        lines += _new_client(evidence, name)
    if clients and not kubelets and not others:
        return lines
    return [*lines, f"{agent_pod.delete(evidence, name)}   # when the certificates are good again"]


def _new_client(evidence: Evidence, name: str) -> list[str]:
    """Give a kubelet a certificate again: past the end of its own it cannot ask for one, however often it starts."""
    user = f"system:node:{commands.kube_name(evidence, name)}"
    make = f"sudo kubeadm kubeconfig user --org system:nodes --client-name {user}"
    made = commands.on_node(_control_plane(evidence)[0], make)
    restart = commands.on_node(name, "sudo systemctl restart kubelet")
    return [
        f"{made}   # where kubeadm made it; what it prints is the new /etc/kubernetes/kubelet.conf of {name}",
        f"{restart}   # with the new file in its place; it writes its certificate anew",
    ]
