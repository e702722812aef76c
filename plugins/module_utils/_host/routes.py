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

_RTM_GETROUTE, _RTM_GETRULE = 26, 34
_FRA_PRIORITY, _FRA_SUPPRESS = 6, 14
_NOTHING_SUPPRESSED = b"\xff" * 4
_PLAIN = {_FRA_PRIORITY, _FRA_SUPPRESS, 15, 21}  # also the table again, and who made the rule
_RULES = {0: 255, 32766: 254, 32767: 253}
_RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_METRICS, _RTA_CACHEINFO = 1, 2, 4, 5, 7, 8, 12
_RTA_VIA, _RTA_IP_PROTO, _RTA_DPORT = 18, 27, 29
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


def look_up(
    connection: netlink.Netlink,
    addresses: Iterable[str],
    network: Network,
    sources: Mapping[str, str] | None = None,
    port: int = 0,
) -> dict[str, Route]:
    """Return the kernel's route to each address; what is no plain address is left out. Raises OSError if it does
    not answer.

    `sources` are addresses to send from, by destination, `port` a TCP port there: rules may go by these (by the port
    from Linux 4.18 on). An IPv4 source that this host does not have is answered like a blackhole.
    """
    questions: dict[str, bytes] = {}
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            raw = socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        sender = socket.inet_pton(family, sources[address]) if sources and address in sources else b""
        body = struct.pack("=8BI", family, len(raw) * 8, len(sender) * 8, 0, 0, 0, 0, 0, 0)
        body += struct.pack("=HH", 4 + len(raw), _RTA_DST) + raw
        if sender:
            body += struct.pack("=HH", 4 + len(sender), _RTA_SRC) + sender
        if port:
            body += struct.pack("=HHB3x", 5, _RTA_IP_PROTO, socket.IPPROTO_TCP)
            body += struct.pack("=HH", 6, _RTA_DPORT) + struct.pack("!H2x", port)
        questions[address] = body
    answers = connection.ask(_RTM_GETROUTE, list(questions.values()))
    names = {index: link.name for index, link in network.links.items()}
    return {address: _route(address, answer, names) for address, answer in zip(questions, answers)}


def has_rules(connection: netlink.Netlink, family: str) -> bool:
    """Say whether there are rules (`ip rule`) beside the kernel's own, which lead all packets to local, main and
    default. Raises OSError if the kernel does not answer."""
    number = socket.AF_INET6 if family == "ipv6" else socket.AF_INET
    try:
        answers = connection.dump(_RTM_GETRULE, struct.pack("=8BI", number, 0, 0, 0, 0, 0, 0, 0, 0))
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
            return False
        raise
    return not all(_is_plain(body) for _kind, body in answers)


def _is_plain(body: bytes) -> bool:
    """Say whether a rule is one of the kernel's own: of any packet, to one of three tables, at its place."""
    if len(body) < 12 or body[1:4] != b"\0\0\0" or body[7:12] != b"\1\0\0\0\0":
        return False
    own = netlink.attributes(body, 12)
    if own.get(_FRA_SUPPRESS, _NOTHING_SUPPRESSED) != _NOTHING_SUPPRESSED:
        return False
    return _RULES.get(netlink.number(own.get(_FRA_PRIORITY))) == body[4] and own.keys() <= _PLAIN


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
