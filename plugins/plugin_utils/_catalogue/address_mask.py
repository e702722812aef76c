# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of node addresses on record without their subnet, by which CrossSubnet decides what is to be tunnelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import api, commands, words
from .address_claims import Claim, claims, network_of
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence

WHOLE = {"ipv4": 32, "ipv6": 128}
# Google's hosts have addresses without a subnet by design.
_BY_DESIGN = "gce://"
CROSS_SUBNET = "CrossSubnet"


def addresses_without_subnet(evidence: Evidence) -> Iterator[Subject]:
    """The nodes whose address on record is a subnet of its own, by family."""
    for family, whole in WHOLE.items():
        bare = [claim for claim in claims(evidence) if claim.family == family and claim.length == whole]
        if bare:
            first = bare[0]
            names = tuple(dict.fromkeys(claim.name for claim in bare))
            yield Subject(names, (), {**first.where, "nodes": list(names)}, first.node, bare)


def _bare(subject: Subject) -> list[Claim]:
    return subject.about if isinstance(subject.about, list) else []


def on_record_without_subnet(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's address is on record as a subnet of its own."""
    return [claim.seen(claim.stored) for claim in _bare(subject)[:4]]


def host_has_it_with_subnet(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host has the same address in a subnet."""
    found = []
    for claim in _bare(subject):
        held = claim.node.own.of(claim.address) if claim.node else None
        if held and held.prefix is not None and held.prefix < WHOLE[claim.family]:
            found.append(Seen(claim.name, "addresses", f"{held.interface} has {held.with_length}"))
    return found


def host_has_it_so_as_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host itself has the address without a subnet, as some clouds give it."""
    found = []
    for claim in _bare(subject):
        held = claim.node.own.of(claim.address) if claim.node else None
        if held and held.prefix == WHOLE[claim.family]:
            found.append(Seen(claim.name, "addresses", f"{held.interface} has {held.with_length}"))
        elif claim.record and claim.record.kube and claim.record.kube.provider_id.startswith(_BY_DESIGN):
            found.append(
                Seen(claim.name, f"Node/{claim.record.record}", claim.record.kube.provider_id, "spec.providerID")
            )
    return found if len(found) == len(_bare(subject)) else []


def calico_warned(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that it found no interface with the InternalIP, whose prefix length it would have taken."""
    return [
        Seen(claim.name, f"{line.component} log", line.text, line.at)
        for claim in _bare(subject)
        for line in (claim.node.control.lines("node_ip_without_mask") if claim.node else [])[:1]
    ]


def others_have_subnets(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Other nodes are on record with their subnets."""
    family = _bare(subject)[0].family
    others = [one.seen(one.stored) for one in claims(evidence) if one.family == family and network_of(one.stored)]
    return others[:3]


def _crossing(evidence: Evidence, family: str) -> list[str]:
    pools = evidence.cluster.pools if evidence.cluster else ()
    return [
        pool.name
        for pool in pools
        if CROSS_SUBNET in (pool.ipip, pool.vxlan) and (":" in pool.cidr) == (family == "ipv6")
    ]


def pools_ask_for_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A pool encapsulates between subnets only, so that the nodes' subnets count."""
    return [
        api.seen(f"IPPool {name}", "spec", f"mode {CROSS_SUBNET}")
        for name in _crossing(evidence, _bare(subject)[0].family)
    ]


def pools_do_not_ask(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No pool encapsulates between subnets only: the nodes' subnets do not count."""
    cluster = evidence.cluster
    if cluster is None or not cluster.pools or not all(pool.modes_told for pool in cluster.pools):
        return []
    if _crossing(evidence, _bare(subject)[0].family):
        return []
    return [
        api.seen(f"IPPool {pool.name}", "spec", f"ipip {pool.ipip}, vxlan {pool.vxlan}") for pool in cluster.pools[:2]
    ]


def _corrected(subject: Subject, claim: Claim) -> str:
    held = claim.node.own.of(claim.address) if claim.node else None
    return held.with_length if held and held.prefix != WHOLE[claim.family] else f"{claim.address}/LENGTH"


NODE_IP_MASK_32 = Fault(
    id="node_ip_mask_32",
    family="node_address",
    title="The node address on record has no subnet",
    severity="minor",
    role="cause",
    means=(
        "CrossSubnet encapsulates what goes to nodes outside a node's own subnet, which Calico takes from the address "
        "on record. An address that is a subnet of its own has no neighbours: everything is encapsulated."
    ),
    subjects=addresses_without_subnet,
    signals=(
        Signal(host_has_it_with_subnet, STRONG + MODERATE, required=True),
        Signal(calico_warned, STRONG, required=True),
        Signal(on_record_without_subnet, WEAK, required=True),
        Signal(others_have_subnets, WEAK),
        Signal(pools_ask_for_it, MODERATE),
        Signal(host_has_it_so_as_well, -STRONG),
        Signal(pools_do_not_ask, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"{words.listed(subject.nodes)} {'is' if len(subject.nodes) == 1 else 'are'} registered without a subnet "
        f"({_bare(subject)[0].stored}), so that CrossSubnet encapsulates everything there."
    ),
    fix=Fix(
        action="restore_prefix_length",
        text=(
            "Register the address with its prefix length. With the method kubernetes-internal-ip Calico takes it from "
            "the interface that has the InternalIP: that address must be on an interface."
        ),
        risk="low",
        disrupts="routes to and from the node change their way; its sessions stay",
        commands=lambda evidence, subject: [
            commands.set_address(evidence, claim.name, _corrected(subject, claim), api.ADDRESS_KEYS[claim.family])
            for claim in _bare(subject)[:4]
        ],
    ),
    verify="The address on record has the prefix length that the host's interface has.",
    lookalikes=(Lookalike("node_ip_not_on_host", "the host has no such address"),),
)

FAULTS = (NODE_IP_MASK_32,)
