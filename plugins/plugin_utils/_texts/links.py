# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip address` and `ip link`: text, one line each (-o), with details (-d) or JSON (-j), of iproute2 and of busybox;
also what links_otherwise reads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...module_utils._host.links import (
    DEPRECATED,
    DUPLICATE,
    PERMANENT,
    SECONDARY,
    TENTATIVE,
    Address,
    Link,
    Network,
)
from . import lines, links_otherwise, words
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# "2: eth0@if5: <BROADCAST,UP> mtu 1500 …"; one line each repeats "2: eth0    inet …" for every address.
_HEAD = re.compile(r"(\d{1,10}): ([^\s:@]{1,64}(?::[^\s:@]{1,16})?)(?:@([^\s:]{1,64}))?:? (?:\s*<([\w,.-]*)> )?(.*)$")
_FOR_EVER = 0xFFFFFFFF
_OPERATIONAL = ("UP", "UNKNOWN")
# What iproute2 and busybox print for an address' flags. It has no word for "permanent", but one for the contrary.
_FLAGS = {
    "secondary": SECONDARY,
    "temporary": SECONDARY,
    "tentative": TENTATIVE,
    "dadfailed": DUPLICATE,
    "deprecated": DEPRECATED,
    "nodad": 0x02,
    "optimistic": 0x04,
    "home": 0x10,
    "mngtmpaddr": 0x100,
    "noprefixroute": 0x200,
    "autojoin": 0x400,
}
_LINK_TYPES = {"loopback": "loopback", "ipip": "ipip", "sit": "sit", "gre": "gre", "tunnel6": "ip6tnl"}
# The drivers' own words, as the first of a line of details. Others follow no pattern and are left unknown.
_KINDS = frozenset(
    [
        "amt",
        "bareudp",
        "batadv",
        "bond",
        "bridge",
        "can",
        "dummy",
        "erspan",
        "geneve",
        "gre",
        "gretap",
        "gtp",
        "ifb",
        "ip6erspan",
        "ip6gre",
        "ip6gretap",
        "ip6tnl",
        "ipip",
        "ipoib",
        "ipvlan",
        "ipvtap",
        "macsec",
        "macvlan",
        "macvtap",
        "netdevsim",
        "netkit",
        "nlmon",
        "sit",
        "team",
        "tun",
        "vcan",
        "veth",
        "vlan",
        "vrf",
        "vti",
        "vti6",
        "vxcan",
        "vxlan",
        "wireguard",
        "wwan",
        "xfrm",
    ]
)
_KNOWN_NAMES = links_otherwise.KNOWN_NAMES


def parse(text: str) -> Parsed[Network]:
    """Return interfaces and addresses as the kernel itself tells them.

    Known only with -d or by its usual name is an interface's `kind`. `master` is 0 if that interface is not listed.
    """
    if lines.is_json(text):
        return _from_json(text)
    otherwise = links_otherwise.network(text)
    if otherwise is not None:
        return otherwise
    gathered = _Gathered()
    told_otherwise = links_otherwise.rows(text)
    for number, line in _unwrapped(text):
        if number not in told_otherwise:
            gathered.take(number, line)
    return Parsed(gathered.network(), gathered.problems.found())


class _Gathered:
    """The interfaces and addresses read so far, and the interface that the next line is about."""

    def __init__(self) -> None:
        self.problems = Problems()
        self._links: dict[int, Link] = {}
        self._masters: dict[int, str] = {}
        self._addresses: list[Address] = []
        self._current: Link | None = None

    def network(self) -> Network:
        numbers = {link.name: link.number for link in self._links.values()}
        links = [
            link._replace(master=numbers.get(self._masters.get(link.number, ""), 0)) for link in self._links.values()
        ]
        return Network(links, self._addresses)

    def take(self, number: int, line: str) -> None:
        """Read one line."""
        head = _HEAD.match(line.lstrip()) if line[:1].isdigit() or line.lstrip()[:1].isdigit() else None
        if head is not None:
            self._head(head)
            line = head.group(5)
            if head.group(4) is not None:
                return
        fields = line.split()
        if not fields:
            return
        if fields[0] in ("inet", "inet6"):
            self._address(number, line, fields)
        elif fields[0] == "valid_lft":
            self._lifetime(fields)
        elif self._current is None:
            self.problems.add(number, line, "belongs to no interface")
        elif not self._current.kind:
            self._note_kind(fields)

    def _head(self, head: re.Match[str]) -> None:
        index, name, _lower, flags, rest = head.groups()
        number = int(index)
        if flags is None:
            # -o: an address with the interface before it; the interface itself may not be listed at all.
            known = self._links.get(number)
            self._current = known or Link(number, name, 0, _KNOWN_NAMES.get(name, ""), True, True, 0)
            self._links.setdefault(number, self._current)
            return
        fields = rest.split()
        set_flags = flags.split(",")
        state = words.after(fields, "state").upper()
        # busybox does not print the state.
        running = state in _OPERATIONAL if state else "LOWER_UP" in set_flags
        kind = "loopback" if "LOOPBACK" in set_flags else _KNOWN_NAMES.get(name, "")
        mtu = words.number(words.after(fields, "mtu")) or 0
        self._current = Link(number, name, mtu, kind, "UP" in set_flags, running, 0)
        self._links[number] = self._current
        master = words.after(fields, "master")
        if master:
            self._masters[number] = master

    def _note_kind(self, fields: list[str]) -> None:
        """Take the driver from a line of details, or what "link/…" tells of it."""
        if self._current is None:
            return
        kind = fields[0] if fields[0] in _KINDS else ""
        if fields[0].startswith("link/"):
            kind = _LINK_TYPES.get(fields[0][5:], "")
        if kind:
            self._current = self._current._replace(kind=kind)
            self._links[self._current.number] = self._current

    def _address(self, number: int, line: str, fields: list[str]) -> None:
        found = words.prefix(fields[1]) if len(fields) > 1 else None
        if found is None:
            self.problems.add(number, line, "no address that can be read")
            return
        if self._current is None:
            self.problems.add(number, line, "belongs to no interface")
            return
        address, length = found
        peer = words.prefix(words.after(fields, "peer"))
        interface = self._current.name
        self._addresses.append(
            Address(
                address=address,
                prefix=peer[1] if peer else length,
                interface=interface,
                family="ipv6" if fields[0] == "inet6" else "ipv4",
                scope=words.after(fields, "scope") or "global",
                usable=True,
                label=fields[-1] if fields[0] == "inet" and fields[-1].startswith(interface + ":") else "",
                peer=peer[0] if peer else "",
            )
        )
        self._set_flags(_flags(fields))
        if "valid_lft" in fields:
            self._lifetime(fields)

    def _set_flags(self, flags: int) -> None:
        usable = not flags & (TENTATIVE | DUPLICATE)
        self._addresses[-1] = self._addresses[-1]._replace(flags=flags, usable=usable)

    def _lifetime(self, fields: list[str]) -> None:
        """Note how long the address before lasts: "valid_lft 86013sec preferred_lft forever"."""
        seconds = words.number(words.after(fields, "valid_lft").removesuffix("sec"))
        if seconds is not None and self._addresses:
            last = self._addresses[-1]
            self._addresses[-1] = last._replace(valid_seconds=seconds, flags=last.flags & ~PERMANENT)


