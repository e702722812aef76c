# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects, their versions, what is told of changes, and what goes with what."""

from __future__ import annotations

import threading

import pytest

from lab.api import errors, kinds
from lab.api.store import Store

KINDS = kinds.KINDS
MAPS, PODS, SETS, NODES = (KINDS.find(name) for name in ("configmaps", "pods", "daemonsets", "nodes"))
NAMESPACES, POOLS = KINDS.find("namespaces"), KINDS.find("ippools.crd.projectcalico.org")


@pytest.fixture
def store():
    return Store(KINDS)


def owned(name, owner, **spec):
    reference = {key: owner[key] for key in ("apiVersion", "kind")}
    reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    return {"metadata": {"name": name, "ownerReferences": [reference]}, "spec": spec}


def names(store, kind):
    return [each["metadata"]["name"] for each in store.list(kind)]


def test_what_is_created_is_complete_and_the_callers_own(store):
    given = {"metadata": {"name": "a"}, "data": {"x": "1"}}
    made = store.create(MAPS, "default", given)
    assert (made["apiVersion"], made["kind"], made["metadata"]["namespace"]) == ("v1", "ConfigMap", "default")
    assert made["metadata"]["uid"]
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    assert "uid" not in given["metadata"]
    made["data"]["x"] = "2"
    assert store.get(MAPS, "default", "a")["data"] == {"x": "1"}


def test_names_are_made_of_generate_name(store):
    made = [store.create(MAPS, "default", {"metadata": {"generateName": "x" * 70}}) for _number in range(2)]
    assert {len(each["metadata"]["name"]) for each in made} == {63}
    assert made[0]["metadata"]["name"] != made[1]["metadata"]["name"]
    with pytest.raises(errors.Invalid, match="name or generateName is required"):
        store.create(MAPS, "default", {"metadata": {}})


def test_refusals(store):
    with pytest.raises(errors.NotFound, match=r'^configmaps "a" not found$'):
        store.get(MAPS, "default", "a")
    store.create(SETS, "default", {"metadata": {"name": "a"}})
    with pytest.raises(errors.AlreadyExists, match=r'^daemonsets\.apps "a" already exists$'):
        store.create(SETS, "default", {"metadata": {"name": "a"}})
    with pytest.raises(errors.ApiError, match="namespace of the provided object does not match"):
        store.create(MAPS, "default", {"metadata": {"name": "a", "namespace": "other"}})


def test_old_versions_are_refused_and_no_change_is_no_version(store):
    old = store.create(SETS, "default", {"metadata": {"name": "a"}, "spec": {"x": 1}})
    new = store.replace(SETS, "default", "a", {**old, "spec": {"x": 2}})
    assert new["metadata"]["generation"] == 2
    with pytest.raises(errors.Conflict, match="the object has been modified"):
        store.replace(SETS, "default", "a", old)
    assert store.replace(SETS, "default", "a", new) == new
    relabelled = store.mutate(SETS, "default", "a", lambda obj: obj["metadata"].update(labels={"a": "b"}))
    assert relabelled["metadata"]["generation"] == 2


def test_status_changes_by_its_subresource_only(store):
    store.create(SETS, "default", {"metadata": {"name": "a"}, "spec": {"x": 1}, "status": {"numberReady": 1}})

    def both(obj):
        obj["spec"]["x"], obj["status"]["numberReady"] = 2, 2

    changed = store.mutate(SETS, "default", "a", both)
    assert (changed["spec"], changed["status"]) == ({"x": 2}, {"numberReady": 1})
    changed = store.mutate(SETS, "default", "a", lambda obj: obj.update(spec={}, status={}), subresource="status")
    assert (changed["spec"], changed["status"]) == ({"x": 2}, {})


def test_dry_run_keeps_nothing(store):
    store.create(MAPS, "default", {"metadata": {"name": "a"}}, dry_run=True)
    assert store.list(MAPS) == []
    store.create(MAPS, "default", {"metadata": {"name": "a"}})
    store.replace(MAPS, "default", "a", {"metadata": {}, "data": {"x": "1"}}, dry_run=True)
    store.delete(MAPS, "default", "a", dry_run=True)
    assert "data" not in store.get(MAPS, "default", "a")


def test_a_list_is_ordered_and_can_be_narrowed(store):
    for namespace, name, node in (("b", "x", "n1"), ("a", "z", "n2"), ("a", "y", "n1")):
        store.create(PODS, namespace, {"metadata": {"name": name, "labels": {"l": name}}, "spec": {"nodeName": node}})
    assert names(store, PODS) == ["y", "z", "x"]
    assert [each["metadata"]["name"] for each in store.list(PODS, "a")] == ["y", "z"]
    chosen = store.list(PODS, fields={"spec.nodeName": "n1"}, labels={"l": "x"})
    assert [each["metadata"]["name"] for each in chosen] == ["x"]


def test_changes_are_told_in_order(store):
    events = []
    stop = store.subscribe(events.append)
    store.create(MAPS, "default", {"metadata": {"name": "a"}})
    store.mutate(MAPS, "default", "a", lambda obj: obj.update(data={"x": "1"}))
    store.delete(MAPS, "default", "a")
    stop()
    store.create(MAPS, "default", {"metadata": {"name": "b"}})
    assert [(event.type, event.entry.version) for event in events] == [
        ("ADDED", 1001),
        ("MODIFIED", 1002),
        ("DELETED", 1003),
    ]
    assert [event.type for event in store.changes(MAPS, 1001, 0)] == ["MODIFIED", "DELETED", "ADDED"]
    assert store.changes(PODS, 1000, 0) == []


