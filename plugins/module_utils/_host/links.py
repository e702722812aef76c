# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces and their addresses, from two rtnetlink dumps."""

from __future__ import annotations

import socket
import struct

from .._record import NamedTuple
from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_RTM_NEWLINK = 16
_RTM_GETLINK = 18
_RTM_NEWADDR = 20
_RTM_GETADDR = 22
_IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER, _IFLA_OPERSTATE, _IFLA_LINKINFO, _IFLA_EXT_MASK = 3, 4, 10, 16, 18, 29
_IFLA_XDP = 43
_XDP_ATTACHED, _XDP_PROGRAMS = 2, (4, 5, 6, 7)
_IFLA_INFO_KIND = 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_CACHEINFO, _IFA_FLAGS = 1, 2, 3, 6, 8
_SKIP_STATISTICS = 1 << 3
_IFF_UP = 1
_IFF_LOOPBACK = 8
_OPERATIONAL = (0, 6)  # unknown (devices that never say), up
# Flags of an address, as the kernel numbers them: "secondary" is IPv4's word for what IPv6 calls "temporary".
SECONDARY, DUPLICATE, DEPRECATED, TENTATIVE, PERMANENT = 0x01, 0x08, 0x20, 0x40, 0x80
_FOR_EVER = 0xFFFFFFFF
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}


class Link(NamedTuple):
    """One interface.

    `kind` is the driver's own word for a virtual one ("vxlan", "ipip", "veth", "bridge", "bond", …; "loopback"), ""
    for hardware. `up` is the administrator's setting, `running` what the device says of its carrier (a tunnel that
    says nothing counts as running). `xdp` is the number of the XDP program attached, 0 for none, -1 if it is not told.
    """

    number: int
    name: str
    mtu: int
    kind: str
    up: bool
    running: bool
    master: int
    xdp: int = 0


class Address(NamedTuple):
    """One address. `scope` is global, site, link or host; `usable` is False while an IPv6 address is tentative or a
    duplicate.

    `flags` are the kernel's (SECONDARY and its like); `valid_seconds` is how long it lasts yet, None for ever; `label`
    is IPv4's name for it ("eth0:1"), '' if that is the interface's; `peer` the far end of a point-to-point link, to
    which `prefix` then belongs.
    """

    address: str
    prefix: int
    interface: str
    family: str
    scope: str
    usable: bool
    flags: int = PERMANENT
    valid_seconds: int | None = None
    label: str = ""
    peer: str = ""


class Network:
    """The interfaces and addresses of one moment."""

    def __init__(self, links: Iterable[Link], addresses: Iterable[Address]) -> None:
        self.links = {link.number: link for link in links}
        self.addresses = list(addresses)
        self._by_name = {link.name: link for link in self.links.values()}
        self._holders = {entry.address: entry.interface for entry in self.addresses}

    def link(self, name: str) -> Link | None:
        """Return the interface called `name`, if there is one."""
        return self._by_name.get(name)

    def name_of(self, index: int) -> str:
        """Return the name of interface number `index`, '' if there is none."""
        link = self.links.get(index)
        return link.name if link else ""

    def interface_of(self, address: str) -> str:
        """Return the name of the interface that holds `address` (as inet_ntop spells it), '' if none does."""
        return self._holders.get(address, "")

    def holds(self, address: str) -> bool:
        """Say whether `address` is one of this host's own."""
        return address in self._holders


def read(connection: netlink.Netlink) -> Network:
    """Return all interfaces and addresses, in the kernel's order. Raises OSError if the kernel does not answer."""
    question = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
    # Statistics are four fifths of a link's description, and a node has hundreds of links.
    question += struct.pack("=HHI", 8, _IFLA_EXT_MASK, _SKIP_STATISTICS)
    links = [
        found
        for found in (_link(body) for kind, body in connection.dump(_RTM_GETLINK, question) if kind == _RTM_NEWLINK)
        if found is not None
    ]
    names = {link.number: link.name for link in links}
    replies = connection.dump(_RTM_GETADDR, struct.pack("=BBBBI", socket.AF_UNSPEC, 0, 0, 0, 0))
    addresses = [
        found
        for found in (_address(body, names) for kind, body in replies if kind == _RTM_NEWADDR)
        if found is not None
    ]
    return Network(links, addresses)


def _link(body: bytes) -> Link | None:
    if len(body) < 16:
        return None
    index, flags = struct.unpack_from("=iI", body, 4)
    found = netlink.attributes(body, 16)
    details = netlink.attributes(found.get(_IFLA_LINKINFO, b""))
    kind = netlink.text(details.get(_IFLA_INFO_KIND))
    operational = found.get(_IFLA_OPERSTATE, b"\0")[:1]
    return Link(
        number=index,
        name=netlink.text(found.get(_IFLA_IFNAME)),
        mtu=netlink.number(found.get(_IFLA_MTU)),
        kind=kind or ("loopback" if flags & _IFF_LOOPBACK else ""),
        up=bool(flags & _IFF_UP),
        running=bool(operational) and operational[0] in _OPERATIONAL,
        master=netlink.number(found.get(_IFLA_MASTER)),
        xdp=_xdp(found.get(_IFLA_XDP, b"")),
    )


def _xdp(data: bytes) -> int:
    if len(data) <= 8:  # nothing but that nothing is attached
        return 0
    told = netlink.attributes(data)
    if not any(told.get(_XDP_ATTACHED, b"")):
        return 0
    return next((number for number in map(netlink.number, map(told.get, _XDP_PROGRAMS)) if number), -1)


def _address(body: bytes, names: dict[int, str]) -> Address | None:
    if len(body) < 8:
        return None
    family, prefix, flags, scope, index = struct.unpack_from("=BBBBI", body)
    found = netlink.attributes(body, 8)
    # On a point-to-point link IFA_ADDRESS is the far end and IFA_LOCAL ours; IPv6 has IFA_ADDRESS only.
    text = netlink.address(found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS))
    if not text:
        return None
    flags = netlink.number(found.get(_IFA_FLAGS)) or flags
    interface = names.get(index, "")
    label = netlink.text(found.get(_IFA_LABEL))
    valid = netlink.number(found.get(_IFA_CACHEINFO, b"")[4:8]) if _IFA_CACHEINFO in found else _FOR_EVER
    far = netlink.address(found.get(_IFA_ADDRESS))
    return Address(
        address=text,
        prefix=prefix,
        interface=interface,
        family="ipv6" if family == socket.AF_INET6 else "ipv4",
        scope=_SCOPES.get(scope, str(scope)),
        usable=not flags & (TENTATIVE | DUPLICATE),
        flags=flags,
        valid_seconds=None if valid == _FOR_EVER else valid,
        label="" if label == interface else label,
        peer="" if far == text else far,
    )
