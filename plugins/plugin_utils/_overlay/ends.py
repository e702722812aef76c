# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of an overlay: from what Calico and flannel register about nodes, and from the nodes' own devices.

Felix: annotations projectcalico.org/IPv4VXLANTunnelAddr and VXLANTunnelMACAddr, the node's IPv4Address, and its blocks;
without a MAC on record it takes one made of the node's name (felix/calc/vxlan_resolver.go). Flannel: annotations
public-ip and backend-data, and podCIDR, whose first address is the device's (pkg/backend/vxlan).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from typing import TYPE_CHECKING, Any

from .._cluster import flavour
from .._cluster.components import CANAL
from .model import CALICO, FLANNEL, End

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster
    from .._evidence.evidence import Evidence
    from .._evidence.registered import Registered

PREFIX, FLANNEL_PREFIX = "projectcalico.org/", "flannel.alpha.coreos.com/"
NEVER = "Never"


def devices(evidence: Evidence) -> list[str]:
    """The VXLAN devices that carry pods' packets in this cluster. One that is left of another network plugin is none
    of them."""
    kind, backend = evidence.flavour.kind, evidence.flavour.backend
    cluster = evidence.cluster
    found = []
    told = {name for node in evidence.nodes.values() for name in node.overlay.devices}
    pools = any(pool.vxlan != NEVER for pool in cluster.pools if pool.modes_told) if cluster else False
    objects = cluster is not None and cluster.reached and bool(cluster.nodes)
    if backend == flavour.VXLAN or pools or (CALICO in told and not objects and backend != flavour.NONE):
        found.append(CALICO)
    leased = any(_flannel_type(one) == "vxlan" for one in evidence.registered)
    by_flannel = kind in (CANAL, flavour.FLANNEL_ONLY) or (backend == flavour.NONE and CALICO not in found)
    if by_flannel and (leased or FLANNEL in told):
        found.append(FLANNEL)
    return found


def ends(evidence: Evidence, device: str) -> dict[str, End]:
    """All ends of a device, by the node's name in the inventory."""
    found: dict[str, End] = {}
    make = _of_flannel if device == FLANNEL else _of_calico
    blocks = _blocks(evidence.cluster) if evidence.cluster and device == CALICO else None
    for one in evidence.registered:
        made = make(one, blocks)
        if made is not None:
            found[one.name] = made
    for node in evidence.nodes.values():
        own = node.overlay.devices.get(device)
        if own is None:
            continue
        known = found.get(node.name, End(node.name, node.nodename))
        found[node.name] = End(
            name=node.name,
            record=known.record,
            end=own.local or known.end or next(iter(node.bgp_addresses.values()), ""),
            mac=own.mac or known.mac,
            address=own.addresses[0] if own.addresses else known.address,
            ends=known.ends | ({own.local} if own.local else {held.address for held in node.addresses}),
            macs=known.macs | ({own.mac} if own.mac else set()),
            addresses=known.addresses | set(own.addresses),
            ranges=known.ranges,
            device=own,
            registered_mac=known.mac,
            registered_address=known.address,
        )
    return found


def _made(one: Registered, end: str, mac: str, address: str, ranges: tuple[str, ...] | None) -> End:
    return End(
        name=one.name,
        record=one.record,
        end=end,
        mac=mac,
        address=address,
        ends=_only(end),
        macs=_only(mac),
        addresses=_only(address),
        ranges=ranges,
        registered_mac=mac,
        registered_address=address,
    )


def _only(text: str) -> frozenset[str]:
    return frozenset({text} if text else ())


def _of_calico(one: Registered, blocks: dict[str, list[str]] | None) -> End | None:
    told = _annotations(one)
    address = told.get(f"{PREFIX}IPv4VXLANTunnelAddr") or (one.calico.vxlan_tunnel if one.calico else "")
    end = one.calico.address("ipv4") if one.calico else ""
    if not address or not end:
        return None
    mac = plain(told.get(f"{PREFIX}VXLANTunnelMACAddr", "")) or made_of_name(one.record)
    return _made(one, end, mac, address, tuple(blocks.get(one.record, ())) if blocks is not None else None)


def made_of_name(name: str) -> str:
    """The MAC that Felix gives to the device of a node: the letter f and five bytes of its name's SHA-1."""
    return (b"f" + hashlib.sha1(name.encode(), usedforsecurity=False).digest()[:5]).hex()


def plain(mac: str) -> str:
    """A MAC without its colons."""
    return mac.replace(":", "").replace("-", "").lower()


def _flannel_type(one: Registered) -> str:
    return _annotations(one).get(f"{FLANNEL_PREFIX}backend-type", "")


def _of_flannel(one: Registered, _blocks_of_calico: dict[str, list[str]] | None) -> End | None:
    told = _annotations(one)
    cidr = next((text for text in (one.kube.pod_cidrs if one.kube else ()) if ":" not in text), "")
    end = told.get(f"{FLANNEL_PREFIX}public-ip", "")
    if not cidr or not end or _flannel_type(one) != "vxlan":
        return None
    mac = _backend(told.get(f"{FLANNEL_PREFIX}backend-data", "")).get("VtepMAC")
    return _made(one, end, plain(mac) if isinstance(mac, str) else "", _first(cidr), (cidr,))


def vnis(evidence: Evidence) -> set[int]:
    """The network identifiers that flannel has registered."""
    told = (
        _backend(_annotations(one).get(f"{FLANNEL_PREFIX}backend-data", "")).get("VNI") for one in evidence.registered
    )
    return {number for number in told if isinstance(number, int) and not isinstance(number, bool)}


def _backend(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _first(cidr: str) -> str:
    try:
        return str(ipaddress.ip_network(cidr, strict=False).network_address)
    except ValueError:
        return ""


def _annotations(one: Registered) -> dict[str, str]:
    return dict(one.kube.annotations) if one.kube else {}


def _blocks(cluster: Cluster) -> dict[str, list[str]] | None:
    """The blocks of pools with VXLAN by node; None if they were not read."""
    if not cluster.read("blockaffinities") and not cluster.blocks:
        return None
    pools = [pool.cidr for pool in cluster.pools if pool.vxlan != NEVER]
    found: dict[str, list[str]] = {}
    for node, cidr in _confirmed(cluster):
        if any(within(cidr, pool) for pool in pools):
            found.setdefault(node, []).append(cidr)
    return found


def _confirmed(cluster: Cluster) -> Iterator[tuple[str, str]]:
    for block in cluster.blocks:
        if block.state == "confirmed" and not block.deleted and ":" not in block.cidr:
            yield block.node, block.cidr


def within(inner: str, outer: str) -> bool:
    """Whether a prefix lies in another one; of what is no prefix nothing does."""
    try:
        small, large = ipaddress.ip_network(inner, strict=False), ipaddress.ip_network(outer, strict=False)
    except ValueError:
        return False
    if isinstance(small, ipaddress.IPv4Network) and isinstance(large, ipaddress.IPv4Network):
        return small.subnet_of(large)
    return (
        isinstance(small, ipaddress.IPv6Network) and isinstance(large, ipaddress.IPv6Network) and small.subnet_of(large)
    )