def _flags(fields: list[str]) -> int:
    flags = PERMANENT
    for word in fields:
        flags |= _FLAGS.get(word, 0)
    if "dynamic" in fields:
        flags &= ~PERMANENT
    # Flags that a program has no word for; busybox has few.
    others = words.after(fields, "flags")
    return flags | int(others, 16) if re.match(r"[0-9a-fA-F]{1,4}$", others) else flags


def _unwrapped(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines; where -o joined several by backslashes, each of them."""
    for number, line in lines.numbered(text):
        for part in line.split("\\"):
            if part.strip():
                yield number, part


def _from_json(text: str) -> Parsed[Network]:
    value, why = lines.load_json(text)
    problems = Problems()
    if why:
        problems.add(0, "", why)
    entries = value if isinstance(value, list) else [value]
    found = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("ifname"), str)]
    if len(found) < len(entries) and not why:
        # `ip -j address show up` has "{}" for what was filtered out.
        strange = sum(1 for entry in entries if entry not in ({}, None)) - len(found)
        if strange:
            problems.add(0, "", f"{strange} entries are no interfaces")
    numbers = {entry["ifname"]: words.number(entry.get("ifindex")) or -place for place, entry in enumerate(found, 1)}
    links = [_json_link(entry, numbers) for entry in found]
    addresses = [address for entry in found for address in _json_addresses(entry, problems)]
    return Parsed(Network(links, addresses), problems.found())


def _json_link(entry: dict[str, Any], numbers: dict[str, int]) -> Link:
    name = entry["ifname"]
    listed = entry.get("flags")
    flags = listed if isinstance(listed, list) else []
    info = entry.get("linkinfo")
    kind = info.get("info_kind") if isinstance(info, dict) else ""
    if not isinstance(kind, str) or not kind:
        kind = _KNOWN_NAMES.get(name) or _LINK_TYPES.get(str(entry.get("link_type")), "")
    state = entry.get("operstate")
    return Link(
        number=numbers[name],
        name=name,
        mtu=words.number(entry.get("mtu")) or 0,
        kind=kind,
        up="UP" in flags,
        running=state in _OPERATIONAL if isinstance(state, str) else "LOWER_UP" in flags,
        master=max(numbers.get(str(entry.get("master")), 0), 0),
    )


def _json_addresses(entry: dict[str, Any], problems: Problems) -> Iterable[Address]:
    listed = entry.get("addr_info")
    for item in listed if isinstance(listed, list) else []:
        if not isinstance(item, dict) or not item:
            continue
        address = words.address(str(item.get("local") or item.get("address") or ""))
        length = words.number(item.get("prefixlen", 128 if ":" in address else 32))
        if not address or length is None:
            problems.add(0, str(item)[:80], "no address that can be read")
            continue
        flags = _flags([name for name, value in item.items() if value is True])
        # "valid_life_time" is 2^32-1 for ever.
        seconds = words.number(item.get("valid_life_time"))
        label = str(item.get("label") or "")
        yield Address(
            address=address,
            prefix=length,
            interface=entry["ifname"],
            family="ipv6" if ":" in address else "ipv4",
            scope=str(item.get("scope") or "global"),
            usable=not flags & (TENTATIVE | DUPLICATE),
            flags=flags,
            valid_seconds=None if seconds is None or seconds >= _FOR_EVER else seconds,
            label="" if label == entry["ifname"] else label,
            peer=words.address(str(item.get("address") or "")) if item.get("local") else "",
        )
