# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record in a redacted bundle: what follows from the real addresses, told of those that replace them.

In Calico's mesh the node dials whose address is greater as a string. No replacement that keeps subnets and is the same
for every bundle can keep that order as well, so it is written down.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from ...module_utils._inet import octets
from .._peering.real_addresses import ALIKE, ORDER, SCHEMA, UNCHANGED
from .vocabulary import CUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .addresses import Addresses

# Beyond these nobody can have asked for all pairs; the order of the rest is what it looks like.
MOST = 100_000
_FAMILIES = (("ipv4", "."), ("ipv6", ":"))


def make(originals: Iterable[str], addresses: Addresses, earlier: str = "") -> str:
    """Return the text of the record. `originals` are those whose order may matter; `earlier` is the record of a bundle
    that was redacted before, whose word on the first originals is kept."""
    known = list(originals)
    found = _earlier(earlier)
    replaced = {one: spelled(addresses.raw(octets(one))) for one in known}
    order: dict[str, list[str]] = {}
    for family, sign in _FAMILIES:
        told = found[ORDER].get(family) if found else None
        if told:
            order[family] = [spelled(addresses.raw(octets(one))) for one in told if octets(one)]
            continue
        made = [replaced[one] for one in sorted(one for one in known if sign in one)][:MOST]
        if made != sorted(made):
            order[family] = made
    alike = found[ALIKE] if found else [one for one in known if UNCHANGED.is_everywhere(one)]
    return _written(order, sorted(spelled(addresses.raw(octets(one))) for one in alike if octets(one)))


def _written(order: dict[str, list[str]], alike: list[str]) -> str:
    about = "Names and addresses are replaced by a key that is not told, secrets are cut; addresses keep their subnets."
    return json.dumps({"schema": SCHEMA, "about": about, "cut": CUT, ORDER: order, ALIKE: alike}, indent=1) + "\n"


def _earlier(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        return {}
    order, alike = found.get(ORDER), found.get(ALIKE)
    kept = {
        family: [one for one in order[family] if isinstance(one, str)]
        for family, _sign in _FAMILIES
        if isinstance(order, dict) and isinstance(order.get(family), list)
    }
    return {ORDER: kept, ALIKE: [one for one in alike if isinstance(one, str)] if isinstance(alike, list) else []}


def spelled(raw: bytes) -> str:
    """Return 4 or 16 bytes as an address is spelled."""
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
