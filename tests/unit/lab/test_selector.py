# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's selectors as the lab evaluates them."""

from __future__ import annotations

import pytest

from lab.selector import SelectorError, matches

LABELS = {"rack": "a1", "route-reflector": "true", "kubernetes.io/os": "linux"}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("", True),
        ("all()", True),
        ("!all()", False),
        ("has(rack)", True),
        ("!has(rack)", False),
        ("rack == 'a1'", True),
        ('rack == "a2"', False),
        ("rack != 'a2'", True),
        ("missing != 'a2'", True),
        ("rack in {'a1', 'a2'}", True),
        ("rack not in {'a1'}", False),
        ("missing not in {'a1'}", True),
        ("rack starts with 'a'", True),
        ("rack ends with 'a'", False),
        ("rack contains '1'", True),
        ("missing contains ''", False),
        ("route-reflector == 'true' && kubernetes.io/os == 'linux'", True),
        ("rack == 'b' || has(rack) && !(has(missing))", True),
        ("!(rack == 'a1' || has(missing))", False),
    ],
)
def test_what_it_selects(selector, expected):
    assert matches(selector, LABELS) is expected


@pytest.mark.parametrize(
    "text", ["rack =", "rack == a1", "has(rack", "rack ~ 'x'", "(all()", "&& all()", "rack in {'a'"]
)
def test_what_is_no_selector(text):
    with pytest.raises(SelectorError):
        matches(text, LABELS)
