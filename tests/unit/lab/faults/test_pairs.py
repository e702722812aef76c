# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions as pairs of nodes."""

from __future__ import annotations

from lab import topology
from lab.birdc import Session
from lab.faults import pairs

PLAN = topology.plan("one_subnet", 4)
FIRST, SECOND, THIRD, FOURTH = PLAN.nodes


def test_the_greater_string_dials():
    assert pairs.between(FIRST, [SECOND]) == [pairs.Pair(listener=SECOND, dialler=FIRST)]
    assert pairs.between(SECOND, [FIRST]) == [pairs.Pair(listener=SECOND, dialler=FIRST)]


def test_in_which_sessions_a_node_is_dialled():
    assert pairs.listening(FIRST, [SECOND, THIRD, FOURTH]) == []
    assert [pair.dialler for pair in pairs.listening(THIRD, [FIRST, SECOND, FOURTH])] == [FIRST, FOURTH]


def test_the_listeners_end_comes_first():
    assert pairs.Pair(SECOND, FIRST).ends == ((SECOND, FIRST), (FIRST, SECOND))


def test_what_a_fault_of_one_node_must_not_touch():
    class Four:
        nodes = PLAN.nodes

    assert set(pairs.all_but(Four, SECOND)) == set(
        pairs.between(FIRST, [THIRD, FOURTH]) + pairs.between(THIRD, [FOURTH])
    )


def test_when_a_call_was_in_vain():
    def session(bgp_state, error=""):
        return Session("Mesh_x", "start", bgp_state, error)

    assert pairs.tried(session("Connect"))
    assert pairs.tried(session("Active", "Socket: Connection refused"))
    assert not pairs.tried(session("Active"))
    assert not pairs.tried(session("Idle", "Received: Administrative reset"))
    assert not pairs.tried(session("Connect"), "Socket: No route to host")
    assert pairs.tried(session("Active", "Socket: No route to host"), "Socket: No route to host")
