# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import BGPConfiguration, BGPPeer, Source
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._peering.made import (
    OFF,
    REFLECTORS,
    THREE,
    kinds,
    names,
    node,
    plan,
    reflector,
)


def stanza(found, name, peer, family="ipv4"):
    (one,) = found.towards(name, family, peer)
    return one


# --- the mesh ---


def test_without_any_configuration_there_is_a_full_mesh():
    found = plan(*THREE)
    assert names(found, "a") == {"Mesh_10_0_0_10", "Mesh_10_0_0_11"}
    assert found.count() == len(list(found.sessions())) == 3
    assert not found.problems


def test_the_greater_string_dials():
    (session,) = [one for one in plan(*THREE).sessions() if one.labels == ("a", "b")]
    assert [end.node for end in session.diallers] == ["a"]
    assert session.far.stanza.passive
    assert session.internal


def test_a_reflector_leaves_the_mesh_and_is_isolated():
    found = plan(*THREE, reflector("r", "10.0.0.1"))
    assert names(found, "r") == set()
    assert "Mesh_10_0_0_1" not in names(found, "a")
    assert kinds(found) == ["reflector_isolated"]


def test_a_node_without_an_address_of_the_family_is_not_in_its_mesh():
    found = plan(node("a", "10.0.0.1", ipv6="fd00::1/64"), node("b", "10.0.0.2"), node("c", "fd00::3"))
    assert (names(found, "a"), names(found, "c")) == ({"Mesh_10_0_0_2"}, set())
    assert names(found, "a", "ipv6") == {"Mesh_fd00__3"}
    assert found.count() == 2


def test_ports_of_the_mesh_come_from_the_node_then_from_the_cluster():
    found = plan(*THREE, BGPConfiguration("default", listen_port=1790), BGPConfiguration("node.b", listen_port=2000))
    assert {one.name: one.port for one in found.stanzas("a", "ipv4")} == {
        "Mesh_10_0_0_10": 2000,
        "Mesh_10_0_0_11": 1790,
    }
    assert not found.problems


def test_two_nodes_with_one_address_do_not_peer_and_break_the_others():
    found = plan(node("a", "10.0.0.1"), node("b", "10.0.0.1"), node("c", "10.0.0.3"))
    assert names(found, "a") == {"Mesh_10_0_0_3"}
    assert [one.name for one in found.stanzas("c", "ipv4")] == ["Mesh_10_0_0_1", "Mesh_10_0_0_1"]
    assert found.count() == len(list(found.sessions())) == 2
    (problem,) = found.problems
    assert (problem.kind, problem.nodes) == ("duplicate_address", ("a", "b"))
    assert "refuses" in problem.detail


def test_as_numbers_of_nodes_make_the_mesh_external():
    found = plan(node("a", "10.0.0.1/24", as_number=65001), node("b", "10.0.0.2/24"), version="v3.28.1")
    (session,) = found.sessions()
    assert (session.near.stanza.peer_as, session.far.stanza.peer_as, session.internal) == (64512, 65001, False)
    assert not session.near.stanza.multihop
    assert not found.problems


def test_from_3_32_on_a_peer_without_an_as_of_its_own_is_expected_to_have_ours():
    found = plan(node("a", "10.0.0.1/24", as_number=65001), node("b", "10.0.0.2/24"), version="v3.32.1")
    assert stanza(found, "a", "10.0.0.2").peer_as == 65001
    assert [(one.kind, one.nodes) for one in found.problems] == [("as_mismatch", ("a",))]


@pytest.mark.parametrize(
    ("version", "problems"), [("v3.25.0", []), ("v3.28.1", ["mesh_needs_subnet"]), ("v3.33.0", [])]
)
def test_a_mesh_of_several_as_needs_one_subnet_in_some_releases(version, problems):
    found = plan(node("a", "10.0.0.1/24", as_number=65001), node("b", "10.0.1.2/24", as_number=65002), version=version)
    assert kinds(found) == problems


def test_a_windows_node_peers_with_reflectors_that_do_not_answer():
    found = plan(node("a", "10.0.0.1"), node("w", "10.0.0.9", windows=True), reflector("r", "10.0.0.3"), REFLECTORS)
    assert names(found, "w") == {"Mesh_10_0_0_1", "Mesh_10_0_0_3", "Node_10_0_0_3"}
    assert all(not one.passive and one.port == 179 for one in found.stanzas("w", "ipv4"))
    alone = plan(node("a", "10.0.0.1"), node("w", "10.0.0.9", windows=True), reflector("r", "10.0.0.3"))
    assert [one.labels for one in alone.sessions() if one.one_sided] == [("w", "r")]
    assert alone.count() == len(list(alone.sessions())) == 2


def test_windows_neither_signs_nor_listens_elsewhere():
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import SecretRef

    settings = BGPConfiguration("default", listen_port=1790, mesh_password=SecretRef("bgp", "key"))
    found = plan(node("a", "10.0.0.1"), node("w", "10.0.0.9", windows=True), settings)
    assert kinds(found) == ["password_differs", "port_mismatch"]


