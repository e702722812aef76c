# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico_mtu from texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...module_utils._facts import mtu
from ...module_utils._host import route_table
from ...module_utils._probe.path_mtu import PathResult
from . import node_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ...module_utils._facts.bgp_daemon import Peer
    from ...module_utils._facts.sources import Sources
    from ...module_utils._probe.path_mtu import Path
    from .node import Assembly
    from .node_session import Session
    from .node_told import Told

    Facts = dict[str, Any]

# Beginnings of names of tunnels that are not Calico's and may lie below its own.
OTHER_TUNNELS = ("wg", "tun", "tap", "gre", "ipsec", "ppp", "vti", "nebula", "tailscale", "zt")
_MOST_NAMED = 8
NO_SIZES = "The node has no usable Python: what paths behind routers carry cannot be measured from it."


def gather(whole: Assembly, session: Session, peers: Sequence[Peer]) -> Facts:
    """Return calico_mtu, without what all parts have in common."""
    sources, told = whole.sources["mtu"], whole.told
    ways = [
        mtu.PeerWay(peer.address, bool(peer.established), peer.source or session.local_addresses.get(peer.family, ""))
        for peer in peers
    ]
    gathered = mtu.gather(
        whole.network,
        ways,
        whole.ways,
        session.tunnels,
        sources,
        configured=_configured(whole, sources),
        environment=whole.environment(session),
        version=whole.version(),
    )
    results = list(_measured(told, gathered.paths))
    mtu.finish(gathered, results)
    if whole.network is None:
        _by_routes(whole, gathered.facts)
    left = len(gathered.paths) - len(results)
    if not told.is_raw:
        sources.absent("path_mtu", node_told.NO_TEXT)
    elif left or not gathered.paths:
        sources.failed("path_mtu", NO_SIZES)
    else:
        sources.ok("path_mtu", "measured by ping")
    others = [link.name for link in whole.network.links.values()] if whole.network else []
    others = [name for name in others if name.startswith(OTHER_TUNNELS) and name not in mtu.TUNNELS]
    return {**gathered.facts, **({"other_tunnels": others[:_MOST_NAMED]} if others else {})}


def _by_routes(whole: Assembly, facts: Facts) -> None:
    """Where no text lists the devices, routes that lead to a gateway through a tunnel tell which one is in use, and
    BIRD's, if all lead past tunnels, that none is (its kernel protocol puts those of pools with IPIP on tunl0)."""
    ways = [entry for entry in whole.table.entries() if entry.gateway and entry.destination != "default"]
    used = {entry.device: f"routes lead into {entry.device}" for entry in ways if entry.device in mtu.TUNNELS}
    straight = [entry.device for entry in ways if entry.protocol == route_table.BIRD]
    if used:
        facts["encapsulation"] = mtu.encapsulation(used)
    elif straight:
        facts["encapsulation"] = {**mtu.encapsulation({}), "why": f"BIRD's routes lead straight to {straight[0]}"}


def _measured(told: Told, paths: Iterable[Path]) -> Iterator[PathResult]:
    """Yield what ping measured along the classes of path that stay on the link."""
    rows = {f"{row[0]} on-link": row for row in told.rows("path", 4)}
    for path in paths:
        found = [row for start, row in rows.items() if path.name.startswith(start + " ") or path.name == start]
        if found:
            _device, peer, _size, most = found[0][:4]
            carries = node_told.whole(most) or None
            result = "silent" if carries is None else "ok" if carries >= path.wanted else "smaller"
            yield PathResult(path.name, peer, path.wanted, carries, result)


def _configured(whole: Assembly, sources: Sources) -> Facts:
    """Return what Calico's MTU file and the CNI configuration say; of the latter only path and MTU travel."""
    configured: Facts = {}
    is_raw, told = whole.told.is_raw, whole.told.value("mtu")
    if told.isdecimal():
        configured["calico_mtu_file"] = node_told.whole(told)
        sources.ok("calico_mtu_file")
    else:
        why = "There is no readable /var/lib/calico/mtu." if is_raw else node_told.NO_TEXT
        sources.absent("calico_mtu_file", why)
    path, _newline, rest = whole.texts.get("cni.txt", "").strip().partition("\n")
    if not path:
        sources.absent("cni_config", "There is no CNI configuration." if is_raw else node_told.NO_TEXT)
        return configured
    size = re.search(r'"mtu" *: *(\d{1,6})\b', rest)
    configured["cni"] = {"path": path, "mtu": int(size.group(1))} if size else {"path": path}
    sources.ok("cni_config")
    return configured
