# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this node's packet filters do with BGP of every peer, in both directions, and by which rule."""

from __future__ import annotations

from .._firewall import read
from .packing import family_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .._firewall.read import Rulesets
    from .._host.links import Network
    from .._host.routes import Route
    from .bgp_daemon import Peer
    from .sources import Sources

    Facts = dict[str, Any]

_TIMEOUT = 5.0
_MOST_NATIVE = 20


def gather(
    params: Mapping[str, Any],
    sources: Sources,
    peers: Sequence[Peer],
    network: Network | None,
    ways: Mapping[str, Route],
    local_addresses: Mapping[str, str],
) -> Facts:
    """Gather calico_firewall, without schema, taken_at and sources.

    `peers` are those of both families, `ways` the kernel's routes to them by address, `local_addresses` what this node
    is known by in BGP, by family. `params` may hold timeout (seconds for each program).
    """
    found = read.read(sources, float(params.get("timeout") or _TIMEOUT))
    if found is None:
        return {}
    if not found.bases:
        return {**_census(found), "tcp179": {way: _accepted(peers) for way in ("inbound", "outbound")}}
    from . import firewall_verdicts

    return {**_census(found), "tcp179": firewall_verdicts.verdicts(found, peers, network, ways, local_addresses)}


def _census(found: Rulesets) -> Facts:
    backends: Facts = {backend.replace("-", "_"): {"rules": count} for backend, count in sorted(found.rules.items())}
    if found.native:
        backends["nftables"] = {"foreign_base_chains": found.native[:_MOST_NATIVE]}
    facts: Facts = {"backends": backends, "owners": []}
    if found.tables:
        from .._firewall import owners

        facts["owners"] = owners.seen((table.name, table.chains) for table in found.tables)
    return facts


def _accepted(peers: Sequence[Peer]) -> list[Facts]:
    """Return the verdicts where nothing filters: those that firewall_verdicts would come to, too."""
    plain = [peer.family for peer in peers if peer.family == family_of(peer.address.partition("%")[0])]
    return [
        {"verdict": "accept", "count": plain.count(family), "family": family}
        for family in read.FAMILIES
        if family in plain
    ]
