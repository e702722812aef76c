# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of any shape are read without an exception, and the analysis of them ends in a report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import FACT_KEYS, read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CASES = Path(__file__).resolve().parents[3] / "cases"
RECORDED = sorted(CASES.glob("tcp179_blocked_host_firewall-reject/node-*.json"))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def paths(value, at=()):
    """Where every part of a nested value is."""
    yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from paths(item, (*at, number))


def replaced(value, at, new):
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = replaced(value[at[0]], at[1:], new)
    return copy


@given(st.dictionaries(st.sampled_from(FACT_KEYS), ANYTHING))
def test_facts_of_any_shape_are_read(facts):
    report = analyse(Evidence({"node-1": read_node("node-1", facts)}), NOW)
    assert report["verdict"] in ("undetermined", "degraded", "faulty", "healthy")
    assert lines(report)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_recorded_facts_with_one_part_replaced_by_anything_are_read(data):
    facts = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RECORDED}
    victim = data.draw(st.sampled_from(sorted(facts)))
    where = data.draw(st.sampled_from(list(paths(facts[victim]))))
    spoilt = replaced(facts[victim], where, data.draw(ANYTHING))
    facts[victim] = spoilt if isinstance(spoilt, dict) else {}
    report = analyse(Evidence({name: read_node(name, told) for name, told in facts.items()}), NOW)
    assert lines(report)
