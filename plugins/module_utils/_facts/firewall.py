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
_IPTABLES = ("iptables-legacy", "iptables-nft")
# What goes between nodes beside BGP, in the address families where it occurs: name, IP protocol, destination port.
_BOTH = read.FAMILIES
FLOWS = (
    ("ipip", 4, 0, ("ipv4",)),
    ("udp4789", 17, 4789, _BOTH),  # VXLAN
    ("udp8472", 17, 8472, _BOTH),  # VXLAN as flannel sets it up
    ("udp51820", 17, 51820, ("ipv4",)),  # WireGuard
    ("udp51821", 17, 51821, ("ipv6",)),
    ("tcp5473", 6, 5473, _BOTH),  # Typha
)


def gather(
    params: Mapping[str, Any],
    sources: Sources,
    peers: Sequence[Peer],
    network: Network | None,
    ways: Mapping[str, Route],
    local_addresses: Mapping[str, str],
    root: str = "",
) -> Facts:
    """Gather calico_firewall, without schema, taken_at and sources.

    `peers` are those of both families, `ways` the kernel's routes to them by address, `local_addresses` what this node
    is known by in BGP, by family. `params` may hold timeout (seconds for each program). The host's files are seen below
    `root`.
    """
    found = read.read(sources, float(params.get("timeout") or _TIMEOUT))
    if found is None:
        return {}
    gathered = facts(found, peers, network, ways, local_addresses)
    from .._firewall import persistence

    files = persistence.Files(root)
    loaders = persistence.loaders(files)
    if loaders or not _all_pass(gathered):
        from . import firewall_persistence

        way_to_peers = firewall_persistence.Surroundings(peers, network, ways, local_addresses)
        sources.guard(
            "persistence", lambda: firewall_persistence.add(gathered, found, loaders, files, way_to_peers), None
        )
    return gathered


def _all_pass(gathered: Facts) -> bool:
    """Say whether nothing is blocked now: if nothing is loaded at boot, nothing will be then, either."""
    bgp, flows = gathered.get("tcp179", {}), gathered.get("flows", {})
    entries = [entry for way in ("inbound", "outbound") for one in (bgp, flows) for entry in one.get(way, ())]
    return all(entry["verdict"] == "accept" for entry in entries)


def facts(
    found: Rulesets,
    peers: Sequence[Peer],
    network: Network | None,
    ways: Mapping[str, Route],
    local_addresses: Mapping[str, str],
) -> Facts:
    """Return calico_firewall from what was found; see gather()."""
    if not found.bases:
        return {**_census(found), **_all_accepted(peers)}
    from . import firewall_verdicts

    return {**_census(found), **firewall_verdicts.verdicts(found, peers, network, ways, local_addresses)}


def _census(found: Rulesets) -> Facts:
    backends: Facts = {backend.replace("-", "_"): {"rules": count} for backend, count in sorted(found.rules.items())}
    if found.native:
        backends["nftables"] = {"foreign_base_chains": found.native[:_MOST_NATIVE]}
    facts: Facts = {"backends": backends, "owners": []}
    if found.tables:
        from .._firewall import owners

        facts["owners"] = owners.seen((table.name, table.chains) for table in found.tables)
    if all(found.rules.get(backend) for backend in _IPTABLES):
        from .._firewall import census

        for backend, seen in census.owners_by_backend(found.tables).items():
            if seen and backend in _IPTABLES:
                backends[backend.replace("-", "_")]["owners"] = seen
    return facts


def _all_accepted(peers: Sequence[Peer]) -> Facts:
    """Return the verdicts where nothing filters: those that firewall_verdicts would come to, too."""
    plain = [peer.family for peer in peers if peer.family == family_of(peer.address.partition("%")[0])]
    present = [family for family in read.FAMILIES if family in plain]
    ways = {
        way: [{"verdict": "accept", "count": plain.count(family), "family": family} for family in present]
        for way in ("inbound", "outbound")
    }
    flows = [name for name, _protocol, _port, families in FLOWS if not set(families).isdisjoint(present)]
    return {"tcp179": ways, "flows": {"accepted": flows}} if present else {"tcp179": ways}
