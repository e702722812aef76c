# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets that a firewall stopped, as the kernel's log tells of them (the target LOG, or nftables' log statement).

The kernel writes what it is told to write ahead of the packet, and not what became of it: only a prefix that says so
("[UFW BLOCK] ", "FINAL_REJECT: ", "IN-DROP: ") makes it one that was stopped.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from . import lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    Facts = dict[str, Any]

_MOST = 40
_LINE = re.compile(
    r"(?P<before>[^\n]{0,200}?)\bIN=(?P<into>[\w.@-]{0,32}) (?:[A-Z]+=\S{0,64} )?OUT=(?P<out>[\w.@-]{0,32}) "
    r"[^\n]{0,200}?\bSRC=(?P<source>[0-9A-Fa-f:.]{3,39}) DST=(?P<destination>[0-9A-Fa-f:.]{3,39}) "
    r"[^\n]{0,200}?\bPROTO=TCP SPT=\d{1,5} DPT=(?P<port>\d{1,5})\b(?P<after>[^\n]{0,200})"
)
_STOPPED = re.compile(r"(?i)(?<![a-z])(?:\w{0,32}[_-])?(?:block|dropp?|reject|deny|denied|discard)(?:ed|s)?(?![a-z])")
_STAMP = re.compile(r".*(?:kernel: |\] (?=\[)|\d\] )")


def facts(texts: Mapping[str, str]) -> list[Facts]:
    """Return calico_node.host.logged_drops: what opens TCP connections and was stopped, one entry for each pair of
    addresses, port and way (inbound, outbound), with how often and the log's prefix; those told most often first."""
    groups: dict[tuple[str, str, int, str], Facts] = {}
    for text in texts.values():
        if " DPT=" not in text:
            continue
        for line in lines.printed(text).split("\n"):
            told = _read(line) if " DPT=" in line else None
            if told is not None:
                key = (told["source"], told["destination"], told["port"], told["way"])
                groups.setdefault(key, {**told, "packets": 0})["packets"] += 1
    return sorted(groups.values(), key=lambda entry: -int(entry["packets"]))[:_MOST]


def _read(line: str) -> Facts | None:
    """Return what a line tells of a packet that opens a connection from or to this host and was stopped."""
    match = _LINE.match(line)
    if match is None or bool(match["into"]) == bool(match["out"]):
        return None
    flags = match["after"].split()
    prefix = _STAMP.sub("", match["before"]).strip().rstrip(":")
    if "SYN" not in flags or "ACK" in flags or not _STOPPED.search(prefix):
        return None
    return {
        "source": _short(match["source"]),
        "destination": _short(match["destination"]),
        "port": int(match["port"]),
        "way": "inbound" if match["into"] else "outbound",
        "prefix": prefix[-60:],
    }


def _short(address: str) -> str:
    """Return an address as everybody else writes it: the kernel writes out all zeros of IPv6."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address
