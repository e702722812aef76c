# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes: as Kubernetes knows them, and what Calico has on record about them.

With the Kubernetes datastore that record is annotations of the Kubernetes Node. calicoctl, and etcd, have it as a Node
object of projectcalico.org/v3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import metadata, values
from .model import CalicoNode, KubeNode, Taint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .given import Complaints, Given

DOMAIN = "projectcalico.org/"
_OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")


def read(
    listed: Any, of_calico: Any, leases: Any, complaints: Complaints
) -> tuple[dict[str, KubeNode], dict[str, CalicoNode]]:
    """Return Kubernetes' nodes and Calico's record of each, by name.

    of_calico: calicoctl's Node objects, which may also stand among the others; they go before annotations.
    """
    renewed = _leases(leases, complaints)
    nodes: dict[str, KubeNode] = {}
    records: dict[str, CalicoNode] = {}
    given_records: dict[str, CalicoNode] = {}
    for given, name in metadata.objects(listed, "Node", complaints):
        if is_calico_node(given.raw):
            given_records.setdefault(name, _calico_node(given, name))
        elif name in nodes:
            given.complain("metadata.name", "is there twice; the first one was read")
        else:
            nodes[name] = _kube_node(given, name, renewed.get(name))
            record = _from_annotations(given, nodes[name])
            if record is not None:
                records[name] = record
    for given, name in metadata.objects(of_calico, "Calico node", complaints):
        given_records.setdefault(name, _calico_node(given, name))
    records.update({name: _joined(record, nodes.get(name)) for name, record in given_records.items()})
    return nodes, records


def is_calico_node(raw: Mapping[str, Any]) -> bool:
    """Say whether a Node object is calicoctl's."""
    if plain.text(raw.get("apiVersion")).partition("/")[0].endswith("projectcalico.org"):
        return True
    spec = raw.get("spec")
    return isinstance(spec, dict) and ("bgp" in spec or "orchRefs" in spec)


def _leases(listed: Any, complaints: Complaints) -> dict[str, float | None]:
    """When each kubelet last renewed its lease. Those of other namespaces are about who leads."""
    found = {}
    for given, name in metadata.objects(listed, "Lease", complaints):
        if given.part("metadata").text("namespace") in ("", "kube-node-lease"):
            found[name] = given.part("spec").time("renewTime")
    return found


def _kube_node(given: Given, name: str, renewed: float | None) -> KubeNode:
    meta, spec, status = given.part("metadata"), given.part("spec"), given.part("status")
    info = status.part("nodeInfo")
    labels = meta.strings("labels")
    cidrs = spec.texts("podCIDRs") or tuple(filter(None, (spec.text("podCIDR"),)))
    system = info.text("operatingSystem") or next((labels[key] for key in _OS_LABELS if labels.get(key)), "linux")
    return KubeNode(
        name=name,
        addresses=tuple(_addresses(status)),
        labels=labels,
        annotations=meta.strings("annotations"),
        taints=tuple(Taint(one.text("key"), one.text("value"), one.text("effect")) for one in spec.parts("taints")),
        conditions=metadata.conditions(status),
        pod_cidrs=cidrs,
        provider_id=spec.text("providerID"),
        operating_system=system.lower(),
        os_image=info.text("osImage"),
        kernel=info.text("kernelVersion"),
        kubelet_version=info.text("kubeletVersion"),
        architecture=info.text("architecture"),
        unschedulable=spec.flag("unschedulable") is True,
        created_at=meta.time("creationTimestamp"),
        lease_renewed_at=renewed,
        uid=meta.text("uid"),
    )


def _addresses(status: Given) -> Iterator[tuple[str, str]]:
    for one in status.parts("addresses"):
        kind, address = one.text("type"), one.text("address")
        if kind and address:
            yield kind, values.plain_address(address) or address


def _from_annotations(given: Given, node: KubeNode) -> CalicoNode | None:
    """Calico's record of a Kubernetes Node. Without an annotation of Calico's there is none, except that a Node is
    always one that selectors may match."""
    notes = given.part("metadata").part("annotations")
    told = {key[len(DOMAIN) :]: value for key, value in node.annotations.items() if key.startswith(DOMAIN)}
    return CalicoNode(
        name=node.name,
        ipv4=_address(notes, f"{DOMAIN}IPv4Address"),
        ipv6=_address(notes, f"{DOMAIN}IPv6Address"),
        as_number=notes.as_number(f"{DOMAIN}ASNumber"),
        route_reflector_cluster_id=told.get("RouteReflectorClusterID", ""),
        labels=node.labels,
        ipip_tunnel=told.get("IPv4IPIPTunnelAddr", ""),
        vxlan_tunnel=told.get("IPv4VXLANTunnelAddr", ""),
        wireguard_key=bool(told.get("WireguardPublicKey") or told.get("WireguardPublicKeyV6")),
        windows=node.operating_system == "windows",
    )


def _calico_node(given: Given, name: str) -> CalicoNode:
    spec = given.part("spec")
    bgp, wireguard = spec.part("bgp"), spec.part("wireguard")
    orchestrators = [one.text("orchestrator") for one in spec.parts("orchRefs")]
    return CalicoNode(
        name=name,
        ipv4=_address(bgp, "ipv4Address"),
        ipv6=_address(bgp, "ipv6Address"),
        as_number=bgp.as_number("asNumber"),
        route_reflector_cluster_id=bgp.text("routeReflectorClusterID"),
        labels=metadata.labels_of(given),
        ipip_tunnel=bgp.text("ipv4IPIPTunnelAddr"),
        vxlan_tunnel=spec.text("ipv4VXLANTunnelAddr"),
        wireguard_key=bool(wireguard.raw or given.part("status").has("wireguardPublicKey")),
        kubernetes="k8s" in orchestrators or not orchestrators,
        internal_addresses=tuple(address for kind, address in _addresses(spec) if kind == "InternalIP"),
    )


def _joined(record: CalicoNode, node: KubeNode | None) -> CalicoNode:
    """calicoctl's object has the Kubernetes Node's labels; one that was written by hand may have left them out."""
    if node is None:
        return record
    return replace(
        record, labels={**node.labels, **record.labels}, windows=node.operating_system == "windows", kubernetes=True
    )


def _address(given: Given, key: str) -> str:
    """An address of a node with its prefix length. Calico takes one that it cannot read for absent."""
    written = given.text(key)
    if not written:
        return ""
    address = values.address_of_node(written)
    if not address or (":" in address) != ("6" in key.rpartition("/")[2]):
        family = "IPv6" if "6" in key.rpartition("/")[2] else "IPv4"
        given.complain(key, f'is "{written[:60]}", which is no {family} address; it counts as absent')
        return ""
    return address
