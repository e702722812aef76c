# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether PodDisruptionBudgets allow an eviction. Nothing keeps their status here: it is reckoned when it is asked for.

Source: kubernetes, pkg/registry/core/pod/storage/eviction.go, and pkg/controller/disruption.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from . import errors
from .webhooks import selects

if TYPE_CHECKING:
    from .entry import Object
    from .store import Store

_OVER = ("Failed", "Succeeded")
# A budget without a selector covers no pods.
_NOTHING = {"matchExpressions": [{"key": "none", "operator": "In", "values": []}]}


def check(store: Store, pod: Object) -> None:
    """Raise TooManyRequests if a budget forbids to evict this pod now."""
    metadata = pod["metadata"]
    if (pod.get("status") or {}).get("phase") in (*_OVER, "Pending") or "deletionTimestamp" in metadata:
        return
    namespace, labels = metadata["namespace"], metadata.get("labels") or {}
    kind = store.kinds.find("poddisruptionbudgets.policy")
    budgets = [each for each in store.list(kind, namespace) if selects(_selector(each), labels)]
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise errors.ApiError(500, "InternalError", message, {})
    for budget in budgets:
        healthy, needed = _counts(store, budget, namespace)
        if _is_ready(pod) and healthy - 1 < needed:
            name = budget["metadata"]["name"]
            told = f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
            raise errors.too_many_requests(
                "Cannot evict pod as it would violate the pod's disruption budget.",
                0,
                [{"reason": "DisruptionBudget", "message": told}],
            )


def _selector(budget: Object) -> Any:
    found = (budget.get("spec") or {}).get("selector")
    return found if found is not None else _NOTHING


def _counts(store: Store, budget: Object, namespace: str) -> tuple[int, int]:
    """How many pods of a budget are healthy, and how many must be."""
    pods = [
        each
        for each in store.list(store.kinds.find("pods"), namespace)
        if selects(_selector(budget), each["metadata"].get("labels") or {})
        and (each.get("status") or {}).get("phase") not in _OVER
    ]
    spec = budget.get("spec") or {}
    if "maxUnavailable" in spec:
        needed = len(pods) - _scaled(spec["maxUnavailable"], len(pods))
    else:
        needed = _scaled(spec.get("minAvailable", 1), len(pods))
    return sum(1 for each in pods if _is_ready(each) and "deletionTimestamp" not in each["metadata"]), max(0, needed)


def _scaled(value: Any, total: int) -> int:
    """A number, or a share of the total, rounded up."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal():
        return math.ceil(int(value[:-1]) * total / 100)
    return value if isinstance(value, int) else 0


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
