# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for pods and what makes them: selectors, templates, containers, volumes.

Source: kubernetes/pkg/apis/core/validation and pkg/apis/apps/validation.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from . import causes, names
from .json_patches import same
from .reading import mapping
from .selectors import label_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..kinds import Kind
    from .causes import Cause

Object = dict[str, Any]

_POD_UPDATES = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_STRATEGIES = {
    "daemonsets": ("updateStrategy", ["OnDelete", "RollingUpdate"]),
    "statefulsets": ("updateStrategy", ["RollingUpdate", "OnDelete"]),
    "deployments": ("strategy", ["Recreate", "RollingUpdate"]),
}
_WORDS = {"daemonsets": "daemonset", "statefulsets": "statefulset", "deployments": "deployment"}


def check_workload(obj: Object, old: Object | None, kind: Kind) -> Iterator[Cause]:
    """DaemonSets, Deployments, ReplicaSets, StatefulSets."""
    spec, before = mapping(obj, "spec"), mapping(old, "spec")
    selector = spec.get("selector")
    if isinstance(selector, dict):
        yield from _check_selector(selector, spec, kind)
    if old is not None and not same(selector, before.get("selector")):
        yield causes.invalid("spec.selector", selector, "field is immutable")
    yield from _check_strategy(spec, kind)
    pod = mapping(mapping(spec, "template"), "spec")
    policy = pod.get("restartPolicy", "Always")
    if policy != "Always":
        yield causes.not_supported("spec.template.spec.restartPolicy", policy, ["Always"])
    yield from check_pod_spec(pod, "spec.template.spec")


def _check_selector(selector: Object, spec: Object, kind: Kind) -> Iterator[Cause]:
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        word = _WORDS.get(kind.plural, "deployment")
        yield causes.invalid("spec.selector", selector, f"empty selector is invalid for {word}")
        return
    for name, value in mapping(selector, "matchLabels").items():
        for problem in names.qualified_name(name):
            yield causes.invalid("spec.selector.matchLabels", name, problem)
        for problem in names.label_value(value):
            yield causes.invalid("spec.selector.matchLabels", value, problem)
    labels = mapping(mapping(mapping(spec, "template"), "metadata"), "labels")
    if not label_selector(selector)(labels):
        detail = "`selector` does not match template `labels`"
        yield causes.invalid("spec.template.metadata.labels", labels, detail)


def _check_strategy(spec: Object, kind: Kind) -> Iterator[Cause]:
    name, types = _STRATEGIES.get(kind.plural, ("", []))
    strategy = mapping(spec, name)
    chosen = strategy.get("type", "RollingUpdate")
    if name and chosen not in types:
        yield causes.not_supported(f"spec.{name}.type", chosen, types)
    rolling = mapping(strategy, "rollingUpdate")
    if kind.plural != "daemonsets" or not rolling:
        return
    path = "spec.updateStrategy.rollingUpdate"
    unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
    if _is_zero(unavailable) and _is_zero(surge):
        yield causes.invalid(f"{path}.maxUnavailable", unavailable, "cannot be 0 when maxSurge is 0")
    elif not _is_zero(unavailable) and not _is_zero(surge):
        yield causes.invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")


def _is_zero(value: object) -> bool:
    return value in (0, "0%", "0")


def check_pod(obj: Object, old: Object | None, _kind: Kind) -> Iterator[Cause]:
    """Pods; of a pod that is there only little may change."""
    spec = mapping(obj, "spec")
    yield from check_pod_spec(spec, "spec")
    if old is None:
        return
    before = mapping(old, "spec")
    if not same(_fixed(spec, before), _fixed(before, before)):
        yield causes.forbidden("spec", _POD_UPDATES)
    kept = before.get("tolerations") or []
    given = spec.get("tolerations") or []
    if any(not any(same(toleration, other) for other in given) for toleration in kept):
        yield causes.forbidden(
            "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"
        )


def _fixed(spec: Object, before: Object) -> Object:
    """What of a pod's spec cannot change; the node can be set once (a binding), ephemeral containers added."""
    found = copy.deepcopy(spec)
    for name in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "ephemeralContainers"):
        found.pop(name, None)
    if not before.get("nodeName"):
        found.pop("nodeName", None)
    for name in ("containers", "initContainers"):
        for container in found.get(name) or []:
            container.pop("image", None)
    return found


def check_pod_spec(spec: Object, path: str) -> Iterator[Cause]:
    """A pod's specification, also within templates."""
    volumes: list[str] = []
    for place, volume in enumerate(spec.get("volumes") or []):
        name = volume.get("name") or ""
        for problem in names.dns_label(name) if name else ():
            yield causes.invalid(f"{path}.volumes[{place}].name", name, problem)
        if name in volumes:
            yield causes.duplicate(f"{path}.volumes[{place}].name", name)
        volumes.append(name)
        if len([source for source in volume if source != "name"]) > 1:
            source = [source for source in volume if source != "name"][1]
            detail = "may not specify more than 1 volume type"
            yield causes.forbidden(f"{path}.volumes[{place}].{source}", detail)
    seen: set[str] = set()
    for field in ("containers", "initContainers"):
        for place, container in enumerate(spec.get(field) or []):
            yield from _check_container(container, f"{path}.{field}[{place}]", volumes, seen)


def _check_container(container: Object, path: str, volumes: list[str], seen: set[str]) -> Iterator[Cause]:
    name = container.get("name") or ""
    for problem in names.dns_label(name) if name else ():
        yield causes.invalid(f"{path}.name", name, problem)
    if name in seen:
        yield causes.duplicate(f"{path}.name", name)
    seen.add(name)
    if not container.get("image"):
        yield causes.required(f"{path}.image")
    for place, port in enumerate(container.get("ports") or []):
        if not 1 <= port.get("containerPort", 0) <= 65535:
            detail = "must be between 1 and 65535, inclusive"
            yield causes.invalid(f"{path}.ports[{place}].containerPort", port.get("containerPort", 0), detail)
    for place, variable in enumerate(container.get("env") or []):
        if variable.get("value") and variable.get("valueFrom"):
            detail = "may not be specified when `value` is not empty"
            yield causes.invalid(f"{path}.env[{place}].valueFrom", "", detail)
    yield from _check_mounts(container, path, volumes)


def _check_mounts(container: Object, path: str, volumes: list[str]) -> Iterator[Cause]:
    paths: set[str] = set()
    for place, mount in enumerate(container.get("volumeMounts") or []):
        below = f"{path}.volumeMounts[{place}]"
        if mount.get("name") and mount["name"] not in volumes:
            yield causes.not_found(f"{below}.name", mount["name"])
        if mount.get("mountPath") in paths:
            yield causes.invalid(f"{below}.mountPath", mount["mountPath"], "must be unique")
        paths.add(mount.get("mountPath") or "")
