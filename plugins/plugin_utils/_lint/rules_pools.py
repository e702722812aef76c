# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about pools of pods' addresses."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .._cluster import values
from .._evidence import plain
from .context import NEVER, network, network_of
from .model import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context, Network, Pool

_SIZES = {4: (20, 32, 26), 6: (116, 128, 122)}
_LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
# Networks that carry only addresses which they have given out themselves.
_OWN_ADDRESSES_ONLY = ("azure", "gcp", "openstack", "ibm", "alibaba", "digitalocean", "hetzner", "oci")
_OF_PROVIDER = {"AKS": "azure", "GKE": "gcp", "EKS": "aws"}
_POOLS = ("IPPool", "Installation")


def _problem(pool: Pool, field: str, says: str, severity: str | None = None) -> Problem:
    return Problem(pool.document, (*pool.path, field), f"{pool.name} {says}", severity)


def modes(context: Context) -> Iterator[Problem]:
    """Two encapsulations, or one that the pool cannot have."""
    for pool in context.pools:
        if pool.ipip != NEVER and pool.vxlan != NEVER:
            yield _problem(pool, "vxlanMode", f"has ipipMode {pool.ipip} and vxlanMode {pool.vxlan} at once.")
        elif pool.version == 6 and pool.ipip != NEVER:
            says = "is of IPv6 and has IPIP, which carries IPv4 only."
            yield Problem(pool.document, pool.mode_path, f"{pool.name} {says}")
        elif "LoadBalancer" in pool.uses and not pool.of_operator and (pool.ipip, pool.vxlan) != (NEVER, NEVER):
            says = "is for load balancers, whose addresses are never encapsulated, and has an encapsulation."
            yield Problem(pool.document, pool.mode_path, f"{pool.name} {says}")


def block_size(context: Context) -> Iterator[Problem]:
    """Blocks that Calico does not take, or that are larger than the pool."""
    for pool in context.pools:
        known = pool.network
        if known is None or pool.disabled:
            continue
        least, most, usual = _SIZES[known.version]
        size = usual if pool.block_size is None else pool.block_size
        if not least <= size <= most:
            yield _problem(pool, "blockSize", f"has blocks of /{size}; for IPv{known.version} /{least} to /{most} fit.")
        elif known.prefixlen > size:
            told = "" if pool.block_size else ", which is the default"
            yield _problem(pool, "blockSize", f"is smaller than one of its blocks of /{size}{told}.")


def cidr(context: Context) -> Iterator[Problem]:
    """A range that is none, has bits of a host, or is of the link."""
    for pool in context.pools:
        known = pool.network
        if known is None:
            yield Problem(pool.document, (*pool.path, "cidr"), f"The pool has no range of addresses: {pool.cidr!r}.")
        elif str(known) != pool.cidr and values.network(pool.cidr) != pool.cidr.lower():
            yield _problem(pool, "cidr", f"has bits of a host in its range; {known} is the whole range.")
        elif any(one.version == known.version and one.overlaps(known) for one in _LINK_LOCAL):
            yield _problem(pool, "cidr", "overlaps the addresses that are valid on a link only.")


def provider_of(context: Context, pool: Pool) -> str:
    """On what the nodes run: as told, else by the Installation."""
    told = plain.text(pool.document.spec.get("kubernetesProvider") or "") if pool.of_operator else ""
    return context.settings.provider or _OF_PROVIDER.get(told) or _OF_PROVIDER.get(context.kubernetes_provider, "")


def unencapsulated(context: Context) -> Iterator[Problem]:
    """A pool of which no packet is encapsulated, unless the network is known to carry them."""
    for pool in context.pools:
        provider = provider_of(context, pool)
        if not pool.for_pods or provider == "none" or pool.vxlan != NEVER:
            continue
        if pool.ipip == NEVER and pool.version:
            if provider in _OWN_ADDRESSES_ONLY:
                says = f"encapsulates nothing, and {provider} carries only addresses that it has given out itself."
                yield Problem(pool.document, pool.mode_path, f"{pool.name} {says}", "critical")
            elif provider == "aws" and not context.source_check_off:
                says = (
                    "encapsulates nothing, and aws checks senders unless FelixConfiguration awsSrcDstCheck is Disable."
                )
                yield Problem(pool.document, pool.mode_path, f"{pool.name} {says}", "major")
            elif provider != "aws":
                says = "encapsulates nothing: every router between the nodes must know the way to the pods."
                yield Problem(pool.document, pool.mode_path, f"{pool.name} {says}")


def ipip_on_azure(context: Context) -> Iterator[Problem]:
    """IPIP in a network that drops it."""
    for pool in context.pools:
        if pool.for_pods and pool.ipip != NEVER and provider_of(context, pool) == "azure":
            says = "uses IPIP, and Azure drops IP protocol 4 between machines."
            yield Problem(pool.document, pool.mode_path, f"{pool.name} {says}")


def nat(context: Context) -> Iterator[Problem]:
    """Private addresses that leave the cluster as they are."""
    for pool in context.pools:
        known = pool.network
        if pool.for_pods and not pool.nat and known is not None and known.version == 4 and known.is_private:
            yield _problem(pool, "natOutgoing", "is private, and packets to outside the cluster keep their senders.")


def export(context: Context) -> Iterator[Problem]:
    """Routes that BIRD would have to tell, and may not."""
    for pool in context.pools:
        if pool.for_pods and pool.export_disabled and pool.vxlan == NEVER:
            yield _problem(pool, "disableBGPExport", "is kept from BGP, which carries its routes between the nodes.")


