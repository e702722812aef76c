# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DaemonSet controller: a pod on every node that fits, and new ones in place of old ones, a few at a time.

As in kubernetes, pkg/controller/daemon (without surge and minReadySeconds).
"""

from __future__ import annotations

import math
import secrets
import time
from typing import TYPE_CHECKING, Any

from ..api.errors import ApiError
from . import pods, scheduling
from .cluster.daemons import revision, revision_hash
from .objects import Object, is_owned_by, is_true, suffix

if TYPE_CHECKING:
    from .context import Context

MANAGER = "kube-controller-manager"
COMPONENT = "daemonset-controller"
_HASH = "controller-revision-hash"
_MOST_DELAY = 4.0
# Tolerations that every daemon's pod gets (see `pods.daemon`), and thus no reason to keep one off a node.
_DAEMONS = [
    {"key": key, "operator": "Exists"} for key in ("unschedulable", "not-ready", "unreachable", "disk-pressure")
]
_DAEMONS = [{**each, "key": f"node.kubernetes.io/{each['key']}"} for each in _DAEMONS]
_HOST = [{"key": "node.kubernetes.io/network-unavailable", "operator": "Exists"}]
_EVICTING = ("NoExecute",)


class DaemonSets:
    """All DaemonSets of the cluster."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # (DaemonSet, node) -> when the next attempt to create a refused pod is due, and the delay after that one
        self._delays: dict[tuple[str, str], tuple[float, float]] = {}

    def work(self) -> float | None:
        """Bring every DaemonSet further; the seconds until a refused creation is tried again."""
        nodes = self._context.list("nodes")
        everything = self._context.list("pods")
        for daemonset in self._context.list("daemonsets"):
            if "deletionTimestamp" not in daemonset["metadata"]:
                uid = daemonset["metadata"]["uid"]
                _DaemonSet(
                    self._context, self._delays, daemonset, nodes, [p for p in everything if is_owned_by(p, uid)]
                ).sync()
        due = [when for when, _delay in self._delays.values()]
        return max(0.1, min(due) - time.monotonic()) if due else None


