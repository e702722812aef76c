# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnosis of a redacted bundle is that of the original, with the nodes' names replaced; and so is its report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, files, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

UNIT = Path(__file__).parents[3]
RECORDED = sorted(path.parent for path in (UNIT / "cases").glob("*/case.json"))
SHARED = sorted((UNIT.parents[2] / "shared" / "cases").glob("case-*/bundle"))
KEYS = ("one", "other")


def recorded(folder):
    """A recorded case as the bundle that the run would have written."""
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    facts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("node-*.json")}
    last = max(json.loads(text)["calico_node"]["taken_at"] for text in facts.values())
    index = {
        name: {"address": address, **({} if name in facts else {"result": {"unreachable": True, "msg": "no route"}})}
        for name, address in case["inventory"].items()
    }
    written = {"schema": "netmedic.calico.bundle/v1", "written_at": last, "nodes": index}
    return {"bundle.json": json.dumps(written), **{f"nodes/{name}/facts.json": text for name, text in facts.items()}}


def report_on(texts):
    found, now = evidence.evidence(read.sort(texts))
    return analyse(found, now)


def told(report, name=lambda node: node):
    """What must be the same. Findings that are equally sure are listed by their nodes' names."""
    findings = [
        (
            one["fault"],
            one["confidence"],
            one["role"],
            one["severity"],
            sorted(map(name, one["nodes"])),
            sorted(map(name, one["affects"]["nodes"])),
            sorted(tuple(map(name, pair)) for pair in one["affects"]["sessions"]),
            len(one["evidence"]),
            len(one["against"]),
        )
        for one in report["findings"]
    ]
    return report["verdict"], sorted(findings), report["sessions"]


def ranked(report):
    """The findings in their order. Which of two alike at different nodes comes first is decided by names."""
    return [(one["fault"], one["confidence"], one["role"], one["severity"]) for one in report["findings"]]


def check(texts, key):
    redactor = Redactor(key)
    made = redactor.texts(texts)
    assert made.leaks == []
    before = report_on(texts)
    after = report_on(made.texts)
    assert told(after) == told(before, redactor.name)
    assert ranked(after) == ranked(before)
    shared, leaks, _count = Redactor(key).data(before)
    assert leaks == []
    assert told(shared) == told(before, redactor.name)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_recorded_cases(folder, key):
    check(recorded(folder), key)


@pytest.mark.skipif(not SHARED, reason="the public incidents (../shared/cases) are not here")
def test_public_incidents_are_tried():
    assert len(SHARED) > 50


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("folder", SHARED, ids=lambda folder: folder.parent.name)
def test_public_incidents(folder, key):
    check(files.read(str(folder)).texts, key)
