# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the API's objects to what confd works with."""

from __future__ import annotations

import base64
import copy
import json

import pytest

from lab import datastore, topology
from lab.controller import cluster
from lab.controller.registered import derive

PLAN = topology.plan("one_subnet", 3)


def objects():
    found = {}
    for each in cluster.objects(PLAN):
        plural = {"BlockAffinity": "blockaffinities"}.get(each["kind"], each["kind"].lower() + "s")
        found.setdefault(plural, []).append(copy.deepcopy(each))
    return found


def data(found, environments=None):
    return derive(found, environments or {}).data


def bgp(**spec):
    return {"metadata": {"name": "default"}, "spec": spec}


def annotate(found, name, **annotations):
    for node in found["nodes"]:
        if node["metadata"]["name"] == name:
            for key, value in annotations.items():
                node["metadata"]["annotations"][f"projectcalico.org/{key}"] = value


def test_a_cluster_as_it_is_made_is_what_the_plan_says():
    found = data(objects())
    assert found == datastore.registered(PLAN)
    assert found["nodes"]["node-2"]["address"] == "10.200.0.10"
    assert found["nodes"]["node-2"]["blocks"] == ["10.244.2.0/26"]
    assert found["pools"] == ["10.244.0.0/16"]
    assert json.loads(json.dumps(found)) == found


def test_settings_of_bgp():
    found = objects()
    found["bgpconfigurations"] = [
        bgp(
            asNumber="1.10",
            nodeToNodeMeshEnabled=False,
            listenPort=1790,
            bindMode="NodeIP",
            serviceClusterIPs=[{"cidr": "10.96.0.0/12"}, {"cidr": "nonsense"}],
        ),
        {"metadata": {"name": "node.node-2"}, "spec": {"listenPort": 1791}},
    ]
    seen = data(found)
    assert (seen["as_number"], seen["mesh"], seen["listen_port"]) == (65546, False, 1790)
    assert (seen["bind_node_ip"], seen["service_cidrs"]) == (True, ["10.96.0.0/12"])
    assert seen["nodes"]["node-2"]["listen_port"] == 1791
    assert seen["nodes"]["node-1"]["listen_port"] is None


def test_annotations_of_nodes():
    found = objects()
    annotate(found, "node-1", ASNumber="64777", RouteReflectorClusterID="244.0.0.9", IPv4Address="10.200.0.99/25")
    annotate(found, "node-2", ASNumber="many", IPv4Address="nowhere", IPv6Address="fd00::2/64")
    nodes = data(found)["nodes"]
    assert (nodes["node-1"]["as_number"], nodes["node-1"]["cluster_id"]) == (64777, "244.0.0.9")
    assert (nodes["node-1"]["address"], nodes["node-1"]["prefix_length"]) == ("10.200.0.99", 25)
    assert (nodes["node-2"]["as_number"], nodes["node-2"]["address"]) == (None, "")
    assert (nodes["node-2"]["address6"], nodes["node-2"]["prefix_length6"]) == ("fd00::2", 64)


def test_pools_and_blocks():
    found = objects()
    found["ippools"] += [
        {"metadata": {"name": "quiet"}, "spec": {"cidr": "10.250.0.0/16", "disableBGPExport": True}},
        {"metadata": {"name": "vxlan"}, "spec": {"cidr": "10.251.0.0/16", "vxlanMode": "Always"}},
    ]
    found["blockaffinities"][0]["spec"]["state"] = "pending"
    seen = data(found)
    assert seen["pools"] == ["10.244.0.0/16", "10.251.0.0/16"]
    assert (seen["pools_not_exported"], seen["vxlan_pools"]) == (["10.250.0.0/16"], ["10.251.0.0/16"])
    assert seen["nodes"]["node-1"]["blocks"] == []


def test_the_environment_of_calico_node():
    seen = data(objects(), {"node-1": {"CALICO_ROUTER_ID": "1.2.3.4"}, "node-2": {"CALICO_ROUTER_ID": "hash"}})
    assert seen["nodes"]["node-1"]["router_id"] == "1.2.3.4"
    assert seen["nodes"]["node-2"]["router_id"].count(".") == 3
    assert seen["nodes"]["node-3"]["router_id"] is None
    none = data(objects(), {"node-1": {"CALICO_NETWORKING_BACKEND": "none"}})
    assert [none["nodes"][name]["backend"] for name in ("node-1", "node-2")] == ["none", "bird"]


SECRET = {"metadata": {"name": "bgp", "namespace": "kube-system"}, "data": {"key": base64.b64encode(b"pw").decode()}}
REFERENCE = {"secretKeyRef": {"name": "bgp", "key": "key"}}
ROLE = {
    "metadata": {"name": "secrets", "namespace": "kube-system"},
    "rules": [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["bgp"], "verbs": ["get", "list", "watch"]}
    ],
}
BINDING = {
    "metadata": {"name": "secrets", "namespace": "kube-system"},
    "roleRef": {"kind": "Role", "name": "secrets"},
    "subjects": [{"kind": "ServiceAccount", "name": "calico-node", "namespace": "kube-system"}],
}


def with_passwords(**more):
    found = {**objects(), "secrets": [SECRET], **more}
    found["bgpconfigurations"] = [bgp(nodeMeshPassword=REFERENCE)]
    found["bgppeers"] = [{"metadata": {"name": "out"}, "spec": {"peerIP": "192.0.2.1", "password": REFERENCE}}]
    return derive(found, {})


def test_a_password_that_may_be_read():
    seen = with_passwords(roles=[ROLE], rolebindings=[BINDING])
    assert (seen.data["mesh_password"], seen.data["peers"]["out"]["password"]) == ("pw", "pw")
    assert seen.warnings == ()


@pytest.mark.parametrize("lacking", ["roles", "rolebindings", "secrets"])
def test_a_password_that_may_not_be_read_is_left_out_with_a_warning(lacking):
    seen = with_passwords(**{"roles": [ROLE], "rolebindings": [BINDING], lacking: []})
    assert (seen.data["mesh_password"], seen.data["peers"]["out"]["password"]) == (None, None)
    assert "Can't read password for BGPPeer out" in seen.warnings
    assert any("referenced by BGP Configuration default in secret" in each for each in seen.warnings)


def test_a_role_for_another_secret_does_not_help():
    other = copy.deepcopy(ROLE)
    other["rules"][0]["resourceNames"] = ["else"]
    assert with_passwords(roles=[other], rolebindings=[BINDING]).data["mesh_password"] is None


@pytest.mark.parametrize(
    ("told", "left_out"),
    [
        (None, []),
        ("Enabled", []),
        ("Disabled", ["10.244.0.0/16", "10.250.0.0/16"]),
        ("EnabledNoEncapOnly", ["10.250.0.0/16"]),
        ("EnabledIPIPOnly", ["10.244.0.0/16"]),
    ],
)
def test_who_programs_the_routes_of_a_pool(told, left_out):
    found = objects()
    found["ippools"].append({"metadata": {"name": "ipip"}, "spec": {"cidr": "10.250.0.0/16", "ipipMode": "Always"}})
    found["bgpconfigurations"] = [bgp(programClusterRoutes=told)] if told else []
    assert data(found)["not_programmed"] == left_out
