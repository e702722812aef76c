# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico-node's DaemonSet and which node lacks a pod of it, and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._cluster.components import component
from . import model, placement
from .model import Wrong
from .nodes import short
from .pods import refused_by_kubelet
from .typha import is_unscheduled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._cluster.model import Cluster, Event, KubeNode, Pod, Workload

COMPONENTS = ("calico-node", "canal")
MIGRATION_LABEL = "projectcalico.org/operator-node-migration"
YOUNG_SECONDS = 60
EVENT_WINDOW = 3600
# What the API server answers the DaemonSet controller, by who refused.
REFUSALS = (
    ("webhook", ("failed calling webhook", "admission webhook", "failed to call webhook")),
    ("quota", ("exceeded quota", "failed quota", "insufficient quota")),
    (
        "pod_security",
        ("violates PodSecurity", "security context constraint", "pod security policy", "PodSecurityPolicy"),
    ),
    ("service_account", ("error looking up service account", "serviceaccount")),
    ("priority_class", ("PriorityClass",)),
)
_WEBHOOK_NAME = re.compile(r'webhook "([^"]{1,253})"')
_OUR_PODS = re.compile(r'pods? "(?:calico-node|canal|rke2-canal)-')
# What an event is about of which only the section of a description is shown.
_SOME_DAEMONSET = "daemonset"
_LABELS_KNOWN_BY = ("kubernetes.io/hostname", "kubernetes.io/os")


def daemonset(cluster: Cluster) -> Wrong | None:
    """The DaemonSet does not exist, or is being deleted, in a cluster that has Calico."""
    agents = cluster.node_agents
    if agents:
        if all(agent.deleting for agent in agents):
            return Wrong(model.DAEMONSET, "deleting", f"the DaemonSet {shown(agents[0])} is being deleted", "daemonset")
        return None
    if not cluster.read("daemonsets") or not has_calico(cluster):
        return None
    maker = "" if not cluster.installations else ", although an Installation asks the operator for one"
    kind = "operator_did_not_make_it" if cluster.installations else "missing"
    return Wrong(model.DAEMONSET, kind, f"there is no DaemonSet of calico-node in the cluster{maker}", "daemonsets")


def has_calico(cluster: Cluster) -> bool:
    """There are traces of Calico: its resources, what it wrote on Nodes, or other parts of it."""
    registered = any(node.ipv4 or node.ipv6 for node in cluster.calico_nodes.values())
    parts = any(one.component in ("typha", "kube-controllers", "operator", "apiserver") for one in cluster.workloads)
    return bool(cluster.pools or cluster.felix_configurations or cluster.installations or registered or parts)


def shown(workload: Workload) -> str:
    """A workload as namespace/name."""
    return f"{workload.namespace}/{workload.name}" if workload.namespace else workload.name


def by_node(cluster: Cluster) -> dict[str, list[Pod]]:
    """calico-node's pods by node."""
    found: dict[str, list[Pod]] = {}
    for pod in cluster.pods_of(*COMPONENTS):
        if pod.node:
            found.setdefault(pod.node, []).append(pod)
    return found


def placement_is_known(cluster: Cluster) -> bool:
    """It can be told on which node there is a pod and on which there is none."""
    pods = cluster.pods_of(*COMPONENTS)
    if any(not pod.node and not is_unscheduled(pod) for pod in pods):
        return False
    return cluster.read("pods") or (bool(pods) and _are_all(pods, cluster))


def _are_all(pods: tuple[Pod, ...], cluster: Cluster) -> bool:
    """A table has all pods, and does not tell their images; of objects and descriptions there may be more."""
    counts = [agent.current for agent in cluster.node_agents if not agent.deleting]
    if counts and None not in counts:
        return len(pods) >= sum(count or 0 for count in counts)
    return any(not container.image for pod in pods for container in pod.containers)


def without_pod(cluster: Cluster, pods: Mapping[str, list[Pod]], now: float | None) -> Iterator[tuple[str, Wrong]]:
    """Every Linux node without a pod of calico-node, with the reason for it."""
    agents = [agent for agent in cluster.node_agents if not agent.deleting]
    if not agents or not placement_is_known(cluster):
        return
    waiting = [pod for pod in cluster.pods_of(*COMPONENTS) if is_unscheduled(pod)]
    refusal = refused(cluster, now)
    for name, node in cluster.nodes.items():
        young = now is not None and node.created_at is not None and now - node.created_at < YOUNG_SECONDS
        if name not in pods and placement.is_machine(node) and not young:
            yield name, _why(agents, node, waiting, refusal)


