# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico-node's readiness probe."""

from __future__ import annotations

from lab.birdc import Session
from lab.controller import readiness

UP, DOWN = "Established", "Active"


def session(name, bgp_state):
    return Session(name, "up" if bgp_state == UP else "start", bgp_state, "")


def words(*states, age=100.0, restarting=False):
    sessions = [session(f"Mesh_10_0_0_{number}", state) for number, state in enumerate(states)]
    return readiness.words(sessions, age, restarting)


def test_without_peers_it_is_ready():
    assert words() == ""


def test_one_of_many_is_enough_once_it_has_run_for_some_time():
    assert words(DOWN, DOWN, UP) == ""
    assert words(DOWN, DOWN).endswith("BIRD is not ready: BGP not established with 10.0.0.0,10.0.0.1")


def test_at_the_beginning_all_are_wanted():
    assert words(DOWN, UP, age=1.0) == "calico/node is not ready: BIRD is not ready: BGP not established with 10.0.0.0"
    assert words(UP, UP, age=1.0) == ""
    assert words(UP, age=1.0, restarting=True).endswith("graceful restart in progress")
    assert words(UP, restarting=True) == ""


def test_a_node_that_has_not_written_its_name():
    assert "Failed to stat() nodename file" in words(UP, age=None)


def test_names_of_all_kinds_give_addresses():
    down = [session("Global_10_0_0_1_port_1790", DOWN), session("Node_fd00__1", DOWN), session("other", DOWN)]
    assert readiness.words(down, 100.0, False).endswith("with 10.0.0.1,fd00::1")


def test_an_unreachable_bird():
    assert "/var/run/calico/bird.ctl: connect: connection refused" in readiness.unreachable("BIRD: Connection refused")
    assert "/var/run/bird/bird.ctl: connect: no such file" in readiness.unreachable("BIRD has no control socket")
    assert "i/o timeout" in readiness.unreachable("BIRD does not answer")
