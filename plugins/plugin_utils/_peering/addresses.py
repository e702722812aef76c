# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as confd reads them (Go's net.ParseIP, net.SplitHostPort and strconv.ParseUint)."""

from __future__ import annotations

import ipaddress
import re

_LONGEST = 64
_PORT = re.compile(r"(0[xX][0-9a-fA-F]+|0[oO]?[0-7]*|0[bB][01]+|[1-9][0-9]*)\Z")
_HIGHEST_PORT = 65535


def canonical(text: str) -> str:
    """The address as confd writes it, '' if it is none. An IPv4 address within IPv6 counts as IPv4."""
    if len(text) > _LONGEST or "%" in text:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def is_ipv4(text: str) -> bool:
    """An IPv4 address and nothing else."""
    return "." in text and canonical(text) == text


def family_of(address: str) -> str:
    """ipv4 or ipv6."""
    return "ipv6" if ":" in address else "ipv4"


def split_port(text: str) -> tuple[str, int]:
    """Host and port of a peerIP, port 0 if it names none. What is malformed comes back whole, as it does in confd."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, 0
    if host.startswith("["):
        if not host.endswith("]"):
            return text, 0
        host = host[1:-1]
    elif ":" in host:
        return text, 0
    if "[" in host or "]" in host:
        return text, 0
    number = _number(port)
    return (text, 0) if number is None else (host, number)


def _number(port: str) -> int | None:
    """A port as Go reads it with base 0: 0x and 0b as usual, and a leading 0 means octal."""
    if len(port) > _LONGEST or not _PORT.match(port):
        return None
    octal = port[0] == "0" and port[1:].isdigit()
    try:
        number = int(port, 8 if octal else 0)
    except ValueError:
        return None
    return number if number <= _HIGHEST_PORT else None


def without_length(text: str) -> str:
    """The address of a stored node address, which may carry a prefix length; '' if it is none."""
    return canonical(text.partition("/")[0])


def network_of(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The subnet of a stored node address; None where it tells none."""
    if len(text) > _LONGEST or "/" not in text:
        return None
    try:
        return ipaddress.ip_interface(text).network
    except ValueError:
        return None


def reachable(gateway: str, address: str) -> bool:
    """The reachableBy of a BGPPeer is empty, or an address of its peer's family."""
    if not gateway:
        return True
    found = canonical(gateway)
    return bool(found) and family_of(found) == family_of(address)