def test_a_watch_waits_for_the_next_change(store):
    store.create(MAPS, "default", {"metadata": {"name": "a"}})
    watch = store.watch(MAPS)
    assert next(watch)[0] == "ADDED"
    threading.Timer(0.05, lambda: store.delete(MAPS, "default", "a")).start()
    kind, obj = next(watch)
    assert (kind, obj["metadata"]["resourceVersion"]) == ("DELETED", "1002")


def test_what_is_forgotten_cannot_be_watched(store):
    store.create(MAPS, "default", {"metadata": {"name": "a"}})
    store.forget()
    with pytest.raises(errors.Expired, match=r"too old resource version: 1000 \(1001\)"):
        store.changes(MAPS, 1000, 0)
    assert store.changes(MAPS, 1001, 0) == []


def test_dependents_go_with_their_last_owner(store):
    owner = store.create(SETS, "default", {"metadata": {"name": "a"}})
    other = store.create(SETS, "default", {"metadata": {"name": "b"}})
    store.create(PODS, "default", owned("one", owner))
    both = owned("both", owner)
    both["metadata"]["ownerReferences"] += owned("x", other)["metadata"]["ownerReferences"]
    store.create(PODS, "default", both)
    store.delete(SETS, "default", "a")
    assert names(store, PODS) == ["both"]
    assert [each["name"] for each in store.list(PODS)[0]["metadata"]["ownerReferences"]] == ["b"]
    store.delete(SETS, "default", "b", propagation="Orphan")
    assert "ownerReferences" not in store.list(PODS)[0]["metadata"]


def test_an_owner_waits_for_its_dependents_if_asked_to(store):
    owner = store.create(SETS, "default", {"metadata": {"name": "a"}})
    store.create(PODS, "default", owned("p", owner, nodeName="n"))
    kept = store.delete(SETS, "default", "a", propagation="Foreground")
    assert kept["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert store.get(PODS, "default", "p")["metadata"]["deletionGracePeriodSeconds"] == 30
    store.delete(PODS, "default", "p", grace_seconds=0)
    assert names(store, SETS) == []


@pytest.mark.parametrize(
    ("spec", "status", "asked", "stays"),
    [
        ({"nodeName": "n"}, {}, None, 30),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 5}, {}, None, 5),
        ({"nodeName": "n"}, {}, 3, 3),
        ({"nodeName": "n"}, {}, 0, None),
        ({}, {}, None, None),
        ({"nodeName": "n"}, {"phase": "Succeeded"}, None, None),
    ],
)
def test_a_pod_on_a_node_has_its_grace_period(store, spec, status, asked, stays):
    store.create(PODS, "default", {"metadata": {"name": "p"}, "spec": spec, "status": status})
    store.delete(PODS, "default", "p", grace_seconds=asked)
    left = store.list(PODS)
    assert [each["metadata"]["deletionGracePeriodSeconds"] for each in left] == ([stays] if stays else [])
    if stays:
        store.delete(PODS, "default", "p", grace_seconds=100)
        assert store.list(PODS) == left
        store.delete(PODS, "default", "p", grace_seconds=0)
        assert store.list(PODS) == []


def test_finalizers_keep_an_object_until_they_are_gone(store):
    store.create(POOLS, "", {"metadata": {"name": "p", "finalizers": ["x/y"]}})
    assert "deletionTimestamp" in store.delete(POOLS, "", "p")["metadata"]
    store.mutate(POOLS, "", "p", lambda obj: obj["metadata"].pop("finalizers") and None)
    assert store.list(POOLS) == []


def test_a_namespace_goes_with_all_that_is_in_it(store):
    store.create(NAMESPACES, "", {"metadata": {"name": "n"}, "spec": {"finalizers": ["kubernetes"]}})
    store.create(MAPS, "n", {"metadata": {"name": "a"}})
    store.create(PODS, "n", {"metadata": {"name": "p"}, "spec": {"nodeName": "x"}})
    assert store.delete(NAMESPACES, "", "n")["status"] == {"phase": "Terminating"}
    assert names(store, MAPS) == []
    assert names(store, NAMESPACES) == ["n"]
    store.delete(PODS, "n", "p", grace_seconds=0)
    assert names(store, NAMESPACES) == []


def test_preconditions(store):
    store.create(MAPS, "default", {"metadata": {"name": "a"}})
    with pytest.raises(errors.Conflict, match="Precondition failed: UID in precondition: x"):
        store.delete(MAPS, "default", "a", uid="x")
    with pytest.raises(errors.Conflict, match="Precondition failed: ResourceVersion"):
        store.delete(MAPS, "default", "a", version="1")


def test_managers_own_what_they_write(store):
    store.create(SETS, "default", {"metadata": {"name": "a"}, "spec": {"x": 1, "y": 1}}, manager="one")
    changed = store.mutate(SETS, "default", "a", lambda obj: obj["spec"].update(x=2), manager="two")
    owners = {each["manager"]: each["fieldsV1"] for each in changed["metadata"]["managedFields"]}
    assert set(owners) == {"one", "two"}
    assert "f:x" not in owners["one"].get("f:spec", {})


def test_many_objects_are_loaded_as_they_are(store):
    store.load(NODES, ({"metadata": {"name": f"node-{number}"}} for number in range(10)))
    assert len(store.list(NODES)) == 10
    assert store.get(NODES, "", "node-3")["kind"] == "Node"
