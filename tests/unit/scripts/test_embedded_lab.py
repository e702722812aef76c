# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os

import pytest

from lab.state import State
from scripts import embedded_lab


@pytest.fixture
def note(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded_lab, "NOTES", tmp_path)
    return embedded_lab._note(State("/run/nm-test"))


def owner(note, state: str, pid: int, started: int) -> str:
    note.write_text(json.dumps({"state": state, "pid": pid, "started": started}))
    return embedded_lab._owner(State("/run/nm-test"))


def test_a_lab_without_a_note_is_the_users(note):
    assert embedded_lab._owner(State("/run/nm-test")) == ""


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"state": "/run/nm-test"}', '{"state": 1, "pid": "x"}'])
def test_a_broken_note_is_no_note(note, content):
    note.write_text(content)
    assert embedded_lab._owner(State("/run/nm-test")) == ""


def test_a_note_about_another_lab_says_nothing_about_this_one(note):
    assert owner(note, "/run/nm-other", os.getpid(), embedded_lab._start_time(os.getpid())) == ""


def test_a_lab_of_a_living_run_is_that_runs(note):
    assert owner(note, "/run/nm-test", os.getpid(), embedded_lab._start_time(os.getpid())) == str(os.getpid())


def test_a_lab_of_a_run_that_is_gone_is_nobodys(note):
    assert owner(note, "/run/nm-test", 2**22 - 1, 12345) == "nobody"


def test_a_process_that_got_the_id_of_a_run_that_is_gone_is_not_taken_for_it(note):
    assert owner(note, "/run/nm-test", os.getpid(), embedded_lab._start_time(os.getpid()) - 1) == "nobody"
