# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How VXLAN devices are set up, from `ip -d address` or `ip -d link` (text or JSON): the records of _host.tunnels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...module_utils._host.tunnels import IPIP, Vxlan
from . import lines, links_otherwise, words

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = re.compile(r"\d{1,10}: ([^\s:@]{1,64})[@:]")
_COUNTED = re.compile(r"^\s+RX (?:packets|bytes)[ :]", re.MULTILINE)
_MOST = 4096


def vxlans(text: str) -> dict[str, Vxlan]:
    """Return the devices by name; without -d nothing tells about them. Never raises."""
    return _from_json(text) if lines.is_json(text) else _from_text(text)


def set_up_in_vain(logs: Iterable[str]) -> dict[str, str]:
    """Return tunl0 with the reason why it is needed, if Felix tells that it cannot set it up: ipip_mgr.go warns of
    nothing else, but of what is left where IPIP is disabled."""
    told = any(
        "ipip_mgr.go" in line and "[WARNING]" in line and "IPIP disabled" not in line
        for text in logs
        if "ipip_mgr.go" in text
        for _number, line in lines.numbered(text)
    )
    return {IPIP: "Felix tries to set it up, by its log"} if told else {}


def cut_off(text: str) -> str:
    """Return the device with which a text of `ip address` ends before it tells any address of it, '' if none: who shows
    a part of it may have left these out. VXLAN devices have one of IPv6's own kind at least."""
    if lines.is_json(text):
        return ""
    last, told = "", False
    for _number, line in lines.numbered(text):
        head = _HEAD.match(line)
        if head is not None:
            last, told = head.group(1), False
        told = told or line.split()[:1] in (["inet"], ["inet6"]) or "    inet" in line
    return "" if told else last


def without_address(text: str) -> frozenset[str]:
    """Return the devices of which a text shows that they have no address, however little else stands in it.

    ifconfig prints addresses before what it counts. `ip address` prints nothing but addresses below the link/none of a
    WireGuard device, and `ip link` tells itself from it by the word mode.
    """
    if lines.is_json(text):
        return frozenset()
    parsed = links_otherwise.network(text)
    if parsed is not None:
        held = {one.interface for one in parsed.value.addresses}
        counted = _COUNTED.search(text) is not None
        return frozenset(link.name for link in parsed.value.links.values() if counted and link.name not in held)
    found: dict[str, bool] = {}
    name = ""
    for _number, line in lines.numbered(text):
        head, fields = _HEAD.match(line), line.split()
        if head is not None:
            name = "" if " mode " in line else head.group(1)
        elif name and fields == ["link/none"]:
            found.setdefault(name, True)
        elif name and fields[:1] in (["inet"], ["inet6"]) and "fe80" not in line:
            found[name] = False
    return frozenset(name for name, bare in found.items() if bare)


def _from_text(text: str) -> dict[str, Vxlan]:
    found: dict[str, Vxlan] = {}
    name = ""
    for _number, line in lines.numbered(text):
        # -o joins the lines of a device by backslashes.
        for part in line.split("\\"):
            head = _HEAD.match(part)
            if head is not None:
                name = head.group(1)
            fields = part.split()
            if name and fields[:2] == ["vxlan", "id"] and len(found) < _MOST:
                local = words.after(fields, "local") or words.after(fields, "local6")
                found[name] = Vxlan(
                    words.number(words.after(fields, "id")) or 0,
                    words.number(words.after(fields, "dstport")) or 0,
                    words.address(local),
                )
    return found


def _from_json(text: str) -> dict[str, Vxlan]:
    value, _why = lines.load_json(text)
    found: dict[str, Vxlan] = {}
    for entry in value if isinstance(value, list) else []:
        info = _mapping(entry, "linkinfo")
        if info.get("info_kind") == "vxlan" and isinstance(entry.get("ifname"), str):
            made = _mapping(info, "info_data")
            local = str(made.get("local") or made.get("local6") or "")
            port = words.number(made.get("port")) or 0
            found[entry["ifname"]] = Vxlan(words.number(made.get("id")) or 0, port, words.address(local))
    return found


def _mapping(entry: Any, key: str) -> dict[str, Any]:
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, dict) else {}
