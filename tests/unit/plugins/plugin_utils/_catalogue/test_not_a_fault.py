# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank

TRANSIENT = "benign_startup_transient"


def fresh(mesh, name, seconds=12):
    mesh.daemon(name)["booted_seconds_ago"] = seconds


def refuse_as(mesh, name, peer):
    mesh.trouble(name, peer, "Idle", "Received: Bad peer AS")
    mesh.trouble(peer, name, "Idle", "BGP Error: Bad peer AS")


def told(mesh):
    return [(item.fault.id, item.subject.nodes, item.role) for item in rank(mesh.evidence())]


def test_a_session_that_one_end_knows_nothing_of_is_not_coming_up(mesh):
    fresh(mesh, "node-2")
    daemon = mesh.daemon("node-2")
    daemon["peers"]["packed"] = {"Mesh": {"10.0.0": "11-12"}}
    mesh.trouble("node-1", "node-2", "Connect")
    (item,) = rank(mesh.evidence())
    assert item.fault.id == "undetermined"
    assert "BIRD on node-2 has no protocol for node-1" in item.fault.summary(mesh.evidence(), item.subject)
    assert any(seen.node == "node-2" for _signal, seen_by in item.speaks_for for seen in seen_by)


def test_a_session_that_is_still_coming_up_is_told_so(mesh):
    fresh(mesh, "node-2")
    mesh.break_session("node-1", "node-2")
    assert told(mesh) == [(TRANSIENT, ("node-2",), "not_a_fault")]


def test_what_a_cause_explains_is_not_coming_up(mesh):
    fresh(mesh, "node-2", 28)
    mesh.daemon("node-2")["config"]["local_as"] = 64999
    for peer in ("node-1", "node-3", "node-4"):
        refuse_as(mesh, "node-2", peer)
    assert told(mesh) == [("as_mismatch", ("node-2",), "cause")]


def test_only_what_no_cause_explains_is_coming_up(mesh):
    fresh(mesh, "node-2", 20)
    mesh.bgp("node-1")["daemons"]["ipv4"].update(running=False, socket_state="absent")
    mesh.bgp("node-1")["listeners"] = []
    for peer in ("node-2", "node-3", "node-4"):
        mesh.break_session("node-1", peer)
    mesh.break_session("node-3", "node-2")
    by_fault = {item.fault.id: item for item in rank(mesh.evidence())}
    assert set(by_fault) == {"bird_not_running", TRANSIENT}
    (session,) = by_fault[TRANSIENT].subject.sessions
    assert set(session.labels) == {"node-2", "node-3"}
