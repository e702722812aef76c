# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of IPv4, IPv6 and Ethernet, replaced so that subnets and special meanings stay.

What stays: unspecified, loopback, link-local (also 169.254.169.254), multicast and broadcast addresses and netmasks;
a few public resolvers, which are nobody's secret; the private blocks, each of which is mapped to itself; the last byte
of IPv4 and the last 16 bits of IPv6, so that the network, its gateway and its broadcast address are still known by
their numbers. Interface identifiers of IPv6 that are made of a MAC address follow the MAC address.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from .tree import Block, Tree

if TYPE_CHECKING:
    from .keyed import Keyed

_WHOLE4 = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
_RESOLVERS4 = ("8.8.8.0/24", "8.8.4.0/24", "1.1.1.0/24", "1.0.0.0/24", "9.9.9.0/24")
_BLOCKS4 = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15")
_WHOLE6 = ("::/96", "ff00::/8", "2001:4860:4860::/48", "2606:4700:4700::/48")
_BLOCKS6 = ("2000::/3", "fc00::/8", "fd00::/8", "fe80::/10")
_LAST4, _LAST6, _SUBNET6, _LINK_LOCAL = 24, 112, 64, 0x3FA
_EMBEDDED = (socket.inet_pton(socket.AF_INET6, "::ffff:0:0")[:12], socket.inet_pton(socket.AF_INET6, "64:ff9b::")[:12])
_MOST_KNOWN = 100_000
_CALICO = bytes.fromhex("eeeeeeeeeeee")


def _blocks(whole: tuple[str, ...], mapped: tuple[str, ...]) -> list[Block]:
    networks = [(ipaddress.ip_network(text), text in whole) for text in (*whole, *mapped)]
    return [Block(int(network.network_address), network.prefixlen, is_whole) for network, is_whole in networks]


def _free6(place: int, before: int) -> bool:
    if place >= _LAST6:
        return False
    if place < _SUBNET6:
        return place < 10 or before >> (place - 10) != _LINK_LOCAL
    # Small interface identifiers (::1, ::a) stay small.
    return before & ((1 << (place - _SUBNET6)) - 1) != 0 or place == _LAST6


def is_network(address: bytes, length: int) -> bool:
    """Say whether an address is that of a network of this length: it has no bits of a host."""
    bits = len(address) * 8
    return length < bits and not int.from_bytes(address, "big") & ((1 << (bits - length)) - 1)


class Addresses:
    """The mapping of one key. Addresses are given and returned as bytes or as text in their canonical form."""

    def __init__(self, keyed: Keyed) -> None:
        self._four = Tree(
            keyed,
            "ipv4",
            32,
            _blocks((*_WHOLE4, *_RESOLVERS4), _BLOCKS4),
            lambda place, _before: place < _LAST4,
        )
        self._six = Tree(keyed, "ipv6", 128, _blocks(_WHOLE6, _BLOCKS6), _free6)
        # The bits that say multicast and locally administered are the last two of the first byte.
        self._mac = Tree(keyed, "mac", 48, (), lambda place, _before: place not in (6, 7))
        self._known: dict[bytes, bytes] = {}
        self._of_bytes: dict[bytes, bytes] = {}
        self._relations: dict[bytes, bytes] = {}

    def learn(self, address: bytes, length: int) -> None:
        """Take in an interface's address with its length: where the network ends inside the bytes that change, its own
        address and its broadcast address are to be those of the replaced network."""
        if len(address) != 4 or not 8 <= length < _LAST4:
            return
        host = (1 << (32 - length)) - 1
        number = int.from_bytes(address, "big")
        if number & host in (0, host):
            return
        made = int.from_bytes(self.raw(address), "big")
        for bits in (0, host):
            replaced = (made & ~host | bits).to_bytes(4, "big")
            self._relations[(number & ~host | bits).to_bytes(4, "big")] = replaced

    def raw(self, address: bytes) -> bytes:
        """Return what an address of 4, 6 (MAC) or 16 bytes becomes."""
        related = self._relations.get(address)
        if related is not None:
            return related
        made = self._known.get(address)
        if made is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            made = self._known[address] = self._made(address)
        return made

    def _made(self, address: bytes) -> bytes:
        if len(address) == 4:
            # The last byte stays, so that one answer serves all addresses before it.
            made = self._of_bytes.get(address[:3])
            if made is None:
                made = self._of_bytes[address[:3]] = self._four(int.from_bytes(address, "big")).to_bytes(4, "big")[:3]
            return made + address[3:]
        if len(address) == 6:
            return self._made_mac(address)
        if address[:12] in _EMBEDDED:
            return address[:12] + self.raw(address[12:])
        if address[:2] == b"\xff\x02" and address[11:13] == b"\x01\xff":
            return address[:13] + bytes(1) + address[14:]
        made = self._six(int.from_bytes(address, "big")).to_bytes(16, "big")
        if address[11:13] == b"\xff\xfe":
            mac = self.raw(bytes((address[8] ^ 2, *address[9:11], *address[13:])))
            made = made[:8] + bytes((mac[0] ^ 2, *mac[1:3])) + b"\xff\xfe" + mac[3:]
        return made

    def _made_mac(self, address: bytes) -> bytes:
        if address in (_CALICO, bytes(6), b"\xff" * 6) or address[:3] == b"\x01\x00\x5e":
            return address
        if address[:2] == b"\x33\x33":
            return address[:2] + (b"\xff\0" + address[4:] if address[2] == 0xFF else address[2:])
        if address[0] & 1:
            return address
        return self._mac(int.from_bytes(address, "big")).to_bytes(6, "big")

    def network(self, address: bytes, length: int) -> bytes:
        """Return what the address of a network becomes; one with bits of a host is an address."""
        bits = len(address) * 8
        host = (1 << max(0, bits - length)) - 1
        if int.from_bytes(address, "big") & host:
            return self.raw(address)
        made = self._made(address) if len(address) == 4 and length < bits else self.raw(address)
        return (int.from_bytes(made, "big") & ~host).to_bytes(len(address), "big")
