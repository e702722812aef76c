# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cells of a pod in `kubectl get`: what it says of a pod's state takes some reading. Pure.

Source: kubernetes, pkg/printers/internalversion/printers.go (printPod).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cell_parts import NONE, age, items, number, part, since

if TYPE_CHECKING:
    from .entry import Object


def pod(obj: Object, now: float) -> list[Any]:
    """READY, STATUS, RESTARTS, AGE, IP, NODE, NOMINATED NODE, READINESS GATES."""
    status = obj.get("status") or {}
    containers = items(status, "containerStatuses")
    ready = sum(1 for each in containers if each.get("ready") and part(each, "state", "running") is not None)
    reason, restarts, last = _pod_state(obj)
    restarted = f"{restarts} ({since(last, now)} ago)" if restarts and last else str(restarts)
    gates = items(obj, "spec", "readinessGates")
    met = {each.get("type") for each in items(status, "conditions") if each.get("status") == "True"}
    passed = sum(1 for gate in gates if gate.get("conditionType") in met)
    return [
        f"{ready}/{len(items(obj, 'spec', 'containers'))}",
        reason,
        restarted,
        age(obj, now),
        status.get("podIP") or NONE,
        part(obj, "spec", "nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


def _pod_state(obj: Object) -> tuple[str, int, str]:
    """What the column STATUS says, restarts, and when the last one was."""
    status = obj.get("status") or {}
    reason = status.get("reason") or status.get("phase") or "Unknown"
    restarts, last = 0, ""
    initialising = False
    started = items(status, "initContainerStatuses")
    total = len(items(obj, "spec", "initContainers"))
    for index, each in enumerate(started):
        restarts += number(each, "restartCount")
        last = max(last, str(part(each, "lastState", "terminated", "finishedAt") or ""))
        if initialising or part(each, "state", "terminated", "exitCode") == 0:
            continue
        reason, initialising = _init_reason(each, index, total), True
    if not initialising:
        restarts, last = 0, ""
        reason, restarts, last = _running_state(items(status, "containerStatuses"), reason)
    if "deletionTimestamp" in obj["metadata"]:
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason, restarts, last


def _init_reason(container: Object, index: int, total: int) -> str:
    ended, waiting = part(container, "state", "terminated"), part(container, "state", "waiting")
    if ended is not None:
        return f"Init:{_ended(ended)}"
    if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
        return f"Init:{waiting['reason']}"
    return f"Init:{index}/{total}"


def _running_state(containers: list[Any], reason: str) -> tuple[str, int, str]:
    restarts, last, running = 0, "", False
    for each in reversed(containers):
        restarts += number(each, "restartCount")
        last = max(last, str(part(each, "lastState", "terminated", "finishedAt") or ""))
        waiting, ended = part(each, "state", "waiting"), part(each, "state", "terminated")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = _ended(ended)
        elif each.get("ready") and part(each, "state", "running") is not None:
            running = True
    if reason == "Completed" and running:
        reason = "Running"
    return reason, restarts, last


def _ended(state: Object) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"
