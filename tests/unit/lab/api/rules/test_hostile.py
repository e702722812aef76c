# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes in, nothing but the documented errors comes out."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.api.errors import ApiError
from lab.api.kinds import KINDS
from lab.api.rules import custom, escalation, managed, patches, rbac, reviews, selectors
from lab.api.rules.disturbances import BadSettingError, Disturbances
from lab.api.rules.validation import Schemas

ordinary = settings(max_examples=100, suppress_health_check=list(HealthCheck))
NAMES = [
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "managedFields",
    "spec",
    "status",
    "template",
    "selector",
    "matchLabels",
    "matchExpressions",
    "containers",
    "env",
    "ports",
    "containerPort",
    "volumes",
    "volumeMounts",
    "rules",
    "verbs",
    "resources",
    "subjects",
    "roleRef",
    "kind",
    "apiVersion",
    "a",
    "b",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers",
    "$setElementOrder/env",
    "op",
    "path",
    "from",
    "value",
    "aggregationRule",
    "clusterRoleSelectors",
    "fieldsV1",
    "f:a",
    "k:{",
    "apiGroups",
    "operator",
    "key",
    "values",
    "resourceAttributes",
    "nonResourceAttributes",
    "what",
    "count",
    "every",
    "kinds",
    "seconds",
    "data",
    "taints",
    "uid",
    "name",
]
WORDS = [
    "",
    "a",
    "x",
    "delete",
    "replace",
    "Apply",
    "Update",
    "v1",
    "ClusterRole",
    "In",
    "*",
    "/a/0",
    "add",
    "1Gi",
    "\ud800",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
KIND = st.sampled_from(
    [
        KINDS.find(name)
        for name in (
            "daemonsets.apps",
            "pods",
            "nodes",
            "services",
            "configmaps",
            "secrets",
            "ippools",
            "clusterroles",
            "rolebindings",
            "customresourcedefinitions",
            "events",
            "endpointslices",
            "validatingwebhookconfigurations",
        )
    ]
)
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "a": {"type": "string", "pattern": "^a", "default": "a"},
                "env": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                },
                "b": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            },
        }
    },
}


@ordinary
@given(kind=KIND, current=OBJECTS, patch=VALUES)
def test_patches(kind, current, patch):
    for content_type in (patches.JSON, patches.MERGE, patches.STRATEGIC):
        with contextlib.suppress(ApiError):
            assert isinstance(patches.apply(content_type, current, patch, kind), dict)


@ordinary
@given(kind=KIND, current=OBJECTS, patch=OBJECTS, force=st.booleans())
def test_server_side_apply(kind, current, patch, force):
    patch = {**patch, "apiVersion": kind.api_version, "kind": kind.kind}
    for schema in (None, SCHEMA):
        with contextlib.suppress(ApiError):
            patches.apply(patches.APPLY, current, patch, kind, manager="a", force=force, schema=schema)


@ordinary
@given(kind=KIND, old=st.none() | OBJECTS, new=OBJECTS)
def test_managed_fields(kind, old, new):
    for schema in (None, SCHEMA):
        made = managed.record(old, new, kind, "a", schema=schema)
        assert managed.record(made, made, kind, "a", schema=schema) == made or old is not None


@ordinary
@given(kind=KIND, obj=VALUES, old=st.none() | OBJECTS)
def test_validation(kind, obj, old):
    for schemas in (Schemas(), Schemas([_definition(SCHEMA)])):
        with contextlib.suppress(ApiError):
            known, _causes = schemas.check(kind, obj, old)
            schemas.check(kind, known, known)
        with contextlib.suppress(ApiError):
            schemas.unknown(kind, obj)


def _definition(schema):
    version = {"name": "v1", "schema": {"openAPIV3Schema": schema}}
    return {"metadata": {"name": "ippools.crd.projectcalico.org"}, "spec": {"versions": [version]}}


@ordinary
@given(value=VALUES)
def test_a_valid_object_stays_as_it_is(value):
    """Pruning and defaulting are done once and for all."""
    once = custom.defaulted(custom.pruned(value, SCHEMA)[0], SCHEMA)
    again, unknown = custom.pruned(once, SCHEMA)
    assert (custom.defaulted(again, SCHEMA), unknown) == (once, [])


@ordinary
@given(text=st.text(max_size=20) | st.text(alphabet="ab =!<>(),in\\", max_size=20), obj=OBJECTS)
def test_selectors(text, obj):
    for parse in (selectors.labels, selectors.fields):
        with contextlib.suppress(ApiError):
            assert parse(text)(obj) in (True, False)


@ordinary
@given(objects=st.lists(OBJECTS, max_size=4), obj=OBJECTS, user=st.sampled_from(WORDS))
def test_rbac(objects, obj, user):
    def read(_plural):
        return objects

    request = rbac.Request("get", "", "pods", namespace="a", name="a")
    assert isinstance(rbac.decide(read, user, ["a"], request).allowed, bool)
    for plural in ("roles", "clusterroles", "rolebindings", "clusterrolebindings"):
        with contextlib.suppress(ApiError):
            escalation.check_write(read, user, ["a"], plural, obj)
    for name in ("selfsubjectaccessreviews", "subjectaccessreviews", "selfsubjectrulesreviews"):
        with contextlib.suppress(ApiError):
            assert "status" in reviews.review(read, user, ["a"], KINDS.find(name), obj)


@ordinary
@given(setting=VALUES | st.lists(OBJECTS, max_size=2))
def test_disturbances(setting):
    found = Disturbances()
    with contextlib.suppress(BadSettingError):
        found.set(setting)
    found.happens("a", rbac.Request("get", "", "pods"))
    found.set(found.settings())


@ordinary
@given(body=st.binary(max_size=40) | VALUES.map(json.dumps).map(str.encode))
def test_bodies(body):
    for content_type in (patches.JSON, patches.APPLY):
        with contextlib.suppress(ApiError):
            json.dumps(patches.decode(content_type, body))


@pytest.mark.parametrize("text", ["a: &x [*x]", "!!python/object:os.system {}", "? [a]\n: b", "- " * 3000, "<<: 1"])
def test_strange_yaml(text):
    with contextlib.suppress(ApiError):
        json.dumps(patches.decode(patches.APPLY, text.encode()))


def test_yaml_is_not_blown_up_by_aliases():
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    with pytest.raises(ApiError, match="excessive aliasing"):
        patches.decode(patches.APPLY, "\n".join(lines).encode())
