# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from scripts import lab_setup


@pytest.fixture
def taken_down(monkeypatch, tmp_path):
    """What is taken down, with how Ctrl-C is handled then."""
    seen = []
    monkeypatch.setattr(lab_setup, "BUILD", tmp_path)
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setattr(
        lab_setup.lifecycle, "down", lambda state, _say: seen.append((state.directory, signal.getsignal(signal.SIGINT)))
    )
    return seen


def use_a_place():
    with lab_setup.place_for("trying") as directory:
        assert os.environ["SHELL"] == "/bin/sh"
        return directory


def test_a_lab_is_taken_down_although_ctrl_c_is_pressed_again(taken_down):
    before = signal.getsignal(signal.SIGINT)
    directory = use_a_place()
    assert [(str(where), how) for where, how in taken_down] == [(directory, signal.SIG_IGN)]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_lab_is_taken_down_also_beside_other_work(taken_down):
    with ThreadPoolExecutor(1) as pool:
        directory = pool.submit(use_a_place).result()
    assert [str(where) for where, _how in taken_down] == [directory]
