# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of nodes that may explain why some of them are in trouble: what Kubernetes says of them, what runs on
them, and what the hosts tell of themselves.

All are strings, so that they can be compared; a property that is not known is left out. Times are told as bands that
hold one another ("within the last day"), as changes matter by how recent they are.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .._cluster import components
from .shared import HERE, NONE, NOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._cluster.model import Cluster, IPPool, KubeNode, Pod
    from .._evidence.model import Node

DAY = 86400
BANDS = (("hour", 3600), ("day", DAY), ("week", 7 * DAY))
# A label that names the node itself tells nothing about others, and one that repeats another property no more than it.
_TELLS_NOTHING = ("kubernetes.io/hostname", "beta.kubernetes.io/", "kubernetes.io/arch", "kubernetes.io/os")
_AGENTS = (components.CALICO_NODE, components.CANAL)
_REVISION = "controller-revision-hash"
_GATEWAY = " via "
Properties = dict[str, str]


def of_cluster(cluster: Cluster) -> dict[str, Properties]:
    """By each Node's name in Kubernetes what the API's objects tell of it."""
    found = {name: dict(_of_kube(node, cluster.taken_at)) for name, node in cluster.nodes.items()}
    _add_labels(cluster.nodes, found)
    _add_pods(cluster, found)
    _add_pools(cluster, found)
    return found


def of_host(node: Node) -> Properties:
    """What a host tells of itself."""
    return dict(_of_host(node))


def _of_kube(node: KubeNode, now: float | None) -> Iterator[tuple[str, str]]:
    for attribute, value in (
        ("operating system", node.os_image),
        ("kernel", node.kernel),
        ("kubelet", node.kubelet_version),
        ("architecture", node.architecture),
        ("provider", node.provider_id.partition(":")[0]),
    ):
        if value:
            yield attribute, value
    address = next(iter(node.internal_addresses), "")
    if address:
        yield "subnet", _around(address)
    yield "cordoned", HERE if node.unschedulable else NOT
    if node.created_at is not None:
        joined = datetime.fromtimestamp(node.created_at // DAY * DAY, timezone.utc)
        yield "joined on", joined.strftime("%Y-%m-%d")
        if now is not None:
            yield from _recent("joined", now - node.created_at)


def _around(address: str) -> str:
    """The network of 256 addresses (IPv6: of one link) that an address is in, where nobody tells its prefix."""
    try:
        return str(ipaddress.ip_network(f"{address}/{64 if ':' in address else 24}", strict=False))
    except ValueError:
        return address


def _recent(what: str, seconds: float) -> Iterator[tuple[str, str]]:
    """Whether something happened within the last hour, day, week."""
    for name, limit in BANDS:
        yield f"{what} within the last {name}", HERE if seconds < limit else NOT


def _add_labels(nodes: Mapping[str, KubeNode], found: dict[str, Properties]) -> None:
    """Every label by which nodes are divided, and for those without it that they are."""
    keys = {key for node in nodes.values() for key in node.labels if not key.startswith(_TELLS_NOTHING)}
    for key in sorted(keys):
        values = {name: node.labels.get(key) for name, node in nodes.items()}
        if len(set(values.values())) < len(values):
            for name, value in values.items():
                found[name][key] = NONE if value is None else value or HERE


def _add_pods(cluster: Cluster, found: dict[str, Properties]) -> None:
    """Which of the pods that were read runs on which nodes, and which calico-node, since when."""
    placed: dict[str, set[str]] = {}
    for pod in cluster.pods:
        if pod.node not in found or pod.deleting:
            continue
        if pod.component in _AGENTS:
            found[pod.node].update(_of_agent(pod, cluster.taken_at))
        else:
            placed.setdefault(_kind_of(pod), set()).add(pod.node)
    for kind, names in placed.items():
        for name, properties in found.items():
            properties[f"a pod of {kind}"] = HERE if name in names else NONE


def _kind_of(pod: Pod) -> str:
    """What a pod is one of: its component, else who made it."""
    return pod.component if pod.component != components.OTHER else pod.owner.rpartition("/")[2] or pod.name


def _of_agent(pod: Pod, now: float | None) -> Iterator[tuple[str, str]]:
    image = next((one.image for one in pod.containers if one.image and not one.init), "")
    if image:
        yield "calico-node's image", image
    if _REVISION in pod.labels:
        yield "calico-node's revision", pod.labels[_REVISION]
    if now is not None and pod.created_at is not None:
        yield from _recent("calico-node made anew", now - pod.created_at)


def _add_pools(cluster: Cluster, found: dict[str, Properties]) -> None:
    """The pools from which nodes hold blocks; without several of them that divides nobody."""
    pools = [(network, pool) for pool in cluster.pools if (network := _network(pool.cidr)) is not None]
    if len(pools) < 2:
        return
    for block in cluster.blocks:
        network = _network(block.cidr)
        if block.node in found and network is not None and not block.deleted:
            pool = _pool_of(network, pools)
            if pool is not None:
                found[block.node][f"a block of pool {pool.name}"] = HERE
    for _network_of, pool in pools:
        for properties in found.values():
            properties.setdefault(f"a block of pool {pool.name}", NONE)


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(cidr: str) -> Network | None:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None


def _pool_of(block: Network, pools: list[tuple[Network, IPPool]]) -> IPPool | None:
    at = int(block.network_address)
    holding = (
        pool
        for network, pool in pools
        if network.version == block.version and int(network.network_address) <= at <= int(network.broadcast_address)
    )
    return next(holding, None)


def _of_host(node: Node) -> Iterator[tuple[str, str]]:
    yield from _of_address(node)
    for attribute, value in (
        ("calico", node.calico_version),
        ("backend", node.backend),
        ("clock service", node.clock.service if node.clock else ""),
        ("firewall", " ".join(sorted(node.packets.owners))),
        ("network manager", " ".join(sorted(node.state.managers))),
        ("iptables", " ".join(node.state.versions.get("host", ()))),
    ):
        if value:
            yield attribute, value
    if node.uptime_seconds is not None:
        yield from _recent("booted", node.uptime_seconds)
    started = [daemon.booted_seconds_ago for daemon in node.daemons.values() if daemon.booted_seconds_ago is not None]
    if started:
        yield from _recent("BIRD started", min(started))


def _of_address(node: Node) -> Iterator[tuple[str, str]]:
    """The interface that has the address of BGP, its subnet and MTU, and the router behind which other nodes are."""
    address = node.bgp_addresses.get("ipv4") or node.bgp_addresses.get("ipv6") or ""
    held = next((one for one in node.addresses if one.address == address), None)
    if held is None:
        return
    yield "interface", held.interface
    network = _network(f"{address}/{held.prefix}") if held.prefix is not None else None
    if network is not None:
        yield "subnet of BGP's address", str(network)
    if node.mtu:
        if held.interface in node.mtu.interfaces:
            yield "MTU", str(node.mtu.interfaces[held.interface])
        gateways = {one.path_class.partition(_GATEWAY)[2].partition(" ")[0] for one in node.mtu.paths} - {""}
        if len(gateways) == 1:
            yield "gateway", gateways.pop()
