# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ways pods' packets take on this node: a few of its own pods, and one pod of another node behind each device.

A pod here has a route of its own to its interface cali…; what is elsewhere has routes of BIRD's, Felix' or flannel's,
by the underlay or into a tunnel. Layouts: <linux/rtnetlink.h>.
"""

from __future__ import annotations

import socket
import struct

from .._record import NamedTuple
from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Tuple

    from .links import Network

    # Destination, length of its prefix, device, protocol.
    Way = Tuple[bytes, int, str, int]

WORKLOAD = "cali"
_BIRD, _FELIX, _MAIN = 12, 80, 254
_RTM_NEWROUTE, _RTM_GETROUTE = 24, 26
_RTA_DST, _RTA_OIF, _RTA_TABLE = 1, 4, 15
_UNICAST, _BLACKHOLE = 1, 6
_CLONED = 0x200
_MOST_PODS = 8
_MOST_DEVICES = 8
TUNNELS = ("flannel", "tunl0", "vxlan", "wireguard.cali", "wg-v6.cali")


class Pod(NamedTuple):
    """A pod on this node: its interface and its address (a number; None: not known)."""

    interface: str
    address: int | None


class Pods(NamedTuple):
    """`here` are pods on this node, `elsewhere` the address of one on another node (a number) by the device that leads
    there."""

    here: list[Pod]
    elsewhere: dict[str, int]


def read(connection: netlink.Netlink, family: str, network: Network) -> Pods:
    """Return the pods of one family. Raises OSError if the kernel does not answer."""
    number = socket.AF_INET if family == "ipv4" else socket.AF_INET6
    names = {index: link.name for index, link in network.links.items()}
    question = struct.pack("=8BI", number, 0, 0, 0, 0, 0, 0, 0, 0)
    return parse([body for kind, body in connection.dump(_RTM_GETROUTE, question) if kind == _RTM_NEWROUTE], names)


def parse(bodies: Iterable[bytes], names: Mapping[int, str]) -> Pods:
    """Take routes apart; `names` are those of the interfaces."""
    return gather(_routes(bodies, names))


def _routes(bodies: Iterable[bytes], names: Mapping[int, str]) -> Iterator[Way]:
    for body in bodies:
        if len(body) < 12 or body[7] != _UNICAST or body[1] == 0 or struct.unpack_from("=I", body, 8)[0] & _CLONED:
            continue
        found = netlink.attributes(body, 12)
        device = names.get(netlink.number(found.get(_RTA_OIF)), "")
        destination = found.get(_RTA_DST, b"")
        if not device or (netlink.number(found.get(_RTA_TABLE)) or body[4]) != _MAIN:
            continue
        yield destination, body[1], device, body[5]


def gather(ways: Iterable[Way]) -> Pods:
    """Return the pods to which the main table's ordinary routes lead; the default route is none of them."""
    here: list[Pod] = []
    elsewhere: dict[str, int] = {}
    for destination, length, device, protocol in ways:
        whole = length == len(destination) * 8
        if device.startswith(WORKLOAD):
            if whole and len(here) < _MOST_PODS and destination[:2] != b"\xfe\x80":
                here.append(Pod(device, int.from_bytes(destination, "big")))
        elif device in elsewhere or len(elsewhere) >= _MOST_DEVICES:
            continue
        elif protocol in (_BIRD, _FELIX) or device.startswith(TUNNELS):
            # Of a block the second address: the first may be a tunnel's own.
            elsewhere[device] = int.from_bytes(destination, "big") + (0 if whole else 1)
    return Pods(here, elsewhere)
