# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way the kernel would send a packet: device, gateway, source address. Asked of the kernel, not worked out."""

from __future__ import annotations

import errno
import socket
import struct

from .._record import NamedTuple
from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .links import Network

_RTM_GETROUTE = 26
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_METRICS, _RTA_CACHEINFO, _RTA_VIA = 1, 4, 5, 7, 8, 12, 18
_RTAX_LOCK, _RTAX_MTU, _RTAX_ADVMSS = 1, 2, 8
_CLONED = 0x200
_TICKS = 100  # to the second, in what the kernel tells programs
_KINDS = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
}
_KIND_OF_ERROR = {
    errno.ENETUNREACH: "none",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "prohibit",
    errno.EINVAL: "blackhole",
}


class Route(NamedTuple):
    """The way to one destination.

    `kind`: unicast, local (the destination is this host), blackhole, unreachable, prohibit, none (no route) or
    unknown. `gateway` is "" for a destination on the link itself. `mtu` is the route's own limit, 0 if only the
    device's holds. `mtu_kind` is locked for one below which the kernel may not go when a router asks for less, learnt
    for one that a router told (it is forgotten after `expires_seconds`), else "". `advmss` is the segment size that
    TCP offers on this route, 0 if that follows from the MTU.
    """

    destination: str
    kind: str
    device: str = ""
    gateway: str = ""
    source: str = ""
    mtu: int = 0
    mtu_kind: str = ""
    expires_seconds: int = 0
    advmss: int = 0

    @property
    def on_link(self) -> bool:
        """Say whether the destination is reached without a router."""
        return self.kind == "unicast" and not self.gateway


def look_up(connection: netlink.Netlink, addresses: Iterable[str], network: Network) -> dict[str, Route]:
    """Return the kernel's route to each address; what is no plain address is left out. Raises OSError if it does
    not answer."""
    questions: dict[str, bytes] = {}
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            raw = socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        body = struct.pack("=8BI", family, len(raw) * 8, 0, 0, 0, 0, 0, 0, 0)
        questions[address] = body + struct.pack("=HH", 4 + len(raw), _RTA_DST) + raw
    answers = connection.ask(_RTM_GETROUTE, list(questions.values()))
    names = {index: link.name for index, link in network.links.items()}
    return {address: _route(address, answer, names) for address, answer in zip(questions, answers)}


def _route(destination: str, answer: bytes | int, names: Mapping[int, str]) -> Route:
    if isinstance(answer, int):
        return Route(destination, _KIND_OF_ERROR.get(answer, "unknown"))
    if len(answer) < 12:
        return Route(destination, "unknown")
    found = netlink.attributes(answer, 12)
    via = found.get(_RTA_VIA, b"")[2:]  # an IPv4 route by way of an IPv6 router
    metrics = netlink.attributes(found.get(_RTA_METRICS, b""))
    mtu = netlink.number(metrics.get(_RTAX_MTU))
    # What a router told is a copy of the route that expires; a route itself may expire, too, if a router announced it.
    expires = (
        netlink.number(found.get(_RTA_CACHEINFO, b"")[8:12]) if struct.unpack_from("=I", answer, 8)[0] & _CLONED else 0
    )
    locked = netlink.number(metrics.get(_RTAX_LOCK)) >> _RTAX_MTU & 1
    learnt = mtu and 0 < expires < 1 << 31
    return Route(
        destination=destination,
        kind=_KINDS.get(answer[7], "unknown"),
        device=names.get(netlink.number(found.get(_RTA_OIF)), ""),
        gateway=netlink.address(found.get(_RTA_GATEWAY)) or netlink.address(via),
        source=netlink.address(found.get(_RTA_PREFSRC)),
        mtu=mtu,
        mtu_kind="learnt" if learnt else "locked" if mtu and locked else "",
        expires_seconds=max(expires // _TICKS, 1) if learnt else 0,
        advmss=netlink.number(metrics.get(_RTAX_ADVMSS)),
    )
