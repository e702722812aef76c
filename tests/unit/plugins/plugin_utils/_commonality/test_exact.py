# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._commonality.exact import holm, tail


def by_counting(total, having, drawn, seen):
    draws = list(itertools.combinations(range(total), drawn))
    return Fraction(sum(sum(one < having for one in draw) >= seen for draw in draws), len(draws))


@st.composite
def tables(draw):
    total = draw(st.integers(1, 9))
    return total, draw(st.integers(0, total)), draw(st.integers(0, total)), draw(st.integers(0, 9))


@given(tables())
def test_the_tail_is_what_counting_all_draws_gives(table):
    assert tail(*table) == pytest.approx(float(by_counting(*table)), abs=1e-12)


def test_figures_of_the_textbook():
    # Fisher's lady tasting tea: all four right, and at least three.
    assert tail(8, 4, 4, 4) == pytest.approx(1 / 70)
    assert tail(8, 4, 4, 3) == pytest.approx(17 / 70)
    assert tail(1000, 500, 300, 290) < 1e-90


def test_holm_as_in_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005], 4) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01], 20) == pytest.approx([0.2])
    assert holm([], 7) == []


@given(st.lists(st.floats(0, 1), max_size=12), st.integers(0, 5))
def test_a_corrected_value_is_no_smaller_and_keeps_the_order(values, more):
    corrected = holm(values, len(values) + more)
    assert all(value <= better <= 1 for value, better in zip(values, corrected, strict=True))
    assert sorted(corrected) == [better for _value, better in sorted(zip(values, corrected, strict=True))]
