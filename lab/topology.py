# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes a lab can have and the plan of names and addresses that follows from a shape. Pure data, no effects.

A new topology is one more entry in `TOPOLOGIES`. Nodes are dealt to its subnets in turn. Host numbers count up
over all subnets from `FIRST_HOST` = 9 on purpose: in Calico's mesh the node whose address is the greater *string*
dials, and ".9" > ".10", so number order and dial order differ, as they do in real clusters. Subnets are listed
greatest string first, which gives node-1 and node-2 the same part in every topology: node-1 dials everybody and
node-2 (".10", the least string) listens to everybody. With more than 81 nodes ".90" and later sort above ".9"; see
`Plan.dialler`.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import NamedTuple

from .errors import UsageError

FIRST_HOST = 9
MAX_NODES = 100
MTU = 1500
VXLAN_OVERHEAD = 50
POD_POOL = "10.244.0.0/16"
POD_POOL6 = "fd00:10:244::/64"
GATEWAY_HOST = 254
CLUSTER_ID = "244.0.0.1"
ROUTER_AS = 64700


class Subnet(NamedTuple):
    """One broadcast domain: a bridge in the fabric, with the fabric's own address (router, time server) at .254."""

    name: str
    network: str
    network6: str = ""

    @property
    def prefix_length(self) -> int:
        """For instance 24."""
        return ipaddress.ip_network(self.network).prefixlen

    @property
    def prefix_length6(self) -> int:
        """For instance 64; 0 without IPv6."""
        return ipaddress.ip_network(self.network6).prefixlen if self.network6 else 0

    def host6(self, number: int) -> str:
        """The IPv6 address that reads as a host number does: ::10 for 10; "" without IPv6."""
        return f"{self.network6.partition('/')[0]}{number}" if self.network6 else ""

    def host(self, number: int) -> str:
        """The address of a host number in this subnet."""
        return str(ipaddress.ip_network(self.network)[number])

    @property
    def gateway(self) -> str:
        """The fabric's address: router and time server."""
        return self.host(GATEWAY_HOST)

    @property
    def gateway6(self) -> str:
        """The fabric's IPv6 address, "" without IPv6."""
        return self.host6(GATEWAY_HOST)


class Topology(NamedTuple):
    """A shape: its name as users type it, what it is, its subnets.

    `reflectors`: how many of the first nodes are route reflectors in place of the mesh. `router_as`: the AS of a router
    outside the cluster that speaks BGP with every node at its subnet's gateway, 0 for none. `overlay`: what carries
    the pods' packets where there is no BIRD, Calico's own VXLAN ("vxlan") or flannel's beside it ("canal").
    """

    name: str
    description: str
    subnets: tuple[Subnet, ...]
    reflectors: int = 0
    router_as: int = 0
    overlay: str = ""

    @property
    def agent(self) -> str:
        """The DaemonSet that calico-node is in, and its pods' label k8s-app."""
        return "canal" if self.overlay == "canal" else "calico-node"

    @property
    def backend(self) -> str:
        """CALICO_NETWORKING_BACKEND: bird, vxlan or none."""
        return {"": "bird", "canal": "none"}.get(self.overlay, self.overlay)

    @property
    def pod_mtu(self) -> int:
        """What VXLAN leaves of the underlay's MTU, or all of it."""
        return MTU - VXLAN_OVERHEAD if self.overlay else MTU

    @property
    def dual_stack(self) -> bool:
        """Whether the nodes have IPv6 too."""
        return any(subnet.network6 for subnet in self.subnets)


class Node(NamedTuple):
    """One planned machine. `port` is the fabric's end of its cable, `workload` its `cali…` interface."""

    name: str
    number: int
    subnet: Subnet
    address: str
    mac: str
    block: str
    pod_address: str
    address6: str = ""
    block6: str = ""

    @property
    def port(self) -> str:
        """Name of the fabric's end of the node's cable."""
        return f"port{self.number}"

    @property
    def workload(self) -> str:
        """Name of the interface to the node's pod, made as Calico makes it."""
        return "cali" + hashlib.sha1(self.name.encode(), usedforsecurity=False).hexdigest()[:11]


