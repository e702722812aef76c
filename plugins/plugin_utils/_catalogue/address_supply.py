# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the supply of addresses: pools that overlap the nodes' own networks, and pools that have none left."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import api, gate_signals, words
from .model import DECISIVE, MODERATE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import IPPool
    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

_SHOWN = 4
# Beyond this part of all addresses hardly a block has one left.
_FULL = 0.97
_API_PORT = "443"

# --- pools over other networks ------------------------------------------------------------------------------------


def pools_over_networks(evidence: Evidence) -> Iterator[Subject]:
    """Pools that contain addresses of nodes, or the address of the API server's Service."""
    for pool in _pools(evidence):
        network = _network(pool.cidr)
        nodes = _nodes_inside(evidence, network)
        services = _services_inside(evidence, network, {address for _name, address in nodes})
        if nodes or services:
            names = tuple(sorted({name for name, _address in nodes})) or tuple(
                record.name for record in evidence.registered
            )
            where = api.where(f"IPPool {pool.name}", "spec.cidr", value=pool.cidr)
            yield Subject(names, (), where, None, (pool, nodes, services))


def _pools(evidence: Evidence) -> list[IPPool]:
    """The pools that pods get addresses from."""
    pools = evidence.cluster.pools if evidence.cluster else ()
    return [one for one in pools if not one.disabled and one.allowed_uses != ("LoadBalancer",)]


def _network(cidr: str) -> Any:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None


def _inside(network: Any, address: str) -> bool:
    found = _network(address)
    return network is not None and found is not None and found.version == network.version and found.subnet_of(network)


def _nodes_inside(evidence: Evidence, network: Any) -> list[tuple[str, str]]:
    """Nodes, by name and address, that Kubernetes or Calico knows by an address within a network."""
    found: dict[tuple[str, str], None] = {}
    cluster = evidence.cluster
    for kube in cluster.nodes.values() if cluster else ():
        for kind, address in kube.addresses:
            if kind == "InternalIP" and _inside(network, address):
                found.setdefault((kube.name, address))
    for record in evidence.registered:
        for address in (record.address("ipv4"), record.address("ipv6")):
            if address and _inside(network, address):
                found.setdefault((record.name, address))
    return list(found)


def _services_inside(evidence: Evidence, network: Any, nodes: set[str]) -> list[Seen]:
    """Where calico-node asks the API server by a Service's address that lies within a network."""
    found = []
    for node in evidence.nodes.values():
        for one in node.control.apiserver:
            address, _colon, port = one.endpoint.rpartition(":")
            address = address.strip("[]")
            told = "calico" in one.told and port == _API_PORT and address not in nodes
            if told and _inside(network, address) and not node.holds(address):
                found.append(Seen(node.name, "sockets", f"the API server's Service is {one.endpoint}"))
    return found[:_SHOWN]


def pool_contains_nodes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The pool that pods get addresses from contains addresses of nodes."""
    pool, nodes, _services = subject.about
    return [
        api.seen(f"IPPool {pool.name}", "spec.cidr", f"{pool.cidr} has {address} of {name}") for name, address in nodes
    ][:_SHOWN]


def pool_contains_services(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The pool that pods get addresses from contains the address of a Service."""
    return list(subject.about[2])


def _overlap_summary(evidence: Evidence, subject: Subject) -> str:
    pool, nodes, _services = subject.about
    what = "the nodes' own addresses" if nodes else "Services' addresses"
    told = f" ({words.listed(address for _name, address in nodes)})" if nodes else ""
    return (
        f"IPPool {pool.name} ({pool.cidr}) overlaps {what}{told}: what is for a node may be sent to a pod, or nowhere."
    )


IPPOOL_OVERLAPS_NETWORK = Fault(
    id="ippool_overlaps_network",
    family="encapsulation",
    title="A pool of pods' addresses overlaps the nodes' network or the Services'",
    severity="major",
    role="contributing",
    means=(
        "Calico takes every address of a pool for a pod's: packets between nodes match rules and routes for pods, are "
        "not masqueraded, or vanish in the blackhole route of a block. It shows when a block is given out that covers "
        "a node, a router, or what pods talk to."
    ),
    subjects=pools_over_networks,
    signals=(
        Signal(pool_contains_nodes, DECISIVE, required=True),
        Signal(pool_contains_services, STRONG + MODERATE, required=True),
    ),
    summary=_overlap_summary,
    fix=Fix(
        action="move_pool",
        text=(
            "Make a pool of a range that nobody else uses, disable the one that overlaps, then have the pods started "
            "anew node by node, and remove the old pool when no address of it is in use. kubeadm's podSubnet and "
            "kube-proxy's clusterCIDR must follow."
        ),
        risk="high",
        disrupts="every pod gets another address",
        commands=lambda evidence, subject: [
            api.show(evidence, "IPPool"),
            "calicoctl ipam check --show-problem-ips",
            *api.at_owner(
                evidence, "ippool/disabled", [api.patch(evidence, "IPPool", subject.about[0].name, {"disabled": True})]
            ),
        ],
    ),
    verify="No pool contains an address of a node, of a router or of a Service.",
    lookalikes=(
        Lookalike("bgpconfig_service_cidr_contains_pods", "the range is one that BGP advertises for Services"),
        Lookalike("wrong_ip_autodetection", "the node is registered with a pod's address, and has another one"),
    ),
)

