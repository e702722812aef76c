# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many nodes are concerned, and what that says: one node, a few, a large subset or all of them have different
suspects, and what a subset has in common is the best hint there is."""

from __future__ import annotations

import math
from collections import Counter as Tally
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from . import model
from .model import Checked, Scope, Shared

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from .._cluster.model import Cluster, KubeNode

ONE, FEW, SUBSET, ALL = "one", "few", "subset", "all"
FEW_SHARE = 0.1
ALL_SHARE = 0.9
FEW_AT_LEAST, FEW_AT_MOST = 3, 10
MOST_SHARED = 3
SURPRISING = 0.01
DAY = 86400
# Labels by which clusters are divided; of each provider its own name of a pool of nodes.
LABELS = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool",
    "kops.k8s.io/instancegroup",
    "karpenter.sh/nodepool",
    "ibm-cloud.kubernetes.io/worker-pool-name",
    "ibm-cloud.kubernetes.io/subnet-id",
    "publicVLAN",
    "privateVLAN",
    "node-role.kubernetes.io/control-plane",
    "projectcalico.org/operator-node-migration",
)
_MACHINE = {
    ONE: "only this node is concerned, so look at this machine first: its own state, disk, clock and firewall",
    FEW: "few nodes are concerned, so look at these machines first, each for itself",
    SUBSET: "many nodes are concerned and others are not: look for what they share (zone, subnet, pool, last update)",
    ALL: "all nodes are concerned, so it is not the machines: suspect what all of them depend on",
}
_MOST = {
    model.HOST: "the way to the API server, its load balancer or certificate",
    model.FLAPPING: "an overloaded or slow API server or etcd",
    model.CNI: "Calico's installation, image or configuration, or the API server",
    model.CALICO_IS_DOWN: "a rollout of calico-node, or Calico's configuration",
    model.DAEMONSET: "whoever installs Calico: it was deleted, or never applied",
    model.NOT_CREATED: "an admission webhook, a quota, or a policy for pods",
    model.NOT_SCHEDULED: "the DaemonSet's tolerations, nodeSelector or affinity, changed or too narrow",
    model.INIT: "Calico's configuration, its rights (RBAC), or the API server",
    model.IMAGE: "the image's name or tag, the registry, or the credentials for it",
    model.NOT_STARTING: "a missing ConfigMap or Secret, or the pod's template",
    model.CRASHING: "Calico's configuration, the API server or the datastore",
    model.TYPHA: "Typha, its Service, certificates, or TCP 5473 between the nodes",
    model.API: "the API server, or the way to it",
    model.NOT_READY: "Calico's configuration, or a firewall rule that all nodes share",
}


def size_of(affected: int, total: int) -> str:
    """one, few (at most three, or a tenth, but not above ten), all (nine tenths or more), else subset."""
    if affected >= total * ALL_SHARE:
        return ALL
    if affected == 1:
        return ONE
    return FEW if affected <= max(FEW_AT_LEAST, min(FEW_AT_MOST, total * FEW_SHARE)) else SUBSET


def scopes(cluster: Cluster, checked: Iterable[Checked], total: int) -> tuple[Scope, ...]:
    """The nodes by what is wrong with them for a reason, in the gate's order, the most concerned first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in checked:
        groups.setdefault((one.reason.step, one.reason.kind), []).append(one.node)
    found = []
    for (step, kind), nodes in groups.items():
        size = size_of(len(nodes), total)
        shared = tuple(commonality(cluster.nodes, nodes)) if size in (FEW, SUBSET) else ()
        found.append(Scope(step, kind, tuple(nodes), total, size, tuple(_suspects(shared, step, size)), shared))
    return tuple(sorted(found, key=lambda one: (model.STEPS.index(one.step), -len(one.nodes), one.kind)))


def _suspects(shared: tuple[Shared, ...], step: str, size: str) -> Iterator[str]:
    for one in shared:
        outside = f"{one.elsewhere} of the {one.others} others"
        yield f"{one.affected} of the {one.of} have {one.attribute} {one.value}, and {outside}"
    if shared and size == FEW:
        size = SUBSET
    yield f"{_MACHINE[size]}: {_MOST[step]}" if size == ALL else _MACHINE[size]


def commonality(nodes: Mapping[str, KubeNode], affected: Collection[str]) -> list[Shared]:
    """What the affected nodes share and the others rarely have, the least accidental first; at most three.

    Linear in the number of nodes: each property of each node is counted once.
    """
    chosen = set(affected)
    here: Tally[tuple[str, str]] = Tally()
    everywhere: Tally[tuple[str, str]] = Tally()
    for name, node in nodes.items():
        properties = _properties(node)
        everywhere.update(properties)
        if name in chosen:
            here.update(properties)
    total, number = len(nodes), len(chosen & nodes.keys())
    found = []
    for (attribute, value), count in here.items():
        having = everywhere[attribute, value]
        if 2 * count > number and having < total:
            by_chance = _tail(total, having, number, count)
            if by_chance <= SURPRISING:
                outside = having - count
                found.append(Shared(attribute, value, count, number, outside, total - number, by_chance))
    return sorted(found, key=lambda one: (one.p_value, one.attribute))[:MOST_SHARED]


def _properties(node: KubeNode) -> set[tuple[str, str]]:
    found = {(label, node.labels[label]) for label in LABELS if label in node.labels}
    found |= {
        (attribute, value)
        for attribute, value in (
            ("operating system", node.os_image),
            ("kernel", node.kernel),
            ("kubelet", node.kubelet_version),
            ("architecture", node.architecture),
        )
        if value
    }
    found |= {("subnet", f"{one.rpartition('.')[0]}.0/24") for one in node.internal_addresses[:1] if "." in one}
    if node.created_at is not None:
        joined = datetime.fromtimestamp(node.created_at // DAY * DAY, timezone.utc)
        found.add(("joined on", joined.strftime("%Y-%m-%d")))
    return found


def _tail(total: int, having: int, drawn: int, seen: int) -> float:
    """The probability of at least so many with a property among so many drawn (hypergeometric)."""
    least, most = max(seen, drawn - (total - having)), min(having, drawn)
    ways = _log_ways(total, drawn)
    exponents = (_log_ways(having, hit) + _log_ways(total - having, drawn - hit) for hit in range(least, most + 1))
    return min(math.fsum(math.exp(exponent - ways) for exponent in exponents), 1.0)


def _log_ways(number: int, chosen: int) -> float:
    return math.lgamma(number + 1) - math.lgamma(chosen + 1) - math.lgamma(number - chosen + 1)
