# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is probed between hosts, by what is planned: ports, IPIP, packet sizes; and what each is called and for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FLAVOURS = ("ipip", "vxlan", "bgp", "canal")
MTU = "mtu"
# What each way of carrying pods' packets needs between nodes. Typha's port is one that any of them may need.
_NEEDS = {
    "ipip": ("tcp/179", "tcp/5473", "ipip"),
    "vxlan": ("tcp/5473", "udp/4789"),
    "bgp": ("tcp/179", "tcp/5473"),
    "canal": ("tcp/5473", "udp/8472"),
}
_PORT = re.compile(r"(tcp|udp)/([1-9]\d{0,4})|ipip", re.ASCII)
_GREATEST_PORT = 65535
_CALLED = {
    "tcp179": "TCP 179 (BGP)",
    "tcp5473": "TCP 5473 (Typha)",
    "udp4789": "UDP 4789 (VXLAN)",
    "udp8472": "UDP 8472 (VXLAN of flannel)",
    "ipip": "IP protocol 4 (IPIP)",
    MTU: "packets of full size",
}
_LETTERS = {"tcp179": "B", "tcp5473": "T", "udp4789": "V", "udp8472": "F", "ipip": "I", MTU: "M"}


@dataclass(frozen=True)
class Ways:
    """What is probed: ports of TCP and UDP, and whether IPIP is."""

    tcp: tuple[int, ...]
    udp: tuple[int, ...]
    ipip: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all ways for IPv4, as nodes have them."""
        ports = (*(f"tcp{port}" for port in self.tcp), *(f"udp{port}" for port in self.udp))
        return (*ports, "ipip") if self.ipip else ports


def wanted(planned: Mapping[str, Any]) -> Ways:
    """What is to be probed by the role's variables (by name without preflight_). ValueError, with a sentence, for what
    cannot be."""
    flavours = chosen_flavours(planned)
    given = plain.listed(planned.get("ports") or ())
    if given and chosen(planned):
        raise ValueError("preflight_flavour and preflight_ports are both given; give what is planned, or what to probe")
    texts = [plain.text(one).lower() for one in given] if isinstance(given, (list, tuple)) else [plain.text(given)]
    for text in texts:
        found = _PORT.fullmatch(text)
        if not found or (found[2] and int(found[2]) > _GREATEST_PORT):
            raise ValueError(f"preflight_ports has {text!r}; each of them must be tcp/PORT, udp/PORT or ipip")
    needed = texts or list(dict.fromkeys(one for flavour in flavours for one in _NEEDS[flavour]))
    return Ways(_ports(needed, "tcp"), _ports(needed, "udp"), "ipip" in needed)


def chosen_flavours(planned: Mapping[str, Any]) -> tuple[str, ...]:
    """The flavours that are planned; all of them unless the operator has said which. ValueError for unknown ones."""
    found = chosen(planned)
    unknown = [one for one in found if one not in FLAVOURS]
    if unknown:
        raise ValueError(f"preflight_flavour has {unknown[0]!r}; it must be one of {', '.join(FLAVOURS)}")
    return tuple(one for one in FLAVOURS if one in found) or FLAVOURS


def chosen(planned: Mapping[str, Any]) -> list[str]:
    """What the operator has given as flavours."""
    given = plain.listed(planned.get("flavour") or ())
    return [plain.text(one).lower() for one in given if plain.text(one)] if isinstance(given, (list, tuple)) else []


def called(way: str) -> str:
    """A way's name for people."""
    plain_name, _slash, six = way.partition("/")
    usual = plain_name.upper() if plain_name == "ipip" else f"{plain_name[:3].upper()} {plain_name[3:]}"
    return _CALLED.get(plain_name, usual) + (" over IPv6" if six else "")


def letter(way: str) -> str:
    """A way's letter in the matrix; P for a port that has none of its own."""
    return _LETTERS.get(way.partition("/")[0], "P")


def letters(ways: Iterable[str]) -> dict[str, str]:
    """What the letters of these ways stand for."""
    return {letter(way): called(way.partition("/")[0]) for way in ways}


def _ports(needed: Iterable[str], protocol: str) -> tuple[int, ...]:
    return tuple(int(one.partition("/")[2]) for one in needed if one.startswith(f"{protocol}/"))
