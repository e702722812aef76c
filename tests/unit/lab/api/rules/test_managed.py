# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""managedFields of creates, replaces and patches."""

from __future__ import annotations

import copy

import pytest

from lab.api.kinds import KINDS
from lab.api.rules import managed
from lab.api.rules.field_sets import from_fields_v1, to_fields_v1

DAEMON_SET = KINDS.find("daemonsets.apps")
POOL = KINDS.find("ippools.crd.projectcalico.org")
THEN, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def daemon_set(image="a:1", **labels):
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "x", "namespace": "y", "labels": labels or {"app": "x"}, "uid": "1"},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {
                "metadata": {"labels": {"app": "x"}},
                "spec": {"containers": [{"name": "c", "image": image, "env": [{"name": "A", "value": "1"}]}]},
            },
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}, "type": "RollingUpdate"},
        },
    }


def entries(obj):
    return {entry["manager"]: entry for entry in obj["metadata"]["managedFields"]}


def test_a_created_object_looks_as_on_a_real_server():
    made = managed.record(None, daemon_set(), DAEMON_SET, "kubectl-create", time=THEN)
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "apps/v1",
            "time": THEN,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:selector": {},
                    "f:template": {
                        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                        "f:spec": {
                            "f:containers": {
                                'k:{"name":"c"}': {
                                    ".": {},
                                    "f:env": {".": {}, 'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
                                    "f:image": {},
                                    "f:name": {},
                                }
                            }
                        },
                    },
                    "f:updateStrategy": {"f:rollingUpdate": {".": {}, "f:maxUnavailable": {}}, "f:type": {}},
                },
            },
        }
    ]


def test_who_changes_a_value_owns_it():
    first = managed.record(None, daemon_set(), DAEMON_SET, "installer", time=THEN)
    changed = copy.deepcopy(first)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "a:2"
    second = managed.record(first, changed, DAEMON_SET, "kubectl-set", time=LATER)
    found = entries(second)
    path = ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"c"}', "f:image")
    assert from_fields_v1(found["kubectl-set"]["fieldsV1"]) == {path}
    assert path not in from_fields_v1(found["installer"]["fieldsV1"])
    assert (found["installer"]["time"], found["kubectl-set"]["time"]) == (THEN, LATER)


def test_what_is_removed_is_nobodys():
    first = managed.record(None, daemon_set(), DAEMON_SET, "installer", time=THEN)
    changed = copy.deepcopy(first)
    del changed["spec"]["template"]["spec"]["containers"][0]["env"]
    second = managed.record(first, changed, DAEMON_SET, "me", time=LATER)
    assert "f:env" not in str(second["metadata"]["managedFields"])
    assert list(entries(second)) == ["installer"]


def test_a_write_without_change_changes_no_owner():
    first = managed.record(None, daemon_set(), DAEMON_SET, "installer", time=THEN)
    assert managed.record(first, first, DAEMON_SET, "me", time=LATER) == first


def test_status_belongs_to_its_subresource():
    first = managed.record(None, daemon_set(), DAEMON_SET, "installer", time=THEN)
    changed = {**copy.deepcopy(first), "status": {"numberReady": 1}}
    second = managed.record(first, changed, DAEMON_SET, "controller", subresource="status", time=LATER)
    found = entries(second)["controller"]
    assert found["subresource"] == "status"
    assert found["fieldsV1"] == {"f:status": {"f:numberReady": {}}}


def test_custom_resources_own_their_spec_as_a_whole_too():
    pool = {"apiVersion": POOL.api_version, "kind": "IPPool", "metadata": {"name": "x"}, "spec": {"cidr": "10.0.0.0/8"}}
    made = managed.record(None, pool, POOL, "calicoctl", time=THEN)
    assert entries(made)["calicoctl"]["fieldsV1"] == {"f:spec": {".": {}, "f:cidr": {}}}


def test_an_object_without_managed_fields_stays_without():
    old = daemon_set()
    assert "managedFields" not in managed.record(old, daemon_set("a:2"), DAEMON_SET, "me")["metadata"]


@pytest.mark.parametrize("sent", [[], [{}]])
def test_an_empty_list_clears_them(sent):
    first = managed.record(None, daemon_set(), DAEMON_SET, "installer", time=THEN)
    cleared = copy.deepcopy(first)
    cleared["metadata"]["managedFields"] = sent
    assert "managedFields" not in managed.record(first, cleared, DAEMON_SET, "me")["metadata"]


def test_nonsense_that_is_sent_does_not_replace_them():
    first = managed.record(None, daemon_set(), DAEMON_SET, "installer", time=THEN)
    for sent in (None, "x", [1], [{"manager": "x"}], [{"operation": "Update", "apiVersion": 1}]):
        broken = copy.deepcopy(first)
        broken["metadata"]["managedFields"] = sent
        assert managed.record(first, broken, DAEMON_SET, "me", time=LATER) == first


def test_more_than_ten_writers_are_put_together():
    obj = managed.record(None, daemon_set(), DAEMON_SET, "writer-00", time=THEN)
    for number in range(1, 15):
        changed = copy.deepcopy(obj)
        changed["metadata"]["labels"][f"label-{number}"] = "x"
        obj = managed.record(obj, changed, DAEMON_SET, f"writer-{number:02}", time=f"2026-01-01T00:00:{number:02}Z")
    found = entries(obj)
    assert len(found) == 10
    assert "ancient-changes" in found
    assert "writer-14" in found
    everything = set().union(*(from_fields_v1(entry["fieldsV1"]) for entry in found.values()))
    assert {("f:metadata", "f:labels", f"f:label-{number}") for number in range(1, 15)} <= everything


@pytest.mark.parametrize(
    ("field_manager", "user_agent", "name"),
    [
        ("me", "kubectl/v1.20", "me"),
        ("", "kubectl/v1.20 (linux/amd64)", "kubectl"),
        ("", "OpenAPI-Generator/37.0.2/python", "OpenAPI-Generator"),
        ("", "a\x00b\n", "ab"),
        ("", "ü" * 100, "ü" * 64),
        ("", "", ""),
    ],
)
def test_managers_are_named_after_their_program(field_manager, user_agent, name):
    assert managed.name_of(field_manager, user_agent) == name


def test_fields_v1_survives_reading_and_writing():
    tree = {"f:a": {}, "f:b": {".": {}, 'k:{"x":1}': {".": {}, "f:x": {}}}, "f:c": {'v:"s"': {}}}
    assert to_fields_v1(from_fields_v1(tree)) == tree
