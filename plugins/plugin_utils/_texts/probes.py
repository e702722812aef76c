# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""probes.json: what the collection's own probes measured from one node.

  {"schema": 1,
   "taken_at": "2026-11-21T06:00:00Z",   the node's clock
   "tcp": [...],                         half-open connections, as calico_bgp.probes
   "reachability": [...],                neighbour, route and echo of each peer, as calico_bgp.peer_reachability
   "paths": [...]}                       packet sizes, as calico_mtu.paths

All but the schema may be missing. Keys of entries that are not known here are kept: a later release may write them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import lines
from .parsed import Parsed, Problem, Problems

SCHEMA = 1
_REQUIRED = {"tcp": ("peer", "result"), "reachability": ("peer",), "paths": ("result",)}


class Probes(NamedTuple):
    """The entries of each list, those that have what they need to be understood; `taken_at` '' if not told."""

    taken_at: str
    tcp: tuple[dict[str, Any], ...]
    reachability: tuple[dict[str, Any], ...]
    paths: tuple[dict[str, Any], ...]


def parse(text: str) -> Parsed[Probes]:
    """Return what was measured; nothing for another schema."""
    value, why = lines.load_json(text)
    if not why and (not isinstance(value, dict) or value.get("schema") != SCHEMA):
        why = f"not the measurements of schema {SCHEMA}"
    if why:
        return Parsed(Probes("", (), (), ()), (Problem(0, "", why),))
    problems = Problems()
    read = {name: _entries(value, name, problems) for name in _REQUIRED}
    taken_at = value.get("taken_at")
    return Parsed(Probes(taken_at if isinstance(taken_at, str) else "", **read), problems.found())


def write(taken_at: str, bgp: dict[str, Any], mtu: dict[str, Any]) -> dict[str, Any]:
    """Return the content of probes.json for the facts calico_bgp and calico_mtu of a node."""
    found = {"tcp": bgp.get("probes"), "reachability": bgp.get("peer_reachability"), "paths": mtu.get("paths")}
    return {"schema": SCHEMA, "taken_at": taken_at, **{name: entries for name, entries in found.items() if entries}}


def _entries(value: dict[str, Any], name: str, problems: Problems) -> tuple[dict[str, Any], ...]:
    listed = value.get(name)
    if listed is None:
        return ()
    if not isinstance(listed, list):
        problems.add(0, name, "is no list")
        return ()
    good = [entry for entry in listed if isinstance(entry, dict) and all(key in entry for key in _REQUIRED[name])]
    if len(good) < len(listed):
        problems.add(0, name, f"{len(listed) - len(good)} entries lack what they need")
    return tuple(good)
