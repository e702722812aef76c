# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler: a pod without a node gets the one that fits and has the fewest pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import scheduling
from .objects import Object, condition, set_condition

if TYPE_CHECKING:
    from .context import Context

COMPONENT = "default-scheduler"


class Scheduler:
    """All pods that wait for a node."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def work(self) -> None:
        """Put every waiting pod on a node, or say why not."""
        everything = self._context.list("pods")
        waiting = [
            pod for pod in everything if not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"]
        ]
        if not waiting:
            return
        nodes = self._context.list("nodes")
        load = {node["metadata"]["name"]: 0 for node in nodes}
        for pod in everything:
            if pod["spec"].get("nodeName") in load:
                load[pod["spec"]["nodeName"]] += 1
        for pod in waiting:
            fitting = [node["metadata"]["name"] for node in nodes if scheduling.fits(pod["spec"], node)]
            if fitting:
                chosen = min(fitting, key=lambda name: (load[name], name))
                load[chosen] += 1
                self._bind(pod, chosen)
            else:
                self._refuse(pod, len(nodes))

    def _bind(self, pod: Object, node: str) -> None:
        self._context.change("pods", pod, lambda obj: obj["spec"].update(nodeName=node), COMPONENT)
        self._context.change("pods", pod, _scheduled, COMPONENT, True)
        words = f"Successfully assigned {pod['metadata']['namespace']}/{pod['metadata']['name']} to {node}"
        self._context.event(pod, "Normal", "Scheduled", words, COMPONENT)

    def _refuse(self, pod: Object, count: int) -> None:
        found = condition(pod, "PodScheduled")
        if found is not None and found["status"] == "False":
            return
        words = f"0/{count} nodes are available: {count} node(s) didn't match the pod or were tainted."
        self._context.event(pod, "Warning", "FailedScheduling", words, COMPONENT)
        self._context.change("pods", pod, lambda obj: _unschedulable(obj, words), COMPONENT, True)


def _scheduled(pod: Object) -> None:
    set_condition(pod, "PodScheduled", "True")


def _unschedulable(pod: Object, words: str) -> None:
    set_condition(pod, "PodScheduled", "False", "Unschedulable", words)