def _why(agents: Iterable[Workload], node: KubeNode, waiting: list[Pod], refusal: Wrong | None) -> Wrong:
    agent, least = min(((agent, barriers_for(agent, node)) for agent in agents), key=lambda pair: len(pair[1]))
    if least:
        also = " (migration to the operator)" if MIGRATION_LABEL in least[0].what else ""
        kind = "migration" if also else least[0].kind
        says = f"the DaemonSet {shown(agent)} has no pod there: {'; '.join(one.says for one in least)}{also}"
        where = {"daemonset": shown(agent), least[0].kind: least[0].what}
        return Wrong(model.NOT_SCHEDULED, kind, says, "daemonset and node", where)
    if waiting:
        return _pending(waiting[0])
    return refusal or Wrong(
        model.NOT_CREATED,
        "untold",
        f"the DaemonSet {shown(agent)} has no pod there, and nothing that was read tells why",
        "daemonset and pods",
        {"daemonset": shown(agent)},
    )


def barriers_for(agent: Workload, node: KubeNode) -> list[placement.Barrier]:
    """What keeps the pod away, as far as the Node's labels are known."""
    found = placement.barriers(agent, node)
    if any(label in node.labels for label in _LABELS_KNOWN_BY):
        return found
    return [one for one in found if one.kind == placement.TAINT]


def pending(cluster: Cluster) -> Wrong | None:
    """A pod of calico-node for which, as the scheduler says, there is no node."""
    told = (pod for pod in cluster.pods_of(*COMPONENTS) if is_unscheduled(pod) and pod.condition("PodScheduled"))
    waiting = next(told, None)
    return _pending(waiting) if waiting is not None else None


def ended(cluster: Cluster) -> Iterator[tuple[Pod, Wrong]]:
    """Pods of calico-node that a kubelet refused or ended, and no other pod of it on their node."""
    placed = by_node(cluster)
    for pod in cluster.pods_of(*COMPONENTS):
        if len(placed.get(pod.node, ())) <= 1:
            yield from ((pod, wrong) for wrong in refused_by_kubelet(pod))


def _pending(pod: Pod) -> Wrong:
    placed = pod.condition("PodScheduled")
    told = (placed.message if placed else pod.message).partition(" preemption: ")[0]
    lacking = "Insufficient" in told or "Too many pods" in told
    says = f"a calico-node pod waits for a node: {short(told) or 'nothing tells why'}"
    return Wrong(
        model.NOT_SCHEDULED,
        "resources" if lacking else "pending",
        says,
        "pod status",
        {"pod": f"{pod.namespace}/{pod.name}"},
    )


def refused(cluster: Cluster, now: float | None) -> Wrong | None:
    """What the API server answered when the DaemonSet's pods were to be made, the latest answer."""
    told = [event for event in cluster.events if is_refusal(event) and _concerns(event, cluster) and _fresh(event, now)]
    return _refusal(told)


def refused_by_name(cluster: Cluster) -> Wrong | None:
    """The same by events that name a pod of calico-node's, whatever else of the cluster was read; else by those of the
    DaemonSet controller that do not say whose pods they are about."""
    told = [event for event in cluster.events if is_refusal(event)]
    ours = [event for event in told if _is_of_ours(event)]
    return _refusal(ours or [event for event in told if event.about == _SOME_DAEMONSET])


def whose_is_told(cluster: Cluster) -> bool:
    """A refusal names calico-node's pods or its DaemonSet."""
    return any(is_refusal(event) and _is_of_ours(event) for event in cluster.events)


def _is_of_ours(event: Event) -> bool:
    kind, _space, name = event.about.partition(" ")
    ours = kind.lower() == "daemonset" and component(name, {}, ()) in COMPONENTS
    return ours or _OUR_PODS.search(event.message) is not None


def _refusal(told: list[Event]) -> Wrong | None:
    if not told:
        return None
    event = max(told, key=lambda one: one.last_at or 0.0)
    kind = refusal_kind(event)
    webhook = webhook_of(event)
    where = {"webhook": webhook} if webhook else {}
    return Wrong(model.NOT_CREATED, kind, f"its pod is refused: {short(event.message)}", "events", where)


def is_refusal(event: Event) -> bool:
    """The event tells that a pod could not be made."""
    return event.reason == "FailedCreate" or event.message.startswith("Error creating: ")


def refusal_kind(event: Event) -> str:
    """Who refused: webhook, quota, pod_security, service_account, priority_class or other."""
    return next((kind for kind, words in REFUSALS if any(word in event.message for word in words)), "other")


def webhook_of(event: Event) -> str:
    """The admission webhook that the event names, or ''."""
    match = _WEBHOOK_NAME.search(event.message)
    return match.group(1) if match else ""


def _concerns(event: Event, cluster: Cluster) -> bool:
    names = {agent.name for agent in cluster.node_agents}
    kind, _space, name = event.about.partition(" ")
    if not name:
        return any(f'"{agent}-' in event.message for agent in names) or event.about in ("", _SOME_DAEMONSET)
    return kind.lower() == "daemonset" and name in names


def _fresh(event: Event, now: float | None) -> bool:
    return now is None or event.last_at is None or now - event.last_at <= EVENT_WINDOW
