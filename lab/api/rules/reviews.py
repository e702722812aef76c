# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to those who ask what somebody may do: the reviews of authorization.k8s.io.

Source: kubernetes, pkg/registry/authorization and pkg/apis/authorization/validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import bad_request
from ..errors import invalid as invalid_object
from . import causes, rbac
from .reading import mapping, text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..kinds import Kind
    from .rbac import Read

Object = dict[str, Any]


def review(read: Read, user: str, groups: Sequence[str], kind: Kind, obj: Object) -> Object:
    """The review with its status.

    SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview, SelfSubjectRulesReview. ApiError: 422 or 400
    for one that asks nothing.
    """
    spec = mapping(obj, "spec")
    answered = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
    if kind.kind == "SelfSubjectRulesReview":
        namespace = text(spec, "namespace")
        if not namespace:
            raise bad_request("no namespace on request")
        return {**answered, "status": _rules_status(read, user, groups, namespace)}
    found = list(_wrong(kind, obj, spec))
    if found:
        raise invalid_object(kind, "", found)
    if kind.kind != "SelfSubjectAccessReview":
        user, groups = text(spec, "user"), texts(spec, "groups")
    decision = rbac.decide(read, user, groups, _request(spec))
    status: Object = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return {**answered, "status": status}


def _wrong(kind: Kind, obj: Object, spec: Object) -> Iterator[causes.Cause]:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and other is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        yield causes.invalid("spec.nonResourceAttributes", other, detail)
    if resource is None and other is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield causes.invalid("spec.resourceAttributes", None, detail)
    if kind.kind != "SelfSubjectAccessReview" and not text(spec, "user") and not texts(spec, "groups"):
        yield causes.invalid("spec.user", "", "at least one of user or group must be specified")
    if kind.kind == "LocalSubjectAccessReview":
        namespace = text(mapping(spec, "resourceAttributes"), "namespace")
        if namespace != text(mapping(obj, "metadata"), "namespace"):
            yield causes.invalid("spec.resourceAttributes.namespace", namespace, "must match metadata.namespace")


def _request(spec: Object) -> rbac.Request:
    wanted = spec.get("resourceAttributes")
    if isinstance(wanted, dict):
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        return rbac.Request(*(text(wanted, name) for name in names))
    other = mapping(spec, "nonResourceAttributes")
    return rbac.Request(text(other, "verb"), path=text(other, "path"))


def _rules_status(read: Read, user: str, groups: Sequence[str], namespace: str) -> Object:
    problems: list[str] = []
    rules = [grant.rule for grant in rbac.grants(read, user, groups, namespace, problems)]
    names = ("verbs", "apiGroups", "resources", "resourceNames")
    status: Object = {
        "resourceRules": [
            {name: rule[name] for name in names if rule.get(name)} for rule in rules if rule.get("resources")
        ],
        "nonResourceRules": [
            {name: rule[name] for name in ("verbs", "nonResourceURLs")} for rule in rules if rule.get("nonResourceURLs")
        ],
        "incomplete": bool(problems),
    }
    if problems:
        status["evaluationError"] = ", ".join(dict.fromkeys(problems))
    return status
