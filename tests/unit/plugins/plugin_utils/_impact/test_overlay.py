# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is cut off where no session tells it: behind an overlay, and at nodes that have no session at all."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._impact.overlay import overlay_impact
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of
from ansible_collections.netmedic.calico.tests.unit.test_cases import CASES, read, report_on

ALONE = "Pods on 1 node and those on all other nodes cannot reach each other."
PAIR = "1 pair of nodes cannot reach each other's pods."
UP = "No session is down, so that BGP itself cuts no pod off; what is found below may do so in other ways."


def case(name):
    (folder,) = (one for one in CASES if one.name == name)
    return read(folder)[1]


@pytest.mark.parametrize(
    ("name", "summary", "isolated", "pairs"),
    [
        ("vxlan_udp_blocked-host", ALONE, ["node-2"], 2),
        ("vxlan_udp_blocked-host-flannel", ALONE, ["node-2"], 2),
        ("vxlan_udp_blocked-network", ALONE, ["node-2"], 2),
        ("tunnel_device_missing-missing", ALONE, ["node-2"], 2),
        ("routes_missing-route", PAIR, [], 1),
        ("routes_missing-fdb", PAIR, [], 1),
        ("tcp179_blocked_host_firewall-sessions-up", UP, [], 0),
    ],
)
def test_what_is_cut_off_behind_it_is_told(name, summary, isolated, pairs):
    found = report_on(case(name))["impact"]
    assert (found["summary"], found["isolated"], found["pairs"]) == (summary, isolated, pairs)
    assert found["gone"] == []


@pytest.mark.parametrize("name", ["healthy-vxlan", "healthy-canal", "healthy-one_subnet"])
def test_a_healthy_mesh_has_no_impact(name):
    evidence = case(name)
    assert overlay_impact(evidence) is None
    assert report_on(evidence)["impact"] is None


def test_what_goes_on_working_is_told():
    found = overlay_impact(case("vxlan_udp_blocked-host"))
    assert found.keeps == (
        "Pods on the same node reach each other, and nodes reach nodes: neither goes through vxlan.calico.",
    )
    assert [name for name, _blocks in found.unreachable_from("node-1")] == ["node-2"]


def test_a_node_whose_bird_does_not_run_and_whose_peers_were_not_seen_is_cut_off(mesh):
    for name in ("node-1", "node-3", "node-4"):
        mesh.lose(name)
    mesh.facts["node-2"]["calico_bgp"]["daemons"] = {"ipv4": {"running": False, "socket_state": "absent"}}
    report = report_on(evidence_of(mesh))
    assert report["findings"][0]["fault"] == "bird_not_running"
    assert report["impact"]["isolated"] == ["node-2"]
