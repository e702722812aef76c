# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's own objects about BGP and addresses: of crd.projectcalico.org/v1 and projectcalico.org/v3 alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import metadata, values
from .given import cleaned, shown
from .model import BGPConfiguration, BGPPeer, BlockAffinity, IPPool, NodeStatus, SecretRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .given import Complaints, Given

_MODES = {
    "never": "Never",
    "always": "Always",
    "crosssubnet": "CrossSubnet",
    # What the variables CALICO_IPV4POOL_IPIP and _VXLAN and the first API called them.
    "off": "Never",
    "cross-subnet": "CrossSubnet",
    "": "Never",
}


def pools(listed: Any, complaints: Complaints) -> Iterator[IPPool]:
    """Yield the IPPools that have a range of addresses."""
    for given, name in metadata.unique(metadata.objects(listed, "IPPool", complaints)):
        spec = given.part("spec")
        cidr = values.network(spec.text("cidr"))
        if not cidr:
            spec.complain("cidr", f"is {shown(spec.raw.get('cidr'))}, which is no range of addresses")
        old = spec.part("ipip")
        ipip = _mode(spec, "ipipMode")
        if not spec.has("ipipMode") and old.flag("enabled"):
            ipip = "CrossSubnet" if old.text("mode").lower() == "cross-subnet" else "Always"
        yield IPPool(
            name=name,
            cidr=cidr,
            ipip=ipip,
            vxlan=_mode(spec, "vxlanMode"),
            nat_outgoing=(spec.flag("natOutgoing") or spec.flag("nat-outgoing")) is True,
            disabled=spec.flag("disabled") is True,
            export_disabled=spec.flag("disableBGPExport") is True,
            node_selector=spec.text("nodeSelector") or "all()",
            block_size=spec.integer("blockSize"),
            allowed_uses=spec.texts("allowedUses"),
            meta=metadata.owned(given),
            modes_told=any(spec.has(key) for key in ("ipipMode", "vxlanMode", "ipip")),
        )


def _mode(spec: Given, key: str) -> str:
    if spec.raw.get(key) is False:  # YAML's word Off
        return "Never"
    written = spec.text(key)
    mode = _MODES.get(written.lower())
    if mode is None:
        spec.complain(key, f'is "{written[:40]}", not Never, Always or CrossSubnet')
    return mode or "Never"


def bgp_configurations(listed: Any, complaints: Complaints) -> Iterator[BGPConfiguration]:
    """Yield the BGPConfigurations. Calico obeys those called default and node.<name>."""
    for given, name in metadata.unique(metadata.objects(listed, "BGPConfiguration", complaints)):
        if name != "default" and not name.startswith("node."):
            given.complain("metadata.name", "is neither default nor node.<name>; Calico takes no notice of it")
        spec = given.part("spec")
        yield BGPConfiguration(
            name=name,
            mesh=spec.flag("nodeToNodeMeshEnabled"),
            as_number=spec.as_number("asNumber"),
            listen_port=_port(spec, "listenPort"),
            mesh_password=_secret(spec, "nodeMeshPassword"),
            mesh_max_restart_time=_duration(spec, "nodeMeshMaxRestartTime"),
            service_cluster_cidrs=_cidrs(spec, "serviceClusterIPs"),
            service_external_cidrs=_cidrs(spec, "serviceExternalIPs"),
            service_load_balancer_cidrs=_cidrs(spec, "serviceLoadBalancerIPs"),
            bind_mode=spec.text("bindMode"),
            ignored_interfaces=spec.texts("ignoredInterfaces"),
            program_cluster_routes=spec.text("programClusterRoutes"),
            meta=metadata.owned(given),
        )


def _port(spec: Given, key: str) -> int | None:
    port = spec.integer(key)
    if port is not None and not 0 < port < 65536:
        spec.complain(key, f"is {port}, which is no port")
        return None
    return port


def _secret(spec: Given, key: str) -> SecretRef | None:
    reference = spec.part(key).part("secretKeyRef")
    name = reference.text("name")
    return SecretRef(name, reference.text("key")) if name else None


def _duration(spec: Given, key: str) -> str:
    """A length of time as written ("120s"); a bare number is what a client made of it."""
    return spec.text(key)


def _cidrs(spec: Given, key: str) -> tuple[str, ...]:
    found = []
    for one in spec.parts(key):
        cidr = values.network(one.text("cidr"))
        if cidr:
            found.append(cidr)
        elif one.has("cidr"):
            one.complain("cidr", f"is {shown(one.raw.get('cidr'))}, which is no range of addresses")
    return tuple(found)


