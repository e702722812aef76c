# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._lint import result as linting
from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.context import Settings
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import lint

NOW = "2026-01-01T00:00:00Z"
POOL = (
    "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: one}\nspec:\n  cidr: 10.0.0.0/16\n"
    "  vxlanMode: Always\n  vxlanmode: Never\n  blockSize: 8\n  natOutgoing: true\n"
)


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text("kind: Namespace\napiVersion: v1\n", encoding="utf-8")
    Path("bad pool.yaml").write_text(POOL, encoding="utf-8")
    return linting.run(["."], Settings())


def test_sarif_has_rules_files_and_lines(found):
    (run,) = json.loads(lint.sarif(found, NOW))["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert rules == ["ippool_block_size", "unknown_field"]
    assert all("docs/prevention.md" in one["helpUri"] for one in run["tool"]["driver"]["rules"])
    told = [
        (one["ruleId"], one["level"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for one in run["results"]
    ]
    assert told == [("ippool_block_size", "error", "bad%20pool.yaml"), ("unknown_field", "warning", "bad%20pool.yaml")]
    lines = [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in run["results"]]
    assert lines == [8, 7]
    assert set(run["originalUriBaseIds"]) == {"%SRCROOT%"}


def test_junit_has_a_case_for_each_file(found):
    root = ElementTree.fromstring(lint.junit(found, "major", NOW))  # noqa: S314  (our own)
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {"bad pool.yaml", "good.yaml"}
    assert cases["bad pool.yaml"].find("failure").get("type") == "ippool_block_size"
    assert "unknown_field" in cases["bad pool.yaml"].find("system-out").text
    assert len(cases["good.yaml"]) == 0
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    assert 'failures="0"' in lint.junit(found, "never", NOW)


def test_lines_fit_and_count(found):
    told = lint.lines(found, 60)
    assert told[0] == "2 file(s) with 2 object(s) checked"
    assert told[-1] == "Found: 1 major, 1 minor"
    assert "bad pool.yaml:8: major: ippool_block_size" in told
    assert all(len(line) <= 60 for line in told)


def test_the_sentence_of_a_failure(found):
    assert linting.failure(found, "major") == (
        "1 finding(s) of severity major or above: ippool_block_size (bad pool.yaml:8)."
    )
    assert linting.failure(found, "critical") == ""
    assert linting.failure(found, "never") == ""
    nothing = linting.run(["none.yaml"], Settings())
    assert linting.failure(nothing, "never").startswith("No Kubernetes object was found in 0 file(s)")
    assert linting.failure(nothing, "never").endswith(
        "none.yaml: This cannot be read as a manifest: there is no such file."
    )


def test_what_a_terminal_obeys_is_not_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(POOL.replace("vxlanmode", '"x\\e[31m"'), encoding="utf-8")
    told = linting.run(["a.yaml"], Settings())
    for text in lint.rendered(told, lint.FILES, "major", NOW).values():
        assert b"\x1b" not in text
        assert b"\\u001b" not in text


def test_each_form_has_its_file(found):
    assert set(lint.rendered(found, ["sarif", "text"], "major", NOW)) == {"lint.txt", "lint.sarif.json"}
