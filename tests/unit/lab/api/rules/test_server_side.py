# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply."""

from __future__ import annotations

import copy
import json

import pytest

from lab.api.errors import ApiError
from lab.api.kinds import KINDS
from lab.api.rules import managed, patches
from lab.api.rules.field_sets import from_fields_v1

CONFIG_MAP = KINDS.find("configmaps")
DAEMON_SET = KINDS.find("daemonsets.apps")
POOL = KINDS.find("ippools.crd.projectcalico.org")


def applied(current, wanted, kind=CONFIG_MAP, manager="me", **more):
    return patches.apply(patches.APPLY, current, wanted, kind, manager=manager, time="2026-01-01T00:00:00Z", **more)


def config(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "y"}, "data": data}


def workload(*containers, **spec):
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "x", "namespace": "y"},
        "spec": {"template": {"spec": {"containers": list(containers)}}, **spec},
    }


def owners(obj):
    return {entry["manager"]: from_fields_v1(entry["fieldsV1"]) for entry in obj["metadata"].get("managedFields", ())}


def test_applying_creates():
    made = applied(None, config(a="1"))
    assert made["data"] == {"a": "1"}
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "me",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:a": {}}},
        }
    ]


def test_what_is_no_longer_applied_is_removed():
    made = applied(applied(None, config(a="1", b="2")), config(b="2"))
    assert made["data"] == {"b": "2"}


def test_what_another_owns_too_stays():
    made = applied(None, config(a="1", b="2"))
    made = applied(made, config(a="1"), manager="other")
    made = applied(made, config(b="2"))
    assert made["data"] == {"a": "1", "b": "2"}
    assert owners(made)["other"] == {("f:data", "f:a")}


def test_what_nobody_applied_stays():
    made = applied(None, config(a="1"))
    changed = copy.deepcopy(made)
    changed["data"]["by-hand"] = "x"
    made = managed.record(made, changed, CONFIG_MAP, "kubectl-edit")
    assert applied(made, config())["data"] == {"by-hand": "x"}


def test_another_value_is_a_conflict():
    made = applied(None, config(a="1"))
    with pytest.raises(ApiError) as refused:
        applied(made, config(a="2"), manager="other")
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "me": .data.a'
    assert refused.value.details == {
        "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "me"', "field": ".data.a"}]
    }


def test_several_conflicts_are_listed_by_manager():
    made = managed.record(None, workload({"name": "c", "image": "1"}, minReadySeconds=1), DAEMON_SET, "installer")
    with pytest.raises(ApiError) as refused:
        applied(made, workload({"name": "c", "image": "2"}, minReadySeconds=2), DAEMON_SET)
    assert refused.value.message == (
        'Apply failed with 2 conflicts: conflicts with "installer" using apps/v1:\n'
        "- .spec.minReadySeconds\n"
        '- .spec.template.spec.containers[name="c"].image'
    )


def test_force_takes_over():
    made = applied(applied(None, config(a="1", b="1")), config(a="2"), manager="other", force=True)
    assert made["data"] == {"a": "2", "b": "1"}
    assert owners(made) == {"me": {("f:data", "f:b")}, "other": {("f:data", "f:a")}}


def test_the_same_value_is_shared():
    made = applied(applied(None, config(a="1")), config(a="1"), manager="other")
    assert owners(made) == {"me": {("f:data", "f:a")}, "other": {("f:data", "f:a")}}


def test_an_update_by_somebody_else_takes_what_it_changes():
    made = applied(None, config(a="1"))
    changed = copy.deepcopy(made)
    changed["data"]["a"] = "2"
    made = managed.record(made, changed, CONFIG_MAP, "kubectl-edit")
    assert list(owners(made)) == ["kubectl-edit"]
    with pytest.raises(ApiError, match=r'conflict with "kubectl-edit" using v1: \.data\.a'):
        applied(made, config(a="1"))


def test_lists_with_keys_keep_the_elements_of_others():
    made = applied(None, workload({"name": "a", "image": "1"}, {"name": "b", "image": "1"}), DAEMON_SET)
    made = applied(made, workload({"name": "c", "image": "1"}), DAEMON_SET, manager="sidecar")
    made = applied(made, workload({"name": "b", "image": "1"}), DAEMON_SET)
    assert [each["name"] for each in made["spec"]["template"]["spec"]["containers"]] == ["b", "c"]


