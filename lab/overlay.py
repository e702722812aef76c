# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Felix and flannel write into a node's kernel for VXLAN, from the API's objects. Pure.

As in Calico (3.29): felix/dataplane/linux/vxlan_mgr.go, felix/vxlanfdb and felix/calc/vxlan_resolver.go; as in flannel
(0.24): pkg/backend/vxlan and pkg/subnet/kube. Both write three things for every other node: a permanent neighbour
entry and a permanent forwarding entry of its device, and a route to each of its ranges by way of its device's address.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .topology import MTU, POD_POOL, VXLAN_OVERHEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .topology import Node, Plan

    Object = dict[str, Any]

CALICO, FLANNEL = "vxlan.calico", "flannel.1"
PREFIX, FLANNEL_PREFIX = "projectcalico.org/", "flannel.alpha.coreos.com/"
SUBNET_ENV = "/run/flannel/subnet.env"
# VNI, UDP port, and what a route says of who made it.
_MADE = {CALICO: (4096, 4789, "proto 80 "), FLANNEL: (1, 8472, "")}
_UNDERLAY = "eth0"


class Vtep(NamedTuple):
    """A node's end of the overlay, as it is registered."""

    node: str
    end: str
    mac: str
    address: str
    ranges: tuple[str, ...]


class Tables(NamedTuple):
    """What is in a node's kernel: the device (name, VNI, port, local address, MAC, address), and lines as iproute2
    takes them after "neighbour", "fdb" and "route"."""

    device: tuple[str, ...]
    neighbours: frozenset[str] = frozenset()
    fdb: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()


def device(plan: Plan) -> str:
    """The device that carries pods' packets, "" where none does."""
    return {"vxlan": CALICO, "canal": FLANNEL}.get(plan.topology.overlay, "")


def mac(node: Node, overlay: str) -> str:
    """The MAC of a node's device: of its name with Felix, by chance with flannel."""
    if overlay == "vxlan":
        return _spelled(b"f" + hashlib.sha1(node.name.encode(), usedforsecurity=False).digest()[:5])
    digest = hashlib.sha256(f"flannel {node.name}".encode()).digest()[:6]
    return _spelled(bytes([digest[0] & 0xFC | 2]) + digest[1:])


def _spelled(raw: bytes) -> str:
    return ":".join(f"{each:02x}" for each in raw)


def written_on(plan: Plan, node: Node) -> dict[str, str]:
    """What Felix or flannel writes on a Node about its end."""
    own = mac(node, plan.topology.overlay)
    if plan.topology.overlay == "vxlan":
        return {f"{PREFIX}IPv4VXLANTunnelAddr": tunnel_address(node), f"{PREFIX}VXLANTunnelMACAddr": own}
    if plan.topology.overlay == "canal":
        backend = json.dumps({"VNI": 1, "VtepMAC": own}, separators=(",", ":"))
        return {
            f"{FLANNEL_PREFIX}backend-data": backend,
            f"{FLANNEL_PREFIX}backend-type": "vxlan",
            f"{FLANNEL_PREFIX}kube-subnet-manager": "true",
            f"{FLANNEL_PREFIX}public-ip": node.address,
        }
    return {}


def tunnel_address(node: Node) -> str:
    """The address that Calico's IPAM gives to a node's device: one of the node's block."""
    return str(ipaddress.ip_network(node.block)[1])


def subnet_env(node: Node) -> str:
    """/run/flannel/subnet.env."""
    network = next(ipaddress.ip_network(f"10.244.{node.number}.0/24").hosts())
    return (
        f"FLANNEL_NETWORK={POD_POOL}\nFLANNEL_SUBNET={network}/24\n"
        f"FLANNEL_MTU={MTU - VXLAN_OVERHEAD}\nFLANNEL_IPMASQ=true\n"
    )


