# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that can be tried out is told as such, without telling the key."""

from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import keyed


def test_a_short_key_is_told_and_not_shown() -> None:
    told = keyed.why_weak("zebra")
    assert "fewer than 12 characters" in told
    assert "zebra" not in told


def test_a_long_key_and_none_are_well() -> None:
    assert keyed.why_weak("") == ""
    assert keyed.why_weak(keyed.random_key()) == ""
    assert keyed.why_weak("twelve signs") == ""
