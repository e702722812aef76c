# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPIP between the nodes, and a node's own firewall that drops it.

The kernel here has no IPIP device. A program stands in for it: it takes pods' packets from a tun device that is named
tunl0, and sends and receives them as packets of IP protocol 4 by raw sockets. So what is on the wire, and what packet
filters see of it, is the real thing.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .. import waiting
from ..topology import MTU
from . import objects, standins
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..topology import Node

POOLS = f"{objects.CALICO}/ippools"
_NAME = "ipip-stand-in"
_MTU = 1480
_LIMIT = 10.0
_TUNNEL = """\
import fcntl, os, select, socket, struct, sys
own, ends = sys.argv[1], dict(one.split("=") for one in sys.argv[2:])
def number(address): return struct.unpack("!I", socket.inet_aton(address))[0]
ways = [(number(net.split("/")[0]), int(net.split("/")[1]), end) for net, end in ends.items()]
device = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"tunl0", 0x1001))
wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, 4)
wire.bind((own, 0))
while True:
    for ready in select.select([device, wire], [], [])[0]:
        try:
            if ready is wire:
                packet = wire.recv(65535)
                os.write(device, packet[(packet[0] & 15) * 4:])
                continue
            packet = os.read(device, 65535)
            if packet[0] >> 4 == 4:
                to = struct.unpack("!I", packet[16:20])[0]
                for net, length, end in ways:
                    if net >> 32 - length == to >> 32 - length:
                        wire.sendto(packet, (end, 0))
        except OSError:
            pass
"""
_RULE = "INPUT -p 4 -j DROP"


def _address(node: Node) -> str:
    """The tunnel's own address: the first one of the node's block."""
    return str(ipaddress.ip_network(node.block)[0])


def _halves(node: Node) -> list[str]:
    """A node's block as two: routes to these go before BIRD's to the whole."""
    return [str(half) for half in ipaddress.ip_network(node.block).subnets()]


def _lay(case: Case, node: Node) -> None:
    others = [other for other in case.lab.nodes if other != node]
    machine = case.lab.machine(node.name)
    words = [f"{other.block}={other.address}" for other in others]
    standins.start(case, machine, _NAME, ["-c", _TUNNEL, node.address, *words], {})
    waiting.until(lambda: "" if _has_device(case, node) else f"{node.name} has no tunl0", "tunnels", _LIMIT)
    _size(case, node, _MTU)
    commands = [f"link set tunl0 mtu {_MTU} up", f"address add {_address(node)}/32 dev tunl0"]
    # Routes of the kernel's own are none of BIRD's business.
    commands += [f"route add {half} dev tunl0 proto kernel" for other in others for half in _halves(other)]
    for command in commands:
        case.run(["ip", *command.split()], machine)


def _size(case: Case, node: Node, mtu: int) -> None:
    """Give the pod, and Calico's file for new ones, the MTU that the tunnel leaves."""
    machine = case.lab.machine(node.name)
    case.try_run(["ip", "link", "set", node.workload, "mtu", str(mtu)], machine)
    case.try_run(["ip", "-n", "pod", "link", "set", "eth0", "mtu", str(mtu)], machine)
    case.try_run(["sh", "-c", f"printf {mtu} > /var/lib/calico/mtu"], machine)


def _has_device(case: Case, node: Node) -> bool:
    return case.lab.machine(node.name).exec(["ip", "link", "show", "tunl0"], check=False).returncode == 0


def _block(case: Case) -> None:
    pools = case.lab.api().get(POOLS).get("items") or []
    for pool in pools:
        if ":" not in pool["spec"]["cidr"]:
            objects.edit(case, f"{POOLS}/{pool['metadata']['name']}", {"spec": {"ipipMode": "Always"}})
    objects.follow(case.lab)
    for node in case.lab.nodes:
        _lay(case, node)
    case.run(["iptables-nft", "-A", *_RULE.split()])


def _open(case: Case) -> None:
    case.try_run(["iptables-nft", "-D", *_RULE.split()])
    for node in case.lab.nodes:
        standins.stop(case, case.lab.machine(node.name), _NAME)
        _size(case, node, MTU)
    objects.restore(case)


def reaches(case: Case, source: Node, target: Node) -> bool:
    """Whether the pod of one node reaches that of another."""
    ping = ["ip", "netns", "exec", "pod", "ping", "-c1", "-W1", target.pod_address]
    return case.lab.machine(source.name).exec(ping, check=False).returncode == 0


def _still_reached(case: Case) -> str:
    others = case.peers
    if len(others) > 1 and not reaches(case, others[0], others[1]):
        return f"the pod of {others[0].name} does not reach that of {others[1].name}"
    return (
        f"the pod of {others[0].name} still reaches that of {case.target}"
        if reaches(case, others[0], case.node)
        else ""
    )


BLOCKED = Fault(
    id="ipip_blocked",
    description="the pools use IPIP, and the node's own firewall drops IP protocol 4",
    inject=_block,
    heal=_open,
    missing=_still_reached,
    default=listener,
    check=objects.must_have_api,
    variants=(Variant("input", "a rule in INPUT drops protocol 4; sessions stay up"),),
    breaks_sessions=False,
    least_nodes=3,
)
