# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The offset of a node's clock, bounded by when the controller asked and was answered."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import clock


def facts(ended: Any, lasted: Any) -> dict[str, Any]:
    return {"calico_node": {"taken_at_epoch": ended, "duration_seconds": lasted}, "calico_chrony": {}}


@given(
    st.floats(-1e6, 1e6),
    st.floats(0, 30),
    st.floats(0, 30),
    st.floats(0, 30),
)
def test_the_true_offset_lies_within_the_bounds(ahead: float, before: float, lasted: float, after: float) -> None:
    sent = 1795224060.0
    ended = round(sent + before + lasted + ahead, 3)

    found = clock.offset(facts(ended, round(lasted, 3)), sent, sent + before + lasted + after)

    assert found is not None
    offset, error = found
    assert abs(offset - ahead) <= error + 0.001
    assert error <= (before + after) / 2 + 0.003


def test_a_clock_that_was_set_meanwhile_tells_nothing() -> None:
    assert clock.offset(facts(1000.0, 10.0), 1000.0, 1001.0) is None


@pytest.mark.parametrize(
    ("ended", "lasted"),
    [(None, 1.0), (1.0, None), ("1", 1.0), (math.nan, 1.0), (math.inf, 1.0), (True, 1.0), (1e300, 1.0)],
)
def test_without_the_nodes_word_nothing_is_told(ended: Any, lasted: Any) -> None:
    assert clock.offset(facts(ended, lasted), 1.0, 2.0) is None
    assert clock.offset({"calico_node": ["?"]}, 1.0, 2.0) is None


@pytest.mark.parametrize(("ahead", "told"), [(0.0, True), (0.01, True), (31.0, False), (-31.0, False)])
def test_a_question_during_which_our_own_clock_is_set_measures_nothing(
    monkeypatch: pytest.MonkeyPatch, ahead: float, told: bool
) -> None:
    ours = iter([1795000000.0, 1795000002.0 + ahead])
    since = iter([50.0, 52.0])
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: next(ours), monotonic=lambda: next(since)))
    assert clock.Question().answered() == ((1795000000.0, 1795000002.0) if told else None)
