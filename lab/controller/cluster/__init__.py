# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the lab's cluster as kubeadm and Calico's manifest leave them. Pure: the same plan, the same objects.

They have uids of their own (made from their names), so that owners can be named before anything is stored.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from .. import environment as processes
from .. import pods
from . import calico, daemons, ipam, nodes, permissions, system, workloads

if TYPE_CHECKING:
    from ...topology import Node, Plan
    from ..objects import Object

_SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "lab.netmedic.calico")


def objects(plan: Plan) -> list[Object]:
    """All objects, owners before what they own."""
    made: list[Object] = []
    made += _known(system.namespaces())
    made += _known(permissions.objects(plan))
    made += _known(calico.objects(plan))
    made += _known(nodes.objects(plan))
    made += _known(system.objects(plan))
    for daemonset in _known(daemons.daemonsets(plan)):
        made.append(daemonset)
        made += _known(daemons.revision_and_pods(plan, daemonset))
    for deployment in _known(workloads.deployments(plan)):
        made.append(deployment)
        (replicas,) = _known([workloads.replicaset(deployment)])
        made.append(replicas)
        made += _known(workloads.pods_of(plan, replicas))
    if plan.topology.overlay != "canal":
        made += _known(ipam.objects(plan, [each for each in made if each["kind"] == "Pod"]))
    made += _known(workloads.slices([each for each in made if each["kind"] in ("Service", "Pod")]))
    return made


def _known(found: list[Object]) -> list[Object]:
    for each in found:
        metadata = each["metadata"]
        place = f"{each['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"
        metadata.setdefault("uid", str(uuid.uuid5(_SPACE, place)))
    return found


def environment(plan: Plan, node: Node) -> dict[str, str]:
    """The environment of calico-node's container on a node, as the processes there have it."""
    settings = calico.config_map(plan)
    config_maps = {("kube-system", settings["metadata"]["name"]): settings}
    pod = pods.daemon(daemons.calico_node(plan), node.name, plan.topology.agent, "")
    return processes.environment(pod, config_maps)