# --- BGPPeers ---


def test_a_global_peer_is_on_every_node():
    found = plan(*THREE, OFF, BGPPeer("tor", peer_ip="192.0.2.1", as_number=65001))
    assert [names(found, name) for name in "abc"] == [{"Global_192_0_2_1"}] * 3
    session = found.session("a", "ipv4", "192.0.2.1")
    assert session.external
    assert not session.internal
    assert [end.label for end in session.diallers] == ["a"]
    assert not found.problems


def test_a_port_stands_in_the_name_and_179_makes_no_other_peer():
    found = plan(
        *THREE,
        OFF,
        BGPPeer("one", node="a", peer_ip="192.0.2.1:1790", as_number=65001),
        BGPPeer("two", node="a", peer_ip="192.0.2.2:179", as_number=65001),
        BGPPeer("zwei", node="a", peer_ip="192.0.2.2", as_number=65001),
    )
    assert names(found, "a") == {"Node_192_0_2_1_port_1790", "Node_192_0_2_2_port_179"}


def test_the_port_of_a_node_is_taken_from_its_configuration():
    found = plan(
        *THREE,
        OFF,
        BGPConfiguration("node.b", listen_port=500),
        BGPPeer("x", node="a", peer_ip="10.0.0.10", as_number=64512),
    )
    assert names(found, "a") == {"Node_10_0_0_10_port_500"}
    assert names(found, "b") == {"Node_10_0_0_9"}
    assert kinds(found) == ["node_without_peers"]


def test_confd_makes_the_reverse_of_a_peer_that_is_a_node():
    found = plan(*THREE, OFF, BGPPeer("x", node="a", peer_ip="10.0.0.10", as_number=64512))
    assert (names(found, "a"), names(found, "b")) == ({"Node_10_0_0_10"}, {"Node_10_0_0_9"})
    session = found.session("a", "ipv4", "10.0.0.10")
    assert len(session.diallers) == 2
    assert session.far.stanza.reverse


@pytest.mark.parametrize(("version", "reverse"), [("v3.30.3", set()), ("v3.30.2", {"Node_10_0_0_9"})])
def test_the_reverse_may_be_left_to_the_operator(version, reverse):
    peer = BGPPeer("x", node="a", peer_ip="10.0.0.10", as_number=64512, reverse_peering="Manual")
    found = plan(*THREE, OFF, peer, version=version)
    assert names(found, "b") == reverse
    assert ("one_sided" in kinds(found)) == (not reverse)


@pytest.mark.parametrize(("version", "families"), [("v3.23.0", 2), ("v3.24.0", 1)])
def test_older_releases_reverse_both_families(version, families):
    both = [node(name, f"10.0.0.{number}", ipv6=f"fd00::{number}") for number, name in enumerate("ab", 1)]
    found = plan(*both, OFF, BGPPeer("x", node="a", peer_ip="10.0.0.2", as_number=64512), version=version)
    assert sum(bool(names(found, "b", family)) for family in ("ipv4", "ipv6")) == families


def test_a_global_peer_that_is_a_node_leaves_itself_out_and_waits_for_the_greater_string():
    found = plan(*THREE, OFF, BGPPeer("x", peer_ip="10.0.0.9", as_number=64512))
    assert names(found, "a") == {"Node_10_0_0_10", "Node_10_0_0_11"}
    assert stanza(found, "b", "10.0.0.9").passive
    assert not stanza(
        plan(*THREE, OFF, BGPPeer("x", peer_ip="10.0.0.9", as_number=64512), version="v3.22.0"), *("b", "10.0.0.9")
    ).passive
    assert not stanza(plan(*THREE, OFF, BGPPeer("x", peer_ip="10.0.0.11", as_number=64512)), "a", "10.0.0.11").passive
    assert not kinds(found)


def test_peers_that_a_selector_finds_never_wait():
    found = plan(*THREE, OFF, BGPPeer("x", peer_selector="all()"))
    assert names(found, "a") == {"Global_10_0_0_10", "Global_10_0_0_11"}
    assert not any(one.passive for name in "abc" for one in found.stanzas(name, "ipv4"))
    assert found.count() == 3


def test_a_global_peer_wins_over_one_of_the_node():
    found = plan(
        *THREE,
        OFF,
        BGPPeer("a", node="a", peer_ip="192.0.2.1", as_number=65002),
        BGPPeer("b", peer_ip="192.0.2.1", as_number=65001),
    )
    assert stanza(found, "a", "192.0.2.1").peer_as == 65001
    assert not found.problems


def test_the_explicit_peer_wins_over_the_reverse_of_another_one():
    found = plan(
        *THREE[:2],
        OFF,
        BGPPeer("a", node="a", peer_ip="10.0.0.10", as_number=64512, ttl_security=3),
        BGPPeer("b", node="b", peer_ip="10.0.0.9", as_number=64512),
    )
    assert (stanza(found, "a", "10.0.0.10").ttl_security, stanza(found, "b", "10.0.0.9").ttl_security) == (3, 0)
    assert kinds(found) == ["ttl_security_differs"]


