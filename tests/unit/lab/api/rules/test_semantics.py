# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels and the rules that built-in kinds have beside their types."""

from __future__ import annotations

import copy

import pytest

from lab.api.kinds import KINDS
from lab.api.rules.validation import Schemas

NOBODY = Schemas()


def workload(**spec):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "x", "namespace": "y"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec},
    }


def causes_of(name, obj, old=None):
    return [(cause.field, cause.message) for cause in NOBODY.check(KINDS.find(name), obj, old).causes]


def named(**metadata):
    return {"metadata": {"name": "x", "namespace": "y", **metadata}}


@pytest.mark.parametrize(
    ("name", "obj", "field", "words"),
    [
        ("configmaps", {}, "", ""),
        ("configmaps", {"metadata": {}}, "metadata.name", "Required value: name or generateName is required"),
        ("configmaps", named(name="A"), "metadata.name", 'Invalid value: "A": a lowercase RFC 1123 subdomain must'),
        ("configmaps", named(namespace=""), "metadata.namespace", "Required value"),
        (
            "services",
            {**named(name="1a"), "spec": {"clusterIP": "None"}},
            "metadata.name",
            'Invalid value: "1a": a DNS-1035',
        ),
        ("namespaces", named(), "metadata.namespace", "Forbidden: not allowed on this type"),
        (
            "namespaces",
            {"metadata": {"name": "a.b"}},
            "metadata.name",
            'Invalid value: "a.b": a lowercase RFC 1123 label',
        ),
        (
            "configmaps",
            named(labels={"a": "b c"}),
            "metadata.labels",
            'Invalid value: "b c": a valid label must be an em',
        ),
        (
            "configmaps",
            named(labels={"/a": "b"}),
            "metadata.labels",
            'Invalid value: "/a": prefix part must be non-empty',
        ),
        ("configmaps", named(annotations={"a b": ""}), "metadata.annotations", 'Invalid value: "a b": name part must'),
        (
            "configmaps",
            named(annotations={"a": "x" * 300_000}),
            "metadata.annotations",
            "Too long: may not be more than 26",
        ),
        (
            "configmaps",
            named(finalizers=["a b"]),
            "metadata.finalizers",
            'Invalid value: "a b": name part must consist',
        ),
        (
            "configmaps",
            named(ownerReferences=[{}]),
            "metadata.ownerReferences[0].uid",
            "Required value: must not be empty",
        ),
        ("configmaps", {**named(), "data": {"a b": ""}}, "data[a b]", 'Invalid value: "a b": a valid config key must'),
        (
            "nodes",
            {"metadata": {"name": "n"}, "spec": {"taints": [{"key": "a", "effect": "X"}]}},
            "metadata.taints[0].effect",
            'Unsupported value: "X": supported values: "NoSchedule"',
        ),
        (
            "clusterroles",
            {"metadata": {"name": "a:b"}, "rules": [{"verbs": []}]},
            "rules[0].verbs",
            "Required value: verbs must contain at least one value",
        ),
        (
            "clusterrolebindings",
            {"metadata": {"name": "a"}, "roleRef": {"kind": "Role", "name": "r", "apiGroup": "g"}},
            "roleRef.kind",
            'Unsupported value: "Role": supported values: "ClusterRole"',
        ),
        (
            "customresourcedefinitions",
            {"metadata": {"name": "a.b"}, "spec": {}},
            "metadata.name",
            'Invalid value: "a.b": must be spec.names.plural+"."+spec.group',
        ),
        ("pods", {**named(), "spec": {"containers": []}}, "spec.containers", "Required value"),
        (
            "pods",
            {
                **named(),
                "spec": {
                    "containers": [{"name": "a", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/"}]}]
                },
            },
            "spec.containers[0].volumeMounts[0].name",
            'Not found: "v"',
        ),
        (
            "pods",
            {**named(), "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]}},
            "spec.containers[1].name",
            'Duplicate value: "a"',
        ),
        (
            "daemonsets",
            workload(template={"metadata": {"labels": {"a": "c"}}, "spec": {}}),
            "spec.template.metadata.labels",
            'Invalid value: {"a":"c"}: `selector` does not match template `labels`',
        ),
        (
            "daemonsets",
            workload(selector={}),
            "spec.selector",
            "Invalid value: {}: empty selector is invalid for daemonset",
        ),
        (
            "daemonsets",
            workload(updateStrategy={"type": "X"}),
            "spec.updateStrategy.type",
            'Unsupported value: "X": supported values: "OnDelete", "RollingUpdate"',
        ),
        ("daemonsets", {**workload(), "spec": {}}, "spec.template", "Required value"),
    ],
)
def test_rules_for_objects(name, obj, field, words):
    found = causes_of(name, obj)
    assert any(at == field and message.startswith(words) for at, message in found) or (not field and not found)


def changed(obj, path, value):
    found = copy.deepcopy(obj)
    *above, last = path.split(".")
    place = found
    for part in above:
        place = place[int(part) if part.isdigit() else part]
    place[last] = value
    return found


BINDING = {"metadata": {"name": "a"}, "roleRef": {"kind": "ClusterRole", "name": "r", "apiGroup": "g"}}
POD = {**named(), "spec": {"containers": [{"name": "a", "image": "i"}], "nodeName": "n", "tolerations": [{"key": "k"}]}}


@pytest.mark.parametrize(
    ("name", "old", "path", "value", "words"),
    [
        ("daemonsets", workload(), "spec.selector", {"matchLabels": {"a": "b", "c": "d"}}, "field is immutable"),
        ("clusterrolebindings", BINDING, "roleRef.name", "other", "cannot change roleRef"),
        ("pods", POD, "spec.nodeName", "m", "Forbidden: pod updates may not change fields other than"),
        ("pods", POD, "spec.tolerations", [], "Forbidden: existing toleration can not be modified"),
        ("pods", POD, "spec.containers.0.image", "j", ""),
        ("pods", changed(POD, "spec.nodeName", ""), "spec.nodeName", "n", ""),
        ("secrets", {**named(), "type": "a"}, "type", "b", "field is immutable"),
        (
            "configmaps",
            {**named(), "immutable": True, "data": {"a": "1"}},
            "data",
            {},
            "field is immutable when `immutable`",
        ),
        (
            "nodes",
            {"metadata": {"name": "n"}, "spec": {"podCIDRs": ["1"]}},
            "spec.podCIDRs",
            ["2"],
            "node updates may not",
        ),
    ],
)
def test_what_must_not_change(name, old, path, value, words):
    messages = [message for _field, message in causes_of(name, changed(old, path, value), old)]
    assert any(words in message for message in messages) if words else messages == []


def test_selectors_that_do_not_change_are_fine():
    assert causes_of("daemonsets", workload(), workload()) == []
