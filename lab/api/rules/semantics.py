# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules beyond types that a real API server has for its own kinds and that clients meet.

Source: kubernetes/pkg/apis/{core,apps,rbac}/validation. Not all of them: those for the kinds that the lab serves, as
far as somebody who changes Calico's workloads, nodes, roles and settings can break them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import causes, names
from .json_patches import same
from .reading import mapping
from .workloads import check_pod, check_workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..kinds import Kind
    from .causes import Cause

Object = dict[str, Any]


def check(kind: Kind, obj: Object, old: Object | None) -> Iterator[Cause]:
    """What of a built-in object breaks its kind's own rules; `old` is the object before an update."""
    rule = _RULES.get(kind.resource)
    if rule is not None:
        yield from rule(obj, old, kind)


def _service(obj: Object, _old: Object | None, _kind: Kind) -> Iterator[Cause]:
    spec = mapping(obj, "spec")
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield causes.required("spec.ports")
    seen: set[str] = set()
    for place, port in enumerate(ports):
        path = f"spec.ports[{place}]"
        if not 1 <= port.get("port", 0) <= 65535:
            yield causes.invalid(f"{path}.port", port.get("port", 0), "must be between 1 and 65535, inclusive")
        name = port.get("name") or ""
        if len(ports) > 1 and not name:
            yield causes.required(f"{path}.name")
        elif name in seen:
            yield causes.duplicate(f"{path}.name", name)
        seen.add(name)


def _role(obj: Object, _old: Object | None, kind: Kind) -> Iterator[Cause]:
    for place, rule in enumerate(obj.get("rules") or []):
        path = f"rules[{place}]"
        if not rule.get("verbs"):
            yield causes.required(f"{path}.verbs", "verbs must contain at least one value")
        if rule.get("nonResourceURLs"):
            yield from _non_resource_rule(rule, path, kind)
            continue
        if not rule.get("apiGroups"):
            yield causes.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield causes.required(f"{path}.resources", "resource rules must supply at least one resource")


def _non_resource_rule(rule: Object, path: str, kind: Kind) -> Iterator[Cause]:
    urls = rule["nonResourceURLs"]
    if kind.namespaced:
        detail = "namespaced rules cannot apply to non-resource URLs"
        yield causes.invalid(f"{path}.nonResourceURLs", urls, detail)
    if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
        detail = "rules cannot apply to both regular resources and non-resource URLs"
        yield causes.invalid(f"{path}.nonResourceURLs", urls, detail)


def _binding(obj: Object, old: Object | None, kind: Kind) -> Iterator[Cause]:
    reference = mapping(obj, "roleRef")
    kinds = ["Role", "ClusterRole"] if kind.namespaced else ["ClusterRole"]
    if reference.get("kind") not in kinds:
        yield causes.not_supported("roleRef.kind", reference.get("kind") or "", kinds)
    if old is not None and not same(reference, mapping(old, "roleRef")):
        yield causes.invalid("roleRef", reference, "cannot change roleRef")
    for place, subject in enumerate(obj.get("subjects") or []):
        path = f"subjects[{place}]"
        if not subject.get("name"):
            yield causes.required(f"{path}.name")
        if subject.get("kind") not in ("ServiceAccount", "User", "Group"):
            yield causes.not_supported(f"{path}.kind", subject.get("kind") or "", ["ServiceAccount", "User", "Group"])
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace") and not kind.namespaced:
            yield causes.required(f"{path}.namespace")


_KEY_WORDS = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def _data(obj: Object, old: Object | None, kind: Kind) -> Iterator[Cause]:
    """ConfigMaps and Secrets."""
    for field in ("data", "binaryData"):
        for name in mapping(obj, field):
            if not name or len(name) > 253 or name in (".", "..") or not _is_key(name):
                yield causes.invalid(f"{field}[{name}]", name, _KEY_WORDS)
    if old is None:
        return
    if old.get("immutable"):
        why = "field is immutable when `immutable` is set"
        if not obj.get("immutable"):
            yield causes.forbidden("immutable", why)
        for field in ("data", "binaryData"):
            if not same(mapping(obj, field), mapping(old, field)):
                yield causes.forbidden(field, why)
    if kind.plural == "secrets" and obj.get("type", "Opaque") != old.get("type", "Opaque"):
        yield causes.invalid("type", obj.get("type", ""), "field is immutable")


def _is_key(name: str) -> bool:
    return all(letter.isascii() and (letter.isalnum() or letter in "-._") for letter in name)


def _node(obj: Object, old: Object | None, _kind: Kind) -> Iterator[Cause]:
    spec, before = mapping(obj, "spec"), mapping(old, "spec")
    seen: set[tuple[str, str]] = set()
    for place, taint in enumerate(spec.get("taints") or []):
        path, key, effect = f"metadata.taints[{place}]", taint.get("key") or "", taint.get("effect") or ""
        for problem in names.qualified_name(key):
            yield causes.invalid(f"{path}.key", key, problem)
        if effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            yield causes.not_supported(f"{path}.effect", effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"])
        if (key, effect) in seen:
            yield causes.duplicate(path, taint)
        seen.add((key, effect))
    for field, name in (("podCIDRs", "podCIDR"), ("providerID", "providerID")):
        if before.get(field) and not same(spec.get(field), before[field]):
            yield causes.forbidden(f"spec.{field}", f'node updates may not change {name} except from "" to valid')


def _definition(obj: Object, _old: Object | None, _kind: Kind) -> Iterator[Cause]:
    spec = mapping(obj, "spec")
    name = mapping(obj, "metadata").get("name") or ""
    if name != f"{mapping(spec, 'names').get('plural', '')}.{spec.get('group', '')}":
        yield causes.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')


def _api_service(obj: Object, _old: Object | None, _kind: Kind) -> Iterator[Cause]:
    spec = mapping(obj, "spec")
    name = mapping(obj, "metadata").get("name") or ""
    wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
    if name != wanted:
        yield causes.invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"')


_RBAC = "rbac.authorization.k8s.io"
_RULES: dict[str, Callable[[Object, Object | None, Kind], Iterator[Cause]]] = {
    "pods": check_pod,
    "services": _service,
    "configmaps": _data,
    "secrets": _data,
    "nodes": _node,
    "daemonsets.apps": check_workload,
    "deployments.apps": check_workload,
    "replicasets.apps": check_workload,
    "statefulsets.apps": check_workload,
    f"roles.{_RBAC}": _role,
    f"clusterroles.{_RBAC}": _role,
    f"rolebindings.{_RBAC}": _binding,
    f"clusterrolebindings.{_RBAC}": _binding,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "apiservices.apiregistration.k8s.io": _api_service,
}
