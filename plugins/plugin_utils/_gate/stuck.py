# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of Calico's that never come to run their program, and what the kubelet or the scheduler says of it.

Unlike the gate, which goes by nodes, this needs no Node on record: the description of one pod is enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._cluster import components
from . import model, names, pods
from .model import Wrong
from .nodes import short
from .typha import is_unscheduled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._cluster.model import Event, Pod
    from .._evidence.evidence import Evidence

AGENTS = (components.CALICO_NODE, components.CANAL)
# Their pods use the host's network, so that no plugin's trouble keeps them from being set up.
_OF_HOSTS = (*AGENTS, components.TYPHA, components.OPERATOR)
_OURS = (*_OF_HOSTS, components.KUBE_CONTROLLERS, components.APISERVER)
_SANDBOX = "FailedCreatePodSandBox"
MEMORY = "oom"
_IMAGE = re.compile(r'image "([\w./:@-]{1,400})"')
# What kubelet says between two attempts, and the images of the containers that run before calico-node.
_BACK_OFF = "Back-off pulling image"
# A container that the runtime cannot start; the name of one that it was started under before is let go of in time.
_NO_START = re.compile(r"Error: failed to (?!reserve )")
_ITS_CONTAINER = re.compile(
    r'Error: failed to start container "(?:calico-node|mount-bpffs|install-cni|upgrade-ipam|flexvol-driver)"'
)
_BEFORE_AGENT = re.compile(r"(?:^|/)(?:[\w.-]{0,40}-)?calico[/-](?:cni|pod2daemon(?:-flexvol)?)(?:[:@]|$)")


class Stuck(NamedTuple):
    """A pod that does not start: the part of Calico that it is, namespace and name ('' if not told), the node as the
    inventory calls it ('' if not told), what is wrong, and the container's memory limit ('' for none or not told)."""

    component: str
    namespace: str
    name: str
    node: str
    wrong: Wrong
    memory_limit: str = ""
    by_events_only: bool = False


def stuck(evidence: Evidence) -> list[Stuck]:
    """Every such pod, with the first thing that is wrong with it. Worked out once for the same evidence."""
    return evidence.once("stuck_pods", lambda: list(_look(evidence)))


def _look(evidence: Evidence) -> Iterator[Stuck]:
    cluster = evidence.cluster
    if cluster is None or not cluster.reached:
        return
    known_as = names.inventory_names(evidence)
    told = _by_pod(cluster.events)
    for pod in cluster.pods:
        if pod.component in _OURS and not (pod.deleting or pod.ready):
            wrong = next(_of_pod(pod, told.get(pod.name, []), cluster.taken_at), None)
            if wrong is not None:
                yield Stuck(
                    pod.component,
                    pod.namespace,
                    pod.name,
                    known_as.get(pod.node, pod.node),
                    wrong,
                    _limit(pod, str(wrong.where.get("container", ""))),
                )
    parts = {pod.component for pod in cluster.pods}
    for name, events in told.items():
        part = components.component(name, {}, ())
        # Where pods of its kind were read, one that is not among them is gone.
        if part in _OURS and part not in parts:
            wrong = _by_events(name, events)
            if wrong is not None:
                node = next((one.node for one in events if one.node), "")
                yield Stuck(part, "", name, known_as.get(node, node), wrong, by_events_only=True)
    yield from (one for one in _unnamed(cluster.events) if one.component not in parts)


def _unnamed(events: Iterable[Event]) -> Iterator[Stuck]:
    """What the end of a description tells of images and of containers, shown without the pod that it is about."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        part = _told_of(event) if not event.about else ""
        if part in _OURS:
            groups.setdefault(part, []).append(event)
    for part, told in groups.items():
        wrong = _by_events("", told)
        if wrong is not None:
            yield Stuck(part, "", "", next((one.node for one in told if one.node), ""), wrong, by_events_only=True)


def _told_of(event: Event) -> str:
    """The part of Calico whose image or container an event names."""
    named = _IMAGE.search(event.message)
    if named is None:
        return components.CALICO_NODE if _ITS_CONTAINER.match(event.message) else ""
    if _BEFORE_AGENT.search(named.group(1)):
        return components.CALICO_NODE
    return components.component("", {}, [components.Made("", named.group(1))])


def _by_pod(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        kind, _space, name = event.about.partition(" ")
        if kind.lower() == "pod":
            found.setdefault(name, []).append(event)
    return found


def _of_pod(pod: Pod, events: list[Event], now: float | None) -> Iterator[Wrong]:
    """Image, configuration, volumes and memory, which are told by kubelet; why a program ends, it cannot tell."""
    if pod.component not in AGENTS and pod.component != components.TYPHA and is_unscheduled(pod):
        yield from _unplaced(pod)
    for wrong in pods.look(pod, events, now):
        outside = wrong.kind == _SANDBOX and pod.component not in _OF_HOSTS
        killed = wrong.step == model.CRASHING and wrong.kind == MEMORY
        if killed or (wrong.step in (model.IMAGE, model.NOT_STARTING) and not outside):
            yield wrong


def _unplaced(pod: Pod) -> Iterator[Wrong]:
    placed = pod.condition("PodScheduled")
    if placed is not None and placed.message:
        says = f"no node is found for it: {short(placed.message)}"
        yield Wrong(model.NOT_SCHEDULED, "unplaced", says, "pod status", {"pod": f"{pod.namespace}/{pod.name}"})


def _by_events(name: str, events: list[Event]) -> Wrong | None:
    """What kubelet's warnings tell of a pod of which nothing else was read; a container's start is what came of it."""
    for event in reversed(events):
        where = {"pod": name} if name else {}
        if event.message.startswith((*pods.PULL_EVENTS, _BACK_OFF)):
            named = _IMAGE.search(event.message)
            where.update({"image": named.group(1)} if named else {})
            return Wrong(
                model.IMAGE, "ErrImagePull", f"an image cannot be had: {short(event.message)}", "events", where
            )
        if event.reason in pods.MOUNT_EVENTS and event.reason != _SANDBOX:
            return Wrong(
                model.NOT_STARTING, event.reason, f"its pod cannot be set up: {short(event.message)}", "events", where
            )
        if event.reason == "Failed" and _NO_START.match(event.message):
            says = f"a container of it cannot be started: {short(event.message)}"
            return Wrong(model.NOT_STARTING, event.reason, says, "events", where)
        if event.reason == "Started":
            return None
    return None


def _limit(pod: Pod, container: str) -> str:
    return next((one.memory_limit for one in pod.containers if one.name == container), "")
