# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes of this host that neither the kernel made for its addresses nor Calico: whither it sends what else there is.

A pool of pods' addresses over such a route takes away what lies behind it, or loses its pods there.
Layouts: <linux/rtnetlink.h>.
"""

from __future__ import annotations

import socket
import struct

from .._record import NamedTuple
from . import netlink
from .route_table import BIRD, FELIX, MAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .links import Network

_KERNEL = 2
_RTM_NEWROUTE, _RTM_GETROUTE = 24, 26
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_TABLE = 1, 4, 5, 15
_CLONED = 0x200
_LOCAL = 2
_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_LINK_LOCAL = ("fe80:", "ff00:")


class Other(NamedTuple):
    """One route: to a network, by a device, or a router ('' : none is told)."""

    destination: str
    device: str
    gateway: str

    @property
    def text(self) -> str:
        """The route in the words of `ip route`."""
        via = f" via {self.gateway}" if self.gateway else ""
        return f"{self.destination}{via}" + (f" dev {self.device}" if self.device else "")


def read(connection: netlink.Netlink, family: str, network: Network) -> list[Other]:
    """Return those of the main table, but for the default ones. Raises OSError if the kernel does not answer."""
    number = _FAMILIES[family]
    names = {index: link.name for index, link in network.links.items()}
    found = []
    for kind, body in connection.dump(_RTM_GETROUTE, struct.pack("=8BI", number, 0, 0, 0, 0, 0, 0, 0, 0)):
        if kind == _RTM_NEWROUTE and len(body) >= 12:
            route = _route(body, names)
            if route is not None:
                found.append(route)
    return found


def _route(body: bytes, names: dict[int, str]) -> Other | None:
    length, protocol, kind = body[1], body[5], body[7]
    if protocol in (_KERNEL, BIRD, FELIX) or kind == _LOCAL or struct.unpack_from("=I", body, 8)[0] & _CLONED:
        return None
    told = netlink.attributes(body, 12)
    destination = netlink.address(told.get(_RTA_DST))
    if (netlink.number(told.get(_RTA_TABLE)) or body[4]) != MAIN or not length or destination.startswith(_LINK_LOCAL):
        return None
    device = names.get(netlink.number(told.get(_RTA_OIF)), "")
    return Other(f"{destination}/{length}", device, netlink.address(told.get(_RTA_GATEWAY)))