def test_the_configuration_says_the_order():
    made = applied(None, workload({"name": "a"}, {"name": "b"}, {"name": "c"}), DAEMON_SET)
    made = applied(made, workload({"name": "c"}, {"name": "a"}, {"name": "b"}), DAEMON_SET)
    assert [each["name"] for each in made["spec"]["template"]["spec"]["containers"]] == ["c", "a", "b"]


def test_the_protocol_of_a_port_has_a_default():
    container = {"name": "a", "ports": [{"containerPort": 1}, {"containerPort": 1, "protocol": "UDP"}]}
    made = applied(None, workload(container), DAEMON_SET)
    assert any('k:{"containerPort":1,"protocol":"TCP"}' in path for path in owners(made)["me"])


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (workload(nonsense=1), ".spec.nonsense: field not declared in schema"),
        (
            workload({"image": "x"}),
            ".spec.template.spec.containers: element 0: associative list with keys has an element",
        ),
        (
            workload({"name": "a"}, {"name": "a"}),
            '.spec.template.spec.containers: duplicate entries for key [name="a"]',
        ),
        (workload(minReadySeconds="1"), '.spec.minReadySeconds: expected numeric (int or float), got &{"1"}'),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(wanted, words):
    with pytest.raises(ApiError) as refused:
        applied(None, wanted, DAEMON_SET)
    assert refused.value.code == 500
    begin = "failed to create typed patch object (y/x; apps/v1, Kind=DaemonSet): "
    assert refused.value.message.startswith(begin + words)


def test_of_another_version_or_with_managed_fields_it_is_refused():
    with pytest.raises(ApiError, match=r"in apply patch\. Specified patch version: v2, expected: v1"):
        applied(None, {**config(), "apiVersion": "v2"})
    with pytest.raises(ApiError, match=r"metadata\.managedFields must be nil"):
        applied(None, {**config(), "metadata": {"managedFields": [{}]}})


def test_what_was_there_before_the_first_apply_is_nobodys_in_particular():
    made = applied(config(a="1", b="2"), config(a="1"))
    assert owners(made) == {
        "before-first-apply": {("f:data",), ("f:data", "f:a"), ("f:data", "f:b")},
        "me": {("f:data", "f:a")},
    }


def test_kubectl_may_go_on_with_what_it_applied_from_the_clients_side():
    first = config(a="1")
    first["metadata"]["annotations"] = {managed.LAST_APPLIED: json.dumps(config(a="1"))}
    made = managed.record(None, first, CONFIG_MAP, "kubectl-client-side-apply")
    after = applied(made, config(a="2"), manager="kubectl")
    assert after["data"] == {"a": "2"}
    assert json.loads(after["metadata"]["annotations"][managed.LAST_APPLIED]) == config(a="2")
    with pytest.raises(ApiError, match=r'conflict with "kubectl-client-side-apply" using v1: \.data\.a'):
        applied(made, config(a="2"), manager="other")


def test_applying_the_same_again_changes_nothing():
    made = applied(None, config(a="1"))
    again = patches.apply(patches.APPLY, made, config(a="1"), CONFIG_MAP, manager="me", time="2027-01-01T00:00:00Z")
    assert again == made


def test_custom_resources_have_lists_with_keys_where_their_schema_says_so():
    items = {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "string"}}}
    keyed = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": items}
    spec = {"type": "object", "properties": {"keyed": keyed, "atomic": {"type": "array", "items": items}}}
    schema = {"type": "object", "properties": {"spec": spec}}

    def pool(name):
        one = [{"name": name, "value": "1"}]
        return {"apiVersion": POOL.api_version, "kind": "IPPool", "metadata": {"name": "x"}, "spec": {"keyed": one}}

    made = applied(applied(None, pool("a"), POOL, schema=schema), pool("b"), POOL, manager="other", schema=schema)
    assert [each["name"] for each in made["spec"]["keyed"]] == ["b", "a"] or [
        each["name"] for each in made["spec"]["keyed"]
    ] == ["a", "b"]
    with pytest.raises(ApiError, match="conflict with"):
        applied(applied(None, pool("a"), POOL), pool("b"), POOL, manager="other")


def test_status_is_applied_through_its_subresource():
    status = {"status": {"numberReady": 1}}
    made = applied(None, {**workload(), **status}, DAEMON_SET)
    assert not any(path[0] == "f:status" for path in owners(made).get("me", ()))
    made = applied(workload(), {**workload(), **status}, DAEMON_SET, subresource="status")
    assert owners(made)["me"] == {("f:status", "f:numberReady")}
