# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privilege escalation: nobody gives rights that he has not himself, unless he may "escalate" or "bind".

Source: kubernetes, pkg/registry/rbac/{escalation_check.go,*/policybased} and validation/{rule,policy_comparator}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ApiError
from . import rbac
from .causes import quoted
from .json_patches import same
from .reading import mapping, mappings, text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .rbac import Object, Read

_EVERYTHING: list[Object] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
_ROLES = ("roles", "clusterroles")
# Changes of these alone are the garbage collector's business and grant nothing.
_GRANTS_NOTHING = ("finalizers", "ownerReferences", "managedFields", "resourceVersion")


def check_write(
    read: Read, user: str, groups: Sequence[str], plural: str, obj: Object, old: Object | None = None
) -> None:
    """Refuse to let somebody write a role or binding that gives more than he has.

    `plural`: "roles", "clusterroles", "rolebindings", "clusterrolebindings"; others grant nothing. `obj`: as it will be
    stored, `old` as it was. ApiError: 403; 404 if a binding names a role that is not there.
    """
    if plural not in (*_ROLES, "rolebindings", "clusterrolebindings") or rbac.MASTERS in groups:
        return
    if old is not None and same(_granting(obj), _granting(old)):
        return
    if plural in _ROLES:
        _check_role(read, user, groups, plural, obj, old)
    else:
        _check_binding(read, user, groups, plural, obj)


def _check_role(read: Read, user: str, groups: Sequence[str], plural: str, obj: Object, old: Object | None) -> None:
    name, namespace = (text(mapping(obj, "metadata"), key) for key in ("name", "namespace"))
    wish = rbac.Request("escalate", rbac.GROUP, plural, namespace=namespace, name=name)
    if rbac.decide(read, user, groups, wish).allowed:
        return
    _confirm(read, user, groups, namespace, mappings(obj, "rules"), plural, name)
    gathers = plural == "clusterroles" and (_aggregates(obj) or _aggregates(old))
    if gathers and uncovered(_held(read, user, groups, ""), _EVERYTHING):
        raise _refused(plural, name, "must have cluster-admin privileges to use the aggregationRule")


def _check_binding(read: Read, user: str, groups: Sequence[str], plural: str, obj: Object) -> None:
    name, namespace = (text(mapping(obj, "metadata"), key) for key in ("name", "namespace"))
    reference = mapping(obj, "roleRef")
    kind, role = text(reference, "kind"), text(reference, "name")
    resource = {"Role": "roles", "ClusterRole": "clusterroles"}.get(kind, "")
    wish = rbac.Request("bind", rbac.GROUP, resource, namespace=namespace, name=role)
    if resource and rbac.decide(read, user, groups, wish).allowed:
        return
    rules = rbac.rules_of(read, reference, namespace)
    if rules is None:
        details = {"name": role, "group": rbac.GROUP, "kind": kind.lower()}
        raise ApiError(404, "NotFound", f'{kind.lower()}.{rbac.GROUP} "{role}" not found', details)
    _confirm(read, user, groups, namespace, rules, plural, name)


def _granting(obj: Object) -> Object:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        return obj
    return {**obj, "metadata": {name: value for name, value in metadata.items() if name not in _GRANTS_NOTHING}}


def _aggregates(role: Object | None) -> bool:
    return bool(mappings(mapping(role, "aggregationRule"), "clusterRoleSelectors"))


def _held(read: Read, user: str, groups: Sequence[str], namespace: str) -> list[Object]:
    return [grant.rule for grant in rbac.grants(read, user, groups, namespace)]


def _confirm(
    read: Read, user: str, groups: Sequence[str], namespace: str, rules: list[Object], plural: str, name: str
) -> None:
    missing = uncovered(_held(read, user, groups, namespace), rules)
    if missing:
        lines = "\n".join(sorted({_compact(rule) for rule in _compacted(missing)}))
        shown = f"[{' '.join(map(quoted, groups))}]"
        said = f"user {quoted(user)} (groups={shown}) is attempting to grant RBAC permissions not currently held"
        raise _refused(plural, name, f"{said}:\n{lines}")


def _refused(plural: str, name: str, why: str) -> ApiError:
    details = {"name": name, "group": rbac.GROUP, "kind": plural}
    message = f"{plural}.{rbac.GROUP} {quoted(name)} is forbidden: {why}"
    return ApiError(403, "Forbidden", message, details)


def uncovered(held: list[Object], wanted: list[Object]) -> list[Object]:
    """What of the rules wanted is not in those held, in rules of one group, resource, verb and name each."""
    return [part for rule in wanted for part in _parts(rule) if not any(_covers(own, part) for own in held)]


def _parts(rule: Object) -> Iterator[Object]:
    verbs, names = texts(rule, "verbs"), texts(rule, "resourceNames")
    for group in texts(rule, "apiGroups"):
        for resource in texts(rule, "resources"):
            for verb in verbs:
                part: Object = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                yield from ({**part, "resourceNames": [name]} for name in names) if names else (part,)
    for path in texts(rule, "nonResourceURLs"):
        yield from ({"nonResourceURLs": [path], "verbs": [verb]} for verb in verbs)


def _covers(own: Object, part: Object) -> bool:
    for field in ("verbs", "apiGroups"):
        if not _has_all(own, part, field):
            return False
    if not _has_all(own, part, "resources") and not _covers_subresource(own, part):
        return False
    paths = texts(own, "nonResourceURLs")
    if not all(any(rbac.covers_path(pattern, path) for pattern in paths) for path in part.get("nonResourceURLs", ())):
        return False
    names = texts(own, "resourceNames")
    wanted: list[Any] = part.get("resourceNames", [])
    return not names or (bool(wanted) and set(wanted) <= set(names))


def _has_all(own: Object, part: Object, field: str) -> bool:
    held = texts(own, field)
    return "*" in held or set(part.get(field, ())) <= set(held)


def _covers_subresource(own: Object, part: Object) -> bool:
    """`*/scale` covers `deployments/scale`."""
    held = texts(own, "resources")
    return all("/" in path and f"*/{path.partition('/')[2]}" in held for path in part.get("resources", ()))


def _compacted(parts: list[Object]) -> list[Object]:
    """Parts that differ only by verb put together."""
    simple: dict[tuple[str, str], Object] = {}
    others = []
    for part in parts:
        if "resourceNames" in part or "nonResourceURLs" in part:
            others.append(part)
            continue
        key = (part["apiGroups"][0], part["resources"][0])
        found = simple.setdefault(key, {**part, "verbs": []})
        found["verbs"] = [*found["verbs"], *part["verbs"]]
    return [*others, *simple.values()]


def _compact(rule: Object) -> str:
    names = {
        "APIGroups": "apiGroups",
        "Resources": "resources",
        "NonResourceURLs": "nonResourceURLs",
        "ResourceNames": "resourceNames",
        "Verbs": "verbs",
    }
    shown = [f"{go}:[{' '.join(map(quoted, rule[name]))}]" for go, name in names.items() if rule.get(name)]
    return f"{{{', '.join(shown)}}}"
