# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of a WireGuard device's peers, as the kernel keeps them.

The kernel's answer holds the device's private key and shared ones beside: only the attributes named here are looked
at, and nothing else leaves this file. Layouts: <linux/genetlink.h>, <linux/wireguard.h>.
"""

from __future__ import annotations

import socket
import struct

from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .links import Link

_GENERIC = 16
_CONTROL, _GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 16, 3, 1, 2
_GET_DEVICE, _IFINDEX, _PEERS, _ENDPOINT = 0, 1, 8, 4
_NAME = b"wireguard\0"


def endpoints(link: Link, timeout: float = 2.0) -> list[str]:
    """Return the addresses to which a device sends, one for each peer that has one. Raises OSError if the kernel does
    not tell. To ask about a device that is there loads no module."""
    with netlink.Netlink(timeout, _GENERIC) as connection:
        question = struct.pack("=BBH", _GET_FAMILY, 1, 0) + struct.pack("=HH", 4 + len(_NAME), _FAMILY_NAME) + _NAME
        answer = connection.ask(_CONTROL, [question + b"\0" * (-len(question) % 4)])[0]
        if isinstance(answer, int):
            raise OSError(answer, "the kernel knows no WireGuard")
        number = netlink.attributes(answer, 4).get(_FAMILY_ID, b"")
        if len(number) != 2:
            raise OSError(0, "the kernel does not tell the number of WireGuard's family")
        family = int(struct.unpack("=H", number)[0])
        question = struct.pack("=BBH", _GET_DEVICE, 1, 0) + struct.pack("=HHI", 8, _IFINDEX, link.number)
        bodies = [body for kind, body in connection.dump(family, question) if kind == family]
    return list(dict.fromkeys(address for body in bodies for address in parse(body)))


def parse(body: bytes) -> list[str]:
    """Return the peers' endpoints in one message's body."""
    found = []
    for peer in _elements(netlink.attributes(body, 4).get(_PEERS, b"")):
        address = _socket_address(netlink.attributes(peer).get(_ENDPOINT, b""))
        if address:
            found.append(address)
    return found


def _elements(data: bytes) -> Iterator[bytes]:
    """Yield the elements of a list, which all have the same type."""
    offset = 0
    while offset + 4 <= len(data):
        length = int(struct.unpack_from("=H", data, offset)[0])
        if length < 4 or offset + length > len(data):
            return
        yield data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def _socket_address(data: bytes) -> str:
    if len(data) < 8:
        return ""
    family = int(struct.unpack_from("=H", data)[0])
    if family == socket.AF_INET:
        return netlink.address(data[4:8])
    return netlink.address(data[8:24]) if family == socket.AF_INET6 else ""
