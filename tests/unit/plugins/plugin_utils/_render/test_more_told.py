# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report tells besides findings: whom nobody reaches from where, and how nodes were read."""

from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)


def report_of(mesh, kube):
    return analyse(evidence_of(mesh, kube), NOW)


def bare(kube):
    kube.objects["ippools"][0]["spec"].update(ipipMode="Never", vxlanMode="Never")


def test_a_pair_that_is_cut_is_told_from_both_ends(mesh, kube):
    bare(kube)
    mesh.break_session("node-1", "node-2")
    found = report_of(mesh, kube)
    told = {one["node"]: (one["pods_of"], one["partly"]) for one in found["impact"]["cannot_reach"]}
    assert told == {"node-1": (["node-2"], True), "node-2": (["node-1"], True)}
    shown = " ".join(" ".join(lines(found)).split())
    assert "node-1 does not reach the pods of node-2 (10.244.1.0/26)" in shown


def test_an_isolated_node_is_told_by_the_summary(mesh, kube):
    bare(kube)
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    found = report_of(mesh, kube)
    (told,) = found["impact"]["cannot_reach"]
    assert (told["node"], told["partly"], told["count"]) == ("node-2", False, 3)
    assert "does not reach the pods" not in "\n".join(lines(found))


def test_a_node_that_was_read_by_its_shell_is_named(mesh, kube):
    mesh.facts["node-3"]["calico_node"]["read_without_python"] = True
    found = report_of(mesh, kube)
    assert found["coverage"]["nodes"]["without_python"] == ["node-3"]
    assert found["verdict"] == "healthy"
    assert "so without SYN probes and paths behind routers: node-3" in " ".join(" ".join(lines(found)).split())