# --- no address left ----------------------------------------------------------------------------------------------


def nodes_without_addresses(evidence: Evidence) -> Iterator[Subject]:
    """Nodes on which no pod gets an address, for there is none to give."""
    names = [node.name for node in evidence.nodes.values() if node.control.lines("ipam")]
    if names or _full_pools(evidence):
        yield gate_signals.at(evidence, names, object="IPPool")


def _lines(evidence: Evidence, subject: Subject) -> Iterator[tuple[Node, HostLine]]:
    for node in gate_signals.nodes_of(evidence, subject):
        for line in node.control.lines("ipam"):
            yield node, line


def plugin_gets_no_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A pod, or a node for its tunnel, asked for an address and got none: no pool, or no block, has any left for it."""
    return [gate_signals.seen_line(node, line) for node, line in _lines(evidence, subject)][:_SHOWN]


def every_pool_is_full(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Each pool has given all of its addresses, as calicoctl shows them."""
    return [
        Seen("", "calicoctl ipam show", f"{cidr}: {used} of {total} addresses are in use")
        for cidr, used, total in _full_pools(evidence)
    ][:_SHOWN]


def _full_pools(evidence: Evidence) -> list[tuple[str, int, int]]:
    """The pools, if none of those that calicoctl shows has an address left."""
    shown = evidence.cluster.pool_use if evidence.cluster else {}
    full = [(cidr, used, total) for cidr, (used, total) in shown.items() if 0 < total <= used]
    return full if len(full) == len(shown) else []


def pools_are_used_up(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nearly all addresses of the pools are in use."""
    used, total = _usage(evidence)
    return [Seen("", "ipam", f"{used} of {total} addresses are in use")] if total and used >= _FULL * total else []


def much_is_free(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Most of the pools' addresses are free: a limit for each node, or a selector, keeps them from this one."""
    used, total = _usage(evidence)
    return [Seen("", "ipam", f"{used} of {total} addresses are in use")] if total and 2 * used < total else []


def _usage(evidence: Evidence) -> tuple[int, int]:
    """How many addresses are in use, and how many there are; (0, 0) if that is not told."""
    cluster = evidence.cluster
    if cluster is not None and cluster.pool_use:
        pairs = cluster.pool_use.values()
        # An IPv6 pool's number is not known, and is not what matters.
        return (
            (sum(used for used, _all in pairs), sum(total for _used, total in pairs))
            if all(total for _used, total in pairs)
            else (0, 0)
        )
    networks = [network for one in _pools(evidence) if (network := _network(one.cidr)) is not None]
    if cluster is None or not cluster.read("ipamblocks") or any(one.version == 6 for one in networks):
        return 0, 0
    return sum(cluster.ipam_used.values()), sum(network.num_addresses for network in networks)


def _supply_summary(evidence: Evidence, subject: Subject) -> str:
    known = [name for name in subject.nodes if not name.startswith(plain.UNNAMED)]
    on = f" on {words.listed(known)}" if known else ""
    told = plugin_gets_no_address(evidence, subject) or every_pool_is_full(evidence, subject)
    return f"No address is left for new pods{on}: {told[0].detail}."


IPAM_EXHAUSTED = Fault(
    id="ipam_exhausted",
    family="control_plane",
    title="There is no address left to give to pods",
    severity="major",
    role="cause",
    means=(
        "New pods stay in ContainerCreating; those that run go on. Either all addresses are in use or leaked, or the "
        "node has as many blocks as it may have, strict affinity keeps it from others' blocks, or no pool selects it."
    ),
    subjects=nodes_without_addresses,
    signals=(
        Signal(plugin_gets_no_address, STRONG + MODERATE, required=True),
        Signal(every_pool_is_full, STRONG + MODERATE, required=True),
        Signal(pools_are_used_up, STRONG),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(much_is_free, -MODERATE),
    ),
    summary=_supply_summary,
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="give_more_addresses",
        text=(
            "See which pool is full, and whether addresses leaked (calicoctl ipam check, then release with its "
            "report); else add a pool. Where blocks are the limit, raise maxBlocksPerHost or make a pool of smaller "
            "blocks."
        ),
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: [
            "calicoctl ipam show --show-blocks; calicoctl ipam show --show-configuration",
            "calicoctl ipam check",
            api.show(evidence, "IPPool"),
        ],
    ),
    verify="A new pod on the node gets an address.",
    lookalikes=(
        Lookalike("cni_token_expired", "the plugin is refused by the API server, and not by IPAM"),
        Lookalike("node_podcidr_missing", "host-local is used, and the Node has no podCIDR at all"),
    ),
    explains=("undetermined",),
)

FAULTS = (IPPOOL_OVERLAPS_NETWORK, IPAM_EXHAUSTED)
