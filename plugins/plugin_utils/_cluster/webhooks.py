# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission webhooks that are asked when a pod of Calico's is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import metadata, surroundings
from .components import CALICO_NODE, CANAL
from .model import Pod, Webhook, Workload

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .given import Complaints, Given

_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_ALL = "*"
_DEFAULT_NAMESPACES = ("kube-system", "calico-system")


def read(
    mutating: Any,
    validating: Any,
    slices: Any,
    agents: tuple[Collection[Workload], Collection[Pod]],
    complaints: Complaints,
) -> Iterator[Webhook]:
    """Yield the webhooks that may be asked about the pods of calico-node. agents: all workloads, all pods.

    Selectors are evaluated as far as labels are known; where they are not, the webhook is taken to be asked.
    """
    workloads, pods = agents
    namespaces = {one.namespace for one in workloads if one.component in (CALICO_NODE, CANAL)}
    labels = [one.labels for one in pods if one.component in (CALICO_NODE, CANAL)][:1]
    ready = surroundings.endpoints(slices, complaints)
    for listed, kind in ((mutating, "MutatingWebhookConfiguration"), (validating, "ValidatingWebhookConfiguration")):
        for given, name in metadata.unique(metadata.objects(listed, kind, complaints)):
            for hook in given.parts("webhooks"):
                operations = _operations(hook)
                if operations and _selected(hook, namespaces or _DEFAULT_NAMESPACES, labels):
                    yield _webhook(hook, name, kind, operations, ready)


def _webhook(
    hook: Given,
    configuration: str,
    kind: str,
    operations: tuple[str, ...],
    ready: Mapping[tuple[str, str], tuple[tuple[str, int, bool, str], ...]],
) -> Webhook:
    client = hook.part("clientConfig")
    service = client.part("service")
    where = (service.text("namespace"), service.text("name"))
    behind = ready.get(where)
    told = service.integer("endpointsReady")
    able = {address for address, _port, is_ready, _node in behind or () if is_ready}
    return Webhook(
        configuration=configuration,
        name=hook.text("name"),
        kind="mutating" if kind.startswith("Mutating") else "validating",
        policy=hook.text("failurePolicy") or "Fail",
        timeout=hook.integer("timeoutSeconds"),
        service="/".join(where) if where[1] else "",
        url=client.has("url"),
        endpoints_ready=told if told is not None or behind is None else len(able),
        operations=operations,
    )


def _operations(hook: Given) -> tuple[str, ...]:
    """The operations on pods of which the webhook is told; it matters whether pods can be made or deleted."""
    found: dict[str, None] = {}
    for rule in hook.parts("rules"):
        groups, resources = rule.texts("apiGroups") or (), rule.texts("resources")
        in_core = not rule.items("apiGroups") or _ALL in groups or "" in rule.items("apiGroups")
        if in_core and {_ALL, "*/*", "pods", "pods/*"}.intersection(resources):
            found.update(dict.fromkeys(rule.texts("operations")))
    return tuple(found)


def _selected(hook: Given, namespaces: Collection[str], pods: Collection[Mapping[str, str]]) -> bool:
    known = [{_NAMESPACE_LABEL: name} for name in namespaces]
    by_namespace = any(_may_match(hook.part("namespaceSelector"), labels, whole=False) for labels in known)
    return by_namespace and (not pods or any(_may_match(hook.part("objectSelector"), one, whole=True) for one in pods))


def _may_match(selector: Given, labels: Mapping[str, str], whole: bool) -> bool:
    """Say whether a label selector may match. whole: `labels` are all there are; else others may have any value."""
    wanted = selector.strings("matchLabels").items()
    if any(labels.get(key) != value for key, value in wanted if whole or key in labels):
        return False
    return all(
        _may_hold(one.text("operator"), one.texts("values"), labels.get(one.text("key")))
        for one in selector.parts("matchExpressions")
        if whole or one.text("key") in labels
    )


def _may_hold(kind: str, values: Collection[str], value: str | None) -> bool:
    """Say whether a requirement of a selector holds for a label's value, None if the label is not there."""
    if kind == "In":
        return value in values
    if kind == "NotIn":
        return value not in values
    if kind == "Exists":
        return value is not None
    return value is None if kind == "DoesNotExist" else True
