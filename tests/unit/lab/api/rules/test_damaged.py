# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole objects of which a value or two are something else: nothing but the documented errors comes out."""

from __future__ import annotations

import contextlib
import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.api.errors import ApiError
from lab.api.kinds import KINDS
from lab.api.rules import escalation, managed, patches, rbac
from lab.api.rules.validation import Schemas

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "delete", "Apply", "ClusterRole", "*", "1Gi", "$patch", "\ud800"])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "metadata", "$patch", "a", "labels"]), inner, max_size=4)
    ),
    max_leaves=10,
)
ordinary = settings(max_examples=100, suppress_health_check=list(HealthCheck))
WHOLE = {
    "daemonsets.apps": {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": "x",
            "namespace": "y",
            "labels": {"a": "b"},
            "annotations": {managed.LAST_APPLIED: "{}"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1", "controller": True}],
            "managedFields": [
                {
                    "manager": "m",
                    "operation": "Apply",
                    "apiVersion": "apps/v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}}}}}}},
                }
            ],
        },
        "spec": {
            "selector": {
                "matchLabels": {"a": "b"},
                "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}],
            },
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "image": "i",
                            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "f"}}}],
                            "ports": [{"containerPort": 1}],
                            "resources": {"limits": {"cpu": "1"}},
                            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                        }
                    ],
                    "tolerations": [{"key": "k"}],
                    "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
                },
            },
        },
        "status": {"numberReady": 1, "conditions": [{"type": "t", "status": "True"}]},
    },
    "clusterroles": {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "x"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
        "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"nonResourceURLs": ["/"], "verbs": ["*"]},
        ],
    },
    "rolebindings": {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "x", "namespace": "y"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"},
        "subjects": [{"kind": "User", "name": "a"}],
    },
    "services": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x", "namespace": "y"},
        "spec": {
            "clusterIP": "1.1.1.1",
            "ports": [{"port": 1, "name": "a", "targetPort": "b"}],
            "selector": {"a": "b"},
        },
    },
    "nodes": {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "x"},
        "spec": {"podCIDRs": ["1"], "taints": [{"key": "a", "effect": "NoSchedule"}]},
        "status": {"addresses": [{"type": "Hostname", "address": "x"}], "capacity": {"cpu": "1"}},
    },
}


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


@st.composite
def damaged(draw, name):
    """A whole object of which one or two values are something else."""
    found = copy.deepcopy(WHOLE[name])
    for _time in range(draw(st.integers(0, 2))):
        *above, last = draw(st.sampled_from([path for path in places(found) if path]))
        place = found
        for part in above:
            place = place[part]
        place[last] = draw(VALUES)
    return found


@pytest.mark.parametrize("name", WHOLE)
@ordinary
@given(data=st.data())
def test_damaged_objects(name, data):
    kind = KINDS.find(name)
    old, new = data.draw(damaged(name)), data.draw(damaged(name))
    with contextlib.suppress(ApiError):
        Schemas().check(kind, new, Schemas().check(kind, old).object)
    made = managed.record(old, new, kind, "a")
    assert managed.record(made, made, kind, "a") == made
    for content_type in (patches.STRATEGIC, patches.MERGE):
        with contextlib.suppress(ApiError):
            patches.apply(content_type, old, new, kind)
    for manager in ("kubectl", "m"):
        with contextlib.suppress(ApiError):
            patches.apply(patches.APPLY, old, new, kind, manager=manager, force=data.draw(st.booleans()))
    with contextlib.suppress(ApiError):
        escalation.check_write(lambda _plural: [old, new], "a", ["b"], kind.plural, new, old)
    rbac.decide(lambda _plural: [old, new], "a", [], rbac.Request("get", "", "pods"))
