# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import culprits


def test_a_healthy_mesh_has_all_sessions_established_and_none_in_trouble(mesh):
    table = mesh.evidence().table
    assert (table.expected, table.established, table.down, table.one_sided) == (6, 6, (), 0)


def test_the_end_whose_address_is_greater_as_a_string_dials(mesh):
    mesh.break_session("node-1", "node-2")
    (session,) = mesh.evidence().table.down
    assert session.labels == ("node-1", "node-2")
    assert session.dialler.address == "10.0.0.9"
    assert not session.both_dial


def test_a_session_seen_from_both_ends_is_one_session(mesh):
    mesh.break_session("node-2", "node-3")
    table = mesh.evidence().table
    assert (table.expected, table.established, len(table.down)) == (6, 5, 1)
    (session,) = table.down
    assert (session.dialler.protocol.bgp_state, session.listener.protocol.bgp_state) == ("Connect", "Passive")


def test_one_end_established_and_the_other_not_is_down(mesh):
    mesh.trouble("node-1", "node-2", "Connect")
    (session,) = mesh.evidence().table.down
    assert session.listener.established
    assert not session.dialler.established


def test_one_end_established_and_the_other_hung_is_not_called_down(mesh):
    mesh.facts["node-2"]["calico_bgp"]["daemons"]["ipv4"] = {"running": True, "socket_state": "no_answer"}
    table = mesh.evidence().table
    assert table.down == ()
    assert table.established == 6


def test_an_end_that_is_not_configured_makes_the_session_one_sided(mesh):
    mesh.trouble("node-1", "node-2", "Active")
    daemon = mesh.daemon("node-2")
    daemon["peers"]["packed"] = {"Mesh": {"10.0.0": "11-12"}}
    table = mesh.evidence().table
    assert table.one_sided == 1


def test_a_peer_outside_the_inventory_is_one_end_only(mesh):
    mesh.trouble("node-1", "10.0.0.200", "Connect")
    (session,) = mesh.evidence().table.down
    assert session.dialler.node.name == "node-1" or session.listener.node.name == "node-1"
    assert {session.dialler.label, session.listener.label} == {"node-1", "10.0.0.200"}


def test_node_specific_peers_dial_from_both_ends(mesh):
    mesh.trouble("node-1", "node-2", "Connect", kind="Node", passive=False)
    mesh.trouble("node-2", "node-1", "Active", kind="Node", passive=False)
    (session,) = mesh.evidence().table.down
    assert session.both_dial
    assert session.dials(session.listener)


def test_configured_passive_decides_the_direction_before_the_string_order(mesh):
    mesh.trouble("node-1", "node-2", "Passive", passive=True)
    mesh.trouble("node-2", "node-1", "Connect", passive=False)
    (session,) = mesh.evidence().table.down
    assert session.labels == ("node-2", "node-1")


@pytest.mark.parametrize("lost", ["node-1", "node-3"])
def test_the_node_shared_by_all_failing_sessions_is_the_culprit(mesh, lost):
    for other in mesh.addresses:
        if other != lost:
            mesh.break_session(lost, other)
    evidence = mesh.evidence()
    ((names, sessions),) = culprits((session, evidence.labels(session)) for session in evidence.table.down)
    assert names == (lost,)
    assert len(sessions) == 3


def test_a_single_failing_session_names_both_ends(mesh):
    mesh.break_session("node-2", "node-4")
    evidence = mesh.evidence()
    ((names, _sessions),) = culprits((session, evidence.labels(session)) for session in evidence.table.down)
    assert set(names) == {"node-2", "node-4"}


def test_an_end_that_does_not_tell_its_own_address_is_known_by_what_others_call_it(mesh):
    for name in mesh.facts:
        mesh.daemon(name)["config"] = {}
        mesh.daemon(name).pop("router_id", None)
        mesh.facts[name]["calico_node"]["bgp_addresses"] = {}
    table = mesh.evidence().table
    assert (table.expected, table.established, table.one_ended, len(table.down)) == (6, 6, 0, 0)
