# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From sessions that are down, or nodes that are lost, to what no longer reaches what. Linear in the sessions."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._inet import is_address
from .._gate import names
from .carriers import carriers
from .model import Carrier, Impact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from .._cluster.model import Cluster
    from .._evidence.evidence import Evidence
    from .._evidence.sessions import Session, Side

RESTART_SECONDS = 120  # BIRD's default of "graceful restart time", which Calico leaves as it is
HOLD_SECONDS = 240  # BIRD's default of "hold time", likewise
# Connections that broke without a word: the peer takes it for a restart. All other ends withdraw the routes at once.
UNCLEAN = (
    *("Connection closed", "Connection reset", "Connection refused", "Neighbor lost", "Graceful restart"),
    *("timed out", "unreachable", "No route to host"),
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class _Lost(NamedTuple):
    """The nodes that a loss concerns, by how it does."""

    isolated: set[str]
    gone: set[str]
    cut: dict[str, set[str]]
    fewer_ways: set[str]
    nobodys: set[str]


def impact(
    evidence: Evidence,
    sessions: Iterable[Session] = (),
    nodes: Iterable[str] = (),
    without: Iterable[str] = (),
    unmade: Iterable[tuple[str, str]] = (),
) -> Impact:
    """What it means that these sessions are down and these nodes (by the inventory's names) are lost as a whole.

    without: nodes that should have sessions and have none at all. unmade: pairs of nodes of a mesh without a session
    that nobody has configured.
    """
    down = tuple(sessions)
    lost = _lost(evidence, down, set(nodes), set(without), unmade)
    pools = carriers(evidence)
    matters = _bgp_matters(evidence, pools)
    known = names.inventory_names(evidence)
    kubernetes = {name: kube for kube, name in known.items()}
    everyone = frozenset(
        (*evidence.nodes, *(one.name for one in (*evidence.missing, *evidence.ignored)), *known.values())
    )
    apart, partly = {*lost.isolated, *lost.gone}, set(lost.cut)
    touched = [*apart, *partly] if matters else [*lost.gone]
    cluster = evidence.cluster
    counted = cluster is not None and bool(cluster.workload_pods)
    cut_off = apart if matters else lost.gone
    result = Impact(
        bgp_matters=matters,
        isolated=tuple(sorted(lost.isolated)) if matters else (),
        gone=tuple(sorted(lost.gone)),
        cut={name: frozenset(others) for name, others in sorted(lost.cut.items())} if matters else {},
        fewer_ways=tuple(sorted(lost.fewer_ways)) if matters else (),
        nobodys=tuple(sorted(lost.nobodys)),
        blocks=blocks_of(cluster, {kubernetes.get(name, name): name for name in touched}, pools) if cluster else {},
        everyone=everyone,
        pods_cut_off=sum_of(cluster.workload_pods if cluster else {}, cut_off, kubernetes),
        pods_partly=sum_of(cluster.workload_pods if cluster else {}, partly if matters else (), kubernetes),
        services=sum_of(cluster.service_endpoints if cluster else {}, touched, kubernetes),
        counted=counted,
        kept_seconds=_kept(evidence, down) if matters else None,
        carriers=pools,
    )
    return _told(result, down)


def _bgp_matters(evidence: Evidence, pools: tuple[Carrier, ...]) -> bool:
    """Some pods are reached by BIRD's routes only. Where no pool is known, the backend decides."""
    if evidence.flavour.backend in ("vxlan", "none"):
        return False
    return any(pool.needs_bgp for pool in pools) if pools else True


def _lost(
    evidence: Evidence, down: Iterable[Session], gone: set[str], without: set[str], unmade: Iterable[tuple[str, str]]
) -> _Lost:
    by_node: dict[str, int] = {}
    pairs = list(unmade)
    reflected: set[str] = set()
    called = _names_by_address(evidence)
    nobody = _is_nobodys(evidence, called)
    nobodys: set[str] = set()
    for session in down:
        one, other = evidence.labels(session)
        ends = (called.get(one, one), called.get(other, other))
        mesh = any(_is_mesh(side) for side in (session.dialler, session.listener))
        left = {name for name in ends if mesh and nobody(name)}
        if left:
            # The mesh still has an address that no Node has: where no machine is, no pods are.
            nobodys |= left
            continue
        for name in ends:
            by_node[name] = by_node.get(name, 0) + 1
        if mesh:
            pairs.append(ends)
        else:
            reflected.update(ends)
    readable = sum(1 for node in evidence.nodes.values() if node.daemons)
    isolated = {name for name, count in by_node.items() if _is_isolated(evidence, name, count, readable)}
    isolated = (isolated | without) - gone
    apart = isolated | gone
    cut: dict[str, set[str]] = {}
    for one, other in pairs:
        if one not in apart and other not in apart:
            cut.setdefault(one, set()).add(other)
            cut.setdefault(other, set()).add(one)
    return _Lost(isolated, gone, cut, reflected - apart - cut.keys(), nobodys)


def _names_by_address(evidence: Evidence) -> dict[str, str]:
    """What the nodes on record are called that were not read, by the addresses that their peers have for them."""
    return {
        address: record.name
        for record in evidence.registered
        for address in (record.address("ipv4"), record.address("ipv6"), *record.internal_addresses)
        if address and record.node is None
    }


def _is_nobodys(evidence: Evidence, called: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether an address is of no Node, where Nodes and their addresses are listed."""
    nodes = evidence.cluster.nodes.values() if evidence.cluster else ()
    listed = bool(nodes) and all(kube.internal_addresses for kube in nodes)
    expected = {one.name for one in (*evidence.missing, *evidence.ignored)}
    return lambda name: listed and is_address(name) and name not in called and name not in expected


def _is_mesh(side: Side) -> bool:
    return side.protocol is not None and side.protocol.kind == "Mesh"


def _is_isolated(evidence: Evidence, name: str, down: int, readable: int) -> bool:
    """No session of the node is left: by its own word, else because every node that was read has lost it."""
    node = evidence.nodes.get(name)
    if node is not None and node.daemons:
        return not any(daemon.established for daemon in node.daemons.values())
    return down >= max(readable, 2) if node is None else True


def sum_of(counts: Mapping[str, int], chosen: Iterable[str], kubernetes: Mapping[str, str]) -> int:
    return sum(counts.get(kubernetes.get(name, name), 0) for name in chosen)


def blocks_of(cluster: Cluster, wanted: Mapping[str, str], pools: Iterable[Carrier]) -> dict[str, tuple[str, ...]]:
    """The blocks of nodes (by their names in Kubernetes) that lie in a pool which needs BGP; podCIDRs without IPAM."""
    networks = [(network, pool.needs_bgp) for pool in pools for network in _networks((pool.cidr,))]
    found: dict[str, list[str]] = {}
    for block in cluster.blocks:
        if block.node in wanted and not block.deleted and block.state != "pendingDeletion":
            found.setdefault(wanted[block.node], []).extend(_needing_bgp((block.cidr,), networks))
    if not cluster.blocks:
        for node, name in wanted.items():
            if node in cluster.nodes:
                found[name] = list(_needing_bgp(cluster.nodes[node].pod_cidrs, networks))
    return {name: tuple(sorted(cidrs)) for name, cidrs in found.items() if cidrs}


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(cidrs: Iterable[str]) -> Iterator[_Network]:
    return (network for network in map(_network, cidrs) if network is not None)


def _network(prefix: str) -> _Network | None:
    try:
        return ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return None


def _needing_bgp(cidrs: Iterable[str], pools: Collection[tuple[_Network, bool]]) -> Iterator[str]:
    """Those that lie in a pool which needs BGP, or in no pool that is known."""
    for network in _networks(cidrs):
        around = [needs for pool, needs in pools if pool.version == network.version and network.network_address in pool]
        if not around or any(around):
            yield str(network)


# --- how long, and in words ---------------------------------------------------------------------------------------


def _kept(evidence: Evidence, down: Iterable[Session]) -> int | None:
    """For how many more seconds at most an end keeps the routes of a session that broke uncleanly; None: none does."""
    limit = restart_seconds(evidence)
    left = [
        limit - side.protocol.since
        for session in down
        for side in (session.dialler, session.listener)
        if side.protocol is not None
        and side.protocol.since is not None
        and any(words in side.protocol.last_error for words in UNCLEAN)
    ]
    return max((seconds for seconds in left if seconds > 0), default=None)


def restart_seconds(evidence: Evidence) -> int:
    """For how long peers of the mesh keep routes of a node that vanished: nodeMeshMaxRestartTime, else 120 s."""
    default = evidence.cluster.bgp_configurations.get("default") if evidence.cluster else None
    parts = _DURATION.findall(default.mesh_max_restart_time) if default else []
    return int(sum(float(number) * _UNITS[unit] for number, unit in parts)) or RESTART_SECONDS


def _told(found: Impact, down: Collection[Session]) -> Impact:
    return replace(found, keeps=tuple(_keeps(found, down)), summary=summary_of(found))


def summary_of(found: Impact) -> str:
    if not found.bgp_matters and not found.gone:
        return "Pods reach each other without BGP here, so no traffic between them depends on these sessions."
    apart = len(found.isolated) + len(found.gone)
    parts = []
    if apart:
        pods = f" ({number_of(found.pods_cut_off, 'pod')})" if found.counted and found.pods_cut_off else ""
        parts.append(f"pods on {number_of(apart, 'node')}{pods} and those on all other nodes cannot reach each other")
    if found.cut:
        pairs = sum(len(others) for others in found.cut.values()) // 2
        pods = f" (with {number_of(found.pods_partly, 'pod')})" if found.counted and found.pods_partly else ""
        parts.append(f"{number_of(pairs, 'pair')} of nodes{pods} cannot reach each other's pods")
    if found.fewer_ways and not parts:
        parts.append(f"no pod is cut off, but {number_of(len(found.fewer_ways), 'node')} lost a way to learn routes")
    if found.services:
        parts.append(f"up to {number_of(found.services, 'Service')} lose endpoints for those behind the cut")
    if found.nobodys:
        where = "an address that no Node has" if len(found.nobodys) == 1 else "addresses that no Node has"
        parts.append(
            f"the mesh has {where} ({', '.join(found.nobodys[:3])}): if no machine is there, no pod is cut off by it"
        )
    line = "; ".join(parts) or "nothing is cut off"
    return f"{line[0].upper()}{line[1:]}."


def _keeps(found: Impact, down: Collection[Session]) -> Iterator[str]:
    yield "Pods on the same node reach each other, and nodes reach nodes: neither needs BGP."
    free = sorted({pool.encapsulation for pool in found.carriers if pool.programmed_by in ("felix", "both")})
    if free:
        names_of = ", ".join(pool.cidr for pool in found.carriers if pool.programmed_by in ("felix", "both"))
        yield f"Pods in {names_of} ({', '.join(free)}) stay reachable: Felix makes their routes, without BGP."
    if found.kept_seconds is not None:
        yield (
            f"Routes of sessions that broke without a word are kept for up to {found.kept_seconds} s more "
            "(graceful restart), then withdrawn."
        )
    elif found.bgp_matters and down:
        yield "The routes are withdrawn already: connections to pods behind the cut fail at once, or time out."
    if found.gone and found.bgp_matters:
        yield (
            f"Peers notice a machine that vanished only after up to {HOLD_SECONDS} s (hold time); until then its "
            "routes stay and packets to it are lost."
        )


def number_of(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
