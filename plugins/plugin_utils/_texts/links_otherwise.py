# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces and addresses as `ifconfig` prints them, of net-tools before and from 2.0 and of busybox, and `ip -br`.

They have no numbers of interfaces, so each gets that of its place; `ip -br` has no sizes, so these are 0.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from ...module_utils._host.links import PERMANENT, Address, Link, Network
from . import lines, words
from .parsed import Parsed, Problems

# Without `ip -d` the driver is not printed; these names are Calico's, flannel's and the kernel's own.
KNOWN_NAMES = {
    "tunl0": "ipip",
    "vxlan.calico": "vxlan",
    "vxlan-v6.calico": "vxlan",
    "wireguard.cali": "wireguard",
    "wg-v6.cali": "wireguard",
    "flannel.1": "vxlan",
    "flannel-v6.1": "vxlan",
}
# "eth0: flags=4163<UP,BROADCAST>  mtu 1500" from net-tools 2.0 on, "eth0      Link encap:Ethernet  HWaddr …" else.
_HEAD = re.compile(
    r"(?P<name>[\w.:@-]{1,64}?)(?:: flags=-?\d{1,6}<(?P<flags>[\w,]*)>(?P<rest>.*)|\s+Link encap:(?P<encap>.*))$"
)
_FLAGS = re.compile(r"\s*(?P<flags>(?:[A-Z]{2,16} )+) *MTU:(?P<mtu>\d{1,6})")
_INET = re.compile(
    r"inet(?P<six>6)? (?:addr: ?)?(?P<address>[0-9a-fA-F.:]{2,45})(?:%\S{1,32})?(?:/(?P<length>\d{1,3}))?(?P<rest>.*)$"
)
_LENGTH = re.compile(r"(?:netmask |Mask:|prefixlen )(?P<mask>[0-9a-fx.]{1,15})")
_PEER = re.compile(r"(?:destination |P-t-P:)(?P<peer>[0-9a-fA-F.:]{2,45})")
_SCOPE = re.compile(r"(?:scopeid 0x[0-9a-f]{1,8}<|Scope:)(?P<scope>\w{1,16})")
_MTU = re.compile(r"\bmtu (\d{1,6})")
_BRIEF = re.compile(
    r"(?P<name>[\w.:-]{1,64})(?:@(?P<lower>[\w.-]{1,64}))? +"
    r"(?P<state>UP|DOWN|UNKNOWN|LOWERLAYERDOWN|DORMANT|NOTPRESENT|TESTING)(?: +(?P<rest>.*))?$"
)
# `ip address` numbers its interfaces.
_NUMBERED = re.compile(r"\d{1,10}: \S")
_SET = re.compile(r"<([\w,-]*)>")
_KINDS = {"Local Loopback": "loopback", "IPIP Tunnel": "ipip", "IPv6-in-IPv4": "sit"}
_RUN = ("UP", "UNKNOWN")
_OF_NO_USE = (
    *("RX ", "TX ", "ether ", "loop ", "unspec ", "collisions:", "inet6", "device ", "Interrupt:", "tunnel ", "sit "),
    *("Base address", "Memory:", "UP ", "[NO FLAGS]"),
)


class _Read(NamedTuple):
    links: list[Link]
    addresses: list[Address]
    problems: Problems


def network(text: str) -> Parsed[Network] | None:
    """Return what a text of one of these forms tells; None if it is of none of them, or `ip address` tells it, too."""
    told = [(number, line) for number, line in lines.numbered(text) if line.strip()]
    mine = rows(text)
    if not mine or any(_NUMBERED.match(line) for number, line in told if number not in mine):
        return None
    found = _Read([], [], Problems())
    for number, line in told:
        brief, head = _BRIEF.match(line), _HEAD.match(line)
        if head is not None:
            _take_head(head, found)
        elif brief is not None:
            _take_brief(brief, found)
        elif not found.links or not _take_more(line.strip(), found):
            found.problems.add(number, line, "belongs to no interface")
    # An alias (eth0:1) is an address of its interface, not one more of these.
    own = [link for link in found.links if ":" not in link.name]
    return Parsed(Network(own, found.addresses), found.problems.found())


