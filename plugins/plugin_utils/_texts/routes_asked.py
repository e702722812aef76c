# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of `ip -o route get` to many questions, in one text."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ...module_utils._host.routes import Route
from . import node_told, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .node_told import Told


# The kernel's words for what the node's own reader has from error numbers.
_KINDS = {
    "Network is unreachable": "none",
    "No route to host": "unreachable",
    "Permission denied": "prohibit",
    "Invalid argument": "blackhole",
}


def ways(found: Mapping[str, Route], told: Told, kind: str, asked: Sequence[str]) -> dict[str, Route]:
    """Return the way to each address that was asked for, in this order, by the questions of one kind; `found` are
    the answers."""
    refused = {node_told.whole(row[1]): row[2] for row in told.rows("noway", 3) if row[0] == kind}
    return {
        address: found.get(address) or Route(address, _KINDS.get(refused.get(number, ""), "none"))
        for number, address in enumerate(asked, 1)
    }


def parse(text: str) -> dict[str, Route]:
    """Return the answers of `ip -o route get`, by the address that was asked for."""
    found = {}
    for line in text.splitlines():
        fields = line.replace("\\", " ").split()
        kind = "unicast"
        if fields and fields[0] in (
            "local",
            "broadcast",
            "anycast",
            "multicast",
            "blackhole",
            "unreachable",
            "prohibit",
        ):
            kind = fields.pop(0)
        address = words.address(fields[0]) if fields else ""
        if not address:
            continue
        named = dict(itertools.pairwise(fields[1:]))
        size = named.get("mtu", "")
        found[address] = Route(
            address, kind, named.get("dev", ""), named.get("via", ""), named.get("src", ""), node_told.whole(size)
        )
    return found
