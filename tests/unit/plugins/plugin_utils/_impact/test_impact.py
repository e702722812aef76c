# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._impact.impact import impact, restart_seconds
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of


@pytest.fixture(autouse=True)
def counted(kube):
    kube.backend("bird")
    kube.more["workload_pods"] = {"node-1": 31, "node-2": 20, "node-3": 7, "node-4": 0}
    kube.more["service_endpoints"] = {"node-1": 12, "node-2": 5, "node-3": 2}


def of(mesh, kube, **more):
    evidence = evidence_of(mesh, kube)
    return impact(evidence, evidence.table.down, **more)


def cut_off(mesh, name):
    for peer in mesh.addresses:
        if peer != name:
            mesh.break_session(name, peer)


def test_a_node_without_sessions_is_cut_off_from_all(mesh, kube):
    cut_off(mesh, "node-2")
    found = of(mesh, kube)
    assert (found.isolated, found.cut, found.pairs) == (("node-2",), {}, 3)
    assert (found.pods_cut_off, found.services) == (20, 5)
    assert found.blocks == {"node-2": ("10.244.1.0/26",)}
    assert list(found.unreachable_from("node-3")) == [("node-2", ("10.244.1.0/26",))]
    assert [name for name, _blocks in found.unreachable_from("node-2")] == ["node-1", "node-3", "node-4"]
    assert found.summary.startswith("Pods on 1 node (20 pods) and those on all other nodes cannot reach each other")


def test_a_single_session_cuts_a_pair(mesh, kube):
    mesh.break_session("node-1", "node-2")
    found = of(mesh, kube)
    assert found.cut == {"node-1": frozenset({"node-2"}), "node-2": frozenset({"node-1"})}
    assert (found.isolated, found.pairs, found.pods_partly) == ((), 1, 51)
    assert list(found.unreachable_from("node-1")) == [("node-2", ("10.244.1.0/26",))]
    assert list(found.unreachable_from("node-4")) == []


def test_one_reflector_less_cuts_nobody_off(mesh, kube):
    for name, peer in (("node-1", "node-2"), ("node-2", "node-1")):
        mesh.trouble(name, peer, "Connect", kind="Node")
    found = of(mesh, kube)
    assert (found.cut, found.isolated, found.fewer_ways) == ({}, (), ("node-1", "node-2"))
    assert "no pod is cut off" in found.summary.lower()


@pytest.mark.parametrize(
    ("pool", "version", "matters"),
    [
        ({"vxlanMode": "Always", "ipipMode": "Never"}, "v3.28.1", False),
        ({"vxlanMode": "CrossSubnet", "ipipMode": "Never"}, "v3.28.1", False),
        ({"vxlanMode": "Never", "ipipMode": "Always"}, "v3.28.1", True),
        ({"vxlanMode": "Never", "ipipMode": "CrossSubnet"}, "v3.33.0", False),
        ({"vxlanMode": "Never", "ipipMode": "Never"}, "v3.33.0", True),
    ],
)
def test_bgp_matters_only_where_bird_makes_the_routes(mesh, kube, pool, version, matters):
    cut_off(mesh, "node-2")
    kube.objects["ippools"][0]["spec"].update(pool)
    kube.objects["clusterinformations"][0]["spec"]["calicoVersion"] = version
    for pod in kube.objects["pods"]:
        pod["spec"]["containers"][0]["image"] = f"quay.io/calico/node:{version}"
    found = of(mesh, kube)
    assert found.bgp_matters is matters
    assert bool(found.pods_cut_off) is matters
    assert bool(found.blocks) is matters
    assert matters or any("Felix makes their routes" in told for told in found.keeps)


def test_blocks_of_pools_that_need_no_bgp_are_left_out(mesh, kube):
    cut_off(mesh, "node-2")
    spec = {"cidr": "10.250.0.0/16", "ipipMode": "Never", "vxlanMode": "Always"}
    kube.objects["ippools"].append({"kind": "IPPool", "metadata": {"name": "vxlan"}, "spec": spec})
    kube.objects["blockaffinities"].append(
        {
            "kind": "BlockAffinity",
            "metadata": {"name": "node-2-10-250-0-0-26"},
            "spec": {"cidr": "10.250.0.0/26", "node": "node-2", "state": "confirmed"},
        }
    )
    assert of(mesh, kube).blocks == {"node-2": ("10.244.1.0/26",)}


def test_routes_of_a_restarted_bird_are_kept_for_a_while(mesh, kube):
    mesh.trouble("node-1", "node-2", "Connect", "Socket: Connection closed", since_seconds_ago=20)
    mesh.trouble("node-2", "node-1", "Passive")
    assert of(mesh, kube).kept_seconds == 100
    kube.objects["bgpconfigurations"] = [
        {"kind": "BGPConfiguration", "metadata": {"name": "default"}, "spec": {"nodeMeshMaxRestartTime": "5m0s"}}
    ]
    assert restart_seconds(evidence_of(mesh, kube)) == 300
    assert of(mesh, kube).kept_seconds == 280


@pytest.mark.parametrize(
    ("error", "since"),
    [
        ("Received: Administrative shutdown", 20),
        ("BGP Error: Hold timer expired", 20),
        ("Socket: Connection closed", 500),
    ],
)
def test_routes_are_gone_after_a_farewell_or_a_long_time(mesh, kube, error, since):
    mesh.trouble("node-1", "node-2", "Connect", error, since_seconds_ago=since)
    mesh.trouble("node-2", "node-1", "Passive")
    found = of(mesh, kube)
    assert found.kept_seconds is None
    assert any("withdrawn already" in told for told in found.keeps)


def test_a_lost_machine_is_noticed_late(mesh, kube):
    found = of(mesh, kube, nodes=["node-3"])
    assert (found.gone, found.pods_cut_off) == (("node-3",), 7)
    assert any("up to 240 s" in told for told in found.keeps)


def test_without_the_api_nodes_are_told_and_pods_are_not_counted(mesh):
    cut_off(mesh, "node-2")
    found = of(mesh, None)
    assert (found.isolated, found.counted, found.blocks) == (("node-2",), False, {})
    assert "pods)" not in found.summary


def test_nothing_is_down(mesh, kube):
    assert of(mesh, kube).summary == "Nothing is cut off."
    assert impact(Evidence({})).everyone == frozenset()


def test_many_nodes_stay_small():
    addresses = {f"node-{number}": f"10.0.{number // 250}.{number % 250}" for number in range(260)}
    mesh = Mesh(addresses)
    kube = Kube(addresses)
    for peer in list(addresses)[1:]:
        mesh.break_session("node-0", peer)
    evidence = evidence_of(mesh, kube)
    assert len(evidence.table.down) == 259
    began = time.process_time()
    found = impact(evidence, evidence.table.down)
    assert time.process_time() - began < 1.0
    assert (found.isolated, len(found.blocks), found.pairs) == (("node-0",), 1, 259)