def rows(text: str) -> frozenset[int]:
    """Return the numbers of the lines that are of one of these forms."""
    found = []
    inside = False
    for number, line in lines.numbered(text):
        if line.strip():
            begins = bool(_HEAD.match(line) or _BRIEF.match(line))
            inside = begins or (inside and not _NUMBERED.match(line))
            if inside:
                found.append(number)
    return frozenset(found)


def _take_head(head: re.Match[str], found: _Read) -> None:
    name, encap = head.group("name"), head.group("encap") or ""
    kind = KNOWN_NAMES.get(name) or next((kind for words_, kind in _KINDS.items() if encap.startswith(words_)), "")
    link = Link(len(found.links) + 1, name, 0, kind, False, False, 0)
    if head.group("flags") is not None:
        mtu = _MTU.search(head.group("rest"))
        link = _flagged(link, head.group("flags").split(","), int(mtu.group(1)) if mtu else 0)
    found.links.append(link)


def _flagged(link: Link, flags: list[str], mtu: int) -> Link:
    kind = "loopback" if "LOOPBACK" in flags else link.kind
    return link._replace(up="UP" in flags, running="RUNNING" in flags or "LOWER_UP" in flags, mtu=mtu, kind=kind)


def _take_more(line: str, found: _Read) -> bool:
    """Read a line of ifconfig's below an interface's name; say whether it is one."""
    inet, flags = _INET.match(line), _FLAGS.match(line)
    if flags is not None:
        found.links[-1] = _flagged(found.links[-1], flags.group("flags").split(), int(flags.group("mtu")))
    elif inet is not None:
        rest = inet.group("rest")
        length, peer, scope = _LENGTH.search(rest), _PEER.search(rest), _SCOPE.search(rest)
        told = inet.group("length") or (length.group("mask") if length else "")
        _add(
            found,
            inet.group("address"),
            _bits(told, "ipv6" if inet.group("six") else "ipv4"),
            scope.group("scope").lower() if scope else "",
            words.address(peer.group("peer")) if peer else "",
        )
    else:
        return line.startswith(_OF_NO_USE)
    return True


def _bits(told: str, family: str) -> int | None:
    """Return the length of a prefix that is told as such or as a mask, None if it is neither."""
    if "." not in told:
        bits = words.number(told)
        most = 128 if family == "ipv6" else 32
        return bits if bits is not None and bits <= most else None
    try:
        return ipaddress.ip_network(f"0.0.0.0/{told}").prefixlen
    except ValueError:
        return None


def _take_brief(brief: re.Match[str], found: _Read) -> None:
    rest, name = brief.group("rest") or "", brief.group("name")
    flags = _SET.search(rest)
    running = brief.group("state") in _RUN
    link = Link(len(found.links) + 1, name, 0, KNOWN_NAMES.get(name, ""), running, running, 0)
    found.links.append(_flagged(link, flags.group(1).split(","), 0)._replace(running=running) if flags else link)
    if name == "lo":
        found.links[-1] = found.links[-1]._replace(kind="loopback")
    fields = rest.split()
    for place, field in enumerate(fields):
        before = fields[place - 1] if place else ""
        after = fields[place + 2] if fields[place + 1 : place + 2] == ["peer"] else ""
        pair = words.prefix(field) if "/" in field or after else None
        if pair is None or before == "peer":
            continue
        other = words.prefix(after) if after else None
        _add(found, pair[0], other[1] if other else pair[1], "", other[0] if other else "")


def _add(found: _Read, told: str, bits: int | None, scope: str, peer: str) -> None:
    address = words.address(told)
    if not address or not found.links:
        return
    name, _colon, alias = found.links[-1].name.partition(":")
    family = "ipv6" if ":" in address else "ipv4"
    scope = scope or _scope(address)
    found.addresses.append(
        Address(
            address=address,
            prefix=bits if bits is not None else (128 if family == "ipv6" else 32),
            interface=name,
            family=family,
            scope=scope,
            usable=True,
            flags=PERMANENT,
            label=found.links[-1].name if alias else "",
            peer="" if peer == address else peer,
        )
    )


def _scope(address: str) -> str:
    """Return the scope that the kernel gives an address by itself."""
    parsed = ipaddress.ip_address(address)
    return "host" if parsed.is_loopback else "link" if parsed.is_link_local else "global"
