# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded cases: what the nodes of a broken mesh said, and the cause that must come out of it first."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/case.json"))


def read(folder):
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    facts = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("node-*.json")}
    inventory = case["inventory"]
    nodes = {name: read_node(name, facts[name], inventory[name]) for name in sorted(facts)}
    missing = tuple(
        MissingNode(name, "unreachable", inventory[name], unreachable=True) for name in inventory if name not in facts
    )
    return case, Evidence(nodes, missing)


def report_on(evidence):
    last = max(node.taken_at for node in evidence.nodes.values())
    return analyse(evidence, datetime.fromisoformat(last) + timedelta(seconds=5))


def test_there_are_cases():
    assert len(CASES) >= 35


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_cause_comes_out_first_at_the_right_node(folder):
    case, evidence = read(folder)
    report = report_on(evidence)
    if case["fault"] is None:
        assert (report["verdict"], report["findings"]) == ("healthy", [])
        return
    first = report["findings"][0]
    assert first["fault"] == case["fault"]
    assert case["node"] in first["nodes"]
    assert (folder / "SOURCE").is_file()
    assert "".join(lines(report))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_nothing_but_the_cause_is_called_a_cause(folder):
    case, evidence = read(folder)
    findings = [item for item in report_on(evidence)["findings"] if "guess" not in item]
    causes = {item["fault"] for item in findings if item["role"] == "cause"}
    assert causes <= {case["fault"]}


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_facts_of_a_small_mesh_are_small(folder):
    assert all(path.stat().st_size <= 16 * 1024 for path in folder.glob("node-*.json"))
