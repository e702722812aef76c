# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many nodes are concerned, and what that says: one node, a few, a large subset or all of them have different
suspects, and what a subset has in common is the best hint there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._commonality.properties import of_cluster
from .._commonality.shared import Table
from . import model
from .model import Checked, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._cluster.model import Cluster
    from .._commonality.shared import Shared

ONE, FEW, SUBSET, ALL = "one", "few", "subset", "all"
FEW_SHARE = 0.1
ALL_SHARE = 0.9
FEW_AT_LEAST, FEW_AT_MOST = 3, 10
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
    compared = [nodes for nodes in groups.values() if size_of(len(nodes), total) in (FEW, SUBSET)]
    table = Table(of_cluster(cluster) if compared else {})
    found = []
    for (step, kind), nodes in groups.items():
        size = size_of(len(nodes), total)
        shared = tuple(table.shared(nodes, len(compared))) if nodes in compared else ()
        found.append(Scope(step, kind, tuple(nodes), total, size, tuple(_suspects(shared, step, size)), shared))
    return tuple(sorted(found, key=lambda one: (model.STEPS.index(one.step), -len(one.nodes), one.kind)))


def _suspects(shared: tuple[Shared, ...], step: str, size: str) -> Iterator[str]:
    for one in shared:
        outside = f"{one.elsewhere} of the {one.others} others"
        yield f"{one.affected} of the {one.of} have {one.told}, and {outside}"
    if shared and size == FEW:
        size = SUBSET
    yield f"{_MACHINE[size]}: {_MOST[step]}" if size == ALL else _MACHINE[size]