def test_two_peers_that_differ_are_a_matter_of_chance():
    found = plan(
        *THREE,
        OFF,
        BGPPeer("one", peer_ip="192.0.2.1", as_number=65001),
        BGPPeer("two", peer_ip="192.0.2.1", as_number=65002),
    )
    (problem,) = found.problems
    assert (problem.kind, problem.object) == ("peer_by_chance", "BGPPeer one")
    assert "BGPPeer two" in problem.detail


def test_a_node_selector_wins_over_a_node():
    found = plan(*THREE, OFF, BGPPeer("x", node="a", node_selector="!all()", peer_ip="192.0.2.1", as_number=65001))
    assert names(found, "a") == set()
    assert {"node_and_selector", "selects_no_node"} <= set(kinds(found))


def test_local_as_and_keepalive_belong_to_their_releases():
    peer = BGPPeer("x", node="a", peer_ip="192.0.2.1", as_number=65001, local_as_number=65009, keepalive_time="10s")
    old, new = (
        stanza(plan(*THREE, OFF, peer, version=version), "a", "192.0.2.1") for version in ("v3.30.7", "v3.32.0")
    )
    assert (old.local_as, old.keepalive) == (64512, "")
    assert (new.local_as, new.keepalive) == (65009, "10s")


def test_local_workloads_are_known_on_the_node_only():
    peer = BGPPeer("vms", node_selector="all()", local_workload_selector="app == 'router'", as_number=65010)
    found = plan(*THREE, OFF, peer, version="v3.30.0")
    assert names(found, "a") == set()
    assert found.plan.workloads == dict.fromkeys("abc", ("vms",))


def test_source_address_may_be_left_to_the_kernel():
    found = plan(*THREE, OFF, BGPPeer("x", peer_ip="192.0.2.1", as_number=65001, source_address="None"))
    assert stanza(found, "a", "192.0.2.1").source == ""


def test_a_peer_of_the_other_family_is_rendered_only_where_the_node_has_one():
    found = plan(
        node("a", "10.0.0.1", ipv6="fd00::1"), node("b", "10.0.0.2"), OFF, BGPPeer("x", peer_ip="fd00::9", as_number=1)
    )
    assert (names(found, "a", "ipv6"), names(found, "b", "ipv6")) == ({"Global_fd00__9"}, set())


# --- reflectors ---


def test_the_usual_reflectors():
    found = plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2"), *THREE, OFF, REFLECTORS)
    assert found.count() == 7
    assert not found.problems
    client = stanza(found, "r1", "10.0.0.9")
    assert (client.rr_client, client.cluster_id, client.reverse) == (True, "244.0.0.1", True)
    assert not stanza(found, "a", "10.0.0.1").rr_client
    assert not stanza(found, "r1", "10.0.0.2").rr_client


def test_reflectors_of_different_clusters_are_each_others_clients():
    found = plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2", "244.0.0.2"), *THREE, OFF, REFLECTORS)
    assert stanza(found, "r1", "10.0.0.2").rr_client
    assert stanza(found, "r2", "10.0.0.1").rr_client
    assert not found.problems


def test_confd_does_not_know_the_cluster_id_behind_a_peer_ip():
    peer = BGPPeer("x", node="r1", peer_ip="10.0.0.2", as_number=64512)
    found = plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2"), OFF, peer)
    assert stanza(found, "r1", "10.0.0.2").rr_client
    assert not stanza(found, "r2", "10.0.0.1").rr_client


def test_what_could_not_be_read_is_told():
    assert plan(*THREE, sources=(Source("bgppeers", "forbidden"),)).unread == ("bgppeers",)
    assert plan(*THREE, sources=(Source("bgppeers", "absent"),)).unread == ()


def test_a_node_that_does_not_exist_has_nothing():
    found = plan(*THREE, OFF, BGPPeer("x", node="z", peer_ip="192.0.2.1", as_number=1))
    assert names(found, "z") == set()
    assert found.towards("z", "ipv4", "192.0.2.1") == ()
    assert found.session("z", "ipv4", "192.0.2.1") is None
    assert "node_unknown" in kinds(found)


def test_every_session_is_told_once_and_agrees_with_the_stanzas():
    found = plan(
        reflector("r1", "10.0.0.1"),
        *THREE,
        REFLECTORS,
        BGPPeer("tor", node_selector="!has(rr)", peer_ip="192.0.2.1", as_number=65001),
        BGPPeer("twice", node="a", peer_ip="10.0.0.10", as_number=64512),
    )
    sessions = list(found.sessions())
    pairs = [frozenset((one.near.address, one.far.address)) for one in sessions]
    assert len(pairs) == len(set(pairs)) == found.count()
    told = {one for session in sessions for end in session.ends for one in end.stanzas}
    assert told == {one for name in found.speakers for one in found.stanzas(name, "ipv4")}
    assert {one.peer for one in found.stanzas("a", "ipv4")} == found.peers("a", "ipv4")
