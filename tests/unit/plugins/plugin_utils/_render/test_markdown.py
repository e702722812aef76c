# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.markdown import (
    MOST,
    block,
    code,
    escaped,
    markdown,
)
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told


def test_the_ticket_has_verdict_findings_and_fix(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    mesh.lose("node-4")
    text = markdown(told.of(mesh), told.ledger())
    assert text.startswith("## Calico BGP diagnosis: FAULTY\n")
    marks = (
        "### Before and after",
        "### Findings",
        "`tcp179_blocked_host_firewall`",
        "**Fix:**",
        "```sh\n",
        "### Not read",
        "`node-4`",
    )
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_hostile_names_stay_names():
    text = without_code(markdown(told.hostile(), told.ledger()))
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>)", text)
    assert "@octocat" not in text
    assert not re.search(r"(?<!\\)\]\(", text)


def without_code(text):
    """The text without what stands in blocks and spans of code."""
    text = re.sub(r"^(`{3,})sh\n.*?\n\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


@given(st.text(max_size=60))
def test_an_escaped_text_has_no_sign_left_that_means_something(text):
    found = escaped(text)
    assert "\n" not in found
    assert not re.search(r"[`*_\[\]<>|~&#^$]", re.sub(r"\\.", "", found))
    assert not re.search(r"[@#]\w|://", found)
    assert not re.match(r"[-+=]|\d+[.)]", found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("node-1 (10.0.0.1): 3 of 4", "node-1 (10.0.0.1): 3 of 4"),
        ("- no list", "\\- no list"),
        ("1. no list", "1\u2060. no list"),
        ("see https://x.y www.z.y @me #7", "see https:\u2060//x.y www\u2060.z.y @\u2060me \\#\u20607"),
        ("snake_case <b>", "snake\\_case \\<b\\>"),
    ],
)
def test_texts_stay_readable_as_they_stand(text, shown):
    assert escaped(text) == shown


@given(st.text(max_size=60))
def test_a_code_span_ends_where_it_ends(text):
    found = code(text)
    fence = re.match("`*", found)[0]
    assert not found or (found.endswith(fence) and fence not in re.findall("`+", found[len(fence) : -len(fence)]))


def test_a_block_is_not_left_by_what_is_in_it():
    text = block(["echo hello", "````", "## no heading"])
    assert text.startswith("`````sh\n")
    assert text.endswith("\n`````\n")


def test_it_fits_into_a_ticket(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    item = report["findings"][0]
    item["fix"]["commands"] = ["x" * 5000] * 40
    item["summary"] = "y" * 5000
    report["findings"] = [item] * 200
    text = markdown(report)
    assert len(text) < MOST
    assert "more parts do not fit here" in text


def test_every_kind_of_report_can_be_told(mesh):
    for report in (told.of(mesh), told.empty(), told.unread(), told.followed(mesh)):
        assert markdown(report).startswith("## Calico BGP diagnosis")


def test_what_is_no_whole_report_is_refused():
    with pytest.raises((KeyError, TypeError, AttributeError)):
        markdown({"verdict": "healthy"})
