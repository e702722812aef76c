# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-in for Felix and flannel writes, beside what iproute2 printed of the real devices' forms."""

from __future__ import annotations

import pytest

from lab import overlay, topology
from lab.controller import cluster


def registered(name, count=3):
    plan = topology.plan(name, count)
    objects = cluster.objects(plan)
    nodes = [each for each in objects if each["kind"] == "Node"]
    return plan, overlay.vteps(name, nodes, [each for each in objects if each["kind"] == "BlockAffinity"])


def test_felix_writes_three_things_for_each_other_node():
    plan, known = registered("vxlan")
    found = overlay.tables(overlay.device(plan), known, "node-1")
    mac = "66:c0:93:2e:56:2c"
    assert f"10.244.2.1 lladdr {mac} dev vxlan.calico nud permanent" in found.neighbours
    assert f"{mac} dev vxlan.calico dst 10.200.0.10 self permanent" in found.fdb
    assert "10.244.2.0/26 via 10.244.2.1 dev vxlan.calico proto 80 onlink" in found.routes
    assert "blackhole 10.244.1.0/26 proto 80" in found.routes
    assert (len(found.neighbours), len(found.fdb), len(found.routes)) == (2, 2, 3)


def test_flannel_routes_pod_cidrs_by_way_of_their_first_address():
    plan, known = registered("canal")
    found = overlay.tables(overlay.device(plan), known, "node-1")
    assert "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink" in found.routes
    assert found.device[:3] == ("flannel.1", "1", "8472")


def test_a_node_without_pod_cidr_is_forgotten_and_left_as_it_is():
    plan, known = registered("canal")
    without = [each for each in known if each.node != "node-2"]
    device = overlay.device(plan)
    assert overlay.tables(device, without, "node-2") is None
    ip, bridge = overlay.lines(overlay.tables(device, known, "node-1"), overlay.tables(device, without, "node-1"))
    assert "neighbour del 10.244.2.0 dev flannel.1\n" in ip
    assert "route del 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink\n" in ip
    assert bridge.startswith("fdb del ")
    assert "permanent" not in bridge


@pytest.mark.parametrize("name", [each.name for each in topology.TOPOLOGIES if not each.overlay])
def test_with_bird_there_is_none(name):
    plan = topology.plan(name, 3)
    assert overlay.device(plan) == ""
    assert overlay.written_on(plan, plan.nodes[0]) == {}
