# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)


def test_a_healthy_report_is_short(mesh):
    assert lines(analyse(mesh.evidence(), NOW)) == [
        "Calico BGP diagnosis of 4 node(s), 2026-01-01T00:00:30Z",
        "",
        "Coverage 4 of 4 nodes read; 6 of 6 BGP sessions established",
        "         the Kubernetes API was not asked",
        "Verdict  HEALTHY: every node and every session was seen and is well",
    ]


def test_the_order_is_coverage_verdict_findings_unchecked(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.lose("node-4")
    mesh.bgp("node-1")["sources"].append({"source": "iptables_legacy", "status": "failed", "detail": "needs root"})
    told = lines(analyse(mesh.evidence(), NOW))
    landmarks = ("Coverage", "not read: node-4", "Verdict", "1. major  undetermined", "Could not be checked:")
    places = [next(number for number, line in enumerate(told) if mark in line) for mark in landmarks]
    assert places == sorted(places)


def test_every_part_of_a_finding_is_told(mesh):
    mesh.block("node-1", ["node-2"])
    text = "\n".join(lines(analyse(mesh.evidence(), NOW)))
    for label in ("what ", "where ", "seen ", "means ", "fix ", "risk "):
        assert f"   {label}" in text


def test_lines_keep_to_the_width_but_commands_stay_whole(mesh):
    mesh.block("node-1", ["node-2", "node-3", "node-4"])
    told = lines(analyse(mesh.evidence(), NOW), width=72)
    assert all(len(line) <= 72 for line in told if "ssh " not in line)
    assert any(line.endswith("-j ACCEPT") and "ssh node-1 sudo" in line for line in told)


def test_the_same_failing_source_on_many_nodes_is_told_once(mesh):
    for name in mesh.addresses:
        mesh.bgp(name)["sources"].append({"source": "firewall", "status": "failed", "detail": "needs root"})
    told = [line for line in lines(analyse(mesh.evidence(), NOW)) if "needs root" in line]
    assert told == ["  firewall on node-1, node-2, node-3, node-4: needs root"]
