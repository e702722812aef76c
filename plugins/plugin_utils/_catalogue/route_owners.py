# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of routes that Felix and BIRD both program into the kernel, or neither of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cluster import effective, programmers, versions
from . import api, words
from .model import MODERATE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject
from .pools import NODES_SHOWN, pools_in_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node


def owners_of_routes(evidence: Evidence) -> Iterator[Subject]:
    """Encapsulations in use for which Felix and BIRD both program routes, or neither does."""
    by_release: dict[str, Subject] = {}
    if evidence.cluster is not None and evidence.uses_bgp is not False:
        release = versions.newest(versions.read(evidence.cluster, evidence.nodes))
        found = programmers.read(evidence.cluster, "bird", release)
        for pool in pools_in_use(evidence):
            who = found.by_encapsulation.get(pool.kind, programmers.UNKNOWN)
            if who in (programmers.BOTH, programmers.NOBODY) and pool.kind not in by_release:
                names = tuple(one.name for one in evidence.registered if not one.windows)
                what = _spoken_of(evidence)
                where = api.where(what, "spec.programClusterRoutes", encapsulation=pool.kind, owner=who)
                by_release[pool.kind] = Subject(names, (), where, None, found.why)
    yield from by_release.values()
    conflicting = tuple(node.name for node in evidence.nodes.values() if _conflicts(evidence, node.name))
    if conflicting and not by_release:
        where = {"node": conflicting[0], "object": "FelixConfiguration/default", "field": "spec.programClusterRoutes"}
        yield Subject(conflicting, (), {**where, "owner": programmers.BOTH}, evidence.nodes[conflicting[0]], "")


def _spoken_of(evidence: Evidence) -> str:
    """The object that sets it: BGPConfiguration where that alone does."""
    bgp = evidence.cluster.bgp_configurations.get("default") if evidence.cluster else None
    felix = effective.felix(evidence.cluster, "programClusterRoutes") if evidence.cluster else None
    alone = bgp is not None and bgp.program_cluster_routes and not (felix and felix.value)
    return "BGPConfiguration default" if alone else "FelixConfiguration default"


def _conflicts(evidence: Evidence, name: str) -> list[str]:
    node = evidence.nodes.get(name)
    tables = list(node.host.routes.values()) if node else []
    refused = sum(routes.instead_felix for routes in tables)
    told = [f"Felix has routes in the place of {refused} of BIRD's, which the kernel refuses"] if refused else []
    return [one for routes in tables for one in routes.conflicts] + told


def both_are_told_to(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix and BIRD are both told to program these routes: each takes away what the other one writes."""
    return _told(evidence, subject, programmers.BOTH)


def neither_is_told_to(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Neither Felix nor BIRD is told to program these routes: nobody writes them."""
    return _told(evidence, subject, programmers.NOBODY)


def _told(evidence: Evidence, subject: Subject, who: str) -> list[Seen]:
    if subject.where.get("owner") != who or not subject.about:
        return []
    return [api.seen(_spoken_of(evidence), "spec.programClusterRoutes", str(subject.about))]


def kernel_has_routes_of_both(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel has routes of BIRD's and of Felix' to the same pods."""
    return [
        Seen(name, "routes", words.listed(found)) for name in subject.nodes if (found := _conflicts(evidence, name))
    ][:NODES_SHOWN]


def kernel_lacks_routes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD learns routes, and none of them, nor any of Felix', is in the kernel."""
    found: list[Seen] = []
    for name in subject.nodes if subject.where.get("owner") == programmers.NOBODY else ():
        node = evidence.nodes.get(name)
        up = any(daemon.established for daemon in node.daemons.values()) if node else False
        if node and up and _were_listed(node) and not any(one.bird or one.felix for one in node.host.routes.values()):
            found.append(Seen(name, "routes", "none of BIRD's and none of Felix'"))
    return found[:NODES_SHOWN]


def _were_listed(node: Node) -> bool:
    """The kernel's routes were asked for and told: of a table without any of Calico's nothing is said."""
    asked = {one.source: one.status for one in node.sources}
    return bool(node.host.routes) or (asked.get("netlink") == "ok" and asked.get("host_routes", "ok") == "ok")


def kernel_has_them(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The routes are in the kernel all the same."""
    found: list[Seen] = []
    for name in subject.nodes if subject.where.get("owner") == programmers.NOBODY else ():
        node = evidence.nodes.get(name)
        found.extend(
            Seen(name, "routes", f"{routes.bird} of BIRD's, {routes.felix} of Felix'")
            for routes in (node.host.routes.values() if node else ())
            if routes.bird or routes.felix
        )
    return found[:NODES_SHOWN]


def _owner_summary(evidence: Evidence, subject: Subject) -> str:
    kind = str(subject.where.get("encapsulation", ""))
    routes = "routes without encapsulation" if kind == programmers.NO_ENCAPSULATION else f"routes for {kind}"
    if subject.where.get("owner") == programmers.NOBODY:
        return f"Neither Felix nor BIRD programs {routes}. {subject.about}"
    if not subject.about:
        return f"On {words.listed(subject.nodes)} Felix and BIRD both program routes to the same pods."
    return f"Felix and BIRD both program {routes}. {subject.about}"


def _settle(evidence: Evidence, subject: Subject) -> list[str]:
    felix = api.patch(evidence, "FelixConfiguration", "default", {"programClusterRoutes": None})
    bgp = api.patch(evidence, "BGPConfiguration", "default", {"programClusterRoutes": None})
    plain = [f"{felix}   # both back to the release's defaults, which fit together", bgp]
    return [
        api.show(evidence, _spoken_of(evidence).partition(" ")[0], "default"),
        *api.at_owner(evidence, "bgp_configuration/programClusterRoutes", plain),
    ]


ROUTE_OWNER_CONFLICT = Fault(
    id="route_owner_conflict",
    family="encapsulation",
    title="Felix and BIRD disagree about who programs routes",
    severity="critical",
    role="cause",
    means=(
        "Since 3.31 it is a setting whether Felix or BIRD writes the routes to other nodes' pods into the kernel. If "
        "both do they fight, and if neither does there are none; BGP is up in both cases."
    ),
    subjects=owners_of_routes,
    signals=(
        Signal(both_are_told_to, STRONG + MODERATE, required=True),
        Signal(neither_is_told_to, STRONG + MODERATE, required=True),
        Signal(kernel_has_routes_of_both, STRONG, required=True),
        Signal(kernel_lacks_routes, STRONG),
        Signal(kernel_has_them, -STRONG),
    ),
    summary=_owner_summary,
    fix=Fix(
        action="settle_route_owner",
        text=(
            "Give programClusterRoutes of FelixConfiguration and of BGPConfiguration values that complement each other "
            "(or neither of them any); with the operator say it once, as calicoNetwork.clusterRoutingMode."
        ),
        risk="medium",
        disrupts="the routes are written anew on every node",
        commands=_settle,
    ),
    verify="The kernel has one route to each block of other nodes' pods, of one program, and keeps it.",
    lookalikes=(
        Lookalike("routes_missing", "one of the two is to program the routes, and does not"),
        Lookalike("host_network_manager_interference", "another program than these two takes the routes away"),
    ),
    explains=("routes_missing", "undetermined"),
)

FAULTS = (ROUTE_OWNER_CONFLICT,)
