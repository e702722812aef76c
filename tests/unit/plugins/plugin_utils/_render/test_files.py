# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import files


def test_the_report_is_written_once(tmp_path):
    path, changed = files.save_json({"verdict": "healthy"}, str(tmp_path / "new" / "place"), write=True)
    assert changed
    assert json.loads(path.read_text()) == {"verdict": "healthy"}
    assert files.save_json({"verdict": "healthy"}, str(path.parent), write=True) == (path, False)
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


def test_check_mode_tells_what_would_change_and_writes_nothing(tmp_path):
    path, changed = files.save_json({}, str(tmp_path), write=False)
    assert changed
    assert not path.exists()


def test_whatever_stands_there_is_replaced(tmp_path):
    (tmp_path / "report.json").write_bytes(b"\xff\xfe")
    path, changed = files.save_json({"name": "\ud800"}, str(tmp_path), write=True)
    assert changed
    assert json.loads(path.read_bytes()) == {"name": "?"}