def vteps(overlay: str, nodes: Iterable[Object], affinities: Iterable[Object]) -> list[Vtep]:
    """The ends that are registered: by Calico's annotations and blocks, or by flannel's and podCIDR."""
    ranges: dict[str, list[str]] = {}
    for each in affinities:
        spec = each.get("spec") or {}
        if spec.get("state") == "confirmed":
            ranges.setdefault(str(spec.get("node")), []).append(str(spec.get("cidr")))
    make = _of_flannel if overlay == "canal" else _of_calico
    found = (make(each, ranges.get(each["metadata"]["name"], [])) for each in nodes)
    return [each for each in found if each is not None]


def _of_calico(node: Object, ranges: Sequence[str]) -> Vtep | None:
    told = node["metadata"].get("annotations") or {}
    end = str(told.get(f"{PREFIX}IPv4Address", "")).partition("/")[0]
    address, own = told.get(f"{PREFIX}IPv4VXLANTunnelAddr"), told.get(f"{PREFIX}VXLANTunnelMACAddr")
    if not (end and address and own):
        return None
    return Vtep(node["metadata"]["name"], end, str(own), str(address), tuple(sorted(ranges)))


def _of_flannel(node: Object, _ranges: Sequence[str]) -> Vtep | None:
    """A node without podCIDR has no lease, and the others forget it."""
    told = node["metadata"].get("annotations") or {}
    cidr = (node.get("spec") or {}).get("podCIDR")
    try:
        own = json.loads(told.get(f"{FLANNEL_PREFIX}backend-data") or "{}").get("VtepMAC")
    except ValueError:
        own = None
    end = told.get(f"{FLANNEL_PREFIX}public-ip")
    if not (cidr and own and end):
        return None
    return Vtep(node["metadata"]["name"], str(end), str(own), str(cidr).partition("/")[0], (str(cidr),))


def tables(name: str, known: Sequence[Vtep], node: str) -> Tables | None:
    """What a node has of all others; None while it is not registered itself: then nothing is touched there."""
    own = next((each for each in known if each.node == node), None)
    if own is None:
        return None
    vni, port, maker = _MADE[name]
    others = [each for each in known if each is not own]
    routes = {f"{cidr} via {each.address} dev {name} {maker}onlink" for each in others for cidr in each.ranges}
    if name == CALICO:
        routes |= {f"blackhole {cidr} proto 80" for cidr in own.ranges}
    return Tables(
        (name, str(vni), str(port), own.end, own.mac, own.address),
        frozenset(f"{each.address} lladdr {each.mac} dev {name} nud permanent" for each in others),
        frozenset(f"{each.mac} dev {name} dst {each.end} self permanent" for each in others),
        frozenset(routes),
    )


def device_lines(wanted: Tables) -> str:
    """Lines for `ip -batch` that make the device."""
    name, vni, port, local, own, address = wanted.device
    return (
        f"link add {name} address {own} mtu {MTU - VXLAN_OVERHEAD} type vxlan id {vni} local {local} dev {_UNDERLAY} "
        f"dstport {port} nolearning\n"
        f"address add {address}/32 dev {name}\n"
        f"link set {name} up\n"
    )


def lines(before: Tables | None, wanted: Tables) -> tuple[str, str]:
    """Lines for `ip -batch` and for `bridge -batch` that lead from what was written before to what is wanted."""
    old = before or Tables(())
    entries: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
        "neighbour": (old.neighbours, wanted.neighbours),
        "route": (old.routes, wanted.routes),
    }
    ip = [f"{what} del {_named(line)}" for what, (was, will) in entries.items() for line in sorted(was - will)]
    ip += [f"{what} replace {line}" for what, (was, will) in entries.items() for line in sorted(will - was)]
    bridge = [f"fdb del {line.removesuffix(' permanent')}" for line in sorted(old.fdb - wanted.fdb)]
    bridge += [f"fdb replace {line}" for line in sorted(wanted.fdb - old.fdb)]
    return "".join(f"{each}\n" for each in ip), "".join(f"{each}\n" for each in bridge)


def _named(line: str) -> str:
    """A neighbour entry or a route by what names it."""
    address, lladdr, rest = line.partition(" lladdr ")
    return f"{address} dev {rest.split()[2]}" if lladdr else line
