# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip neigh` (text or JSON), of iproute2 and of busybox, and `arp -n`/`arp -an`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from . import lines, words
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from collections.abc import Iterator

# The words of _host.neighbours: a stale entry is on its way to reachable or failed.
STATES = {
    "REACHABLE": "reachable",
    "PERMANENT": "reachable",
    "NOARP": "reachable",
    "STALE": "stale",
    "DELAY": "stale",
    "PROBE": "stale",
    "INCOMPLETE": "incomplete",
    "FAILED": "failed",
    "NONE": "none",
}
_LIVELIEST_FIRST = ("reachable", "stale", "incomplete", "failed", "none")
_HARDWARE = r"((?:[0-9A-Fa-f]{1,2}:){5}[0-9A-Fa-f]{1,2})"
_ARP_ROW = re.compile(
    r"(\S{1,64}) +(?:\w{1,16} +)?(?:" + _HARDWARE + r" .*?|\(incomplete\) .*?|\(incomplete\))(\S{1,64})$"
)
_ARP_BSD = re.compile(r"\S{1,64} \(([0-9a-fA-F.:]{2,45})\) at (<incomplete>|" + _HARDWARE + r").* on (\S{1,64})$")


class Neighbour(NamedTuple):
    """What is known of one address on a link: `state` is reachable, stale, incomplete, failed or none, `hardware` its
    link-layer address or ''."""

    address: str
    device: str
    hardware: str
    state: str


def parse(text: str) -> Parsed[tuple[Neighbour, ...]]:
    """Return all entries in the order printed."""
    problems = Problems()
    found = tuple(_from_json(text, problems) if lines.is_json(text) else _from_text(text, problems))
    return Parsed(found, problems.found())


def states(neighbours: tuple[Neighbour, ...]) -> dict[str, str]:
    """Return the state of each address as _host.neighbours does; where there are two entries, the livelier."""
    found: dict[str, str] = {}
    for entry in neighbours:
        before = found.get(entry.address, entry.state)
        found[entry.address] = min(before, entry.state, key=_LIVELIEST_FIRST.index)
    return found


def _from_text(text: str, problems: Problems) -> Iterator[Neighbour]:
    for number, line in lines.numbered(text):
        fields = line.split()
        if not fields or fields[:2] == ["Address", "HWtype"]:
            continue
        made = _neighbour(fields) if "dev" in fields[:4] else _arp(line)
        if made is not None:
            yield made
        else:
            problems.add(number, line, "no neighbour")


def _neighbour(fields: list[str]) -> Neighbour | None:
    address = words.address(fields[0])
    if not address:
        return None
    state = next((STATES[word] for word in reversed(fields) if word in STATES), "none")
    return Neighbour(address, words.after(fields, "dev"), words.after(fields, "lladdr"), state)


def _arp(line: str) -> Neighbour | None:
    """Read a line of arp, which tells only whether the address answered once."""
    bsd = _ARP_BSD.match(line)
    if bsd is not None:
        address, _at, hardware, device = bsd.groups()
    else:
        row = _ARP_ROW.match(line)
        if row is None:
            return None
        address, hardware, device = row.groups()
    spelled = words.address(address)
    if not spelled:
        return None
    return Neighbour(spelled, device, (hardware or "").lower(), "stale" if hardware else "incomplete")


def _from_json(text: str, problems: Problems) -> Iterator[Neighbour]:
    value, why = lines.load_json(text)
    if why:
        problems.add(0, "", why)
    for entry in value if isinstance(value, list) else []:
        address = words.address(str(entry.get("dst"))) if isinstance(entry, dict) else ""
        if not address:
            if entry not in ({}, None):
                problems.add(0, str(entry)[:80], "no neighbour")
            continue
        listed = entry.get("state")
        named = listed if isinstance(listed, list) else [listed]
        state = next((STATES[word] for word in named if isinstance(word, str) and word in STATES), "none")
        yield Neighbour(address, str(entry.get("dev") or ""), str(entry.get("lladdr") or ""), state)
