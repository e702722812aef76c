# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import BGPConfiguration, BGPPeer, SecretRef
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import registered
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.compare import KINDS, compare
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.parts import parts
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._peering.made import (
    OFF,
    cluster,
    node,
    plan,
)
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import ADDRESSES, Mesh

FOUR = tuple(node(name, f"{address}/24") for name, address in ADDRESSES.items())


def compared(mesh, *objects, **more):
    nodes = mesh.evidence().nodes
    records = cluster(*(objects or FOUR))
    names = registered.names(registered.join(nodes, (), records))
    return compare(plan(*(objects or FOUR), **more), nodes, names)


def forget(mesh, name, *peers):
    """The node's BIRD has no protocol for these peers."""
    daemon = mesh.daemon(name)
    away = {ADDRESSES.get(peer, peer) for peer in peers}
    daemon["peers"]["packed"] = {"Mesh": pack(one for one in mesh._established(daemon) if one not in away)}


def test_a_healthy_mesh_is_as_it_should_be(mesh):
    found = compared(mesh)
    assert found.differences == ()
    assert (found.wanted, found.established) == (12, 12)
    assert (found.unread, found.broken, found.strangers) == ({}, {}, ())
    assert found.names == {name: name for name in ADDRESSES}


def test_a_session_in_trouble_is_broken_and_no_difference(mesh):
    mesh.break_session("node-1", "node-2")
    found = compared(mesh)
    assert found.differences == ()
    assert found.broken == {"ipv4": {"node-1": {"node-2"}, "node-2": {"node-1"}}}
    assert found.established == 10


def test_a_protocol_that_one_end_lacks_is_one_sided(mesh):
    forget(mesh, "node-2", "node-1")
    (found,) = compared(mesh).differences
    assert (found.kind, found.node, found.peers) == ("one_sided", "node-2", ("10.0.0.9",))


def test_a_protocol_that_both_ends_lack_is_missing(mesh):
    forget(mesh, "node-2", "node-1")
    forget(mesh, "node-1", "node-2")
    found = compared(mesh)
    assert [(one.kind, one.node) for one in found.differences] == [("missing", "node-1"), ("missing", "node-2")]
    assert found.broken["ipv4"]["node-1"] == {"node-2"}


def test_a_protocol_that_waits_on_disk_is_not_loaded(mesh):
    forget(mesh, "node-2", "node-1")
    mesh.daemon("node-2")["config"]["only_on_disk"] = ["Mesh_10_0_0_9"]
    assert [one.kind for one in compared(mesh).differences] == ["not_loaded"]


def test_of_a_node_that_was_not_heard_nothing_is_claimed(mesh):
    mesh.facts["node-2"]["calico_bgp"]["daemons"]["ipv4"] = {"running": True, "socket_state": "no_answer"}
    del mesh.facts["node-3"]
    found = compared(mesh)
    assert found.differences == ()
    assert found.unread == {"ipv4": ("node-2", "node-3")}
    assert found.broken == {}


def test_a_protocol_that_nothing_calls_for_is_extra(mesh):
    found = compared(mesh, *FOUR[:3])
    assert [(one.kind, one.node, one.peers) for one in found.differences] == [
        ("extra", name, ("10.0.0.12",)) for name in ("node-1", "node-2", "node-3")
    ]
    assert found.strangers == ("node-4",)


def test_a_node_that_peers_with_itself(mesh):
    mesh.facts["node-1"]["calico_node"]["addresses"].append({"address": "10.9.0.9", "prefix": 24, "interface": "eth1"})
    mesh.trouble("node-1", "10.9.0.9", "Connect")
    assert [(one.kind, one.peers) for one in compared(mesh).differences] == [("itself", ("10.9.0.9",))]


def test_workloads_of_the_node_are_not_extra(mesh):
    vms = BGPPeer("vms", local_workload_selector="all()", as_number=65010)
    mesh.trouble("node-1", "10.244.0.9", "Connect", kind="Local_Workload")
    mesh.daemon("node-2")["peers"]["packed"]["other"] = pack(["10.244.1.9"])
    assert compared(mesh, *FOUR, vms, version="v3.31.0").differences == ()


@pytest.mark.parametrize(
    ("more", "field", "wanted", "told"),
    [
        ({"neighbor_as": 65001}, "peer_as", "64512", "65001"),
        ({"local_as": 65001}, "local_as", "64512", "65001"),
        ({"port": 1790}, "port", "179", "1790"),
        ({"passive": True}, "passive", "no", "yes"),
        ({"password": True}, "password", "no", "yes"),
        ({"source": "10.0.0.1"}, "source", "10.0.0.9", "10.0.0.1"),
    ],
)
def test_a_protocol_that_differs_is_told_field_by_field(mesh, more, field, wanted, told):
    mesh.trouble("node-1", "node-2", "Connect", **more)
    (found,) = compared(mesh).differences
    assert (found.kind, found.field, found.wanted, found.found) == ("differs", field, wanted, told)


def test_a_protocol_of_another_name_is_told(mesh):
    mesh.trouble("node-1", "node-2", "Connect")
    mesh.daemon("node-1")["troubled"][0]["name"] = "Node_10_0_0_10"
    (found,) = compared(mesh).differences
    assert (found.field, found.wanted, found.found) == ("name", "Mesh_10_0_0_10", "Node_10_0_0_10")


def test_a_password_of_which_nobody_knows_whether_it_is_readable_is_not_compared(mesh):
    mesh.trouble("node-1", "node-2", "Connect", password=False)
    assert compared(mesh, *FOUR, BGPConfiguration("default", mesh_password=SecretRef("bgp", "key"))).differences == ()


def test_an_address_that_the_api_has_otherwise(mesh):
    nodes = (node("node-1", "10.0.0.99/24"), *FOUR[1:])
    found = compared(mesh, *nodes)
    (differs,) = found.of("node_differs")
    assert (differs.node, differs.field, differs.wanted, differs.found) == (
        "node-1",
        "address",
        "10.0.0.99",
        "10.0.0.9",
    )
    assert {one.kind for one in found.differences} == {"node_differs", "one_sided", "extra"}


def test_names_of_the_inventory_may_be_others():
    mesh = Mesh({"host-a": "10.0.0.9", "host-b": "10.0.0.10"})
    mesh.facts["host-a"]["calico_node"]["nodename"] = "node-1"
    mesh.facts["host-b"]["calico_node"]["nodename"] = "elsewhere"
    found = compared(mesh, *FOUR[:2])
    assert found.names == {"node-1": "host-a", "node-2": "host-b"}
    assert found.differences == ()


def test_what_is_broken_tells_who_is_cut_off(mesh):
    for other in ("node-2", "node-3", "node-4"):
        mesh.break_session("node-1", other)
    found = compared(mesh)
    cut = parts(plan(*FOUR), "ipv4", found.broken["ipv4"])
    assert cut.groups == (("node-2", "node-3", "node-4"), ("node-1",))


def test_every_kind_has_a_meaning(mesh):
    found = compared(mesh, *FOUR[1:], OFF)
    assert found.differences
    assert {one.kind for one in found.differences} <= set(KINDS)


def test_a_large_mesh_is_compared_in_time():
    addresses = {f"node-{number}": f"10.1.{number // 250}.{number % 250 + 1}" for number in range(300)}
    mesh = Mesh(addresses)
    nodes = mesh.evidence().nodes
    found = plan(*(node(name, address) for name, address in addresses.items()))
    begun = time.process_time()
    assert compare(found, nodes, {name: name for name in nodes}).established == 300 * 299
    assert time.process_time() - begun < 5
