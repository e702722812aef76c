# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank


def told(mesh):
    return [(item.fault.id, item.subject.nodes, item.role) for item in rank(mesh.evidence())]


def block_node_2(mesh):
    mesh.block("node-2", ["node-1", "node-3", "node-4"])
    for dialler in ("node-1", "node-3", "node-4"):
        mesh.break_session(dialler, "node-2")
        mesh.probe(dialler, "node-2", "silent")
        mesh.reach(dialler, "node-2")


def test_a_healthy_mesh_has_no_finding(mesh):
    assert told(mesh) == []


def test_the_blocking_rule_is_found_at_the_listener(mesh):
    block_node_2(mesh)
    assert told(mesh) == [("tcp179_blocked_host_firewall", ("node-2",), "cause")]


def test_the_rule_that_blocks_the_working_direction_is_latent(mesh):
    mesh.block("node-1", ["node-2", "node-3", "node-4"])
    assert told(mesh) == [("tcp179_latent_one_way_block", ("node-1",), "latent")]


def test_two_blocking_nodes_are_both_found(mesh):
    block_node_2(mesh)
    mesh.block("node-3", ["node-4"])
    mesh.break_session("node-3", "node-4")
    mesh.probe("node-4", "node-3", "silent")
    found = told(mesh)
    assert ("tcp179_blocked_host_firewall", ("node-2",), "cause") in found
    assert ("tcp179_blocked_host_firewall", ("node-3",), "cause") in found


def test_a_rule_and_a_wrong_as_are_both_found(mesh):
    mesh.block("node-2", ["node-1", "node-3"])
    for dialler in ("node-1", "node-3"):
        mesh.break_session(dialler, "node-2")
        mesh.probe(dialler, "node-2", "silent")
    mesh.daemon("node-4")["config"]["local_as"] = 64999
    for peer in ("node-1", "node-2", "node-3"):
        mesh.trouble("node-4", peer, "Idle", "Received: Bad peer AS", neighbor_as=64512)
        mesh.trouble(peer, "node-4", "Idle", "BGP Error: Bad peer AS")
    found = told(mesh)
    assert ("tcp179_blocked_host_firewall", ("node-2",), "cause") in found
    assert ("as_mismatch", ("node-4",), "cause") in found
    assert "undetermined" not in [fault for fault, _nodes, _role in found]


def test_a_session_that_nothing_explains_is_undetermined_and_says_what_is_missing(mesh):
    mesh.break_session("node-2", "node-3")
    (item,) = rank(mesh.evidence())
    assert item.fault.id == "undetermined"
    missing = item.fault.missing(mesh.evidence(), item.subject)
    assert any("tcpdump" in what.how for what in missing)


def test_a_silent_peer_that_could_not_be_read_is_undetermined_with_alternatives(mesh):
    mesh.lose("node-2")
    for dialler in ("node-1", "node-3", "node-4"):
        mesh.trouble(dialler, "node-2", "Connect")
        mesh.probe(dialler, "node-2", "silent")
        mesh.reach(dialler, "node-2")
    (item,) = rank(mesh.evidence())
    assert item.fault.id == "undetermined"
    assert item.subject.nodes == ("node-2",)
    assert [rival.fault.id for rival in item.alternatives][:1] == ["tcp179_blocked_host_firewall"]


def test_silence_between_two_accepting_hosts_is_the_network(mesh):
    for other in ("node-1", "node-2", "node-4"):
        mesh.break_session("node-3", other)
        mesh.probe("node-3", other, "silent")
        mesh.probe(other, "node-3", "silent")
        mesh.reach("node-3", other)
        mesh.reach(other, "node-3")
    assert told(mesh) == [("tcp179_blocked_network", ("node-3",), "cause")]


@pytest.mark.parametrize(("answer", "fault"), [("reset", "peer_bird_not_running"), ("silent", "peer_node_down")])
def test_an_unread_peer_is_told_by_what_it_answers(mesh, answer, fault):
    mesh.lose("node-2")
    for dialler in ("node-1", "node-3", "node-4"):
        mesh.trouble(dialler, "node-2", "Active", "Socket: Connection refused" if answer == "reset" else "")
        mesh.probe(dialler, "node-2", answer)
        alive = answer == "reset"
        mesh.reach(dialler, "node-2", "reachable" if alive else "failed", "answered" if alive else "silent")
    assert told(mesh) == [(fault, ("node-2",), "cause")]


def test_a_dead_address_of_nobody_is_a_stale_node(mesh):
    for name in mesh.addresses:
        mesh.trouble(name, "10.0.0.200", "Connect")
        mesh.probe(name, "10.0.0.200", "silent")
        mesh.reach(name, "10.0.0.200", "failed", "silent")
    assert told(mesh) == [("stale_node_in_mesh", ("10.0.0.200",), "cause")]


def test_two_claims_of_one_address_explain_the_missing_address(mesh):
    mesh.facts["node-4"]["calico_node"]["bgp_addresses"]["ipv4"] = "10.0.0.11"
    mesh.daemon("node-4")["router_id"] = "10.0.0.11"
    found = {fault: role for fault, _nodes, role in told(mesh)}
    assert found["duplicate_node_ip"] == "cause"
    assert found["stale_node_ip"] == "consequence"
    assert found["duplicate_router_id"] == "consequence"


@pytest.mark.parametrize(
    ("dialler_has", "listener_has", "counter"),
    [(True, False, "unexpected"), (False, True, "not_found"), (True, True, "failure")],
)
def test_the_three_forms_of_a_password_mismatch(mesh, dialler_has, listener_has, counter):
    for name, has in (("node-1", dialler_has), ("node-2", listener_has)):
        mesh.daemon(name)["config"]["password"] = "all" if has else "none"
    mesh.break_session("node-1", "node-2")
    mesh.probe("node-1", "node-2", "silent")
    mesh.bgp("node-2")["md5"] = {"seconds": 2.2, counter: {"total": 9, "grew": 2}}
    (first, *_rest) = told(mesh)
    assert first[0] == "bgp_password_mismatch"
    assert set(first[1]) == {"node-1", "node-2"}


def test_a_fresh_restart_of_one_node_is_no_fault(mesh):
    mesh.daemon("node-3")["booted_seconds_ago"] = 12
    for name in ("node-1", "node-2", "node-4"):
        mesh.daemon(name)["recent"] = [{"peer": "10.0.0.11", "since_seconds_ago": 9}]
    assert told(mesh) == [("benign_startup_transient", ("node-3",), "not_a_fault")]


def test_a_mesh_that_was_just_born_has_no_finding(mesh):
    for name in mesh.addresses:
        mesh.daemon(name)["booted_seconds_ago"] = 8
    assert told(mesh) == []
