# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import html_mesh, mesh
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told


def drawn(report):
    return html_mesh.drawing(mesh.read(report))


def test_few_nodes_stand_in_a_ring_with_a_line_for_each_session(mesh):
    mesh.break_session("node-1", "node-3")
    found = drawn(told.of(mesh))
    assert found["established"].count("M") == 5
    assert [line["title"] for line in found["lines"]] == ["node-1 dials node-3 in vain"]
    places = {(dot["x"], dot["y"]) for dot in found["dots"]}
    assert len(places) == 4
    assert all(0 < x < found["width"] and 0 < y < found["height"] for x, y in places)


def test_the_line_of_a_broken_session_points_at_the_listener(mesh):
    mesh.break_session("node-1", "node-3")
    found = drawn(told.of(mesh))
    at = {dot["number"]: (dot["x"], dot["y"]) for dot in found["dots"]}
    line = found["lines"][0]
    assert math.dist((line["x1"], line["y1"]), at[0]) < math.dist((line["x1"], line["y1"]), at[2])
    assert math.dist((line["x2"], line["y2"]), at[2]) < math.dist((line["x2"], line["y2"]), at[0])


def test_many_nodes_stand_in_boxes_without_the_lines_that_are_well():
    found = drawn(told.many(250, [(1, 40), (1, 230)]))
    assert [box["name"] for box in found["boxes"]] == ["10.0.0.0/24", "10.0.1.0/24"]
    assert found["established"] == ""
    assert found["left_out"]["established"] > 30000
    assert len(found["lines"]) == 2
    assert all(0 < dot["x"] < found["width"] and 0 < dot["y"] < found["height"] for dot in found["dots"])
    assert len({(dot["x"], dot["y"]) for dot in found["dots"]}) == 250


def test_not_more_lines_are_drawn_than_can_be_told_apart():
    down = [(first, second) for first in range(5) for second in range(20, 59)]
    found = drawn(told.many(60, down))
    assert len(found["lines"]) == html_mesh.LINES // 2
    assert found["left_out"]["down"] == len(down) - html_mesh.LINES // 2


def test_reflectors_stand_inside_of_the_ring():
    report = told.many(8)
    report["mesh"]["nodes"][3]["reflector"] = True
    found = drawn(report)
    middle = (found["width"] / 2, found["height"] / 2)
    away = {dot["number"]: math.dist((dot["x"], dot["y"]), middle) for dot in found["dots"]}
    assert away[3] < min(far for number, far in away.items() if number != 3)


def test_too_many_groups_are_one():
    report = told.many(120)
    for number, node in enumerate(report["mesh"]["nodes"]):
        node["zone"] = f"zone-{number}"
    found = drawn(report)
    assert len(found["boxes"]) == html_mesh.GROUPS
    assert found["boxes"][-1]["name"] == "all other groups"


def test_names_are_cut_in_the_middle():
    assert html_mesh.cut("short") == "short"
    cut = html_mesh.cut("ip-10-0-0-1.eu-west-1.compute.internal")
    assert len(cut) == html_mesh.LONGEST
    assert cut.startswith("ip-10-0")
    assert cut.endswith("internal")
