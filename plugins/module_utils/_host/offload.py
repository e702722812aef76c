# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a device leaves the checksums of what it sends to another, as `ethtool -k` tells ("tx-checksumming").

On tunnel devices that goes wrong with some kernels before 5.7 and some network cards and virtual switches: packets
through the tunnel arrive with checksums that do not fit. Calico from 3.28 on switches it off.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# <linux/sockios.h>, <linux/ethtool.h>
_SIOCETHTOOL, _GET_TX_CHECKSUMS, _SET_TX_CHECKSUMS = 0x8946, 0x16, 0x17
_LONGEST_NAME = 15


def sending(devices: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return those of the devices that leave checksums of what they send to others, and those that do not tell."""
    on, unknown = [], []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for name in devices:
            value = array.array("I", [_GET_TX_CHECKSUMS, 0])
            request = struct.pack("16sP16x", name.encode()[:_LONGEST_NAME], value.buffer_info()[0])
            try:
                fcntl.ioctl(any_socket.fileno(), _SIOCETHTOOL, request)
            except OSError:
                unknown.append(name)
                continue
            if value[1]:
                on.append(name)
    return on, unknown


def switch(device: str, on: bool) -> None:
    """Have a device leave the checksums of what it sends to another, or make them itself. Raises OSError."""
    value = array.array("I", [_SET_TX_CHECKSUMS, int(on)])
    request = struct.pack("16sP16x", device.encode()[:_LONGEST_NAME], value.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket.fileno(), _SIOCETHTOOL, request)
