# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages show is what the programs give, and the site has all pages and loses no link."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis import own_checks, waivers
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines
from ansible_collections.netmedic.calico.tests.unit import test_cases
from scripts import site_pages
from scripts.paths import ROOT

RECORDED = ROOT / "tests" / "unit" / "cases" / "tcp179_blocked_host_firewall-ufw"
SAMPLES = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def samples(page, language):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [sample for told, sample in SAMPLES.findall(text) if told == language]


@pytest.fixture(scope="module")
def report():
    _case, evidence = test_cases.read(RECORDED)
    return test_cases.report_on(evidence)


def test_the_report_that_is_explained_is_the_recorded_one(report):
    assert samples("reading-a-report.md", "text") == ["\n".join(lines(report)) + "\n"]


def test_the_finding_that_is_shown_is_the_recorded_one(report):
    (shown,) = map(json.loads, samples("reading-a-report.md", "json"))
    finding = report["findings"][0]

    assert shown.pop("evidence") == finding["evidence"][:1]
    assert shown.pop("fix").items() <= finding["fix"].items()
    assert shown.items() <= finding.items()


def test_every_field_is_explained(report):
    page = (ROOT / "docs" / "reading-a-report.md").read_text(encoding="utf-8")
    explained = {name for line in page.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}

    assert {*report, *report["findings"][0]} - explained == set()


def test_the_checks_that_are_shown_work_on_recorded_facts():
    shown, accepted = map(yaml.safe_load, samples("own-checks.md", "yaml"))
    facts = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RECORDED.glob("node-*.json")}

    found, notes = own_checks.outcomes(own_checks.read(shown["diagnose_checks"]), facts, {})

    assert notes == []
    assert [(one["fault"], one["nodes"]) for one in found] == [
        ("own:ufw_in_use", ["node-2"]),
        ("own:clock_far_from_its_source", ["node-1", "node-2", "node-3", "node-4"]),
    ]
    (waiver,) = waivers.read(accepted["diagnose_waivers"])
    assert waiver.covers("time_sync_missing", "edge-7")
    assert waiver.expires == date(2027, 1, 31)


def test_the_index_lists_every_page():
    index = (ROOT / site_pages.INDEX).read_text(encoding="utf-8")
    told = site_pages.sections(site_pages.led(site_pages.INDEX, index, site_pages.paths(), "https://x.example"))
    listed = {f"{page}.md" for section in told for page in section.pages}
    whole = [section.whole for section in told if section.whole]

    assert {page for page in site_pages.paths() if not page.startswith(("docs/faults/", "roles/"))} - listed == {
        site_pages.INDEX
    }
    assert sorted(whole) == sorted(site_pages.LISTED_WHOLE.values())


def test_links_are_led_to_where_the_site_has_their_targets():
    text = "[a](../README.md#use) [b](index.md) [c](../roles/report/files) [d](#here) [e](https://x.example) [f](no.md)"

    assert site_pages.led("docs/limits.md", text, ["README.md", "docs/index.md"], "https://git") == (
        "[a](../README.md#use) [b](../index.md) [c](https://git/tree/main/roles/report/files) [d](#here) "
        "[e](https://x.example) [f](no.md)"
    )
    assert site_pages.led("docs/index.md", "[a](limits.md)", ["docs/limits.md"], "") == "[a](docs/limits.md)"
