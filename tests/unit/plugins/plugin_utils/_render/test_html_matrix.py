# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import html_matrix, mesh
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told


def cells(found, state):
    """The cells of a state, as (row, column)."""
    path = next((one["path"] for one in found["paths"] if one["state"] == state), "")
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path)
    assert "".join(f"M{first} {row}h{length}v1h-{length}z" for first, row, length in runs) == path
    return {(int(row), int(first) + step) for first, row, length in runs for step in range(int(length))}


def test_each_end_is_a_cell(mesh):
    mesh.break_session("node-1", "node-3")
    mesh.lose("node-4")
    found = html_matrix.matrix(reading(mesh))
    assert cells(found, "dials") == {(0, 2)}
    assert cells(found, "waits") == {(2, 0)}
    assert cells(found, "unread") == {(3, 0), (3, 1), (3, 2)}
    assert (0, 1) in cells(found, "up")
    assert (0, 0) not in cells(found, "up")


def reading(builder):
    return mesh.read(told.of(builder))


def test_one_node_has_no_pairs():
    assert html_matrix.matrix(mesh.read(told.many(1))) is None
    assert html_matrix.matrix(mesh.read(told.empty())) is None


def test_a_healthy_mesh_is_two_runs_a_row():
    found = html_matrix.matrix(mesh.read(told.many(100)))
    assert sum(one["path"].count("M") for one in found["paths"]) <= 200


def test_too_many_nodes_share_cells_which_show_the_worst():
    report = told.empty()
    count = 1300
    report["mesh"] = {"nodes": [{"name": f"n{number}", "up": {"ipv4": f"0-{count - 1}"}} for number in range(count)]}
    report["mesh"]["nodes"][700]["down"] = {"ipv4": "3"}
    found = html_matrix.matrix(mesh.read(report))
    assert found["per_cell"] == 5
    assert found["cells"] == 260
    assert cells(found, "dials") == {(140, 0)}
    assert [one["state"] for one in found["paths"]][-1] == "dials"


def test_a_ragged_mesh_does_not_grow_with_the_pairs():
    report = told.empty()
    ragged = ",".join(map(str, range(0, 500, 2)))
    report["mesh"] = {"nodes": [{"name": f"n{number}", "up": {"ipv4": ragged}} for number in range(500)]}
    found = html_matrix.matrix(mesh.read(report))
    assert found["per_cell"] > 1
    assert sum(len(one["path"]) for one in found["paths"]) < 2_000_000


def test_the_pairs_are_told_in_words_too(mesh):
    mesh.break_session("node-1", "node-3")
    found = html_matrix.pairs(reading(mesh))
    assert [(one["dialler"], one["listener"]) for one in found["rows"]] == [("node-1", "node-3")]
    assert found["left_out"] == 0


def test_of_very_many_pairs_the_rest_is_counted():
    report = told.empty()
    report["mesh"] = {"nodes": [{"name": f"n{number}", "down": {"ipv4": "0-99"}} for number in range(100)]}
    found = html_matrix.pairs(mesh.read(report))
    assert len(found["rows"]) + found["left_out"] == 100 * 99 // 2