class Plan(NamedTuple):
    """A topology with its nodes in order."""

    topology: Topology
    nodes: tuple[Node, ...]

    def node(self, name: str) -> Node:
        """The node of that name, else UsageError naming those there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise UsageError(f"this lab has no node {name!r}; it has {self.nodes[0].name} to {self.nodes[-1].name}")

    def cluster_id(self, node: Node) -> str:
        """The route reflector's cluster ID of a node, "" if it is none."""
        return CLUSTER_ID if node.number <= self.topology.reflectors else ""

    @property
    def dialler(self) -> Node:
        """The node that dials every other: the greatest address as a string."""
        return max(self.nodes, key=lambda node: node.address)

    @property
    def listener(self) -> Node:
        """The node that every other dials: the least address as a string."""
        return min(self.nodes, key=lambda node: node.address)


TOPOLOGIES: tuple[Topology, ...] = (
    Topology("one_subnet", "all nodes in 10.200.0.0/24", (Subnet("lan0", "10.200.0.0/24"),)),
    Topology(
        "two_subnets",
        f"10.200.1.0/24 and 10.200.2.0/24 behind one router of AS {ROUTER_AS}, nodes alternate",
        (Subnet("lan2", "10.200.2.0/24"), Subnet("lan1", "10.200.1.0/24")),
        router_as=ROUTER_AS,
    ),
    Topology(
        "route_reflectors",
        "10.200.0.0/24, no mesh: node-1 and node-2 are route reflectors of all others",
        (Subnet("lan0", "10.200.0.0/24"),),
        reflectors=2,
    ),
    Topology(
        "external_router",
        f"10.200.0.0/24, the mesh and a router of AS {ROUTER_AS} outside the cluster as everybody's peer",
        (Subnet("lan0", "10.200.0.0/24"),),
        router_as=ROUTER_AS,
    ),
    Topology(
        "dual_stack",
        "10.200.0.0/24 and fd00:10:200::/64, a mesh for each address family",
        (Subnet("lan0", "10.200.0.0/24", "fd00:10:200::/64"),),
    ),
    Topology(
        "vxlan",
        "10.200.0.0/24, Calico without BIRD: Felix' VXLAN between the nodes (a stand-in)",
        (Subnet("lan0", "10.200.0.0/24"),),
        overlay="vxlan",
    ),
    Topology(
        "canal",
        "10.200.0.0/24, Canal: flannel's VXLAN between the nodes, Calico for policy only (stand-ins)",
        (Subnet("lan0", "10.200.0.0/24"),),
        overlay="canal",
    ),
)


def topology(name: str) -> Topology:
    """The topology of that name, else UsageError naming those there are."""
    for candidate in TOPOLOGIES:
        if candidate.name == name:
            return candidate
    raise UsageError(f"there is no topology {name!r}; there are " + ", ".join(each.name for each in TOPOLOGIES))


def plan(topology_name: str, count: int) -> Plan:
    """Names and addresses for `count` nodes (1 to MAX_NODES) in a topology; the same input gives the same plan."""
    if not 1 <= count <= MAX_NODES:
        raise UsageError(f"a lab has 1 to {MAX_NODES} nodes, not {count}")
    shape = topology(topology_name)
    return Plan(shape, tuple(_node(shape, number) for number in range(1, count + 1)))


def _node(shape: Topology, number: int) -> Node:
    subnet = shape.subnets[(number - 1) % len(shape.subnets)]
    address = subnet.host(FIRST_HOST + number - 1)
    return Node(
        name=f"node-{number}",
        number=number,
        subnet=subnet,
        address=address,
        mac="02:4c:" + ":".join(f"{part:02x}" for part in ipaddress.ip_address(address).packed),
        block=f"10.244.{number}.0/26",
        pod_address=f"10.244.{number}.2",
        address6=subnet.host6(FIRST_HOST + number - 1),
        block6=f"{POD_POOL6.partition('::')[0]}::{number:x}00/122" if subnet.network6 else "",
    )
