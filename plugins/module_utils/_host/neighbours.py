# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ARP and neighbour discovery know about peers on the same link."""

from __future__ import annotations

import socket
import struct

from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_RTM_NEWNEIGH = 28
_RTM_GETNEIGH = 30
_NDA_DST = 1
# DELAY and PROBE are a stale entry's way to reachable or failed: not yet known to be either.
_STATES = {
    0x00: "none",
    0x01: "incomplete",
    0x02: "reachable",
    0x04: "stale",
    0x08: "stale",
    0x10: "stale",
    0x20: "failed",
    0x40: "reachable",
    0x80: "reachable",
}
# The same address may be known on two interfaces; the liveliest entry counts.
_LIVELIEST_FIRST = ("reachable", "stale", "incomplete", "failed", "none")


def states(connection: netlink.Netlink, addresses: Iterable[str]) -> dict[str, str]:
    """Return reachable, stale, incomplete, failed or none (no entry) for each address. Raises OSError if the kernel
    does not answer."""
    found = dict.fromkeys(addresses, "none")
    families = {socket.AF_INET6 if ":" in address else socket.AF_INET for address in found}
    for family in sorted(families):
        question = struct.pack("=BxxxiHBB", family, 0, 0, 0, 0)
        for kind, body in connection.dump(_RTM_GETNEIGH, question):
            if kind != _RTM_NEWNEIGH or len(body) < 12:
                continue
            address = netlink.address(netlink.attributes(body, 12).get(_NDA_DST))
            if address in found:
                state = _STATES.get(struct.unpack_from("=H", body, 8)[0], "none")
                found[address] = min(found[address], state, key=_LIVELIEST_FIRST.index)
    return found
