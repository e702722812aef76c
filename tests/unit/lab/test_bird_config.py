# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD's configuration in confd's shape."""

from __future__ import annotations

import re

import pytest

from lab import bird_config, datastore, topology

PLAN = topology.plan("one_subnet", 4)


def rendered(node="node-2", *patches, plan=PLAN):
    data = datastore.merged(datastore.registered(plan), patches)
    return bird_config.render(datastore.seen_by(data, node), node)


def stanzas(text):
    """Name -> body of every mesh protocol, doubles kept."""
    return re.findall(r"^protocol bgp (\S+) from bgp_template \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)


def test_every_other_node_is_a_peer_once():
    names = [name for name, _text in stanzas(rendered()["bird.cfg"])]
    assert names == ["Mesh_10_200_0_9", "Mesh_10_200_0_11", "Mesh_10_200_0_12"]


MESHES = [each.name for each in topology.TOPOLOGIES if not each.reflectors and not each.overlay]


@pytest.mark.parametrize("topology_name", MESHES)
def test_of_every_pair_exactly_one_side_dials(topology_name):
    plan = topology.plan(topology_name, 12)
    passive = {}
    for node in plan.nodes:
        for name, body in stanzas(rendered(node.name, plan=plan)["bird.cfg"]):
            passive[node.address, name] = "passive on" in body
    for node in plan.nodes:
        for peer in plan.nodes:
            if node != peer:
                ours = passive[node.address, bird_config.mesh_name(peer.address)]
                theirs = passive[peer.address, bird_config.mesh_name(node.address)]
                assert ours != theirs
                assert ours == (peer.address > node.address), "the greater string dials"


def test_strings_are_compared_not_numbers():
    assert bird_config.dials("10.0.0.9", "10.0.0.10")
    assert not bird_config.dials("10.0.0.10", "10.0.0.9")


def test_names_of_both_families():
    assert bird_config.mesh_name("10.0.0.1") == "Mesh_10_0_0_1"
    assert bird_config.mesh_name("fd00::1") == "Mesh_fd00__1"


def test_a_peer_has_neighbour_source_and_no_password_by_default():
    body = dict(stanzas(rendered()["bird.cfg"]))["Mesh_10_200_0_9"]
    assert "neighbor 10.200.0.9 as 64512;" in body
    assert "source address 10.200.0.10;" in body
    assert "password" not in rendered()["bird.cfg"]


def test_global_statements():
    text = rendered()["bird.cfg"]
    for statement in (
        "router id 10.200.0.10;",
        "local as 64512;",
        "gateway recursive;",
        "add paths on;",
        "graceful restart;",
        "connect delay time 2;",
        "connect retry time 5;",
        "error wait time 5,30;",
        "debug { states };",
        "learn;",
        "persist;",
        "scan time 2;",
        "export filter calico_kernel_programming;",
        'include "bird_aggr.cfg";',
        'include "bird_ipam.cfg";',
    ):
        assert statement in text
    assert "krt_tunnel" not in "".join(rendered().values()), "only Calico's own BIRD knows it"


def test_the_block_is_announced_as_a_whole():
    text = rendered()["bird_aggr.cfg"]
    assert "route 10.244.2.0/26 blackhole;" in text
    assert text.index("net = 10.244.2.0/26") < text.index("net ~ 10.244.2.0/26")


def test_a_node_without_blocks_has_no_static_protocol():
    text = rendered("node-2", {"nodes": {"node-2": {"blocks": []}}})["bird_aggr.cfg"]
    assert "protocol static" not in text


def test_an_own_as_makes_the_session_external():
    text = rendered("node-2", {"nodes": {"node-2": {"as_number": 64999}}})["bird.cfg"]
    assert "local as 64999;" in text
    assert "neighbor 10.200.0.9 as 64512;" in text


def test_a_peers_as_is_expected():
    text = rendered("node-1", {"nodes": {"node-2": {"as_number": 64999}}})["bird.cfg"]
    assert "neighbor 10.200.0.10 as 64999;" in text


def test_the_clusters_as_holds_for_all():
    text = rendered("node-1", {"as_number": 64600})["bird.cfg"]
    assert "64512" not in text
    assert text.count("64600") == 4


def test_a_router_id_of_its_own_leaves_the_address_alone():
    text = rendered("node-2", {"nodes": {"node-2": {"router_id": "10.200.0.9"}}})["bird.cfg"]
    assert "router id 10.200.0.9;" in text
    assert "source address 10.200.0.10;" in text


def test_passwords_of_the_mesh_and_of_one_peer():
    mesh = {"mesh_password": "all"}
    assert rendered("node-2", mesh)["bird.cfg"].count('password "all";') == 3
    one = rendered("node-2", mesh, {"nodes": {"node-3": {"password": "other"}}})["bird.cfg"]
    assert one.count('password "all";') == 2
    assert one.count('password "other";') == 1
    none = rendered("node-2", mesh, {"nodes": {"node-3": {"password": ""}}})["bird.cfg"]
    assert none.count("password") == 2


def test_two_nodes_of_one_address_do_not_peer_with_each_other():
    twin = {"nodes": {"node-2": {"address": "10.200.0.9"}}}
    for node in ("node-1", "node-2"):
        names = [name for name, _text in stanzas(rendered(node, twin)["bird.cfg"])]
        assert names == ["Mesh_10_200_0_11", "Mesh_10_200_0_12"]


def test_third_nodes_get_the_same_protocol_twice():
    names = [
        name
        for name, _text in stanzas(rendered("node-3", {"nodes": {"node-2": {"address": "10.200.0.9"}}})["bird.cfg"])
    ]
    assert names.count("Mesh_10_200_0_9") == 2


def test_an_empty_mesh_is_said():
    text = rendered("node-1", plan=topology.plan("one_subnet", 1))["bird.cfg"]
    assert stanzas(text) == []
    assert "the mesh is empty" in text
