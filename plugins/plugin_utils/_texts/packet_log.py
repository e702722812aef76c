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
# Of pods' interfaces and tunnels the kernel tells the same; who shows such lines often cuts off what follows.
_WAY = re.compile(
    r"(?P<before>[^\n]{0,200}?)\bIN=(?P<into>[\w.@-]{0,32}) (?:[A-Z]+=\S{0,64} )?OUT=(?P<out>[\w.@-]{0,32})(?=\s|$)"
    r"(?P<after>[^\n]{0,400})"
)
_OF_PODS = re.compile(r"cali\w|tunl0\b|vxlan(?:-v6)?\.calico|(?:wireguard|wg-v6)\.cali|flannel[.\d-]|cni0\b")
# ufw writes "[UFW BLOCK]" at the end of its own chains. Where Felix has marked a packet that policies accept (the first
# of its bits in felix/config/config_params.go), its rule behind ufw's lets that pass all the same.
_UFW, _MARK, _ACCEPTED = "UFW", re.compile(r"\bMARK=0x([0-9a-f]{1,8})\b"), 0x10000
_PROTOCOL = re.compile(r"\bPROTO=(\w{1,12})")
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


def of_pods(texts: Mapping[str, str]) -> list[Facts]:
    """Return calico_node.host.logged_pod_drops: what pods sent, or what was for them, and was stopped, one entry for
    each prefix and each kind of way; whole: the lines were not cut off before they tell that something began."""
    groups: dict[tuple[str, str, bool], Facts] = {}
    for text in texts.values():
        for line in lines.printed(text).split("\n") if " OUT=" in text or "IN=" in text else ():
            told = _of_pods(line) if "IN=" in line else None
            if told is not None:
                key = (told["prefix"], told["way"], told["whole"])
                groups.setdefault(key, {**told, "packets": 0})["packets"] += 1
    return sorted(groups.values(), key=lambda entry: (not entry["whole"], -int(entry["packets"])))[:_MOST]


def _of_pods(line: str) -> Facts | None:
    """Return what a line tells of a pod's packet that was stopped. What belongs to no connection any more (no SYN) any
    firewall stops now and then, and nobody misses it."""
    match = _WAY.match(line)
    if match is None or not (_OF_PODS.match(match["into"]) or _OF_PODS.match(match["out"])):
        return None
    prefix = _STAMP.sub("", match["before"]).strip().rstrip(":")
    protocol, flags = _PROTOCOL.search(match["after"]), match["after"].split()
    mark = _MARK.search(match["after"]) if _UFW in prefix and match["into"] and match["out"] else None
    if mark is not None and int(mark.group(1), 16) & _ACCEPTED:
        return None
    begins = protocol is None or protocol.group(1) != "TCP" or ("SYN" in flags and "ACK" not in flags)
    if not _STOPPED.search(prefix) or not begins:
        return None
    way = f"from {_kind(match['into'])} to {_kind(match['out'])}" if match["into"] else f"to {_kind(match['out'])}"
    return {"way": way, "prefix": prefix[-60:], "whole": protocol is not None}


def _kind(interface: str) -> str:
    """Return an interface as a rule would name it: each pod has one of its own."""
    return "cali+" if interface.startswith("cali") else interface or "the host"


def _short(address: str) -> str:
    """Return an address as everybody else writes it: the kernel writes out all zeros of IPv6."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address
