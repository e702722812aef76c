# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Node's own conditions and events tell: kubelet silent or unwell, Ready flapping, no CNI, Calico down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence import plain
from . import model
from .model import Wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .._cluster.model import Condition, Event, KubeNode, Pod
    from .._evidence.control_plane import ControlPlane

# kube-controller-manager's --node-monitor-grace-period before 1.32 (50 s since); a kubelet renews its lease every 10 s.
GRACE_SECONDS = 40
UNREACHABLE = "node.kubernetes.io/unreachable"
SILENT, STOPPED, UNWELL, UNTOLD = "silent", "stopped", "unwell", "untold"
# How kubelet words it that the container runtime found no CNI configuration (or none that works), since 1.4.
NO_CNI = (
    "networkpluginnotready",
    "cni plugin not initialized",
    "cni config uninitialized",
    "network plugin is not ready",
)
FLAPS_AT_LEAST = 2
FLAP_WINDOW = 3600
STALE_AFTER = 60
SHOWN = 200


def lacks_cni(condition: Condition) -> bool:
    """Kubelet is up and says that pods' networking is not set up on its node."""
    told = f"{condition.reason} {condition.message}".lower()
    return any(words in told for words in NO_CNI)


def short(what: str) -> str:
    """A message on one line, cut where it gets too long to be read."""
    return plain.cut(what, SHOWN)


def look(
    node: KubeNode, control: ControlPlane | None, events: Sequence[Event], pods: Sequence[Pod], now: float | None
) -> Iterator[Wrong]:
    """What is wrong by the Node's conditions and events; control is what the node itself told, if it was read."""
    yield from host(node, control, now)
    yield from flapping(events, now)
    ready = node.condition("Ready")
    if ready is not None and ready.status == "False" and lacks_cni(ready):
        says = "the kubelet is up and finds no working CNI configuration: Calico is not set up on this node"
        yield Wrong(model.CNI, "not_initialised", says, "node conditions", {"message": short(ready.message)})
    yield from calico_is_down(node, pods)


def host(node: KubeNode, control: ControlPlane | None, now: float | None) -> Iterator[Wrong]:
    """The machine is down, or its kubelet is silent or unwell for another reason than CNI."""
    ready = node.condition("Ready")
    source = "node conditions"
    lease_age = now - node.lease_renewed_at if now is not None and node.lease_renewed_at is not None else None
    if control is not None and control.kubelet.state in ("T", "t"):
        yield Wrong(model.HOST, STOPPED, "its kubelet is stopped by a signal", "processes on the node")
    elif ready is not None and ready.status == "Unknown":
        beat = f", the last time {_ago(ready, now)} ago" if _ago(ready, now) else ""
        says = f"its kubelet no longer reports to the API server{beat} ({ready.reason or 'Ready is Unknown'})"
        yield Wrong(model.HOST, SILENT, says, source, {"message": short(ready.message)})
    elif lease_age is not None and lease_age > GRACE_SECONDS:
        says = f"its kubelet renewed its lease {span(lease_age)} ago for the last time"
        yield Wrong(model.HOST, SILENT, says, "lease")
    elif ready is not None and ready.status == "False" and not lacks_cni(ready):
        if ready.reason or ready.message:
            says = f"its kubelet reports itself not ready ({short(ready.message or ready.reason)})"
            yield Wrong(model.HOST, UNWELL, says, source, {"reason": ready.reason})
        else:
            yield Wrong(model.HOST, UNTOLD, "it is NotReady, and what was collected does not tell why", source)


def _ago(ready: Condition, now: float | None) -> str:
    if now is None or ready.heartbeat_at is None or now < ready.heartbeat_at:
        return ""
    return span(now - ready.heartbeat_at)


def span(seconds: float) -> str:
    """A length of time in the unit that a person would use."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def flapping(events: Iterable[Event], now: float | None) -> Iterator[Wrong]:
    """Ready goes to and fro within the hour that events are kept.

    One change to NotReady may be told twice, by the kubelet and by the node controller, NodeReady by the kubelet only.
    That kubelet starts, and says InvalidDiskCapacity while it does, is normal and not counted; that it starts often is
    told, as it is the usual reason.
    """
    recent = [event for event in events if now is None or event.last_at is None or now - event.last_at <= FLAP_WINDOW]
    down = sum(event.count for event in recent if event.reason == "NodeNotReady")
    up = sum(event.count for event in recent if event.reason == "NodeReady")
    if (down >= FLAPS_AT_LEAST and up >= FLAPS_AT_LEAST) or (down > FLAPS_AT_LEAST and up):
        starts = sum(event.count for event in recent if event.reason == "Starting" and "kubelet" in event.message)
        restarted = f", and its kubelet was started {starts} times" if starts > 1 else ""
        says = f"it became NotReady {down} times and Ready {up} times within the hour{restarted}"
        kind = "kubelet_restarts" if starts > 1 else "flapping"
        yield Wrong(model.FLAPPING, kind, says, "events", {"not_ready": down, "ready": up, "kubelet_starts": starts})


def calico_is_down(node: KubeNode, pods: Iterable[Pod]) -> Iterator[Wrong]:
    """NetworkUnavailable is True: calico-node said so when it stopped, or nobody has set up the network yet."""
    condition = node.condition("NetworkUnavailable")
    if condition is None or condition.status != "True":
        return
    told = short(condition.message) or condition.reason or "NetworkUnavailable is True"
    if any(_outlived(pod, condition) for pod in pods):
        says = f"its condition NetworkUnavailable is left over ({told}), although calico-node has been ready since"
        yield Wrong(model.CALICO_IS_DOWN, "left_over", says, "node conditions", {"reason": condition.reason})
    else:
        says = f"its network is marked as not available: {told}"
        yield Wrong(model.CALICO_IS_DOWN, "down", says, "node conditions", {"reason": condition.reason})


def _outlived(pod: Pod, condition: Condition) -> bool:
    ready = pod.condition("Ready")
    since = ready.changed_at if ready and ready.status == "True" else None
    return pod.ready and since is not None and (condition.changed_at or since) + STALE_AFTER < since
