# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DaemonSet controller over a real store, with a kubelet that the test plays."""

from __future__ import annotations

import threading

import pytest

from lab import topology
from lab.api import kinds
from lab.api.errors import internal
from lab.api.store import Store
from lab.controller import cluster, pods, seeding
from lab.controller.context import Context
from lab.controller.daemonsets import DaemonSets
from lab.controller.garbage import Garbage

PLAN = topology.plan("one_subnet", 4)


class Bare(Context):
    """The context without a lab."""

    def __init__(self, store):
        self.store = store
        self.environments = {}
        self.ended = threading.Event()


@pytest.fixture
def store():
    made = Store(kinds.served())
    for each in cluster.objects(PLAN):
        seeding.ensure(made, each, "test")
    return made


@pytest.fixture
def controller(store):
    return DaemonSets(Bare(store))


def kind(store, name):
    return store.kinds.find(name)


def mine(store):
    found = store.list(kind(store, "pods"), "kube-system", labels={"k8s-app": "calico-node"})
    return {each["spec"]["nodeName"]: each for each in found if "deletionTimestamp" not in each["metadata"]}


def ready(store, *names):
    """What a kubelet does: all pods run, those of `names` (or all) are ready."""
    for node, pod in mine(store).items():

        def change(obj, node=node):
            pods.started(obj, "10.0.0.1", "10.0.0.1", ready=not names or node in names)

        store.mutate(kind(store, "pods"), "kube-system", pod["metadata"]["name"], change, subresource="status")


def status(store):
    return store.get(kind(store, "daemonsets"), "kube-system", "calico-node")["status"]


def change_template(store, value="new"):
    def change(obj):
        obj["spec"]["template"]["metadata"].setdefault("annotations", {})["mark"] = value

    store.mutate(kind(store, "daemonsets"), "kube-system", "calico-node", change)


def events(store, reason):
    return [each for each in store.list(kind(store, "events")) if each["reason"] == reason]


def test_a_cluster_that_is_well_is_left_alone(store, controller):
    before = mine(store)
    ready(store)
    controller.work()
    assert mine(store).keys() == before.keys()
    assert status(store)["numberReady"] == status(store)["updatedNumberScheduled"] == 4
    version = store.version
    controller.work()
    assert store.version == version, "nothing is written that has not changed"


def test_a_pod_that_is_gone_comes_again(store, controller):
    name = mine(store)["node-2"]["metadata"]["name"]
    store.delete(kind(store, "pods"), "kube-system", name, grace_seconds=0)
    controller.work()
    assert mine(store)["node-2"]["metadata"]["name"] != name


def test_one_at_a_time(store, controller):
    ready(store)
    old = {each["metadata"]["uid"] for each in mine(store).values()}
    change_template(store)
    steps = 0
    while old & {each["metadata"]["uid"] for each in mine(store).values()}:
        controller.work()
        missing = 4 - sum(each["metadata"]["uid"] in old for each in mine(store).values())
        assert missing <= steps + 1
        controller.work()
        ready(store)
        steps += 1
        assert steps < 10
    controller.work()
    assert steps == 4
    assert status(store) == {
        "currentNumberScheduled": 4,
        "desiredNumberScheduled": 4,
        "numberAvailable": 4,
        "numberMisscheduled": 0,
        "numberReady": 4,
        "observedGeneration": 2,
        "updatedNumberScheduled": 4,
    }


def test_a_new_pod_that_is_not_ready_stops_the_roll(store, controller):
    ready(store)
    change_template(store)
    for _round in range(6):
        controller.work()
        ready(store, "nobody-new", *(name for name, pod in mine(store).items() if "mark" not in str(pod["metadata"])))
    assert sum("mark" in str(pod["metadata"].get("annotations")) for pod in mine(store).values()) == 1
    assert status(store)["numberUnavailable"] == 1


def test_on_delete_waits_for_somebody_to_delete(store, controller):
    ready(store)
    strategy = {"updateStrategy": {"type": "OnDelete"}}
    store.mutate(kind(store, "daemonsets"), "kube-system", "calico-node", lambda obj: obj["spec"].update(strategy))
    change_template(store)
    before = mine(store)
    controller.work()
    assert mine(store) == before
    assert status(store)["updatedNumberScheduled"] == 0


def test_nodes_that_do_not_fit_any_more_lose_their_pod(store, controller):
    ready(store)
    store.mutate(
        kind(store, "nodes"), "", "node-3", lambda obj: obj["metadata"]["labels"].update({"kubernetes.io/os": "x"})
    )
    controller.work()
    controller.work()
    assert "node-3" not in mine(store)
    assert status(store)["desiredNumberScheduled"] == 3


def test_a_cordoned_node_keeps_its_pod_and_gets_new_ones(store, controller):
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    change = {"unschedulable": True, "taints": [taint]}
    store.mutate(kind(store, "nodes"), "", "node-3", lambda obj: obj["spec"].update(change))
    store.delete(kind(store, "pods"), "kube-system", mine(store)["node-3"]["metadata"]["name"], grace_seconds=0)
    controller.work()
    assert "node-3" in mine(store)


def test_what_is_refused_becomes_an_event_and_is_tried_again_later(store, controller):
    store.delete(kind(store, "pods"), "kube-system", mine(store)["node-3"]["metadata"]["name"], grace_seconds=0)

    def admit(asked, new, old):
        if asked.plural == "pods" and old is None:
            raise internal("failed calling webhook")
        return new

    store.admit = admit
    again = controller.work()
    assert 0 < again <= 1
    assert (
        "Error creating: Internal error occurred: failed calling webhook" in events(store, "FailedCreate")[0]["message"]
    )
    assert "node-3" not in mine(store)
    controller.work()
    assert events(store, "FailedCreate")[0]["count"] == 1, "not before the time has come"


def test_templates_are_kept_as_revisions_and_the_present_one_is_the_newest(store, controller):
    def revisions():
        found = store.list(kind(store, "controllerrevisions"), "kube-system", labels={"k8s-app": "calico-node"})
        return sorted(each["revision"] for each in found)

    change_template(store, "two")
    controller.work()
    assert revisions() == [1, 2]

    def undo(obj):
        obj["spec"]["template"]["metadata"].pop("annotations")

    store.mutate(kind(store, "daemonsets"), "kube-system", "calico-node", undo)
    controller.work()
    assert revisions() == [2, 3]


def test_the_pod_of_a_node_that_is_gone_goes_with_it(store, controller):
    controller.work()
    ready(store)
    store.delete(kind(store, "nodes"), "", "node-4")

    controller.work()
    Garbage(Bare(store)).work()

    left = {each["spec"]["nodeName"] for each in store.list(kind(store, "pods"), "kube-system")}
    assert "node-4" not in left
    assert {"node-1", "node-2", "node-3"} <= left