def without_bgp(context: Context) -> Iterator[Problem]:
    """Pools whose routes BGP makes where the operator runs no BGP."""
    for pool in context.pools:
        told = network_of(pool.document) if pool.of_operator else {}
        by_felix = told.get("clusterRoutingMode") in ("Felix", "FelixIPIPOnly")
        if told.get("bgp") == "Disabled" and pool.vxlan == NEVER and not by_felix:
            what = "IPIP" if pool.ipip != NEVER else "no encapsulation"
            says = f"has {what}, for which BGP makes the routes, and BGP is Disabled."
            yield Problem(pool.document, pool.mode_path, f"{pool.name} {says}")


def overlaps(context: Context) -> Iterator[Problem]:
    """Pools that overlap each other, the Services, or the nodes."""
    known = [(found, pool) for pool in context.pools if (found := pool.network) is not None]
    for version in (4, 6):
        yield from _nested([(found, pool) for found, pool in known if found.version == version])
    for written, what in dict(reversed([*_taken(context)])).items():
        taken = network(written)
        for found, pool in known if taken else ():
            if taken and found.version == taken.version and found.overlaps(taken):
                yield _problem(pool, "cidr", f"overlaps {what}, {written}.")


def _nested(known: list[tuple[Network, Pool]]) -> Iterator[Problem]:
    """Pools in other ones: two prefixes overlap where one contains the other, which then comes first and is still open.
    What an Installation and the IPPool made of it both say is one pool."""
    around: list[tuple[Network, Pool]] = []
    for found, pool in sorted(known, key=lambda one: (int(one[0].network_address), one[0].prefixlen)):
        while around and int(around[-1][0].broadcast_address) < int(found.network_address):
            around.pop()
        if around:
            outer, other = around[-1]
            if outer != found or other.of_operator == pool.of_operator:
                yield _problem(pool, "cidr", f"overlaps that of {other.document.about} ({other.cidr}).")
        around.append((found, pool))


def _taken(context: Context) -> Iterator[tuple[str, str]]:
    """Ranges that others have, and what has them."""
    yield from ((one, "the range of Services") for one in context.settings.service_cidrs)
    yield from ((one, "the nodes' network") for one in context.settings.node_cidrs)
    for one in context.of("ClusterConfiguration"):
        told = plain.text(plain.mapping(one.raw.get("networking")).get("serviceSubnet") or "")
        yield from ((each.strip(), "the range of Services") for each in told.split(",") if each.strip())
    for one in context.of("Node"):
        for key in ("IPv4Address", "IPv6Address"):
            written = one.annotations.get(f"projectcalico.org/{key}", "")
            found = network(written)
            if found is not None:
                yield str(found), f"the network of the node {one.name}"


RULES = (
    Rule(
        "ippool_modes_conflict",
        "major",
        "A pool has encapsulations that do not go together",
        "Calico refuses the object, or, where it was written past its API, encapsulates in neither way.",
        "Set one of ipipMode and vxlanMode, and the other one to Never; IPv6 has VXLAN only.",
        _POOLS,
        modes,
        policy=True,
    ),
    Rule(
        "ippool_block_size",
        "major",
        "A pool's blockSize does not fit",
        "Nodes get no block of addresses from the pool, and pods no address.",
        "Choose a blockSize from 20 to 32 (IPv6: 116 to 128) that is no shorter than the pool's own prefix.",
        _POOLS,
        block_size,
        policy=True,
    ),
    Rule(
        "ippool_cidr_invalid",
        "major",
        "A pool's range cannot be used",
        "Calico refuses the pool, or pods get addresses that are valid on one link only.",
        "Write the whole range with its prefix, as 10.244.0.0/16, outside of 169.254.0.0/16 and fe80::/10.",
        _POOLS,
        cidr,
        policy=True,
    ),
    Rule(
        "encapsulation_disabled_but_needed",
        "minor",
        "A pool encapsulates nothing",
        "Packets between pods of different nodes are lost wherever the network does not know pods' addresses.",
        "Use VXLANCrossSubnet or VXLAN (IPIP where it is carried), or accept the rule if the network has the routes.",
        _POOLS,
        unencapsulated,
        policy=True,
    ),
    Rule(
        "ipip_blocked",
        "major",
        "IPIP is used in Azure",
        "BGP sessions come up, and no packet between pods of different nodes arrives.",
        "Use VXLAN.",
        _POOLS,
        ipip_on_azure,
        policy=True,
    ),
    Rule(
        "ippool_nat_outgoing",
        "minor",
        "A private pool has no outgoing NAT",
        "Pods reach nothing outside the cluster unless the network beyond has routes back to them.",
        "Set natOutgoing (in an Installation: Enabled), or accept the rule if the network has the routes.",
        _POOLS,
        nat,
        policy=True,
    ),
    Rule(
        "routes_missing",
        "major",
        "A pool that needs BGP's routes is kept from BGP",
        "Nodes do not learn where the pool's pods are (with IPIP: before Calico 3.33, where Felix makes these routes).",
        "Remove disableBGPExport; to keep routes from a router, give its BGPPeer a BGPFilter.",
        _POOLS,
        export,
        policy=True,
    ),
    Rule(
        "installation_bgp_conflict",
        "major",
        "The Installation's pool needs BGP, and BGP is disabled",
        "The operator refuses the Installation and rolls nothing out.",
        "Set calicoNetwork.bgp to Enabled, or the pool's encapsulation to VXLAN or VXLANCrossSubnet.",
        ("Installation",),
        without_bgp,
        policy=True,
    ),
    Rule(
        "ippool_overlaps_network",
        "major",
        "A pool overlaps another range that is in use",
        "Addresses exist twice: packets for one of them go to the other, or are dropped.",
        "Give the pool a range of its own; the range of a pool in use is changed by a new pool that replaces it.",
        (*_POOLS, "Node", "ClusterConfiguration"),
        overlaps,
    ),
)
