# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many equal troubles in few bytes: a node that is cut off from a thousand peers says so once, not a thousand times.

The first twenty entries stand in full. Of the others those that are equal but for their peer become one group, which
has the peers packed under "peers", their number under "count", and what they have in common. There are at most 1,000
groups: what would be more is one group.
"""

from __future__ import annotations

import itertools

from .packing import MOST, canonical, pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, Dict

    Entry = Dict[str, Any]

IN_FULL = 20
MOST_GROUPS = 1000
# Of names that nobody can fold, these many stand in full.
MOST_NAMES = 1000
_DOTS = 3
_SINCE, _SINCE_LONGEST = "since_seconds_ago", "since_seconds_ago_longest"
# What differs from session to session and from second to second, and tells nothing of why.
_PASSING = ("peer", "name", _SINCE, "hold_timer", "timers")


def fold(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return the entries that stand in full, and groups of the others.

    A session's name is left out of its group if it is the one that confd makes of kind and address. Of the times since
    when, the shortest stays under its own name, the longest under since_seconds_ago_longest.
    """
    groups: dict[str, tuple[Entry, list[Entry]]] = {}
    for entry in entries[IN_FULL:]:
        common = {key: value for key, value in entry.items() if key not in _PASSING}
        name = entry.get("name")
        if name is not None and name != name_of(str(entry.get("kind", "")), str(entry.get("peer", ""))):
            common["name"] = name
        key = repr(sorted(common.items()))
        if key not in groups and len(groups) >= MOST_GROUPS - 1:
            key = ""
        members = groups.setdefault(key, (common, []))[1]
        members.append(entry)
    if "" in groups:
        common, members = groups[""]
        groups[""] = {key: value for key, value in common.items() if all(e.get(key) == value for e in members)}, members
    return list(entries[:IN_FULL]), [_group(common, members) for common, members in groups.values()]


def unfold(groups: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    """Yield an entry for each peer of each group, MOST at most: the reverse of fold, but for what it leaves out."""
    return itertools.islice(_unfolded(groups), MOST)


def _unfolded(groups: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    for group in groups:
        common = {key: value for key, value in group.items() if key not in ("peers", "count", _SINCE_LONGEST)}
        packed = group.get("peers")
        texts = packed.items() if isinstance(packed, dict) else ()
        for address in unpack({str(prefix): text for prefix, text in texts if isinstance(text, str)}):
            entry = dict(common, peer=address)
            if "kind" in group:
                entry.setdefault("name", name_of(str(group["kind"]), address))
            yield entry


def fold_names(names: Sequence[str]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Return the names that stand in full, and of the others the peers, packed, by the kind of peering: those names
    that confd makes of kind and address. Names of another form stand in full, MOST_NAMES of them, and a last one says
    how many there are besides."""
    kept = list(names[:IN_FULL])
    packed: dict[str, list[str]] = {}
    for name in names[IN_FULL:]:
        kind, _underline, rest = name.partition("_")
        address = canonical(rest.replace("_", ":" if "__" in rest or rest.count("_") > _DOTS else "."))
        if address and name_of(kind, address) == name:
            packed.setdefault(kind, []).append(address)
        else:
            kept.append(name)
    if len(kept) > MOST_NAMES:
        kept[MOST_NAMES:] = [f"(and {len(kept) - MOST_NAMES} more)"]
    return kept, {kind: pack(addresses) for kind, addresses in packed.items()}


def name_of(kind: str, address: str) -> str:
    """Return the name that confd gives the session of this kind with this peer: Mesh_10_200_0_9."""
    return f"{kind}_{address.replace('.', '_').replace(':', '_')}"


def _group(common: Entry, members: list[Entry]) -> Entry:
    group = dict(common, peers=pack(str(entry.get("peer", "")) for entry in members), count=len(members))
    ages = [entry[_SINCE] for entry in members if _SINCE in entry]
    if ages:
        group.update({_SINCE: min(ages), _SINCE_LONGEST: max(ages)})
    return group
