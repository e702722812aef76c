# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which encapsulation a pool needs, by the nodes' subnets, what they run on, and what their filters let pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cluster import effective
from . import packet_signals
from .address_claims import claims, network_of, within
from .model import Remedy
from .pools import ALWAYS, CROSS, NEVER, pools_in_use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._evidence.evidence import Evidence
    from .._evidence.packet_paths import Block
    from .pools import Pool

IPIP, VXLAN = packet_signals.IPIP, packet_signals.VXLAN
FLOW = {IPIP: "ipip", VXLAN: "udp4789"}
# Where the network carries only addresses that it has given out itself, even within a subnet.
_OWN_ADDRESSES_ONLY = ("azure", "gcp", "openstack", "ibm", "alibaba", "digitalocean", "hetzner", "oci")
# Felix' own rule against senders that are no nodes: it follows the pools.
_FELIX_OWN = "non-Calico hosts"


def by_subnet(evidence: Evidence) -> dict[str, list[str]]:
    """The subnets in which the nodes' addresses on record, or on their hosts, are, with the nodes' names."""
    return evidence.once("nodes by subnet", lambda: _found_by_subnet(evidence))


def _found_by_subnet(evidence: Evidence) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for claim in claims(evidence):
        held = claim.node.own.of(claim.address) if claim.node else None
        network = network_of(held.with_length if held else claim.stored)
        if network is not None and claim.family == "ipv4":
            names = found.setdefault(str(network), [])
            if claim.name not in names:
                names.append(claim.name)
    return found


def on_azure(evidence: Evidence) -> bool:
    """The nodes run in Azure, which drops IPIP, and packets of addresses that it does not know."""
    cluster = evidence.cluster
    clouds = {kube.provider_id.partition(":")[0] for kube in (cluster.nodes.values() if cluster else ())}
    told = cluster.environment.get("provider", "").lower() if cluster else ""
    hardware = any("Microsoft" in node.host.hardware for node in evidence.nodes.values())
    return "azure" in clouds or told == "azure" or hardware


def carried_within(evidence: Evidence) -> bool:
    """Whether the network carries packets of pods' own addresses between nodes of one subnet, as far as is known."""
    platform = packet_signals.platform(evidence)
    if on_azure(evidence) or platform in _OWN_ADDRESSES_ONLY:
        return False
    if platform != "aws":
        return True
    # Felix has the instances' check of source and destination switched off.
    return evidence.cluster is not None and effective.felix(evidence.cluster, "awsSrcDstCheck").value == "Disable"


def masks_that_mislead(evidence: Evidence) -> list[str]:
    """Nodes on record with a prefix in which nodes of other subnets are: CrossSubnet takes those for neighbours."""
    known = [claim for claim in claims(evidence) if claim.family == "ipv4"]
    found = []
    for claim in known:
        held = claim.node.own.of(claim.address) if claim.node else None
        own, network = network_of(held.with_length) if held else None, network_of(claim.stored)
        if network is None or own is None or own == network:
            continue
        if any(within(one.address, network) and not within(one.address, own) for one in known):
            found.append(claim.name)
    return found


def stopped(evidence: Evidence, kind: str) -> list[tuple[str, Block]]:
    """The nodes whose filters stop an encapsulation for certain, each with the rule."""
    return [
        (node.name, block)
        for node in evidence.nodes.values()
        for block in node.packets.blocked(FLOW[kind])
        if not block.answers and not (block.rule and _FELIX_OWN in block.rule.text)
    ]


def better(evidence: Evidence, pool: Pool) -> tuple[str, str]:
    """The modes that the pool needs, of IPIP and of VXLAN."""
    mode = CROSS if carried_within(evidence) and not masks_that_mislead(evidence) else ALWAYS
    return (NEVER, mode) if _kind(evidence, pool) == VXLAN else (mode, NEVER)


def _kind(evidence: Evidence, pool: Pool) -> str:
    """What is in use already, else IPIP where BIRD makes the routes and nothing stops it."""
    if ":" in pool.cidr or not evidence.uses_bgp or on_azure(evidence):
        return VXLAN
    if (pool.ipip != NEVER) != (pool.vxlan != NEVER):
        return VXLAN if pool.vxlan != NEVER else IPIP
    others = [one for one in pools_in_use(evidence) if one.cidr != pool.cidr and ":" not in one.cidr and not one.bare]
    if others:
        return VXLAN if others[0].vxlan != NEVER else IPIP
    return VXLAN if stopped(evidence, IPIP) and not stopped(evidence, VXLAN) else IPIP


def remedy(evidence: Evidence, found: Sequence[Pool]) -> Remedy | None:
    """The role that gives pools their modes; None where there is not exactly one pool, and an object of its own."""
    if len(found) != 1 or evidence.missing or not found[0].what.startswith("IPPool "):
        return None
    (pool,) = found
    ipip, vxlan = better(evidence, pool)
    name = pool.what.partition(" ")[2]
    return Remedy(
        "ippool_encapsulation",
        {"ippool_encapsulation_pool": name, "ippool_encapsulation_ipip": ipip, "ippool_encapsulation_vxlan": vxlan},
    )
