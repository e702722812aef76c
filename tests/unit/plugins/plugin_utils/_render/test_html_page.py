# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import html_page
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told

VOID = {"meta", "input", "br", "img", "link", "hr"}
LOADS = {"src", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href"}


class Page(HTMLParser):
    """Checks that a page is well formed, and gathers what tests ask for."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.tags, self.attributes = [], [], [], [], []
        self.words = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        where = self.open[-1] if self.open else ""
        self.words[where] = self.words.get(where, "") + data


def everything(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-1", ["node-2"])
    mesh.lose("node-4")
    return told.followed(mesh)


def reports(mesh):
    yield told.of(mesh)
    yield everything(mesh)
    yield told.hostile()
    yield told.empty()
    yield told.unread()
    yield told.many(60, [(1, 40), (1, 41), (2, 3)])


def test_every_kind_of_report_makes_a_page_that_is_well_formed_and_keeps_to_itself(mesh):
    for report in reports(mesh):
        page = Page(html_page.page(report, told.ledger()))
        assert len(page.ids) == len(set(page.ids))
        assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
        assert not {name for _tag, name, _value in page.attributes} & LOADS
        assert not [name for _tag, name, _value in page.attributes if name.startswith("on") or name == "style"]
        assert page.tags.count("script") == 2
        assert page.tags.count("h1") == 1
        assert page.tags.count("main") == page.tags.count("header") == page.tags.count("nav") == 1
        assert page.tags.count("table") == page.tags.count("caption")


def test_the_policy_forbids_everything_but_the_own_style_and_script(mesh):
    text = html_page.page(told.of(mesh))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    for tag in ("style", "script"):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        assert html_page._digest(inside) in policy


def test_hostile_names_are_shown_and_never_obeyed():
    text = html_page.page(told.hostile())
    page = Page(text)
    assert "img" not in page.tags
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7*7 }}" in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", text)
    text.encode("utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert "<script>alert(1)</script>" in data["names"]


def test_without_javascript_everything_is_there(mesh):
    report = everything(mesh)
    page = Page(html_page.page(report))
    text = " ".join("".join(words for tag, words in page.words.items() if tag not in ("script", "style")).split())
    for item in report["findings"]:
        if item["role"] != "consequence":
            assert item["title"] in text
            assert all(" ".join(one["says"].split()) in text for one in item["evidence"])
            assert all(line.strip() in text for command in item["fix"]["commands"] for line in command.split("\n"))
    assert "unreachable: timed out" in text
    assert "the history begins anew" in text
    assert "time_sync_missing on node-2" in text


def test_controls_that_need_javascript_are_hidden_without_it(mesh):
    text = html_page.page(everything(mesh))
    assert text.count('class="controls" hidden') == text.count('class="controls"') == 2


def test_the_ledger_is_told_and_escaped(mesh):
    text = html_page.page(told.of(mesh), told.ledger())
    assert "Before and after" in text
    assert "node-9 has lost &lt;b&gt;it&lt;/b&gt;" in text
    assert "Before and after" not in html_page.page(told.of(mesh))


def test_the_verdict_comes_first(mesh):
    text = html_page.page(everything(mesh))
    places = [
        text.index(mark) for mark in ("<strong>FAULTY:", 'id="short-h"', 'id="picture"', 'id="f1"', 'id="matrix"')
    ]
    assert places == sorted(places)


def test_very_many_findings_are_not_all_told_at_length(mesh):
    report = everything(mesh)
    first = report["findings"][0]
    report["findings"] = [first] * 400
    text = html_page.page(report)
    assert "100 more findings stand in report.json" in text
    assert len(text) < 3_000_000


def test_reports_of_older_releases_have_no_mesh_and_are_shown(mesh):
    report = everything(mesh)
    for key in ("mesh", "history", "overlay", "notes", "culprits"):
        report.pop(key, None)
    Page(html_page.page(report))


@pytest.mark.parametrize("broken", [{}, {"verdict": "healthy"}, {"verdict": "healthy", "findings": [1]}])
def test_what_is_no_whole_report_is_refused(broken):
    with pytest.raises((KeyError, TypeError, AttributeError)):
        html_page.page(broken)


def test_a_finding_that_is_not_whole_is_refused_too(mesh):
    report = everything(mesh)
    report["findings"][0]["missing"] = [{"how": "look"}]
    with pytest.raises(KeyError, match="node"):
        html_page.page(report)


def test_a_page_on_many_nodes_stays_small():
    down = [(number, number + 7) for number in range(0, 180, 3)]
    assert len(html_page.page(told.many(200, down)).encode()) < 800_000


def test_colours_have_contrast():
    style = html_page._text("report.css")
    for theme in re.findall(r"\{([^{}]*--ground:[^{}]*)\}", style):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", theme))
        for text in ("text", "faint", "link", "bad", "warn", "good", "unknown", "hit"):
            for ground in ("ground", "raised"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for text in ("bad", "warn", "good", "unknown"):
            assert contrast(colours[text], colours[f"{text}-ground"]) >= 4.5, text


def contrast(one, other):
    """As WCAG 2 counts it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
