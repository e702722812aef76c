# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes that BIRD gives to the kernel and that are not there. BIRD is asked which these are only if there are any."""

from __future__ import annotations

from .._host.route_table import BIRD, FELIX, MAIN
from .packing import canonical, pack_prefixes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._bird.exports import Exports
    from .._host.route_table import Entry

_MOST_PACKED = 256


def missing(
    exports: Exports, entries: Iterable[Entry], timeout: float, texts: Iterable[str] | None = None
) -> dict[str, Any] | None:
    """Return not_in_kernel of one family: exported and in_kernel (numbers), missing and refused (prefixes, packed);
    {} if all are there, None if BIRD does not say. Of refused ones the kernel has another route, or none, in their
    place; instead_felix counts those in whose place Felix has one. BIRD is asked, unless `texts` are what it said."""
    listed = list(entries)
    there = {entry.destination for entry in listed if entry.protocol == BIRD}
    if exports.total <= len(there):
        return {}
    from .._bird import exports as asked

    given = asked.ask(exports, timeout) if texts is None else asked.given(texts)
    if given is None:
        return None
    facts: dict[str, Any] = {"exported": len(given.routes), "in_kernel": len(there)}
    for name, routes in (("missing", given.routes), ("refused", given.refused)):
        absent = sorted(route for route in map(_as_in_kernel, routes) if route not in there or name == "refused")
        if absent:
            facts[name] = pack_prefixes(absent[:_MOST_PACKED])
            if len(absent) > _MOST_PACKED:
                facts[name + "_left_out"] = len(absent) - _MOST_PACKED
    felix = {entry.destination for entry in listed if entry.protocol == FELIX and entry.table == MAIN}
    instead = sum(route in felix for route in map(_as_in_kernel, given.refused))
    facts.update({"instead_felix": instead} if instead else {})
    # What came or went between the two looks is none.
    return facts if {"missing", "refused"} & facts.keys() else {}


def _as_in_kernel(prefix: str) -> str:
    address, _slash, length = prefix.partition("/")
    if length == "0":
        return "default"
    whole = "128" if ":" in address else "32"
    return canonical(address) if length == whole else f"{canonical(address)}/{length}"