def bgp_peers(listed: Any, complaints: Complaints) -> Iterator[BGPPeer]:
    """Yield the BGPPeers. What Calico refuses or passes over is told and kept as written."""
    for given, name in metadata.unique(metadata.objects(listed, "BGPPeer", complaints)):
        spec = given.part("spec")
        peer_ip = spec.text("peerIP")
        if peer_ip and values.address_and_port(peer_ip) is None:
            spec.complain("peerIP", f'is "{peer_ip[:80]}", which is no address; Calico passes this peer over')
        yield BGPPeer(
            name=name,
            node=spec.text("node"),
            node_selector=spec.text("nodeSelector"),
            peer_ip=peer_ip,
            peer_selector=spec.text("peerSelector"),
            as_number=spec.as_number("asNumber"),
            local_as_number=spec.as_number("localASNumber"),
            password=_secret(spec, "password"),
            source_address=spec.text("sourceAddress"),
            keep_next_hop=spec.flag("keepOriginalNextHop") is True,
            next_hop_mode=spec.text("nextHopMode"),
            max_restart_time=_duration(spec, "maxRestartTime"),
            keepalive_time=_duration(spec, "keepaliveTime"),
            ttl_security=spec.integer("ttlSecurity"),
            reachable_by=spec.text("reachableBy"),
            filters=spec.texts("filters"),
            local_workload_selector=spec.text("localWorkloadSelector"),
            reverse_peering=spec.text("reversePeering"),
            meta=metadata.owned(given),
        )


def bgp_filters(listed: Any, complaints: Complaints) -> dict[str, dict[str, Any]]:
    """Return the BGPFilters' specifications as written, by name."""
    found = metadata.unique(metadata.objects(listed, "BGPFilter", complaints))
    return {name: given.written("spec") for given, name in found}


def node_statuses(listed: Any, complaints: Complaints) -> Iterator[NodeStatus]:
    """Yield the CalicoNodeStatuses."""
    for given, name in metadata.unique(metadata.objects(listed, "CalicoNodeStatus", complaints)):
        status = given.part("status")
        agent, bgp = status.part("agent"), status.part("bgp")
        peers = []
        for family, key in (("ipv4", "peersV4"), ("ipv6", "peersV6")):
            for one in bgp.parts(key):
                written = one.text("peerIP")
                known = values.address_and_port(written)
                peers.append((family, known[0] if known else written, one.text("type"), one.text("state")))
        yield NodeStatus(
            name=name,
            node=given.part("spec").text("node"),
            updated_at=status.time("lastUpdated"),
            bird={
                family: agent.part(key).text("state")
                for family, key in (("ipv4", "birdV4"), ("ipv6", "birdV6"))
                if agent.part(key).has("state")
            },
            peers=tuple(peers),
        )


def affinities(listed: Any, complaints: Complaints) -> Iterator[BlockAffinity]:
    """Yield the BlockAffinities that name a node and a block."""
    for given, _name in metadata.unique(metadata.objects(listed, "BlockAffinity", complaints)):
        spec = given.part("spec")
        node, cidr = spec.text("node"), values.network(spec.text("cidr"))
        if node and cidr:
            yield BlockAffinity(node, cidr, spec.text("state"), spec.flag("deleted") is True)
        else:
            spec.complain("node" if not node else "cidr", "is missing or no range of addresses")


def used(listed: Any, complaints: Complaints) -> dict[str, int]:
    """Return how many addresses of each block are in use."""
    found = {}
    for given, _name in metadata.objects(listed, "IPAMBlock", complaints):
        spec = given.part("spec")
        cidr = values.network(spec.text("cidr"))
        counts = [one.integer("used") for one in (given, spec) if one.has("used")]
        if not cidr:
            spec.complain("cidr", f"is {shown(spec.raw.get('cidr'))}, which is no range of addresses")
        elif counts:
            found[cidr] = max(counts[0] or 0, 0)
        elif spec.has("allocations"):
            found[cidr] = sum(one is not None for one in spec.items("allocations"))
    return found


def cluster_information(listed: Any, complaints: Complaints) -> tuple[str, str, bool | None]:
    """Return Calico's version, the cluster's type and whether the datastore is ready; '' and None: not told."""
    for given, name in metadata.objects(listed, "ClusterInformation", complaints):
        if name == "default":
            spec = given.part("spec")
            return spec.text("calicoVersion"), spec.text("clusterType"), spec.flag("datastoreReady")
    return "", "", None


def kube_controllers(listed: Any, complaints: Complaints) -> dict[str, Any]:
    """Return the specification of the KubeControllersConfiguration that is obeyed, {} if there is none."""
    for given, name in metadata.objects(listed, "KubeControllersConfiguration", complaints):
        if name == "default":
            return plain.mapping(cleaned(given.part("spec").raw))
    return {}
