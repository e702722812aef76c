# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.sarif import BASE, sarif
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told

LEVELS = {"none", "note", "warning", "error"}
KINDS = {"notApplicable", "pass", "fail", "review", "open", "informational"}


def run(report):
    log = json.loads(sarif(report))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (found,) = log["runs"]
    rules = found["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in found["results"]:
        follows_the_schema(result, rules)
    return found


def follows_the_schema(result, rules):
    """The rules of SARIF 2.1.0 that a result of ours could break."""
    assert set(result) <= {
        *("ruleId", "ruleIndex", "kind", "level", "rank", "message", "locations", "partialFingerprints"),
        *("properties", "suppressions"),
    }
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["message"]["text"]
    assert result["level"] in LEVELS
    assert result.get("kind", "fail") in KINDS
    # 3.27.10: where the kind is not fail, the level is none.
    assert result.get("kind", "fail") == "fail" or result["level"] == "none"
    assert 0 <= result.get("rank", 0) <= 100
    for location in result["locations"]:
        assert set(location) <= {"physicalLocation", "logicalLocations", "message"}
        if "physicalLocation" in location:
            artifact = location["physicalLocation"]["artifactLocation"]
            assert artifact["uri"].isascii()
            assert not artifact["uri"].startswith("/")
            assert " " not in artifact["uri"]
            assert location["physicalLocation"]["region"]["startLine"] >= 1


def test_a_finding_is_a_result_at_its_nodes(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    found = run(told.of(mesh))
    first = found["results"][0]
    assert first["ruleId"] == "tcp179_blocked_host_firewall"
    assert first["level"] == "error"
    assert {"fullyQualifiedName": "node-2", "kind": "resource"} in first["locations"][0]["logicalLocations"]


def test_the_file_of_a_bundle_is_a_physical_location(mesh):
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    report["findings"][0]["location"] = {"file": "cluster/my pools é.yaml", "line": 6}
    physical = run(report)["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "cluster/my%20pools%20%C3%A9.yaml", "uriBaseId": BASE}
    assert physical["region"] == {"startLine": 6}


def test_a_waiver_suppresses_and_no_fault_has_no_level(mesh):
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    report["findings"][0]["waived"] = {"reason": "known", "expires": "2027-01-31"}
    assert run(report)["results"][0]["suppressions"] == [{"kind": "external", "justification": "known"}]
    report["findings"][0]["role"] = "not_a_fault"
    assert run(report)["results"][0]["kind"] == "informational"


def test_every_kind_of_report_keeps_to_the_rules(mesh):
    assert run(told.of(mesh))["results"] == []
    for report in (told.hostile(), told.empty(), told.unread(), told.followed(mesh)):
        run(report)


def test_what_is_no_whole_report_is_refused():
    with pytest.raises((KeyError, TypeError, AttributeError)):
        sarif({"verdict": "healthy"})
