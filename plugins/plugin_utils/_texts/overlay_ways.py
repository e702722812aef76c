# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways through VXLAN devices, from what `ip -d address`, `ip neigh`, `ip route` and `bridge fdb` print."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from ...module_utils._facts import overlay_ways
from ...module_utils._host import overlay
from ...module_utils._host import overlay_ways as kernel
from . import lines, neighbours, tunnels, words

if TYPE_CHECKING:
    from ...module_utils._host.links import Network
    from .node import Assembly

FDB = "bridge-fdb.txt"
LINKS = ("ip-addr.json", "ip-addr.txt", "ip-link.json", "ip-link.txt")
NEIGHBOURS = ("ip-neigh.json", "ip-neigh.txt")
_HEAD = re.compile(r"\d{1,10}: ([^\s:@]{1,64})[@:]")
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_USABLE = ("reachable", "stale")


def found(whole: Assembly, network: Network) -> list[overlay_ways.Found]:
    """Return the devices with their ways; what no text tells is noted in them as untold."""
    text = whole.first(*LINKS)
    made, hardware = tunnels.vxlans(text), macs(text)
    devices = [
        kernel.device(link, network, hardware.get(link.name, ""), made.get(link.name))
        for link in overlay.tunnelling(network)
    ]
    known = neighbours.parse(whole.first(*NEIGHBOURS)).value
    ends = forwarded(whole.texts.get(FDB, ""))
    table = whole.table.entries()
    here = {
        "fdb": bool(whole.texts.get(FDB, "").strip()) or whole.told.value("fdb") == "0",
        "neighbours": bool(whole.first(*NEIGHBOURS)),
        "routes": bool(whole.table.routes),
    }
    untold = [name for name, is_here in here.items() if not is_here]
    entries = {}
    for one in devices:
        resolved: dict[str, list[str]] = {}
        for each in known:
            mac = plain(each.hardware)
            if each.device == one.name and each.state in _USABLE and mac:
                resolved.setdefault(each.address, []).append(mac)
        entries[one.name] = kernel.of_device(one.name, ends.get(one.name, {}), resolved, table, untold)
    return overlay_ways.joined(devices, entries)


def plain(mac: str) -> str:
    """Return a MAC without its colons, '' if it is none."""
    lowered = mac.lower()
    return lowered.replace(":", "") if _MAC.fullmatch(lowered) else ""


def forwarded(text: str) -> dict[str, dict[str, list[str]]]:
    """Return by device the far ends by MAC in what `bridge fdb show` prints."""
    entries: dict[str, dict[str, list[str]]] = {}
    for _number, line in lines.numbered(text):
        fields = line.split()
        told = dict(pairwise(fields))
        end, mac = words.address(told.get("dst", "")), plain(fields[0]) if fields else ""
        if end and mac and told.get("dev") in overlay.VXLAN:
            entries.setdefault(told["dev"], {}).setdefault(mac, []).append(end)
    return entries


def macs(text: str) -> dict[str, str]:
    """Return the MACs of interfaces by name, from `ip address` or `ip link` (text or JSON). Never raises."""
    made: dict[str, str] = {}
    if lines.is_json(text):
        value, _why = lines.load_json(text)
        for entry in value if isinstance(value, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("ifname"), str):
                made[entry["ifname"]] = plain(str(entry.get("address") or ""))
        return made
    name = ""
    for _number, line in lines.numbered(text):
        # -o joins the lines of a device by backslashes.
        for part in line.split("\\"):
            head = _HEAD.match(part)
            name = head.group(1) if head is not None else name
            fields = part.split()
            if name and fields[:1] == ["link/ether"] and len(fields) > 1:
                made[name] = plain(fields[1])
    return made
