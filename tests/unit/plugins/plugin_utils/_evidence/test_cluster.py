# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import packing
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import Cluster, KubeNode
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import cluster

NOW = datetime(2026, 1, 1, 1, 0, 0, tzinfo=UTC)
FACT = {"schema": 1, "reached": True, "taken_at": "2026-01-01T00:59:00Z", "version": "v1.29.3", "objects": {}}


def told(fact=None, host="localhost", **more):
    return {host: {"ansible_facts": {"calico_cluster": fact or FACT}, **more}, "node-1": {}}


def test_an_api_that_nobody_asked():
    assert cluster.from_variables({"node-1": {}}, ["node-1"], NOW, 900) is None
    assert cluster.fact_of({"node-1": {}}, ["node-1"]) == {}


@pytest.mark.parametrize("host", ["localhost", "master-1"])
def test_what_the_controller_or_a_node_was_told(host):
    found = cluster.from_variables(told(host=host), ["node-1", host], NOW, 900)
    assert (found.reached, found.kubernetes_version) == (True, "v1.29.3")
    assert cluster.fact_of(told(host=host), ["node-1", host]) == FACT


def test_what_a_cache_holds_of_long_ago_is_refused_and_what_was_told_now_is_not():
    old = {**FACT, "taken_at": "2026-01-01T00:00:00Z"}
    found = cluster.from_variables(told(old), [], NOW, 900)
    assert (found.reached, found.why) == (
        False,
        "the API's objects in the cache are 3600 s old, more than the 900 s allowed",
    )
    assert cluster.from_variables(told(old, collect_cluster_result={}), [], NOW, 900).reached


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (
            {"unreachable": True, "msg": "Failed to connect\n to master-1"},
            "the host from which it was to be asked could not be reached: Failed to connect to master-1",
        ),
        ({"failed": True, "msg": "sudo: a password is required"}, "sudo: a password is required"),
        ({"failed": True}, "the task that asks it failed"),
    ],
)
def test_an_api_that_was_asked_in_vain(result, why):
    found = cluster.from_variables({"localhost": {"collect_cluster_result": result}}, [], NOW, 900)
    assert (found.reached, found.why) == (False, why)


def test_what_a_node_tells_where_a_limit_has_left_localhost_out():
    told = {"localhost": {}, "node-1": {"collect_cluster_result": {"failed": True, "msg": "no kubeconfig"}}}
    assert cluster.from_variables(told, ["node-1"], NOW, 900).why == "no kubeconfig"
    told["node-1"] = {"ansible_facts": {"calico_cluster": FACT}, "collect_cluster_result": {}}
    assert cluster.from_variables(told, ["node-1"], NOW, 900).reached


def test_an_api_that_was_not_to_be_asked():
    skipped = {"localhost": {"collect_cluster_result": {"skipped": True, "changed": False}}}
    assert cluster.from_variables(skipped, [], NOW, 900) is None


def test_an_api_that_did_not_answer():
    found = cluster.from_variables(told({"reached": False, "why": "nobody there"}), [], NOW, 900)
    assert (found.reached, found.why) == (False, "nobody there")


@pytest.mark.parametrize("broken", [[], "text", 3, None])
def test_a_fact_that_is_none(broken):
    assert cluster.from_variables({"localhost": {"ansible_facts": {"calico_cluster": broken}}}, [], NOW, 900) is None


def test_the_api_of_another_cluster_is_not_believed(mesh):
    nodes = mesh.evidence().nodes.values()
    other = Cluster(reached=True, nodes={"pi": KubeNode("pi", (("InternalIP", "192.0.2.1"),))})
    refused = cluster.of_these_nodes(other, nodes)
    assert (refused.reached, refused.nodes) == (False, {})
    assert "another cluster" in refused.why
    by_address = Cluster(reached=True, nodes={"ip-1": KubeNode("ip-1", (("InternalIP", "10.0.0.9"),))})
    by_name = Cluster(reached=True, nodes={"node-2": KubeNode("node-2")})
    for same in (by_address, by_name, Cluster(reached=True), None):
        assert cluster.of_these_nodes(same, nodes) is same
    assert cluster.of_these_nodes(other, ()) is other


def test_many_nodes_are_read_however_they_are_packed():
    listed = [
        {
            "metadata": {"name": f"n{number}", "labels": {"zone": "a"}},
            "status": {"addresses": [{"type": "InternalIP", "address": f"10.0.{number // 250}.{number % 250}"}]},
        }
        for number in range(300)
    ]
    fact = {**FACT, "objects": packing.packed([("nodes", listed)])}
    assert isinstance(fact["objects"]["nodes"], dict)
    found = cluster.from_variables(told(fact), [], NOW, 900).nodes
    assert (len(found), found["n299"].internal_addresses, found["n7"].labels) == (300, ("10.0.1.49",), {"zone": "a"})
