# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.junit import junit
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told


def parsed(report, **options):
    root = ElementTree.fromstring(junit(report, **options))  # noqa: S314  # our own
    follows_the_schema(root)
    return root


def follows_the_schema(root):
    """What the schemas of Jenkins and of the JUnit reporters have in common."""
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        assert {"name", "tests", "failures", "errors", "skipped", "timestamp", "hostname", "time"} <= set(suite.keys())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
        assert int(suite.get("tests")) == len(suite)
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name)) == len(suite.findall(f"testcase/{kind}"))
        for case in suite:
            assert case.tag == "testcase"
            assert {"name", "classname", "time"} <= set(case.keys())
            kinds = [child.tag for child in case]
            assert kinds in (
                [],
                ["system-out"],
                *([one, *out] for one in ("failure", "error", "skipped") for out in ([], ["system-out"])),
            )
            assert all(child.get("message") for child in case if child.tag != "system-out")
    for total in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(total)) == sum(int(suite.get(total)) for suite in root)


def outcomes(root):
    return {case.get("name"): (case[0].tag if len(case) else "passed") for case in root.iter("testcase")}


def test_healthy_nodes_pass(mesh):
    assert outcomes(parsed(told.of(mesh))) == {
        **dict.fromkeys(("node-1", "node-2", "node-3", "node-4"), "passed"),
        "evidence": "system-out",
    }


def test_a_node_at_fault_fails_with_what_to_do(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    root = parsed(report)
    assert outcomes(root)["node-2"] == "failure"
    failure = next(case for case in root.iter("testcase") if case.get("name") == "node-2")[0]
    first = next(item for item in report["findings"] if "node-2" in item["nodes"])
    assert failure.get("type") == first["fault"]
    assert first["fix"]["commands"][0] in failure.text


def test_only_what_is_grave_enough_fails(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    assert "failure" not in outcomes(parsed(report, fail_on="never")).values()
    report["findings"][0]["severity"] = "minor"
    assert outcomes(parsed(report, fail_on="critical"))["node-2"] == "system-out"


def test_what_is_waived_is_skipped(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    for item in report["findings"]:
        item["waived"] = {"reason": "known & <fine>", "expires": "2027-01-31"}
    assert outcomes(parsed(report))["node-2"] == "skipped"


def test_a_node_that_was_not_read_is_an_error(mesh):
    mesh.lose("node-4")
    assert outcomes(parsed(told.of(mesh)))["node-4"] == "error"


def test_where_nothing_was_read_the_evidence_is_an_error():
    assert outcomes(parsed(told.unread()))["evidence"] == "error"
    assert outcomes(parsed(told.empty()))["evidence"] == "error"


def test_hostile_names_stay_names():
    root = parsed(told.hostile())
    assert told.HOSTILE[0] in outcomes(root)
    assert told.HOSTILE[6] in outcomes(root)


def test_what_is_no_whole_report_is_refused():
    with pytest.raises((KeyError, TypeError, AttributeError)):
        junit({"verdict": "healthy"})
