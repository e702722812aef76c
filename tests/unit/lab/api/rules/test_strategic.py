# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategic merge patch; see test_against_kubectl for what the real program makes of many more."""

from __future__ import annotations

import pytest

from lab.api.errors import ApiError
from lab.api.kinds import KINDS
from lab.api.rules import patches

DAEMON_SET = KINDS.find("daemonsets.apps")


def patched(current, patch, kind="daemonsets.apps"):
    return patches.apply(patches.STRATEGIC, current, patch, KINDS.find(kind))


def pod(**spec):
    return {"spec": {"template": {"spec": spec}}}


def test_containers_and_their_variables_are_merged_by_name():
    current = pod(containers=[{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}])
    patch = pod(containers=[{"name": "a", "env": [{"name": "Y", "value": "2"}]}])
    assert patched(current, patch) == pod(
        containers=[
            {"name": "a", "image": "1", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]},
            {"name": "b"},
        ]
    )


def test_the_order_can_be_said():
    current = pod(containers=[{"name": "a"}, {"name": "b"}])
    patch = pod(**{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "b"}]})
    assert patched(current, patch) == pod(containers=[{"name": "b"}, {"name": "a"}])


def test_elements_are_deleted_and_lists_replaced():
    current = pod(containers=[{"name": "a"}, {"name": "b"}])
    assert patched(current, pod(containers=[{"name": "a", "$patch": "delete"}])) == pod(containers=[{"name": "b"}])
    replaced = patched(current, pod(containers=[{"$patch": "replace"}, {"name": "c"}]))
    assert replaced == pod(containers=[{"name": "c"}])


def test_tolerations_and_taints_are_replaced_as_a_whole():
    current = pod(tolerations=[{"key": "a"}, {"key": "b"}])
    assert patched(current, pod(tolerations=[{"key": "c"}])) == pod(tolerations=[{"key": "c"}])
    node = {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
    assert patched(node, {"spec": {"taints": []}}, "nodes") == {"spec": {"taints": []}}


def test_a_volume_changes_its_source():
    current = pod(volumes=[{"name": "v", "emptyDir": {}}])
    patch = pod(volumes=[{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}])
    assert patched(current, patch) == pod(volumes=[{"name": "v", "hostPath": {"path": "/x"}}])


def test_primitive_lists_are_merged_and_deleted_from():
    current = {"metadata": {"finalizers": ["a", "b"]}}
    assert patched(current, {"metadata": {"finalizers": ["c"]}})["metadata"]["finalizers"] == ["c", "a", "b"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert patched(current, patch) == {"metadata": {"finalizers": ["b"]}}


def test_conditions_and_addresses_of_a_node():
    current = {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "x"}], "addresses": []}}
    patch = {"status": {"conditions": [{"type": "Ready", "status": "False"}], "addresses": [{"type": "Hostname"}]}}
    assert patched(current, patch, "nodes") == {
        "status": {
            "conditions": [{"type": "Ready", "status": "False", "reason": "x"}],
            "addresses": [{"type": "Hostname"}],
        }
    }


def test_ports_of_a_container_go_by_their_number_alone():
    current = pod(containers=[{"name": "a", "ports": [{"containerPort": 1, "protocol": "UDP"}]}])
    patch = pod(containers=[{"name": "a", "ports": [{"containerPort": 1, "protocol": "TCP"}]}])
    assert patched(current, patch) == patch


@pytest.mark.parametrize(
    ("patch", "code", "words"),
    [
        (pod(containers=[{"image": "x"}]), 500, "map: map[image:x] does not contain declared merge key: name"),
        (pod(containers=[{"name": "a", "$patch": "no"}]), 500, "unknown patch type: no in map: map[$patch:no name:a]"),
        ({"$patch": "no"}, 500, "unknown patch type: no in map: map[$patch:no]"),
        ({"spec": {"$retainKeys": []}}, 200, ""),
        ({"spec": {"$retainKeys": 1}}, 400, "invalid patch format of retainKeys"),
        ({"metadata": {"$deleteFromPrimitiveList": []}}, 400, "invalid patch format of primitive list"),
        ({"metadata": {"$setElementOrder": []}}, 400, "invalid patch format of setElementOrder list"),
        (pod(containers=[[]]), 422, "the server rejected our request due to an error in our request"),
        (pod(containers=["a"]), 500, "list element types are not identical: [[map[name:a]] [a]]"),
    ],
)
def test_bad_patches(patch, code, words):
    current = {"metadata": {"labels": {}}, **pod(containers=[{"name": "a"}])}
    if code == 200:
        patched(current, patch)
        return
    with pytest.raises(ApiError) as refused:
        patched(current, patch)
    assert (refused.value.code, refused.value.message) == (code, words)
