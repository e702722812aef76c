# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._gather import cutting


def lines(count):
    return "".join(f"line {number}\n" for number in range(count))


def test_what_fits_is_left_alone():
    assert cutting.head_and_tail(lines(10), 1000) == (lines(10), False)


def test_of_what_is_too_long_whole_lines_of_both_ends_are_kept_and_the_gap_is_marked():
    text = lines(10000)

    shorter, cut = cutting.head_and_tail(text, 1000)

    assert cut
    assert len(shorter.encode()) <= 1000
    kept = [line for line in shorter.splitlines() if line.startswith("line ")]
    assert kept[0] == "line 0"
    assert kept[-1] == "line 9999"
    assert set(kept) < set(text.splitlines())
    marks = [line for line in shorter.splitlines() if "cut here" in line]
    gone = len(text) - sum(len(line) + 1 for line in kept)
    assert marks == [cutting.MARK.format(gone)]


def test_of_a_log_more_is_kept_of_the_end():
    def before_the_gap(log):
        return len(cutting.head_and_tail(lines(10000), 2000, log)[0].partition("[…")[0])

    assert before_the_gap(True) < before_the_gap(False) / 3


@given(st.text(max_size=3000), st.integers(min_value=128, max_value=2000), st.booleans())
def test_no_text_gets_longer_than_allowed(text, most, log):
    shorter, cut = cutting.head_and_tail(text, most, log)

    assert len(shorter.encode()) <= most
    assert cut == (len(text.encode("utf-8", "replace")) > most)


def test_a_file_is_read_by_its_ends_only(tmp_path, monkeypatch):
    path = tmp_path / "long.log"
    path.write_text(lines(200000))
    read_bytes = []
    pread = os.pread

    def counted(descriptor, size, offset):
        read_bytes.append(size)
        return pread(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    read = cutting.read_file(str(path), 1000, True)

    assert sum(read_bytes) <= 2100
    assert read.cut
    assert read.size == path.stat().st_size
    assert len(read.text.encode()) <= 1000
    assert read.text.startswith("line 0\n")
    assert read.text.endswith("line 199999\n")


def test_a_file_without_a_size_is_read():
    read = cutting.read_file("/proc/self/status", 65536)

    assert "Pid:" in read.text
    assert not read.cut


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(str(tmp_path / "pipe"))

    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            cutting.read_file(str(path), 1000)
