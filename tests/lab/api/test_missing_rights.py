# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""object_change as an account that lacks one single right of the shipped manifest: nothing is changed, and it is told
which right is missing and where to get it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import lock

from .changing import PEER, SYSTEM, V1, set_pool

ENV = ["spec", "template", "spec", "containers", {"name": "calico-node"}, "env", {"name": "FELIX_HEALTHHOST"}, "value"]
CORDON = {"action": "cordon", "name": "node-2"}
VARIABLE = {
    "action": "patch", "api_version": "apps/v1", "kind": "DaemonSet", "namespace": SYSTEM, "name": "calico-node",
    "set": [{"path": ENV, "value": "127.0.0.1", "was": [None]}],
}  # fmt: skip
DATA = {
    "action": "patch", "api_version": "v1", "kind": "ConfigMap", "namespace": SYSTEM, "name": "calico-config",
    "patch": {"data": {"veth_mtu": "1400"}},
}  # fmt: skip
NEW_PEER = {"action": "create", "object": PEER}
NO_PEER = {"action": "delete", "api_version": V1, "kind": "BGPPeer", "name": PEER["metadata"]["name"]}


@contextmanager
def without(api, role, resource, verb):
    """The manifest's ClusterRole without a right, while this goes on."""

    def take(found):
        kept = found["rules"]
        found["rules"] = [
            part
            for rule in kept
            for part in (
                {**rule, "resources": [one for one in rule["resources"] if one != resource]},
                {**rule, "resources": [resource], "verbs": [one for one in rule["verbs"] if one != verb]},
            )
            if part["resources"] and part["verbs"] and set(part["resources"]) <= set(rule["resources"])
        ]

    before = api.get("clusterroles", role)["rules"]
    api.edit("clusterroles", role, take)
    yield
    api.edit("clusterroles", role, lambda found: found.update(rules=before))


@pytest.mark.parametrize(
    ("role", "resource", "verb", "change"),
    [
        ("netmedic-remediate", "ippools", "get", set_pool("CrossSubnet")),
        ("netmedic-remediate", "ippools", "patch", set_pool("CrossSubnet")),
        ("netmedic-remediate", "bgppeers", "get", NEW_PEER),
        ("netmedic-remediate", "bgppeers", "create", NEW_PEER),
        ("netmedic-remediate", "nodes", "get", CORDON),
        ("netmedic-remediate", "nodes", "patch", CORDON),
        ("netmedic-remediate-calico", "daemonsets", "patch", VARIABLE),
        ("netmedic-remediate-calico", "configmaps", "patch", DATA),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_right_that_is_missing_is_told_before_the_first_change(api, role, resource, verb, change):
    # With another change before it that may be made, and is not made either.
    allowed = set_pool("Never") if resource != "ippools" else CORDON
    before = api.everything()
    with without(api, role, resource, verb):
        done = api.change(allowed, change)
    assert api.everything() == before
    assert done.why.startswith("Nothing was changed. Not allowed at https://"), done.why
    assert f'cannot {verb} resource "{resource}"' in done.why
    assert "roles/remediate/files/rbac.yml of this collection" in done.why
    assert (done.changed, done.record) == (False, [])


def test_a_pod_that_must_not_be_deleted_stays(api):
    pod = next(each for each in api.store.list(api.store.kinds.find("pods"), SYSTEM, labels={"k8s-app": "calico-node"}))
    name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
    with without(api, "netmedic-remediate-calico", "pods", "delete"):
        done = api.change({"action": "restart_pod", "namespace": SYSTEM, "name": name, "uid": uid})
    assert 'cannot delete resource "pods"' in done.why
    assert "deletionTimestamp" not in api.get("pods", name, SYSTEM)["metadata"]


def test_what_cannot_be_undone_for_want_of_a_right_can_be_once_it_is_there(api):
    done = api.change(NEW_PEER, set_pool("Never"))
    assert done.why == ""
    with without(api, "netmedic-remediate", "bgppeers", "delete"):
        refused = api.undo(done.record)
    assert 'cannot delete resource "bgppeers"' in refused.why
    assert api.is_there("bgppeers", PEER["metadata"]["name"])
    # Whatever was put back is recorded, so that the rest can follow.
    undone = api.undo(done.record)
    assert undone.why == ""
    assert not api.is_there("bgppeers", PEER["metadata"]["name"])


@pytest.mark.parametrize("verb", ["create", "patch", "delete"])
def test_a_lock_that_cannot_be_held_to_the_end_is_not_taken(api, verb):
    with without(api, "netmedic-remediate-calico", "leases", verb):
        told = api.lock("acquired", "me").why
    assert f'cannot {verb} resource "leases"' in told, told
    assert "roles/remediate/files/rbac.yml of this collection" in told
    # What may not be deleted ends by itself.
    assert api.is_there("leases", lock.NAME, SYSTEM) is (verb == "delete")
    assert api.lock("released", "me").why == ""
