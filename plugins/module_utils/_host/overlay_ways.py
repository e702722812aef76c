# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How VXLAN devices are made on this node, and the way that each leads to every other node.

Felix and flannel write three things for another node: a route to its pods by way of its device's address, that
address' neighbour entry (the device's MAC), and that MAC's forwarding entry (the node's own address). Whichever is
missing or wrong, the packets are lost. Layouts: <linux/if_link.h>, <linux/neighbour.h>.
"""

from __future__ import annotations

import socket
import struct

from .._record import NamedTuple
from . import netlink, route_table, tunnels
from .overlay import tunnelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Dict, List

    from .links import Link, Network

    ByKey = Dict[str, List[str]]

_RTM_GETLINK, _RTM_NEWNEIGH, _RTM_GETNEIGH = 18, 28, 30
_IFLA_ADDRESS, _IFLA_EXT_MASK, _SKIP_STATISTICS = 1, 29, 1 << 3
_NDA_DST, _NDA_LLADDR = 1, 2
_INCOMPLETE, _FAILED = 0x01, 0x20
# The forwarding table's entry for whatever has none of its own, and groups.
_NOBODY = "000000000000"
NONE = "-"
UNKNOWN = "?"


class Device(NamedTuple):
    """A VXLAN device. `mac` has no colons, '' if it is not told; `made` is None if the kernel does not tell."""

    name: str
    mac: str
    made: tunnels.Vxlan | None
    mtu: int
    up: bool
    addresses: list[str]


class Entries(NamedTuple):
    """What the kernel has for a device: far ends by MAC, MACs by address, destinations by next hop, and Felix'
    destinations by next hops on the underlay. `untold` are those of fdb, neighbours and routes that are not known."""

    fdb: ByKey
    neighbours: ByKey
    routes: ByKey
    direct: ByKey
    untold: tuple[str, ...] = ()


class Row(NamedTuple):
    """The way to another node: its own address, its device's MAC and address, the destinations that lead there. What
    there is not is "-", what is not known "?"."""

    end: str
    mac: str
    address: str
    destinations: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return not {self.end, self.mac, self.address} & {NONE, UNKNOWN} and bool(self.destinations)

    @property
    def text(self) -> str:
        """In one word after the other; a destination that begins with the device's address is told by its length."""
        short = [
            one[len(self.address) :] if one.startswith(self.address + "/") else one for one in sorted(self.destinations)
        ]
        return f"{self.end} {self.mac} {self.address} {','.join(short) or NONE}"


def devices(connection: netlink.Netlink, network: Network) -> list[Device]:
    """Return Calico's and flannel's VXLAN devices. Raises OSError if the kernel does not answer."""
    return [
        device(link, network, _mac(connection, link), tunnels.vxlan(connection, link)) for link in tunnelling(network)
    ]


def device(link: Link, network: Network, mac: str, made: tunnels.Vxlan | None) -> Device:
    """Return a device with its addresses."""
    held = [entry.address for entry in network.addresses if entry.interface == link.name and entry.scope == "global"]
    return Device(link.name, mac, made, link.mtu, link.up, held)


def entries(connection: netlink.Netlink, network: Network, found: Iterable[Device]) -> dict[str, Entries]:
    """Return by device what the kernel has for it. Raises OSError if the kernel does not answer."""
    names = {link.number: link.name for link in network.links.values()}
    wanted = {one.name for one in found}
    fdb: dict[str, ByKey] = {}
    neighbours: dict[str, ByKey] = {}
    for family, kept in ((socket.AF_BRIDGE, fdb), (socket.AF_INET, neighbours), (socket.AF_INET6, neighbours)):
        for name, key, value in _neighbours(connection, family, names):
            if name in wanted and family == socket.AF_BRIDGE:
                kept.setdefault(name, {}).setdefault(value, []).append(key)
            elif name in wanted:
                kept.setdefault(name, {}).setdefault(key, []).append(value)
    table = [each for family in ("ipv4", "ipv6") for each in route_table.read(connection, family, network)]
    return {name: of_device(name, fdb.get(name, {}), neighbours.get(name, {}), table) for name in wanted}


def of_device(
    name: str, fdb: ByKey, neighbours: ByKey, table: Iterable[route_table.Entry], untold: Iterable[str] = ()
) -> Entries:
    """Return what there is for one device; groups, and what is no single host, are left out."""
    routes: ByKey = {}
    direct: ByKey = {}
    for each in table:
        if each.gateway and each.table == route_table.MAIN and each.destination != "default":
            if each.device == name:
                routes.setdefault(each.gateway, []).append(each.destination)
            elif each.protocol == route_table.FELIX:
                direct.setdefault(each.gateway, []).append(each.destination)
    ends = {mac: found for mac, found in fdb.items() if _is_single(mac)}
    known = {address: found for address, found in neighbours.items() if found and _is_single(found[0])}
    return Entries(ends, known, routes, direct, tuple(untold))


def rows(found: Entries) -> list[Row]:
    """Return the way to each other node of which there is any trace."""
    lacking = {name: UNKNOWN if name in found.untold else NONE for name in ("fdb", "neighbours")}
    made = []
    used = set()
    for address in sorted(set(found.neighbours) | set(found.routes)):
        mac = found.neighbours[address][0] if address in found.neighbours else lacking["neighbours"]
        ends = found.fdb.get(mac) or [UNKNOWN if mac == UNKNOWN else lacking["fdb"]]
        used.add(mac)
        made += [_row(found, end, mac, address) for end in sorted(set(ends))]
    for mac in sorted(set(found.fdb) - used):
        made += [_row(found, end, mac, lacking["neighbours"]) for end in sorted(set(found.fdb[mac]))]
    return made


def _row(found: Entries, end: str, mac: str, address: str) -> Row:
    # Within a subnet Calico's mode CrossSubnet sends by the underlay.
    destinations = dict.fromkeys((*found.routes.get(address, ()), *found.direct.get(end, ())))
    return Row(end, mac, address, tuple(sorted(destinations)))


def _is_single(mac: str) -> bool:
    return len(mac) == 12 and mac != _NOBODY and not int(mac[1], 16) & 1


def _neighbours(connection: netlink.Netlink, family: int, names: Mapping[int, str]) -> list[tuple[str, str, str]]:
    """Return (device, address, MAC) of the usable entries of a neighbour or forwarding table."""
    found = []
    for kind, body in connection.dump(_RTM_GETNEIGH, struct.pack("=BxxxiHBB", family, 0, 0, 0, 0)):
        if kind != _RTM_NEWNEIGH or len(body) < 12:
            continue
        index, state = struct.unpack_from("=iH", body, 4)
        told = netlink.attributes(body, 12)
        address, mac = netlink.address(told.get(_NDA_DST)), told.get(_NDA_LLADDR, b"")
        if address and len(mac) == 6 and not state & (_INCOMPLETE | _FAILED):
            found.append((names.get(index, ""), address, mac.hex()))
    return found


def _mac(connection: netlink.Netlink, link: Link) -> str:
    question = struct.pack("=BxHiII", 0, 0, link.number, 0, 0)
    question += struct.pack("=HHI", 8, _IFLA_EXT_MASK, _SKIP_STATISTICS)
    answer = connection.ask(_RTM_GETLINK, [question])[0]
    return netlink.attributes(answer, 16).get(_IFLA_ADDRESS, b"").hex() if isinstance(answer, bytes) else ""
