# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is well on many clusters and behind the trouble on some.

It counts only where nothing that was read tells what is wrong, or that all is well: whoever shows it has a reason to.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .._catalogue.model import Seen
from .._evidence import address_facts
from .model import Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.address_facts import Held
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

FORWARD_DROPS, FLOATING, TWO_NETWORKS = "forward_drops", "floating_address", "two_networks"
PODS_TOO_LARGE, LIES_BELOW, BESIDE_PODS = "pods_too_large", "tunnel_below", "nodes_beside_pods"
STORED_NAME, DEVICE_DOWN = "stored_name", "device_of_routes_down"
# Where nobody told the pools: those of Calico's manifest, and of flannel's, by which Canal goes.
_USUAL_POOLS = tuple(ipaddress.ip_network(cidr) for cidr in ("192.168.0.0/16", "10.244.0.0/16"))
# What addresses have that move from host to host.
_MOVING = {address_facts.VIP, address_facts.MAYBE_VIP}

ODDITIES: dict[str, tuple[Cause, ...]] = {
    # Docker, ufw and others have it so; Calico's own rules let pods' packets pass, where they are there and in front.
    FORWARD_DROPS: (
        Cause("host_firewall_blocks_pod_interfaces", 3, "rules"),
        Cause("iptables_backend_mismatch", 1.5, "rules"),
    ),
    FLOATING: (
        Cause("vip_chosen_as_node_ip", 3, "own addresses"),
        Cause("wrong_ip_autodetection", 1.5, "addresses"),
    ),
    TWO_NETWORKS: (Cause("wrong_ip_autodetection", 3, "own addresses"),),
    PODS_TOO_LARGE: (
        Cause("mtu_misconfigured_value", 2, "size"),
        Cause("mtu_mismatch", 2, "size"),
    ),
    LIES_BELOW: (
        Cause("mtu_mismatch", 2, "size"),
        Cause("mtu_misconfigured_value", 1, "size"),
    ),
    BESIDE_PODS: (Cause("ippool_overlaps_network", 3, "pools"),),
    # Kubernetes' manifests give calico-node its Node's name; without it the one of its first start counts for good.
    STORED_NAME: (Cause("nodename_mismatch", 3, "names"),),
    # BIRD is there before Felix has set its tunnel up, and says so in every start; whoever shows it has seen it often.
    DEVICE_DOWN: (
        Cause("tunnel_device_missing", 2, "managers"),
        Cause("host_network_manager_interference", 1.5, "managers"),
    ),
}


def symptoms(evidence: Evidence) -> list[Symptom]:
    """What is odd about nodes of which there are texts only: of others it is known what comes of it."""
    nodes = [node for node in evidence.nodes.values() if not node.processes_listed]
    found = [symptom for node in nodes for symptom in _of_node(node)]
    return [*found, *_beside_pods(evidence)]


def _of_node(node: Node) -> Iterator[Symptom]:
    if node.packets.forward_drops:
        yield _odd(FORWARD_DROPS, node, "firewall", "FORWARD drops what no rule lets pass")
    own = [held for held in node.own.of_family("ipv4") if held.up is not False and held.scope != "link"]
    floating = [held for held in own if held.signs & _MOVING]
    if floating:
        what = f"{floating[0].with_length} beside another address on {floating[0].interface}"
        yield _odd(FLOATING, node, "addresses", f"{what}, as addresses have that move from host to host")
    elif len({_network(held) for held in own}) > 1:
        shown = ", ".join(f"{held.interface} {held.with_length}" for held in own[:3])
        yield _odd(TWO_NETWORKS, node, "addresses", f"it is in several networks: {shown}")
    yield from _of_sizes(node)
    for kept in node.log_lines("kernel_route"):
        if "Network is down" in kept.text:
            yield _odd(DEVICE_DOWN, node, "bird log", kept.text)
    for line in node.control.lines("nodename_stored"):
        yield _odd(STORED_NAME, node, f"log of {line.component or 'calico-node'}", line.text)


def _of_sizes(node: Node) -> Iterator[Symptom]:
    sizes = node.sizes
    carrying = [one for one in sizes.tunnels if one.mtu]
    least = min((one.mtu for one in carrying), default=sizes.host)
    largest = max(sizes.workloads, default=0)
    if least and largest > least:
        what = carrying[0].name if carrying else sizes.interface
        yield _odd(PODS_TOO_LARGE, node, "interfaces", f"pods' interfaces have an MTU of {largest}, {what} has {least}")
    elif carrying and sizes.links:
        what = f"{carrying[0].name} (MTU {carrying[0].mtu}) may go through {sizes.links[0]}, which carries less"
        yield _odd(LIES_BELOW, node, "interfaces", what)


def _beside_pods(evidence: Evidence) -> Iterator[Symptom]:
    """Nodes' addresses in a network that pods' addresses are taken from, as far as that is known."""
    cluster = evidence.cluster
    if cluster is None or cluster.pools:
        return  # what pools overlap is told for certain
    hosts = {pod.address for pod in cluster.pods_of("calico-node", "canal") if pod.address}
    pods = {pod.address for pod in cluster.pods if pod.address} - hosts
    for pool in _USUAL_POOLS:
        within = sorted(address for address in hosts if _is_in(address, pool))
        if within and any(_is_in(address, pool) for address in pods):
            what = f"nodes ({within[0]}) and pods have addresses of {pool}, which is a pool where nobody chose another"
            yield Symptom(BESIDE_PODS, (), (), (), (Seen("", "pods", what),))


def _odd(kind: str, node: Node, source: str, what: str) -> Symptom:
    return Symptom(kind, (node.name,), (), (), (Seen(node.name, source, f"{node.name}: {what}"),))


def _network(held: Held) -> str:
    try:
        return str(ipaddress.ip_interface(held.with_length).network)
    except ValueError:
        return ""


def _is_in(address: str, pool: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(address) in pool
    except ValueError:
        return False
