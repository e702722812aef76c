# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import plain


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("-A INPUT -j DROP", "-A INPUT -j DROP"),
        ("knoten-ä 名", "knoten-ä 名"),
        ("x\x1b[31mRED\x07", "x\\x1b[31mRED\\x07"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("a\u202eb\x9bc", "a\\u202eb\\x9bc"),
        ("\ud800", "\\ud800"),
        (179, "179"),
        (None, ""),
        (["a"], ""),
    ],
)
def test_text_shows_what_a_terminal_would_obey(told, shown):
    assert plain.text(told) == shown
    assert plain.text(told).isprintable()


def test_names_of_things_are_texts_too():
    assert plain.mapping({"eth0\x1b[2K": 1500, 7: 1}) == {"eth0\\x1b[2K": 1500, "7": 1}


@pytest.mark.parametrize("number", [10**400, -(10**400), float("inf"), float("nan"), 2**63])
def test_numbers_that_nothing_measures_are_none(number):
    assert plain.seconds(number) == 0.0
    assert plain.integer(number) is None
    assert plain.count(number) == 0
