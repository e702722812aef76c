# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate before Calico: for each node the first thing that is wrong, in the order in which one has to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import agents, model, names, nodes, pods, scope, typha
from .model import Checked, Gate, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._cluster.model import Cluster, Event
    from .._evidence.control_plane import ControlPlane
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node


def gate(evidence: Evidence) -> Gate:
    """What is wrong before Calico, by node and for the cluster. Worked out once for the same evidence.

    Without the API only what the nodes told of their kubelet and of their way to the API server is known.
    """
    return evidence.once("gate", lambda: _look(evidence))


def _look(evidence: Evidence) -> Gate:
    cluster = evidence.cluster
    if cluster is None or not cluster.reached:
        return _without_api(evidence)
    known_as = names.inventory_names(evidence)
    whole = _cluster_wide(cluster)
    found = _by_node(evidence, cluster, known_as, whole)
    checked = {
        name: Checked(name, known_as.get(name, name), tuple(_in_order(wrong))) for name, wrong in found.items() if wrong
    }
    return Gate(
        known=True,
        examined=len(cluster.nodes),
        nodes=checked,
        cluster=whole,
        scopes=scope.scopes(cluster, checked.values(), len(cluster.nodes)),
    )


def _cluster_wide(cluster: Cluster) -> tuple[Wrong, ...]:
    found = [agents.daemonset(cluster), typha.wrong(cluster)]
    if cluster.datastore_ready is False:
        says = "ClusterInformation says datastoreReady: false, so every part of Calico waits"
        found.append(Wrong(model.NOT_READY, "datastore_locked", says, "clusterinformation"))
    return tuple(one for one in found if one is not None)


def _by_node(
    evidence: Evidence, cluster: Cluster, known_as: Mapping[str, str], whole: Iterable[Wrong]
) -> dict[str, list[Wrong]]:
    """Everything wrong at each Node. Linear: events, pods and nodes are each gone through once."""
    events = _events_by_object(cluster.events)
    placed = agents.by_node(cluster)
    no_set = next((one for one in whole if one.step == model.DAEMONSET), None)
    no_typha = next((one for one in whole if one.step == model.TYPHA), None)
    lacking = dict(agents.without_pod(cluster, placed, cluster.taken_at))
    found: dict[str, list[Wrong]] = {}
    for name, node in cluster.nodes.items():
        read = evidence.nodes.get(known_as.get(name, name))
        mine = placed.get(name, [])
        told = events.get(f"node {name}", [])
        wrong = list(nodes.look(node, read.control if read else None, told, mine, cluster.taken_at))
        for pod in mine:
            if not pod.deleting:
                wrong += pods.look(pod, events.get(f"pod {pod.name}", []), cluster.taken_at)
        wrong += [one for one in (no_set if not mine else None, lacking.get(name)) if one is not None]
        wrong += _way_to_api(read.control) if read else []
        if no_typha is not None and any(one.step in (model.NOT_READY, model.CRASHING) for one in wrong):
            wrong.append(no_typha)
        found[name] = wrong
    return found


def _events_by_object(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        kind, space, name = event.about.partition(" ")
        key = f"{kind.lower()}{space}{name}" if event.about else f"node {event.node}"
        found.setdefault(key, []).append(event)
    return found


def _in_order(wrong: Iterable[Wrong]) -> list[Wrong]:
    return sorted(wrong, key=lambda one: model.STEPS.index(one.step))


def _way_to_api(control: ControlPlane) -> list[Wrong]:
    """calico-node asks the API server, and gets no answer from any of its endpoints."""
    told = [one for one in control.apiserver if "calico" in one.told and one.known]
    silent = [one for one in told if one.unanswered]
    if not silent or len(silent) < len(told):
        return []
    says = f"calico-node gets no answer from the API server at {', '.join(one.endpoint for one in silent[:2])}"
    return [Wrong(model.API, "unanswered", says, "sockets", {"endpoint": silent[0].endpoint})]


def _without_api(evidence: Evidence) -> Gate:
    checked = {}
    for node in evidence.nodes.values():
        wrong = _in_order((*_kubelet_of(node), *_way_to_api(node.control)))
        if wrong:
            checked[node.nodename] = Checked(node.nodename, node.name, tuple(wrong))
    whole = []
    if evidence.cluster is not None:
        says = f"the API server could not be asked: {evidence.cluster.why or 'it gave no reason'}"
        whole.append(Wrong(model.API, "not_reached", says, evidence.cluster.via or "api"))
    return Gate(known=False, examined=len(evidence.nodes), nodes=checked, cluster=tuple(whole))


def _kubelet_of(node: Node) -> list[Wrong]:
    if node.control.kubelet.state in ("T", "t"):
        return [Wrong(model.HOST, nodes.STOPPED, "its kubelet is stopped by a signal", "processes on the node")]
    return []
