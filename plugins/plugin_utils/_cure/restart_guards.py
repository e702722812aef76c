# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a BIRD or a pod must not be restarted now: it would not come up again, or nobody could take its place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .._catalogue import commands, words
from .restart_needs import pod_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._cluster.model import KubeNode
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_FAMILIES = ("ipv4", "ipv6")


def kube_node(evidence: Evidence, name: str) -> KubeNode | None:
    """The Node that the API has of a host."""
    return evidence.cluster.nodes.get(commands.kube_name(evidence, name)) if evidence.cluster else None


def domain(evidence: Evidence, name: str) -> str:
    """What fails together with a node: its zone, else it alone."""
    labels = _labels(evidence, name)
    return next((f"zone {labels[key]}" for key in _ZONES if labels.get(key)), f"node {name}")


def _labels(evidence: Evidence, name: str) -> Mapping[str, str]:
    found = kube_node(evidence, name)
    return found.labels if found is not None else {}


def is_reflector(evidence: Evidence, name: str) -> bool:
    """The node is a route reflector."""
    calico = evidence.cluster.calico_nodes if evidence.cluster else {}
    found = calico.get(commands.kube_name(evidence, name))
    return found is not None and bool(found.route_reflector_cluster_id)


def of_bird(evidence: Evidence, node: Node) -> str:
    """Why BIRD's process must not be replaced; '' if it may be."""
    for family in _FAMILIES:
        config = node.daemons[family].config if family in node.daemons else None
        if config is not None and (config.duplicate_names or config.unbalanced):
            wrong = config.unbalanced or f"it defines {words.listed(config.duplicate_names)} twice"
            return f"BIRD would not start with {config.path}: {wrong}"
    return alone(evidence, node)


def alone(evidence: Evidence, node: Node) -> str:
    """A route reflector serves only while another one is well; one that serves nobody can lose nothing."""
    if not is_reflector(evidence, node.name) or not any(one.established for one in node.daemons.values()):
        return ""
    others = [one for one in evidence.nodes.values() if one is not node and is_reflector(evidence, one.name)]
    if any(_is_well(one) for one in others):
        return ""
    return "it is a route reflector, and no other one has all of its sessions"


def _is_well(node: Node) -> bool:
    daemons = list(node.daemons.values())
    return bool(daemons) and all(
        one.socket_state == "answers" and one.total is not None and one.total == len(one.established) > 0
        for one in daemons
    )


def of_pod(evidence: Evidence, node: Node) -> str:
    """Why the pod must not be deleted; '' if it may be. What stops BIRD alone is no obstacle: the file is made anew."""
    cluster = evidence.cluster
    if cluster is None or not cluster.reached:
        return "the Kubernetes API was not asked, or did not answer"
    pod = pod_of(evidence, node.name)
    if pod is None or not pod.uid:
        return "the API tells of no pod of calico-node there"
    kube = kube_node(evidence, node.name)
    ready = kube.condition("Ready") if kube is not None else None
    if ready is None or ready.status != "True":
        return "its kubelet is not Ready, and would not start another pod"
    blocking = [one for one in cluster.webhooks if one.policy == "Fail" and one.endpoints_ready == 0]
    if blocking:
        return f"the webhook {blocking[0].name} must agree to each new pod, and answers nobody"
    return _duplicate(evidence) or alone(evidence, node)


def _duplicate(evidence: Evidence) -> str:
    """With one address registered twice confd's file is refused by BIRD, and a new container has no older one."""
    told = evidence.cluster.calico_nodes.values() if evidence.cluster else ()
    for family in _FAMILIES:
        seen = Counter(address for one in told if (address := one.address(family)))
        for address, count in seen.items():
            if count > 1:
                return f"the address {address} is registered for {count} nodes, with which BIRD does not start"
    return ""
