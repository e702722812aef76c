# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of ranges of Services that contain addresses of pods."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from . import api, words
from .model import DECISIVE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject
from .pools import NODES_SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence


def ranges_over_pods(evidence: Evidence) -> Iterator[Subject]:
    """Ranges of Services that BGP advertises and that contain addresses of pods."""
    cluster = evidence.cluster
    for name, one in cluster.bgp_configurations.items() if cluster else ():
        fields = (
            ("spec.serviceClusterIPs", one.service_cluster_cidrs),
            ("spec.serviceExternalIPs", one.service_external_cidrs),
            ("spec.serviceLoadBalancerIPs", one.service_load_balancer_cidrs),
        )
        for field, ranges in fields:
            for cidr in ranges:
                over = _overlapped(evidence, cidr)
                if over:
                    # It is the same configuration on every node, whether it is registered or only read.
                    names = tuple(record.name for record in evidence.registered if not record.windows)
                    names += tuple(name for name in evidence.nodes if name not in names)
                    where = api.where(f"BGPConfiguration {name}", field, value=cidr, pods=over)
                    yield Subject(names, (), where, None, (f"BGPConfiguration {name}", field, cidr, over))
    looping = tuple(node.name for node in evidence.nodes.values() if node.host.loop_rules)
    if looping and not (cluster and cluster.bgp_configurations):
        where = {"node": looping[0], "object": "BGPConfiguration/default", "field": "spec.serviceClusterIPs"}
        yield Subject(looping, (), where, evidence.nodes[looping[0]], None)


def _overlapped(evidence: Evidence, cidr: str) -> str:
    """The pool, or a node's range of pods, that a range overlaps; ''."""
    cluster = evidence.cluster
    if cluster is None:
        return ""
    pods = [pool.cidr for pool in cluster.pools if pool.allowed_uses != ("LoadBalancer",)]
    pods += [one for kube in cluster.nodes.values() for one in kube.pod_cidrs] if not pods else []
    return next((one for one in pods if _overlap(one, cidr)), "")


def _overlap(one: str, other: str) -> bool:
    try:
        first, second = ipaddress.ip_network(one, strict=False), ipaddress.ip_network(other, strict=False)
    except ValueError:
        return False
    return first.version == second.version and first.overlaps(second)


def range_contains_pods(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A range that is given as Services' contains addresses of pods."""
    if subject.about is None:
        return []
    what, field, cidr, over = subject.about
    return [api.seen(what, field, f"{cidr} and the pods' {over} overlap")]


def felix_drops_pods(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix' rules against loops of Services' addresses stop packets of pods."""
    return [
        Seen(name, "firewall", node.host.loop_rules[0]) for name, node in evidence.nodes.items() if node.host.loop_rules
    ][:NODES_SHOWN]


BGPCONFIG_SERVICE_CIDR_CONTAINS_PODS = Fault(
    id="bgpconfig_service_cidr_contains_pods",
    family="bgp_config",
    title="Advertised ranges of Services contain pods",
    severity="critical",
    role="cause",
    means=(
        "What is given as a range of Services is kept out of the kernel's routes by BIRD, and dropped by Felix where "
        "no Service takes it. Pods in such a range are not reached from other nodes."
    ),
    subjects=ranges_over_pods,
    signals=(
        Signal(range_contains_pods, DECISIVE, required=True),
        Signal(felix_drops_pods, STRONG, required=True),
    ),
    summary=lambda evidence, subject: (
        f"{subject.about[0]} gives {subject.about[2]} as a range of Services, and pods are in {subject.about[3]}."
        if subject.about
        else f"Felix on {words.listed(subject.nodes)} drops packets of pods as those of Services' addresses."
    ),
    fix=Fix(
        action="correct_service_ranges",
        text="Give the ranges of Services only, as the API server and the load balancer have them.",
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: [
            "kubectl cluster-info dump | grep -m1 service-cluster-ip-range",
            api.show(evidence, "BGPConfiguration"),
            *_without_range(evidence, subject),
        ],
    ),
    verify="Ranges of Services and of pods do not overlap, and pods reach pods of other nodes.",
    prior=0.0,
    lookalikes=(Lookalike("routes_missing", "the ranges do not overlap"),),
    explains=("routes_missing", "calico_bug_service_blackhole"),
)


def _without_range(evidence: Evidence, subject: Subject) -> list[str]:
    if subject.about is None or evidence.cluster is None:
        return []
    what, field, cidr, _over = subject.about
    one = evidence.cluster.bgp_configurations[what.partition(" ")[2]]
    key = field.partition(".")[2]
    ranges = {
        "serviceClusterIPs": one.service_cluster_cidrs,
        "serviceExternalIPs": one.service_external_cidrs,
        "serviceLoadBalancerIPs": one.service_load_balancer_cidrs,
    }
    spec = {key: [{"cidr": each} for each in ranges[key] if each != cidr]}
    return api.at_owner(evidence, f"bgp_configuration/{key}", [api.patch(evidence, "BGPConfiguration", one.name, spec)])


FAULTS = (BGPCONFIG_SERVICE_CIDR_CONTAINS_PODS,)
