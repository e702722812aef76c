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
    from .._evidence.evidence import Evidence

NEVER, ALWAYS, CROSS = "Never", "Always", "CrossSubnet"
UNKNOWN_ADDRESS = "ADDRESS/LENGTH"
# Units under which distributions run the kubelet and kube-proxy in one process: on servers, and on agents.
_UNITS = {"k3s": ("k3s", "k3s-agent"), "rke2": ("rke2-server", "rke2-agent")}
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
        return api.at_owner(evidence, "pools", [], installation, _word(ipip, vxlan))
    lines = [
        line
        for name in wanted
        for line in api.at_owner(
            evidence, f"pool/{name}", [api.patch(evidence, "IPPool", name, spec)], installation, _word(ipip, vxlan)
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
        {**one, "encapsulation": _word(ipip, vxlan)} if ":" not in str(one["cidr"]) else dict(one) for one in told
    ]
    return {"calicoNetwork": {"ipPools": changed}} if changed else None


def _word(ipip: str, vxlan: str) -> str:
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
        return f"{commands.on_node(name, f'sudo systemctl restart {units[1]}')}   # {units[0]} on a server"
    label = "component=kube-proxy" if units is not None else "k8s-app=kube-proxy"
    where = f"-l {label} --field-selector spec.nodeName={commands.kube_name(evidence, name)}"
    return f"kubectl delete pod -n kube-system {where}"


def _control_plane(evidence: Evidence) -> list[str]:
    """The nodes of the control plane; where nobody tells them, a word to fill in."""
    nodes = evidence.cluster.nodes.values() if evidence.cluster else ()
    roles = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
    names = [one.name for one in nodes if any(role in one.labels for role in roles)]
    return list(api.names(evidence, names))[: agent_pod.FEW] or ["CONTROL-PLANE-NODE"]


def renewed_certificates(evidence: Evidence, name: str, paths: list[str]) -> list[str]:
    """Have certificates on a node renewed by what made them, and those that hold the old ones read the new."""
    units = _UNITS.get(evidence.flavour.distribution)
    if units is not None:
        line = commands.on_node(name, f"sudo systemctl restart {units[0]}")
        return [f"{line}   # renews what ends within 90 days; on an agent: {units[1]}"]
    kubelets = [path for path in paths if "kubelet" in path]
    others = [path for path in paths if path not in kubelets]
    lines = []
    if others or not paths:
        # Without a file it is the certificate of the server that was met.
        for at in [name] if others else _control_plane(evidence):
            renew = commands.on_node(at, "sudo kubeadm certs renew all")
            lines.append(f"{renew}   # where kubeadm made it; then restart the static pods, one by one")
    if kubelets:
        restart = commands.on_node(name, "sudo systemctl restart kubelet")
        lines.append(f"{restart}   # it asks for a new one; past the end it needs kubeadm join anew")
    return [*lines, f"{agent_pod.delete(evidence, name)}   # when the certificates are good again"]
