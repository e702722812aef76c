# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases and conditions of Nodes: kubelets renew them, and the node controller notices when they stop to.

As in kubernetes, pkg/controller/nodelifecycle, only quicker: a node counts as lost GRACE seconds after its last sign,
not after 40.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from . import kubelet
from .cluster.nodes import LEASES, lease
from .objects import Object, condition, is_true, now, now_micro, set_condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from .context import Context

RENEW = 5.0
GRACE = 6.0
PERIOD = 2.0
NODE_CONTROLLER, KUBELET = "node-controller", "kubelet"
MANAGER = "kube-controller-manager"
_UNREACHABLE, _NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
_UNSCHEDULABLE, _NO_NETWORK = "node.kubernetes.io/unschedulable", "node.kubernetes.io/network-unavailable"
_OURS = (_UNREACHABLE, _NOT_READY, _UNSCHEDULABLE, _NO_NETWORK)
_KEPT_BY_KUBELET = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
_POSTING = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


class Nodes:
    """All Nodes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: dict[str, float] = {}
        self._renewed: dict[str, float] = {}
        self._known = {node.name for node in context.lab.nodes}

    def work(self) -> None:
        """Renew, notice, taint."""
        moment = time.monotonic()
        for node in self._context.list("nodes"):
            name = node["metadata"]["name"]
            if name in self._known and kubelet.is_up(self._context, name):
                self._seen[name] = moment
                self._post(node, moment)
            elif moment - self._seen.setdefault(name, moment) > GRACE:
                self._lose(node)
            self._taint(node)

    def _post(self, node: Object, moment: float) -> None:
        """What a kubelet tells."""
        name = node["metadata"]["name"]
        if moment - self._renewed.get(name, -RENEW) >= RENEW:
            self._renewed[name] = moment
            found = self._context.get("leases", LEASES, name)
            if found is None:
                self._context.create("leases", lease(name), KUBELET)
            else:
                self._context.change("leases", found, _renew, KUBELET)
        if not is_true(node, "Ready"):
            self._conditions(node, _post_all, KUBELET)
            self._context.event(node, "Normal", "NodeReady", f"Node {name} status is now: NodeReady", KUBELET, name)

    def _lose(self, node: Object) -> None:
        """What the node controller writes when a kubelet is silent."""
        found = condition(node, "Ready")
        if found is not None and found["status"] == "Unknown":
            return
        name = node["metadata"]["name"]
        self._conditions(node, _lose_all, MANAGER)
        words = f"Node {name} status is now: NodeNotReady"
        self._context.event(node, "Normal", "NodeNotReady", words, NODE_CONTROLLER)
        for pod in self._context.list("pods"):
            if pod["spec"].get("nodeName") == name and is_true(pod, "Ready"):
                self._context.change("pods", pod, _unready, MANAGER, True)
                self._context.event(pod, "Warning", "NodeNotReady", "Node is not ready", NODE_CONTROLLER)

    def _conditions(self, node: Object, change: Callable[[Object], None], manager: str) -> None:
        self._context.change("nodes", node, change, manager, True)

    def _taint(self, node: Object) -> None:
        """Taints by condition, and for a node that is cordoned."""
        current = self._context.get("nodes", "", node["metadata"]["name"])
        if current is None:
            return
        taints = (current.get("spec") or {}).get("taints") or []
        wanted = _taints(current)
        have = {(each["key"], each["effect"]) for each in taints if each["key"] in _OURS}
        if have == wanted:
            return

        def change(obj: Object) -> None:
            spec = obj.setdefault("spec", {})
            kept = [
                each
                for each in spec.get("taints") or []
                if each["key"] not in _OURS or (each["key"], each["effect"]) in wanted
            ]
            made = sorted(wanted - {(each["key"], each["effect"]) for each in kept})
            spec["taints"] = kept + [{"key": key, "effect": effect, "timeAdded": now()} for key, effect in made]
            if not spec["taints"]:
                del spec["taints"]

        self._context.change("nodes", current, change, MANAGER)


def _taints(node: Object) -> set[tuple[str, str]]:
    wanted: set[tuple[str, str]] = set()
    ready = condition(node, "Ready")
    if ready is not None and ready["status"] != "True":
        key = _UNREACHABLE if ready["status"] == "Unknown" else _NOT_READY
        wanted |= {(key, "NoSchedule"), (key, "NoExecute")}
    if (node.get("spec") or {}).get("unschedulable"):
        wanted.add((_UNSCHEDULABLE, "NoSchedule"))
    if is_true(node, "NetworkUnavailable"):
        wanted.add((_NO_NETWORK, "NoSchedule"))
    return wanted


def _renew(obj: Object) -> None:
    obj["spec"]["renewTime"] = now_micro()


def _post_all(node: Object) -> None:
    for kind, (status, reason, message) in _POSTING.items():
        set_condition(node, kind, status, reason, message, lastHeartbeatTime=now())


def _lose_all(node: Object) -> None:
    for kind in _KEPT_BY_KUBELET:
        set_condition(node, kind, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


def _unready(pod: Object) -> None:
    set_condition(pod, "Ready", "False")
