# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of pods' packets that are not encapsulated where they must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import api, commands, fix_lines, observed, pool_modes, words
from .gate_signals import HINT
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject
from .pool_modes import by_subnet
from .pools import NEVER, NODES_SHOWN, Pool, pools_in_use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._evidence.evidence import Evidence


def unencapsulated(evidence: Evidence) -> Iterator[Subject]:
    """Pools that are not encapsulated where nodes are in several subnets, or in a cloud that drops what is not."""
    if evidence.uses_bgp is False and not any(pool.vxlan != NEVER for pool in pools_in_use(evidence)):
        return
    loose = [pool for pool in pools_in_use(evidence) if pool.bare or pool.crossing]
    subnets = by_subnet(evidence)
    largest = max((len(names) for names in subnets.values()), default=0)
    # Those outside the one largest subnet; where there is no such one, all are cut from each other alike.
    smaller = [names for names in subnets.values() if len(names) < largest]
    smaller = smaller if len(smaller) == len(subnets) - 1 else list(subnets.values())
    names = tuple(name for names in smaller for name in names) or tuple(one.name for one in evidence.registered)
    for pool in loose:
        where = api.where(pool.what, pool.field, cidr=pool.cidr)
        yield Subject(names, (), where, None, pool)
    if not pools_in_use(evidence):
        lost = tuple(node.name for node in evidence.nodes.values() if _by_router(evidence, node.name))
        if lost:
            yield Subject(lost, (), {"node": lost[0], "object": "IPPool"}, evidence.nodes[lost[0]], None)


def _pool(subject: Subject) -> Pool:
    return subject.about if isinstance(subject.about, Pool) else Pool("IPPool", "spec", "", NEVER, NEVER)


def is_needed(evidence: Evidence, pool: Pool) -> bool:
    """The pool is not encapsulated where it must be, or in a way that cannot be, as far as evidence of settings tells;
    routers that speak BGP with the nodes may know pods' addresses."""
    if NEVER not in (pool.ipip, pool.vxlan) or (":" in pool.cidr and pool.ipip != NEVER):
        return True
    about = Subject((), (), {}, None, pool)
    if cloud_drops_it(evidence, about) or (pool_modes.on_azure(evidence) and pool.ipip != NEVER):
        return True
    return bool(nodes_are_in_several_subnets(evidence, about)) and not routers_are_told(evidence, about)


