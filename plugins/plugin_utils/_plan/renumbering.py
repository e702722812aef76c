# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that have got another address between two looks at them: the same node, so the same peer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def owners(state: Mapping[str, Any]) -> dict[str, str]:
    """By address the node that speaks BGP by it, from what `ledger.working` tells. An address that two nodes call
    theirs, as that of a bridge which all hosts have, tells nothing."""
    claims: dict[str, set[str]] = {}
    for node, families in state.items():
        for one in families.values():
            if one.get("address"):
                claims.setdefault(one["address"], set()).add(node)
    return {address: nodes.pop() for address, nodes in claims.items() if len(nodes) == 1}


def missing(there: Iterable[str], here: Iterable[str], theirs: Mapping[str, str], ours: Mapping[str, str]) -> list[str]:
    """The peers of a node that are there and not here, each by its address. theirs, ours: as owners() tells whose the
    addresses are there and here; what one look does not tell the other one may, as not every node is read each time.

    Two sessions with one node are two, of which one may be lost.
    """
    left = Counter(_peer(address, ours, theirs) for address in here)
    kept = set(here)
    found = []
    # What has kept its address is matched first, so that of two sessions with a node the right one is told.
    for address in sorted(there, key=lambda one: (one not in kept, one)):
        peer = _peer(address, theirs, ours)
        if left[peer]:
            left[peer] -= 1
        else:
            found.append(address)
    return sorted(found)


def _peer(address: str, first: Mapping[str, str], second: Mapping[str, str]) -> str:
    return first.get(address) or second.get(address) or address