class _DaemonSet:
    """One DaemonSet at one time."""

    def __init__(
        self,
        context: Context,
        delays: dict[tuple[str, str], tuple[float, float]],
        daemonset: Object,
        nodes: list[Object],
        mine: list[Object],
    ) -> None:
        self._context = context
        self._delays = delays
        self._daemonset = daemonset
        self._uid = daemonset["metadata"]["uid"]
        self._spec = daemonset["spec"]["template"]["spec"]
        self._hash = revision_hash(daemonset)
        extra = [*_DAEMONS, *(_HOST if self._spec.get("hostNetwork") else [])]
        self._wanted = [node for node in nodes if scheduling.fits(self._spec, node, extra)]
        self._tolerated = {
            node["metadata"]["name"]
            for node in nodes
            if scheduling.selects(self._spec, node) and not scheduling.untolerated(self._spec, node, _EVICTING, extra)
        }
        self._by_node: dict[str, list[Object]] = {}
        for pod in mine:
            self._by_node.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)

    def sync(self) -> None:
        """Create and delete pods, replace old ones, then count."""
        self._keep_revision()
        if self._manage():
            self._roll()
        self._count()

    def _keep_revision(self) -> None:
        """Keep the present template as a ControllerRevision, the newest of them."""
        namespace = self._daemonset["metadata"]["namespace"]
        kept = [each for each in self._context.list("controllerrevisions", namespace) if is_owned_by(each, self._uid)]
        newest = max((each["revision"] for each in kept), default=0)
        for each in kept:
            if each["metadata"].get("labels", {}).get(_HASH) == self._hash:
                if each["revision"] < newest:
                    self._context.update("controllerrevisions", each, {"revision": newest + 1}, MANAGER)
                return
        self._context.create("controllerrevisions", revision(self._daemonset, newest + 1), MANAGER)

    def _manage(self) -> bool:
        """One pod per node that fits, none elsewhere; whether there was nothing to do."""
        idle = True
        wanted = {node["metadata"]["name"] for node in self._wanted}
        for name in sorted(wanted - self._by_node.keys()):
            idle = False
            self._create(name)
        for name, found in self._by_node.items():
            living = sorted(
                _living(found), key=lambda pod: (not is_true(pod, "Ready"), pod["metadata"]["creationTimestamp"])
            )
            keep = 1 if name in wanted or name in self._tolerated else 0
            for pod in living[keep:]:
                idle = False
                self._delete(pod)
        return idle

    def _create(self, node: str) -> None:
        key = (self._uid, node)
        due, delay = self._delays.get(key, (0.0, 1.0))
        if time.monotonic() < due:
            return
        name = f"{self._daemonset['metadata']['name']}-{suffix(secrets.token_hex(8))}"
        pod = pods.daemon(self._daemonset, node, name, self._hash)
        try:
            made = self._context.create("pods", pod, MANAGER)
        except ApiError as error:
            self._delays[key] = (time.monotonic() + delay, min(delay * 2, _MOST_DELAY))
            self._event("Warning", "FailedCreate", f"Error creating: {error}")
            return
        self._delays.pop(key, None)
        self._event("Normal", "SuccessfulCreate", f"Created pod: {name}")
        words = f"Successfully assigned {made['metadata']['namespace']}/{name} to {node}"
        self._context.event(made, "Normal", "Scheduled", words, "default-scheduler")

    def _delete(self, pod: Object) -> None:
        self._context.delete("pods", pod)
        self._event("Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _event(self, kind: str, reason: str, message: str) -> None:
        self._context.event(self._daemonset, kind, reason, message, COMPONENT)

    def _roll(self) -> None:
        """Delete old pods: those that are not available at once, of the others as many as may be missing."""
        strategy = self._daemonset["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        most = _count_of((strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), len(self._wanted))
        unavailable, at_once, candidates = 0, [], []
        for node in self._wanted:
            living = _living(self._by_node.get(node["metadata"]["name"], []))
            if not living:
                unavailable += 1
            elif self._is_new(living[0]):
                unavailable += not is_true(living[0], "Ready")
            elif is_true(living[0], "Ready"):
                candidates.append(living[0])
            else:
                unavailable += 1
                at_once.append(living[0])
        for pod in [*at_once, *candidates[: max(0, most - unavailable)]]:
            self._delete(pod)

    def _is_new(self, pod: Object) -> bool:
        return bool((pod["metadata"].get("labels") or {}).get(_HASH) == self._hash)

    def _count(self) -> None:
        """Write the status that `kubectl rollout status` waits for."""
        wanted = {node["metadata"]["name"] for node in self._wanted}
        on = {name: found[0] for name, each in self._by_node.items() if (found := _living(each))}
        here = [pod for name, pod in on.items() if name in wanted]
        ready = sum(is_true(pod, "Ready") for pod in here)
        status: Object = {
            "currentNumberScheduled": len(here),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": len(on.keys() - wanted),
            "numberReady": ready,
            "observedGeneration": self._daemonset["metadata"].get("generation", 1),
            "updatedNumberScheduled": sum(self._is_new(pod) for pod in here),
        }
        if ready:
            status["numberAvailable"] = ready
        if len(wanted) > ready:
            status["numberUnavailable"] = len(wanted) - ready
        if status != self._daemonset.get("status"):
            self._context.update("daemonsets", self._daemonset, {"status": status}, MANAGER, True)


def _living(found: list[Object]) -> list[Object]:
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def _count_of(value: Any, total: int) -> int:
    """maxUnavailable as a number of nodes; a percentage is rounded up, and at least 1."""
    text = str(value)
    if text.endswith("%"):
        return max(1, math.ceil(total * int(text[:-1]) / 100))
    return max(1, int(text))
