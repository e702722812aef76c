# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service account may do something, from the RBAC objects alone. Pure.

The API decides for its callers by itself; this is for the controller, which acts in calico-node's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .objects import Object

    Objects = Mapping[str, Sequence[Object]]


def allowed(
    objects: Objects, account: tuple[str, str], namespace: str, resource: str, verbs: Iterable[str], name: str
) -> bool:
    """Whether the account (namespace, name) may do all of `verbs` with a core resource of that name."""
    rules = list(_rules(objects, account, namespace))
    return all(any(_grants(rule, resource, verb, name) for rule in rules) for verb in verbs)


def _rules(objects: Objects, account: tuple[str, str], namespace: str) -> Iterator[Object]:
    cluster_roles = {each["metadata"]["name"]: each for each in objects.get("clusterroles", ())}
    roles = {
        each["metadata"]["name"]: each
        for each in objects.get("roles", ())
        if each["metadata"].get("namespace") == namespace
    }
    bindings = [each for each in objects.get("rolebindings", ()) if each["metadata"].get("namespace") == namespace]
    for binding in [*objects.get("clusterrolebindings", ()), *bindings]:
        if any(_is(subject, account, binding) for subject in binding.get("subjects") or []):
            reference = binding["roleRef"]
            found = (cluster_roles if reference["kind"] == "ClusterRole" else roles).get(reference["name"])
            yield from (found or {}).get("rules") or []


def _is(subject: Object, account: tuple[str, str], binding: Object) -> bool:
    space, name = account
    if subject.get("kind") == "Group":
        return subject.get("name") in (
            "system:authenticated",
            "system:serviceaccounts",
            f"system:serviceaccounts:{space}",
        )
    if subject.get("kind") == "User":
        return bool(subject.get("name") == f"system:serviceaccount:{space}:{name}")
    own = subject.get("namespace") or binding["metadata"].get("namespace", "")
    return bool(subject.get("name") == name and own == space)


def _grants(rule: Object, resource: str, verb: str, name: str) -> bool:
    def has(key: str, wanted: str) -> bool:
        return bool({"*", wanted} & set(rule.get(key) or []))

    names = rule.get("resourceNames") or []
    return has("apiGroups", "") and has("resources", resource) and has("verbs", verb) and (not names or name in names)
