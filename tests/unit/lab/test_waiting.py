# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting with a limit and a reason."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.waiting import until


def test_it_returns_once_nothing_is_missing():
    answers = iter(["two missing", "one missing", ""])
    until(lambda: next(answers), "all", 5, every=0)
    assert next(answers, "end") == "end"


def test_the_reason_is_in_the_error():
    with pytest.raises(LabError, match="gave up after 0 s waiting for BGP: node-2 is down"):
        until(lambda: "node-2 is down", "BGP", 0, every=0)


def test_progress_is_told():
    said = []
    with pytest.raises(LabError):
        until(lambda: "no answer", "BIRD", 0.05, every=0.01, say=said.append, say_every=0.0)
    assert set(said) == {"still waiting for BIRD: no answer"}