def nodes_are_in_several_subnets(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The pool is not encapsulated, and the nodes are in several subnets."""
    subnets = by_subnet(evidence)
    pool = _pool(subject)
    if not pool.bare or len(subnets) < 2 or subject.about is None:
        return []
    told = words.listed(f"{network} ({words.plural(len(names), 'node')})" for network, names in subnets.items())
    return [api.seen(pool.what, pool.field, f"ipip {pool.ipip}, vxlan {pool.vxlan}; nodes in {told}")]


def cloud_drops_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The cloud carries no packets of addresses that it does not know, not even within a subnet."""
    pool = _pool(subject)
    if subject.about is None or not pool_modes.on_azure(evidence) or not (pool.bare or pool.crossing):
        return []
    return [api.seen(pool.what, pool.field, f"ipip {pool.ipip}, vxlan {pool.vxlan}, on Azure")]


def _by_router(evidence: Evidence, name: str) -> int:
    node = evidence.nodes[name]
    if node.mtu is not None and node.mtu.encapsulation not in ("", "none"):
        return 0
    return sum(routes.via_router for routes in node.host.routes.values())


def routes_lead_to_a_router(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Routes to other nodes' pods lead, not encapsulated, to a router that speaks no BGP with the nodes."""
    return _by_routers(evidence) if subject.about is None else []


def routes_lead_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Routes to other nodes' pods do lead, not encapsulated, to a router."""
    return _by_routers(evidence) if subject.about is not None else []


def _by_routers(evidence: Evidence) -> list[Seen]:
    return [
        Seen(name, "routes", f"{words.plural(count, 'route')} of BIRD's by such a router")
        for name in evidence.nodes
        if (count := _by_router(evidence, name))
    ][:NODES_SHOWN]


def routers_are_told(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico peers with machines outside the cluster, which may learn the pods' routes from it."""
    plan = evidence.expected
    outside = sorted({one.far.address for one in plan.sessions(mesh=False) if one.external}) if plan else []
    return [
        Seen("", "BGPPeers", f"a session with {address}, which is no node", "spec.peerIP") for address in outside[:2]
    ]


def _between_subnets(evidence: Evidence, result: Iterable[str]) -> list[Seen]:
    """What was tried between pods of nodes in different subnets, with one of these results."""
    subnet_of = {name: network for network, names in by_subnet(evidence).items() for name in names}
    found = []
    for one in observed.tried(evidence):
        ends = [observed.what_and_where(end)[1] for end in (one.source, one.target)]
        known = [subnet_of[end] for end in ends if end in subnet_of]
        if observed.crosses(one) and not one.size and one.result in result and len(set(known)) == len(ends):
            found.append(observed.seen(one))
    return found[:NODES_SHOWN]


def lost_between_subnets(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Somebody tried: pods reach each other within a subnet only, or not those of a node in another one."""
    if len(by_subnet(evidence)) < 2 and subject.about is not None:
        return []
    return observed.only_within(evidence, "same-subnet") + _between_subnets(evidence, observed.LOST)


def passes_between_subnets(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Somebody tried: a pod reaches one of a node in another subnet, so the network does know pods' addresses."""
    return _between_subnets(evidence, (observed.OPEN,))


def _what_would_decide(evidence: Evidence, subject: Subject) -> list[Missing]:
    """Whether the network knows pods' addresses by routes of its own, which nothing on the nodes shows."""
    sure = cloud_drops_it(evidence, subject), lost_between_subnets(evidence, subject)
    if any(sure):
        return []
    name = subject.nodes[0] if subject.nodes else "NODE"
    return [
        Missing(
            name,
            "underlay routes",
            commands.on_node(name, "ping -n -c 2 -W 1 -t 2 ADDRESS   # of a pod of a node in another subnet"),
            "where a router answers that the network is unreachable, it does not know pods: this is the fault; where "
            "the pod answers, or its node that the time to live is over, the network has routes to pods of its own",
        )
    ]


def encrypted_anyway(evidence: Evidence, subject: Subject) -> list[Seen]:
    """WireGuard carries what goes between nodes."""
    found = evidence.cluster.felix_configurations.get("default") if evidence.cluster else None
    on = found is not None and found.spec.get("wireguardEnabled") is True
    return [api.seen("FelixConfiguration default", "spec.wireguardEnabled", "true")] if on else []


def _mode_change(evidence: Evidence, subject: Subject) -> list[str]:
    pool = _pool(subject)
    name = pool.what.partition(" ")[2]
    named = (name,) if pool.what.startswith("IPPool ") and name else ()
    return fix_lines.pool_changes(evidence, *pool_modes.better(evidence, pool), named)


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    return pool_modes.remedy(evidence, [subject.about] if isinstance(subject.about, Pool) else [])


def _bare_summary(evidence: Evidence, subject: Subject) -> str:
    pool = _pool(subject)
    if cloud_drops_it(evidence, subject):
        within = "within a subnet" if pool.crossing else "anything"
        return f"{pool.what} does not encapsulate {within}, and Azure drops packets of pods' own addresses."
    subnets = by_subnet(evidence)
    if len(subnets) > 1:
        return f"{pool.what} encapsulates nothing, and the nodes are in several subnets ({words.listed(subnets)})."
    return (
        f"{words.listed(subject.nodes)} send pods' packets without encapsulation to a router that does not know pods."
    )


ENCAPSULATION_DISABLED_BUT_NEEDED = Fault(
    id="encapsulation_disabled_but_needed",
    family="encapsulation",
    title="Pods' packets are not encapsulated where they must be",
    severity="critical",
    role="cause",
    means=(
        "Between these nodes pods' packets travel under the pods' own addresses, which the network between the nodes "
        "does not know: BGP is up, the routes are there, and what is sent by them is lost."
    ),
    subjects=unencapsulated,
    signals=(
        # Static routes to pods in the network between would make it sound; nothing on the nodes shows them.
        Signal(nodes_are_in_several_subnets, MODERATE + WEAK, required=True),
        Signal(cloud_drops_it, STRONG, required=True),
        Signal(routes_lead_to_a_router, MODERATE + WEAK, required=True),
        Signal(routes_lead_there, HINT),
        Signal(lost_between_subnets, STRONG),
        Signal(passes_between_subnets, -DECISIVE),
        Signal(routers_are_told, -STRONG - WEAK),
        Signal(encrypted_anyway, -DECISIVE),
    ),
    summary=_bare_summary,
    fix=Fix(
        action="enable_encapsulation",
        text=(
            "Let the pool encapsulate between subnets (CrossSubnet), or always where a cloud drops unknown addresses, "
            "by VXLAN where IPIP is dropped as well. Or have the routers learn the pods' routes by BGP."
        ),
        risk="high",
        disrupts="traffic between pods of different nodes for some seconds; pods keep their MTU until they are remade",
        commands=_mode_change,
        remedy=_remedy,
    ),
    verify="A pod reaches a pod of a node in another subnet.",
    lookalikes=(
        Lookalike("cloud_source_dest_check", "packets within a subnet are dropped only for the cloud's own check"),
        Lookalike("no_encap_next_hop_not_onlink", "single routes have a next hop that is not on the link"),
        Lookalike("ipip_blocked", "packets are encapsulated, and the tunnel's protocol is dropped"),
    ),
    explains=("no_encap_next_hop_not_onlink", "routes_missing"),
    missing=_what_would_decide,
)


FAULTS = (ENCAPSULATION_DISABLED_BUT_NEEDED,)
