# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a DaemonSet's pod belongs on a node, decided as the DaemonSet controller decides it.

Source: NodeShouldRunDaemonPod and AddOrUpdateDaemonPodTolerations below pkg/controller/daemon of Kubernetes: a pod is
made for a node whose labels fit the nodeSelector and the required node affinity, and whose taints NoSchedule and
NoExecute are tolerated, by the template's tolerations or by those that every DaemonSet's pod is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._cluster.model import KubeNode, Taint, Workload

SELECTOR, AFFINITY, TAINT = "selector", "affinity", "taint"
BARRING = ("NoSchedule", "NoExecute")
_GIVEN_TO_ALL = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_GIVEN_TO_HOST_NETWORK = (("node.kubernetes.io/network-unavailable", "NoSchedule"),)
# Nodes that are no machines of the cluster's own: installers keep Calico off them on purpose.
_NOT_MACHINES = (("eks.amazonaws.com/compute-type", "fargate"), ("type", "virtual-kubelet"))


class Barrier(NamedTuple):
    """What keeps the pod off a node: selector, affinity or taint; the label or taint itself; the same in a clause."""

    kind: str
    what: str
    says: str


def barriers(workload: Workload, node: KubeNode) -> list[Barrier]:
    """Everything that keeps the DaemonSet's pod off the node; [] where one belongs there."""
    found = [
        Barrier(SELECTOR, f"{key}={value}", f"it lacks the label {key}={value} (nodeSelector)")
        for key, value in workload.node_selector.items()
        if node.labels.get(key) != value
    ]
    if not affinity_fits(workload.affinity, node):
        found.append(Barrier(AFFINITY, "nodeAffinity", "its labels do not fit the required nodeAffinity"))
    for taint in node.taints:
        if taint.effect in BARRING and not any(tolerates(one, taint) for one in tolerations(workload)):
            shown = shown_taint(taint)
            found.append(Barrier(TAINT, shown, f"its taint {shown} is not tolerated"))
    return found


def shown_taint(taint: Taint) -> str:
    """A taint as kubectl writes it."""
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"


def is_machine(node: KubeNode) -> bool:
    """The node is a Linux machine on which Calico can run at all."""
    if node.operating_system not in ("", "linux"):
        return False
    return not any(node.labels.get(key) == value for key, value in _NOT_MACHINES)


def tolerations(workload: Workload) -> list[Mapping[str, Any]]:
    """The tolerations of the DaemonSet's pods: the template's and those that the controller adds."""
    given = _GIVEN_TO_ALL + (_GIVEN_TO_HOST_NETWORK if workload.host_network else ())
    added = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in given]
    return [*workload.tolerations, *added]


def tolerates(toleration: Mapping[str, Any], taint: Taint) -> bool:
    """Whether a toleration covers a taint. No key with Exists: every taint; no effect: every effect."""
    effect, key = toleration.get("effect") or "", toleration.get("key") or ""
    operator = toleration.get("operator") or "Equal"
    if (effect and effect != taint.effect) or (key and key != taint.key):
        return False
    if operator == "Equal":
        return bool(key) and (toleration.get("value") or "") == taint.value
    return bool(operator == "Exists")


def affinity_fits(affinity: Mapping[str, Any], node: KubeNode) -> bool:
    """Whether a node fits the required node affinity: one of its terms, and of that one everything."""
    about_nodes = _mapping(affinity.get("nodeAffinity"))
    required = about_nodes.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not isinstance(required, Mapping):
        return True
    return any(_term_fits(term, node) for term in _items(required.get("nodeSelectorTerms")))


def _term_fits(term: Mapping[str, Any], node: KubeNode) -> bool:
    by_label, by_field = list(_items(term.get("matchExpressions"))), list(_items(term.get("matchFields")))
    if not (by_label or by_field):
        return False
    fields = {"metadata.name": node.name}
    return all(_holds(one, node.labels) for one in by_label) and all(_holds(one, fields) for one in by_field)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = str(expression.get("key", "")), expression.get("operator")
    given = expression.get("values")
    values = [str(value) for value in given] if isinstance(given, (list, tuple)) else []
    value = labels.get(key)
    if operator in ("In", "NotIn"):
        return (value in values) is (operator == "In")
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) is (operator == "Exists")
    return operator in ("Gt", "Lt") and _compares(values, str(operator), value)


def _compares(values: list[str], operator: str, value: str | None) -> bool:
    try:
        here, there = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return here > there if operator == "Gt" else here < there


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, (list, tuple)) else []
