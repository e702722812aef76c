# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw sockets set up so that probing leaves no trace in the kernel.

Option numbers are Linux's own; Python's socket module lacks most of the names.
"""

from __future__ import annotations

import errno
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_IP_TOS, _IP_MTU_DISCOVER = 1, 10
_IPV6_MTU_DISCOVER, _IPV6_DONTFRAG, _IPV6_TCLASS = 23, 62, 67
# Of the discovery modes only this one makes the kernel ignore "fragmentation needed" for the socket: the others
# write it into the cache of path MTUs, where it would outlive the probe.
_PMTUDISC_INTERFACE = 4
_SOL_RAW, _ICMP_FILTER, _ICMP6_FILTER = 255, 1, 1
# BIRD marks its packets as network control; a probe should meet the same treatment.
_NETWORK_CONTROL = 0xC0
_BUFFER = 1 << 20
_SO_SNDBUFFORCE = 32


def raw(family: int, protocol: int, source: str = "") -> socket.socket:
    """Open a non-blocking raw socket, bound to the `source` address if one is given. Raises OSError
    (PermissionError without CAP_NET_RAW)."""
    opened = socket.socket(family, socket.SOCK_RAW, protocol)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET:
            opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_INTERFACE)
            opened.setsockopt(socket.IPPROTO_IP, _IP_TOS, _NETWORK_CONTROL)
        else:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_INTERFACE)
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_TCLASS, _NETWORK_CONTROL)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        _widen(opened)
        if source:
            opened.bind(socket_address(family, source, 0))
    except OSError:
        opened.close()
        raise
    return opened


def icmp(family: int, kinds: Iterable[int], source: str = "") -> socket.socket:
    """Open a raw ICMP or ICMPv6 socket that hears only messages of these types."""
    if family == socket.AF_INET:
        opened = raw(family, socket.IPPROTO_ICMP, source)
        blocked = 0xFFFFFFFF
        for kind in kinds:
            blocked &= ~(1 << kind)
        opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", blocked))
        return opened
    opened = raw(family, socket.IPPROTO_ICMPV6, source)
    words = [0xFFFFFFFF] * 8
    for kind in kinds:
        words[kind >> 5] &= ~(1 << (kind & 31))
    opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *words))
    return opened


def socket_address(family: int, address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return the address as sendto() and bind() want it; 'fe80::1%eth0' is taken apart."""
    if family == socket.AF_INET:
        return (address, port)
    plain, _percent, zone = address.partition("%")
    return (plain, port, 0, _zone_number(zone))


def family_of(address: str) -> int:
    """Return AF_INET6 for an address with a colon, else AF_INET."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def why_not_sent(error: OSError, source: str) -> str:
    """Say in words why the kernel did not send a packet."""
    reasons = {
        errno.EPERM: "a rule of this host's own firewall (OUTPUT) refused to let the packet out",
        errno.ENETUNREACH: "this host has no route to the peer",
        errno.EHOSTUNREACH: "this host's route to the peer says unreachable",
        errno.EACCES: "this host's route to the peer says prohibited",
        errno.EINVAL: "this host's route to the peer is a blackhole",
        errno.EADDRNOTAVAIL: f"the source address {source} is not on this host",
        errno.ENETDOWN: "the interface towards the peer is down",
    }
    return reasons.get(error.errno or 0, f"the kernel did not send the packet: {error.strerror or error}")


def may_be_full(error: OSError) -> bool:
    """Say whether the packet was refused only because a queue is full."""
    return error.errno in (errno.EAGAIN, errno.ENOBUFS)


def _widen(opened: socket.socket) -> None:
    """Give the socket a large send buffer: packets to a dead host on the link stay in it for the 3 s that ARP takes
    to give up."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, 4 * _BUFFER)
    except OSError:
        # Without CAP_NET_ADMIN the usual limit holds, and a full buffer only slows the probes down.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _BUFFER)


def _zone_number(zone: str) -> int:
    if not zone:
        return 0
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        return 0
