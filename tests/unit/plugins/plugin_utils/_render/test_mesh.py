# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import mesh as meshes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told


def test_the_mesh_is_read_as_it_was_told(mesh):
    mesh.break_session("node-1", "node-3")
    mesh.lose("node-4")
    found = meshes.read(told.of(mesh))
    assert [spot.name for spot in found.spots] == ["node-1", "node-2", "node-3", "node-4"]
    assert list(found.broken()) == [(0, 2)]
    assert [spot.failing for spot in found.spots] == [0b100, 0, 0b1, 0]
    assert found.spots[3].look == meshes.UNREAD


def test_a_session_that_both_dial_counts_once():
    report = told.empty()
    report["mesh"] = {
        "nodes": [{"name": "a", "down": {"ipv4": "1"}}, {"name": "b", "down": {"ipv4": "0", "ipv6": "0"}}]
    }
    assert list(meshes.read(report).broken()) == [(0, 1)]


def test_nonsense_is_no_peer():
    report = told.empty()
    for nonsense in ("5-99999999999", "-1", "x", "", 7, None, ["0"], "1,0", "0-1-2"):
        report["mesh"] = {"nodes": [{"name": "a", "up": {"ipv4": nonsense}, "down": nonsense}, {"name": 3}, "b", None]}
        found = meshes.read(report)
        assert len(found.spots) == 2
        assert found.spots[0].up in (0, 0b10)


def test_the_worst_that_was_found_at_a_node_makes_its_look(mesh):
    mesh.block("node-1", ["node-2"])
    looks = {spot.name: spot.look for spot in meshes.read(told.of(mesh)).spots}
    assert looks["node-1"] in (meshes.WARN, meshes.FAULT)
    assert looks["node-3"] == meshes.WELL


def test_bits_and_runs():
    assert list(meshes.bits(0b10110)) == [1, 2, 4]
    assert list(meshes.runs(0b10110)) == [(1, 2), (4, 1)]
    assert list(meshes.runs(0)) == []
