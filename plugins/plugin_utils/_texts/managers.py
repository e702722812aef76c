# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What network managers say of Calico's interfaces: `networkctl status` and `list`, `nmcli`, `nmcli device`; and what
.network files say."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...module_utils._host import network_managers
from ...module_utils._host.network_managers import NETWORK_MANAGER, NETWORKD, OURS
from . import lines
from .parsed import Parsed

# A link that networkctl shows has this beginning; its setup state stands in brackets, or in the last column.
_LINK = re.compile(r"(?:\W{1,3} )?\d{1,9}: (\S{1,64})\s*$")
_STATE = re.compile(r"\s*State: \S{1,32} \(([\w-]{1,32})\)")
_ROW = re.compile(r"\s*\d{1,9} (\S{1,64})\s+\S{1,32}\s+[\w-]{1,32}\s+([\w-]{1,32})\s*$")
_DEVICE = re.compile(r"(\S{1,64})\s+\S{1,32}\s+([a-z][\w-]{1,32}(?: \([\w -]{1,64}\))?)\s")
# `nmcli` alone: "cali1a81d481534: connecting (getting IP configuration) to Wired connection 3".
_TOLD = re.compile(r"([\w.@-]{1,64}): (connected \(externally\)|[a-z]{7,14})(?: \([\w -]{1,40}\))?(?: to .{1,64})?\s*$")
_FIELD_NAME = re.compile(r"\s*GENERAL\.DEVICE:\s+(\S{1,64})")
_FIELD_STATE = re.compile(r"\s*GENERAL\.STATE:\s+(?:\d{1,3} \()?([\w.-]{1,64}(?: \(externally\))?)")
# What NetworkManager found configured by others it only shows.
_NOT_IN_HAND = ("unmanaged", "linger", "n/a", "--", "connected (externally)")


class Managers(NamedTuple):
    """By manager those of Calico's interfaces that are in its hands; and whether this is a .network file that takes
    such an interface (None: it is no such file)."""

    managed: dict[str, tuple[str, ...]]
    file_takes_ours: bool | None


def parse(text: str) -> Parsed[Managers]:
    """Return what a text of one of these kinds tells. What it does not know is passed over."""
    if re.search(r"(?m)^\s{0,8}\[Match\]\s*$", text):
        return Parsed(Managers({}, network_managers.takes_ours(lines.printed(text))))
    found: dict[str, list[str]] = {}
    for (manager, name), state in _states(text).items():
        if name.startswith(OURS) and state not in _NOT_IN_HAND:
            found.setdefault(manager, []).append(name)
    return Parsed(Managers({manager: tuple(sorted(names)) for manager, names in found.items()}, None))


def _states(text: str) -> dict[tuple[str, str], str]:
    """Return the state of each interface by its manager and name."""
    states: dict[tuple[str, str], str] = {}
    shown = {NETWORKD: "", NETWORK_MANAGER: ""}
    for _number, line in lines.numbered(text):
        for manager, begins, tells in ((NETWORKD, _LINK, _STATE), (NETWORK_MANAGER, _FIELD_NAME, _FIELD_STATE)):
            link, state = begins.match(line), tells.match(line)
            if link:
                shown[manager] = link.group(1)
            elif state and shown[manager]:
                states[manager, shown[manager]] = state.group(1)
        for manager, pattern in ((NETWORKD, _ROW), (NETWORK_MANAGER, _DEVICE), (NETWORK_MANAGER, _TOLD)):
            row = pattern.match(f"{line} ")
            if row:
                states[manager, row.group(1)] = row.group(2)
    return states
