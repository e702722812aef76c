# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import places


@pytest.mark.parametrize("below", [".", "new", "new/one", "there/../new"])
def test_where_it_can_be_written_nothing_is_left(tmp_path, below):
    assert places.why_not(str(tmp_path / below), ["report.json"]) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_on_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    assert places.why_not(str(tmp_path / "file")) == f"{tmp_path}/file is no directory"
    assert places.why_not(str(tmp_path / "file" / "below")) == f"{tmp_path}/file is no directory"


def test_a_folder_in_which_nothing_can_be_made_is_named():
    assert places.why_not("/proc/netmedic").startswith("in /proc: ")


def test_folders_in_the_place_of_files_are_named(tmp_path):
    (tmp_path / "report.html").mkdir()
    assert places.why_not(str(tmp_path), ["report.json", "report.html"]) == "report.html is a directory there"
