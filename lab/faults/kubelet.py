# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's kubelet is silent, or comes and goes; Calico is not the cause."""

from __future__ import annotations

import time

from .. import waiting
from . import cluster
from .model import Case, Fault, Variant, listener

_TURNS = 3


def _stop(case: Case) -> None:
    case.lab.stop_kubelet(case.target)


def _start(case: Case) -> None:
    case.lab.start_kubelet(case.target)


def _not_silent(case: Case) -> str:
    found = _ready(case)
    return "" if found == "Unknown" else f"{case.target} is still Ready: {found}"


def _ready(case: Case) -> str:
    conditions = case.lab.api().get(cluster.node(case.target))["status"]["conditions"]
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "")


def _flap(case: Case) -> None:
    """Let the node controller lose the node a few times; its kubelet reports anew each time."""
    api, path = case.lab.api(), cluster.node(case.target)
    for turn in range(_TURNS):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        node = api.get(path)
        for each in node["status"]["conditions"]:
            if each["type"] == "Ready":
                words = "Kubelet stopped posting node status."
                each.update(status="Unknown", reason="NodeStatusUnknown", message=words, lastTransitionTime=stamp)
        case.lab.say(f"  api: {case.target} is lost ({turn + 1} of {_TURNS})")
        api.replace(f"{path}/status", node)
        _tell(case, stamp)
        waiting.until(lambda: "" if _ready(case) == "True" else "not Ready", f"{case.target}'s kubelet", 15)


def _tell(case: Case, stamp: str) -> None:
    """The node controller's event, which counts up."""
    name = f"{case.target}.flap"
    path = "/api/v1/namespaces/default/events"
    found = cluster.find(case.lab.api(), f"{path}/{name}")
    if found is not None:
        case.lab.api().patch(f"{path}/{name}", {"count": found["count"] + 1, "lastTimestamp": stamp})
        return
    involved = {"kind": "Node", "name": case.target, "uid": case.target, "apiVersion": "v1"}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": involved,
        "reason": "NodeNotReady",
        "message": f"Node {case.target} status is now: NodeNotReady",
        "type": "Normal",
        "source": {"component": "node-controller"},
        "count": 1,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
    }
    case.lab.api().create(path, event)


def _nothing(_case: Case) -> None:
    """It has calmed down by itself; the events go when all faults are healed."""


def _not_flapped(case: Case) -> str:
    events = case.lab.api().get("/api/v1/namespaces/default/events")["items"]
    turns = {each["reason"]: each.get("count", 1) for each in events if each["involvedObject"]["name"] == case.target}
    seen = min(turns.get("NodeNotReady", 0), turns.get("NodeReady", 0))
    return "" if seen >= _TURNS else f"{case.target} has come and gone {seen} times"


NOT_READY = Fault(
    id="kubelet_not_ready",
    description="the node's kubelet is silent; its machine, BIRD and sessions go on",
    inject=_stop,
    heal=_start,
    missing=_not_silent,
    default=listener,
    variants=(Variant("stopped", "the kubelet reports nothing any more"),),
    breaks_sessions=False,
)

FLAPPING = Fault(
    id="node_ready_flapping",
    description="the node has toggled between Ready and NotReady a few times within minutes",
    inject=_flap,
    heal=_nothing,
    missing=_not_flapped,
    default=listener,
    variants=(Variant("lost", "the node controller loses it, the kubelet reports again"),),
    breaks_sessions=False,
)
