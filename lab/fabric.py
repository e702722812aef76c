# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies between the nodes: one more machine with a bridge per subnet, routing between them, and the time server.

It is a machine like the others, so the host's own network never sees an interface, bridge or address of the lab.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from . import services
from .controller.registered import AS_NUMBER
from .errors import LabError
from .machine import PATH, Batch, File, Machine, Specification
from .node import neighbours
from .topology import MTU, Node, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "fabric"
# -x keeps chronyd off the clock, `local` lets it serve the host's as it is.
ANNOUNCED = "203.0.113.0/24"
_CHRONY = "local stratum 8\nallow\n"


def specification(plan: Plan) -> Specification:
    """The machine with its bridges; the nodes' cables are laid by `wire`."""
    lines = ["link set lo up"]
    for subnet in plan.topology.subnets:
        # A bridge follows the least MTU of its ports unless its own was once changed by hand.
        lines += [
            f"link add {subnet.name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set {subnet.name} mtu {MTU - 1}",
            f"link set {subnet.name} mtu {MTU} up",
            f"address add {subnet.gateway}/{subnet.prefix_length} brd + dev {subnet.name}",
        ]
        if subnet.network6:
            lines.append(f"address add {subnet.gateway6}/{subnet.prefix_length6} dev {subnet.name} nodad")
    # A physical network that routes knows the way to the pods; without this, two subnets would need an encapsulation.
    if not plan.topology.overlay:
        lines += [f"route add {node.block} via {node.address}" for node in plan.nodes]
        lines += [f"route add {node.block6} via {node.address6}" for node in plan.nodes if node.block6]
    router = services.router(_router(plan)) if plan.topology.router_as else []
    return Specification(
        name=NAME,
        hostname=NAME,
        files=[File("/etc/hostname", 0o644, NAME + "\n"), *services.chrony(_CHRONY), *router],
        links=[],
        # Where the host filters bridges with iptables (Docker does), new namespaces do too: a switch must not.
        sysctls=[
            ("net/ipv4/ip_forward", "1"),
            ("-net/ipv6/conf/all/forwarding", "1"),
            ("-net/bridge/bridge-nf-call-iptables", "0"),
        ],
        network=[Batch([], "\n".join(lines) + "\n")],
        wires=[],
    )


def _router(plan: Plan) -> str:
    """The configuration of the router outside the cluster: every node is its peer, and it announces a network.

    It forwards by the static routes to the nodes' blocks: in a mesh every node announces every block to it.
    """
    own = plan.topology.subnets[0].gateway
    peers = "".join(
        f"protocol bgp node{node.number} from node {{\n  local {node.subnet.gateway} as {plan.topology.router_as};\n"
        f"  neighbor {node.address} as {AS_NUMBER};\n}}\n"
        for node in plan.nodes
    )
    return (
        f"router id {own};\n"
        "protocol device {\n  scan time 5;\n}\n"
        f"protocol static announced {{\n  route {ANNOUNCED} blackhole;\n}}\n"
        "template bgp node {\n  import all;\n"
        '  export where proto = "announced";\n  connect delay time 2;\n  connect retry time 5;\n'
        "  error wait time 5,30;\n  passive on;\n}\n" + peers
    )


def wire(fabric: Machine, plan: Plan, ends: Mapping[str, int], nodes: Iterable[Node]) -> None:
    """Lay a cable from the fabric to `eth0` of each node; `ends`: node name -> pid of the machine's first process."""
    lines = []
    for node in nodes:
        peer = f"peer name eth0 mtu {MTU} address {node.mac} netns {ends[node.name]}"
        lines += [
            f"link add {node.port} mtu {MTU} type veth {peer}",
            f"link set {node.port} master {node.subnet.name} up",
        ]
    batch(fabric, [*lines, neighbours(plan)])


def batch(fabric: Machine, lines: Iterable[str]) -> None:
    """Run lines of `ip -batch` in the fabric's network, all at once.

    The process namespace is not entered, so that pids in `netns <pid>` are the host's.
    """
    done = subprocess.run(
        ["nsenter", "-t", str(fabric.process.pid), "-n", "-m", "-r", "ip", "-batch", "-"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": PATH, "LC_ALL": "C"},
    )
    if done.returncode:
        raise LabError(f"the fabric's network could not be set up: {done.stderr.strip()}")
