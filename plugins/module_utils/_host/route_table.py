# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel's routing table holds of BIRD's and Felix's routes, and what is wrong with them.

BIRD's routes carry protocol 12 ("bird"), Felix's own ones 80. Layouts: <linux/rtnetlink.h>.
"""

from __future__ import annotations

import socket
import struct

from .._record import NamedTuple
from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .links import Network

BIRD, FELIX = 12, 80
_KERNEL = 2
_RTM_NEWROUTE, _RTM_GETROUTE = 24, 26
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH, _RTA_TABLE, _RTA_VIA = 1, 4, 5, 9, 15, 18
MAIN = 254
_DEAD, _ONLINK, _LINKDOWN = 1, 4, 16
_UNICAST, _BLACKHOLE = 1, 6
_REFUSING = (7, 8)  # unreachable, prohibit
_CLONED = 0x200
_MOST_NAMED = 8
_MOST_PACKED = 256
_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class Entry(NamedTuple):
    """One route. `kind` is the kernel's number (1: unicast, 6: blackhole, 7: unreachable), `device` '' for none,
    `table` the number of the table that it stands in."""

    destination: str
    protocol: int
    kind: int
    device: str = ""
    gateway: str = ""
    onlink: bool = False
    dead: bool = False
    table: int = MAIN


def read(connection: netlink.Netlink, family: str, network: Network) -> list[Entry]:
    """Return the routes of one family that BIRD or Felix made, and those of others but for the kernel's own.

    Raises OSError if the kernel does not answer.
    """
    names = {number: link.name for number, link in network.links.items()}
    entries = []
    number = _FAMILIES[family]
    for kind, body in connection.dump(_RTM_GETROUTE, struct.pack("=8BI", number, 0, 0, 0, 0, 0, 0, 0, 0)):
        # Each of a node's own addresses has some, which are not worth taking apart.
        if kind == _RTM_NEWROUTE and len(body) >= 12 and body[5] != _KERNEL:
            entries += _entries(body, names, number)
    return entries


def summary(entries: Iterable[Entry], network: Network, peers: Iterable[str]) -> dict[str, Any]:
    """Return calico_node.host.routes of one family; what is not so is left out. `peers` are BGP's peers.

    off_link: BIRD's routes by next hops that neither a subnet nor a route of their device has on its link. via_router:
    BIRD's routes by a gateway which this host uses for other things, too, and which is no BGP peer: it has to know the
    pods' addresses itself. other_tables counts BIRD's and Felix's routes in tables other than main, where WireGuard's
    are: these neither stand against routes in main nor are looked at further.
    """
    everywhere = list(entries)
    found = [entry for entry in everywhere if entry.table == MAIN]
    bird = [entry for entry in found if entry.protocol == BIRD]
    felix = {entry.destination for entry in found if entry.protocol == FELIX}
    facts: dict[str, Any] = {"bird": len({entry.destination for entry in bird}), "felix": len(felix)}
    facts["other_tables"] = _in_other_tables(everywhere)
    ours = [entry for entry in found if entry.protocol in (BIRD, FELIX)]
    # Felix has blackholes for this node's blocks where BIRD does not run, or not for these.
    _name_some(
        facts, "blackholes", list(dict.fromkeys(entry.destination for entry in ours if entry.kind == _BLACKHOLE))
    )
    _name_some(facts, "unreachable", [entry.destination for entry in bird if entry.kind in _REFUSING])
    _name_some(facts, "conflicts", sorted({entry.destination for entry in bird} & felix))
    _name_some(facts, "dead", [entry.destination for entry in bird if entry.dead])
    routers = {entry.gateway for entry in found if entry.protocol not in (BIRD, FELIX)} - {""} - set(peers)
    off_link: dict[str, int] = {}
    via_router: dict[str, int] = {}
    links = [entry for entry in found if entry.kind == _UNICAST and not entry.gateway and entry not in ours]
    on_link: dict[tuple[str, str], bool] = {}
    for entry in bird:
        if entry.kind != _UNICAST or not entry.gateway or entry.onlink:
            continue
        key = (entry.gateway, entry.device)
        if key not in on_link:
            on_link[key] = _is_on_link(entry, network) or any(_covers(link, entry) for link in links)
        if not on_link[key]:
            off_link[entry.gateway] = off_link.get(entry.gateway, 0) + 1
        elif entry.gateway in routers and entry.destination != "default":
            via_router[entry.gateway] = via_router.get(entry.gateway, 0) + 1
    facts.update({"off_link": off_link, "via_router": via_router})
    return {name: value for name, value in facts.items() if value}


def _name_some(facts: dict[str, Any], name: str, destinations: list[str]) -> None:
    """Name the first few; if there are more, count them, and pack as many as still are few bytes."""
    facts[name] = destinations[:_MOST_NAMED]
    if len(destinations) > _MOST_NAMED:
        from .._facts.packing import pack_prefixes

        facts[name + "_count"] = len(destinations)
        facts[name + "_packed"] = pack_prefixes(destinations[:_MOST_PACKED])


def _in_other_tables(entries: Iterable[Entry]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        if entry.table != MAIN and entry.protocol in (BIRD, FELIX):
            counts[str(entry.table)] = counts.get(str(entry.table), 0) + 1
    return dict(sorted(counts.items())[:_MOST_NAMED])


def _entries(body: bytes, names: dict[int, str], family: int) -> list[Entry]:
    """Return the routes of one message: one, or one for each way of several."""
    if struct.unpack_from("=I", body, 8)[0] & _CLONED:
        return []
    protocol, kind, flags = body[5], body[7], body[8]
    found = netlink.attributes(body, 12)
    gateway = _gateway(found)
    if protocol not in (BIRD, FELIX) and not gateway and kind != _UNICAST:
        return []
    destination = _prefix(found.get(_RTA_DST), body[1], family)
    table = netlink.number(found.get(_RTA_TABLE)) or body[4]
    ways = found.get(_RTA_MULTIPATH)
    if ways is None:
        device = names.get(netlink.number(found.get(_RTA_OIF)), "")
        return [_entry(destination, protocol, kind, device, gateway, flags, table)]
    entries = []
    offset = 0
    while offset + 8 <= len(ways):
        length, way_flags, _hops, index = struct.unpack_from("=HBBi", ways, offset)
        if length < 8 or offset + length > len(ways):
            break
        gateway = _gateway(netlink.attributes(ways[offset + 8 : offset + length]))
        entries.append(_entry(destination, protocol, kind, names.get(index, ""), gateway, way_flags, table))
        offset += (length + 3) & ~3
    return entries


def _entry(destination: str, protocol: int, kind: int, device: str, gateway: str, flags: int, table: int) -> Entry:
    dead = bool(flags & (_DEAD | _LINKDOWN))
    return Entry(destination, protocol, kind, device, gateway, bool(flags & _ONLINK), dead, table)


def _gateway(found: dict[int, bytes]) -> str:
    return netlink.address(found.get(_RTA_GATEWAY)) or netlink.address(found.get(_RTA_VIA, b"")[2:])


def _prefix(raw: bytes | None, length: int, family: int) -> str:
    if raw is None:
        return "default"
    address = netlink.address(raw)
    return address if length == (32 if family == socket.AF_INET else 128) else f"{address}/{length}"


def _is_on_link(entry: Entry, network: Network) -> bool:
    """Say whether the next hop is in a subnet of the route's device."""
    raw = _number(entry.gateway)
    if entry.gateway.startswith("fe80:"):
        return True
    for held in network.addresses:
        if held.interface == entry.device and (":" in held.address) == (":" in entry.gateway):
            shift = (128 if ":" in held.address else 32) - held.prefix
            if shift >= 0 and _number(held.address) >> shift == raw >> shift:
                return True
    return False


def _covers(link: Entry, entry: Entry) -> bool:
    """Say whether a route without a gateway has a route's next hop on the link of the same device, as the kernel asks
    of it (net/ipv4/fib_semantics.c, fib_check_nh)."""
    if link.device != entry.device:
        return False
    if link.destination == "default":
        return True
    address, _slash, length = link.destination.partition("/")
    if (":" in address) != (":" in entry.gateway):
        return False
    bits = 128 if ":" in address else 32
    shift = bits - int(length or bits)
    return _number(address) >> shift == _number(entry.gateway) >> shift


def _number(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return int.from_bytes(socket.inet_pton(family, address), "big")
    except (OSError, ValueError):
        return -1
