# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With whom a node peers by confd's rules."""

from __future__ import annotations

import pytest

from lab import datastore, peerings, topology

PLAN = topology.plan("one_subnet", 4)
REFLECTORS = topology.plan("route_reflectors", 4)


def of(node, *patches, plan=PLAN, family="ipv4"):
    data = datastore.merged(datastore.registered(plan), patches)
    return {each.name: each for each in peerings.of(datastore.seen_by(data, node), node, family)}


def peer(password=None, **spec):
    return {"peers": {"a-peer": {"spec": spec, "password": password}}}


def test_the_mesh_is_off():
    assert of("node-1", {"mesh": False}) == {}


def test_a_node_without_address_peers_with_nobody_and_nobody_with_it():
    nobody = {"nodes": {"node-2": {"address": ""}}}
    assert of("node-2", nobody) == {}
    assert "Mesh_10_200_0_10" not in of("node-1", nobody)


def test_who_has_a_cluster_id_leaves_the_mesh():
    reflector = {"nodes": {"node-1": {"cluster_id": "244.0.0.1"}}}
    assert of("node-1", reflector) == {}
    assert list(of("node-2", reflector)) == ["Mesh_10_200_0_11", "Mesh_10_200_0_12"]


def test_a_mesh_peers_port_is_its_own_and_not_in_the_name():
    found = of("node-1", {"listen_port": 1790, "nodes": {"node-2": {"listen_port": 1791}}})
    assert found["Mesh_10_200_0_10"].port == 1791
    assert found["Mesh_10_200_0_11"].port == 1790


def test_route_reflectors():
    first, client = of("node-1", plan=REFLECTORS), of("node-3", plan=REFLECTORS)
    assert list(first) == ["Node_10_200_0_10", "Node_10_200_0_11", "Node_10_200_0_12"]
    assert list(client) == ["Node_10_200_0_10", "Node_10_200_0_9"]
    assert first["Node_10_200_0_11"].cluster_id == "244.0.0.1"
    assert first["Node_10_200_0_10"].cluster_id == "", "of the same cluster: no client"
    assert not any(each.cluster_id for each in client.values())
    assert not any(each.passive for each in [*first.values(), *client.values()]), "both dial"


def test_without_the_reverse_only_those_that_are_told_peer():
    manual = {"peers": {"peer-with-route-reflectors": {"spec": {"reversePeering": "Manual", "node": "node-3"}}}}
    assert list(of("node-3", manual, plan=REFLECTORS)) == ["Node_10_200_0_10", "Node_10_200_0_9"]
    assert of("node-1", manual, plan=REFLECTORS) == {}


def test_a_global_peer_outside():
    found = of("node-1", peer(peerIP="192.0.2.1:1790", asNumber=64700, password="x", ttlSecurity=1))
    router = found["Global_192_0_2_1_port_1790"]
    assert (router.port, router.remote_as, router.internal, router.passive) == (1790, 64700, False, False)
    assert router.ttl_security == 1
    assert router.source == "10.200.0.9"


def test_a_peer_of_one_node_only():
    told = peer(node="node-2", peerIP="192.0.2.1", asNumber=64700, sourceAddress="None", keepOriginalNextHop=True)
    assert "Node_192_0_2_1" not in of("node-1", told)
    found = of("node-2", told)["Node_192_0_2_1"]
    assert (found.source, found.next_hop) == ("", "keep")


def test_selectors_choose_nodes_by_their_labels():
    told = peer(nodeSelector="kubernetes.io/hostname in {'node-1', 'node-2'}", peerIP="192.0.2.1", asNumber=64700)
    assert [name for name in ("node-1", "node-2", "node-3") if "Node_192_0_2_1" in of(name, told)] == [
        "node-1",
        "node-2",
    ]


def test_a_broken_selector_selects_nobody():
    assert list(of("node-1", {"mesh": False}, peer(nodeSelector="=", peerIP="192.0.2.1", asNumber=1))) == []


def test_a_global_peer_that_is_a_node_is_dialled_by_the_greater_string():
    told = peer(peerSelector="kubernetes.io/hostname == 'node-3'")
    assert of("node-1", {"mesh": False}, told)["Global_10_200_0_11"].passive is False
    assert of("node-2", {"mesh": False}, told)["Global_10_200_0_11"].passive is True
    assert list(of("node-3", {"mesh": False}, told)) == ["Node_10_200_0_10", "Node_10_200_0_12", "Node_10_200_0_9"]


def test_of_two_for_one_address_the_global_one_wins():
    told = {
        "peers": {
            "a": {"spec": {"node": "node-1", "peerIP": "192.0.2.1", "asNumber": 1}, "password": None},
            "b": {"spec": {"peerIP": "192.0.2.1", "asNumber": 2}, "password": None},
            "c": {"spec": {"peerIP": "192.0.2.1", "asNumber": 3}, "password": None},
        }
    }
    found = of("node-1", {"mesh": False}, told)
    assert list(found) == ["Global_192_0_2_1"]
    assert found["Global_192_0_2_1"].remote_as == 2


def test_a_peer_that_is_the_node_itself_is_nobody():
    itself = peer(peerIP="10.200.0.9", asNumber=64512, nodeSelector="kubernetes.io/hostname == 'node-1'")
    assert of("node-1", {"mesh": False}, itself) == {}


@pytest.mark.parametrize(
    ("address", "as_number", "is_reversed"), [("", 64512, True), (":1790", 64512, False), ("", 1, False)]
)
def test_a_node_named_by_its_address_peers_back_if_all_of_it_is_right(address, as_number, is_reversed):
    named = peer(peerIP=f"10.200.0.9{address}", asNumber=as_number)
    assert bool(of("node-1", {"mesh": False}, named)) is is_reversed


def test_mesh_and_peer_may_name_one_neighbour_twice():
    found = of("node-1", peer(peerIP="10.200.0.10", asNumber=64512))
    assert {"Mesh_10_200_0_10", "Global_10_200_0_10"} <= found.keys()


def test_the_reverse_of_a_password():
    told = peer(
        password="secret", nodeSelector="kubernetes.io/hostname == 'node-2'", peerIP="10.200.0.9", asNumber=64512
    )
    assert of("node-1", {"mesh": False}, told)["Node_10_200_0_10"].password == "secret"
    assert of("node-2", {"mesh": False}, told)["Node_10_200_0_9"].password == "secret"


def test_both_families():
    plan = topology.plan("dual_stack", 2)
    assert list(of("node-1", plan=plan)) == ["Mesh_10_200_0_10"]
    assert list(of("node-1", plan=plan, family="ipv6")) == ["Mesh_fd00_10_200__10"]
    six = peer(peerIP="[fd00::1]:1790", asNumber=64700)
    assert "Global_fd00__1_port_1790" in of("node-1", six, plan=plan, family="ipv6")
    assert "Global_fd00__1_port_1790" not in of("node-1", six, plan=plan)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", ("10.0.0.1", None)),
        ("10.0.0.1:179", ("10.0.0.1", 179)),
        ("fd00::1", ("fd00::1", None)),
        ("[fd00::1]:180", ("fd00::1", 180)),
        ("[fd00::1]", ("fd00::1", None)),
        ("", ("", None)),
    ],
)
def test_addresses_with_ports(text, expected):
    assert peerings.split_port(text) == expected


@pytest.mark.parametrize(("text", "expected"), [(None, None), ("120s", 120), ("2m0s", 120), ("1h", 3600), ("1.5m", 90)])
def test_durations(text, expected):
    assert peerings.seconds(text) == expected
