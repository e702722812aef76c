# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of `route`, `route -n`, `route -A inet6` and `netstat -rn`, of net-tools and of busybox."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from . import words

_FLAGS = re.compile(r"[UGHDMRACn!f]{1,8}$")
_NO_DEVICE = ("*", "-")


class Row(NamedTuple):
    """One row. kind: unicast, unreachable ("!"), blackhole (up, without any device) or local; metric as printed."""

    destination: tuple[str, int]
    family: str
    kind: str
    gateway: str
    device: str
    metric: str


def is_head(fields: list[str]) -> bool:
    """Say whether these are the words above a table."""
    return fields[0] == "Kernel" or fields[:2] in (["Destination", "Gateway"], ["Destination", "Next"])


def row(fields: list[str]) -> Row | None:
    """Return the row that a line's words are, None if it is none."""
    if len(fields) == 8 and _FLAGS.match(fields[3]):
        return _four(fields)
    if len(fields) in (6, 7) and _FLAGS.match(fields[2]) and ":" in fields[0]:
        return _six(fields)
    return None


def _four(fields: list[str]) -> Row | None:
    """ "10.0.0.0  0.0.0.0  255.255.255.0  U  0  0  0 eth0"; netstat has sizes in the place of the metric."""
    address = "0.0.0.0" if fields[0] == "default" else words.address(fields[0])  # noqa: S104 - a destination
    bits = _bits(fields[2])
    if not address or bits is None or ":" in address:
        return None
    gateway = words.address(fields[1])
    flags, device = fields[3], "" if fields[7] in _NO_DEVICE else fields[7]
    kind = "unreachable" if "!" in flags else "unicast" if device else "blackhole"
    by = gateway if "G" in flags else ""
    return Row((address, bits), "ipv4", kind, by, device if kind == "unicast" else "", fields[4])


def _six(fields: list[str]) -> Row | None:
    """ "fd00::/64  ::  U  256 1 0 eth0"; "n" marks what the kernel holds for itself, such as its own addresses."""
    destination = words.prefix(fields[0], "ipv6")
    if destination is None:
        return None
    gateway = words.address(fields[1])
    flags, device = fields[2], fields[-1]
    kind = "unreachable" if "!" in flags else "local" if "n" in flags else "unicast"
    by = gateway if "G" in flags and gateway != "::" else ""
    return Row(destination, "ipv6", kind, by, device if kind != "unreachable" else "", fields[3])


def _bits(mask: str) -> int | None:
    try:
        return ipaddress.ip_network(f"0.0.0.0/{mask}").prefixlen if "." in mask else None
    except ValueError:
        return None
