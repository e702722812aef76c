# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods may run on which nodes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .objects import Object, expression

if TYPE_CHECKING:
    from collections.abc import Iterable

_BLOCKING = ("NoSchedule", "NoExecute")


def fits(spec: Object, node: Object, tolerations: Iterable[Object] | None = None) -> bool:
    """Whether a pod of this spec may be put on the node: its name, selector, affinity, and the node's taints."""
    wanted = spec.get("nodeName")
    if wanted and wanted != node["metadata"]["name"]:
        return False
    return selects(spec, node) and not untolerated(spec, node, _BLOCKING, tolerations)


def selects(spec: Object, node: Object) -> bool:
    """Whether nodeSelector and the required node affinity select the node."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = (required or {}).get("nodeSelectorTerms") or []
    return required is None or any(_term(each, node, labels) for each in terms)


def _term(term: Object, node: Object, labels: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    names = {"metadata.name": node["metadata"]["name"]}
    return all(expression(each, labels) for each in expressions) and all(expression(each, names) for each in fields)


def untolerated(
    spec: Object, node: Object, effects: Iterable[str], tolerations: Iterable[Object] | None = None
) -> list[Object]:
    """The taints of these effects that keep a pod off the node."""
    given = [*(spec.get("tolerations") or []), *(tolerations or [])]
    taints = (node.get("spec") or {}).get("taints") or []
    return [each for each in taints if each.get("effect") in effects and not any(tolerates(one, each) for one in given)]


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration covers a taint."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    key = toleration.get("key")
    if key and key != taint.get("key"):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(key) and (toleration.get("value") or "") == (taint.get("value") or "")
