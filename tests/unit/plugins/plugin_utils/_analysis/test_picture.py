# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.picture import picture, ranges
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of


def rows(found):
    return {one["name"]: one for one in found["nodes"]}


def test_ranges_are_short():
    assert ranges(0) == ""
    assert ranges(0b1) == "0"
    assert ranges(0b11) == "0-1"
    assert ranges(0b101110) == "1-3,5"
    assert ranges((1 << 1000) - 1) == "0-999"


def test_nodes_stand_by_subnet_and_number_and_tell_whom_they_are_up_with():
    names = {"node-10": "10.0.0.10", "node-9": "10.0.0.9", "other-1": "9.0.0.1"}
    found = picture(Mesh(names).evidence())["nodes"]
    assert [one["name"] for one in found] == ["other-1", "node-9", "node-10"]
    assert found[1] == {
        "name": "node-9",
        "address": "10.0.0.9",
        "subnet": "10.0.0.0/24",
        "read": True,
        "up": {"ipv4": "0,2"},
    }


def test_a_session_that_is_down_stands_with_the_node_that_dials(mesh):
    mesh.break_session("node-1", "node-3")
    found = rows(picture(mesh.evidence()))
    assert found["node-1"]["down"] == {"ipv4": "2"}
    assert "down" not in found["node-3"]
    assert found["node-1"]["up"] == {"ipv4": "1,3"}


def test_nodes_that_were_not_read_and_strangers_are_there(mesh):
    mesh.lose("node-4")
    mesh.trouble("node-2", "10.0.0.1", "Connect")
    found = rows(picture(mesh.evidence()))
    assert found["node-4"]["read"] is False
    assert found["10.0.0.1"]["external"] is True
    assert list(found)[-1] == "10.0.0.1"
    assert found["node-2"]["down"] == {"ipv4": "4"}
    assert found["node-1"]["up"] == {"ipv4": "1-3"}


def test_zones_and_reflectors_are_those_of_the_api(mesh, kube):
    for number, node in enumerate(kube.objects["nodes"]):
        node["metadata"].setdefault("labels", {})["topology.kubernetes.io/zone"] = "ab"[number % 2]
    kube.objects["nodes"][0]["metadata"].setdefault("annotations", {})["projectcalico.org/RouteReflectorClusterID"] = (
        "1.0.0.1"
    )
    found = rows(picture(evidence_of(mesh, kube)))
    assert [one["zone"] for one in found.values()] == ["a", "a", "b", "b"]
    assert found["node-1"].get("reflector") is True


def test_a_mesh_of_many_is_told_in_few_words():
    mesh = Mesh({f"n{number}": f"10.0.{number // 250}.{number % 250 + 1}" for number in range(300)})
    mesh.break_session("n7", "n200")
    found = picture(mesh.evidence())["nodes"]
    assert max(len(one["up"]["ipv4"]) for one in found) < 30


def test_nothing_gives_nothing():
    from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence

    assert picture(Evidence({})) == {"nodes": []}
