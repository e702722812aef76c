# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render import files, formats
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told

JSON = ["json"]


def test_the_report_is_written_once(tmp_path):
    saved = files.save_report({"verdict": "healthy"}, str(tmp_path / "new" / "place"), JSON, write=True)
    (path,) = saved.paths
    assert saved.changed
    assert json.loads(path.read_text()) == {"verdict": "healthy"}
    assert files.save_report({"verdict": "healthy"}, str(path.parent), JSON, write=True) == ([path], False, "")
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]


def test_check_mode_tells_what_would_change_and_writes_nothing(tmp_path):
    saved = files.save_report({}, str(tmp_path), JSON, write=False)
    assert saved.changed
    assert list(tmp_path.iterdir()) == []


def test_whatever_stands_there_is_replaced(tmp_path):
    (tmp_path / "report.json").write_bytes(b"\xff\xfe")
    saved = files.save_report({"name": "\ud800"}, str(tmp_path), JSON, write=True)
    assert saved.changed
    assert json.loads(saved.paths[0].read_bytes()) == {"name": "?"}


def test_all_forms_are_written_and_stay_as_they_are(tmp_path, mesh):
    mesh.break_session("node-2", "node-3")
    wanted = formats.Wanted(ledger=told.ledger())
    saved = files.save_report(told.of(mesh), str(tmp_path), list(formats.FILES), wanted, write=True)
    assert [path.name for path in saved.paths] == list(formats.FILES.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(formats.FILES.values())
    assert "Before and after" in (tmp_path / "report.html").read_text()
    again = files.save_report(told.of(mesh), str(tmp_path), list(formats.FILES), wanted, write=True)
    assert not again.changed


def test_a_textfile_can_be_read_by_the_exporter_and_is_never_there_in_part(tmp_path, mesh, monkeypatch):
    seen = []
    replace = type(tmp_path).replace
    monkeypatch.setattr(type(tmp_path), "replace", lambda path, to: (seen.append(path.name), replace(path, to))[1])
    wanted = formats.Wanted(cluster="east")
    saved = files.save_report(told.of(mesh), str(tmp_path), ["metrics"], wanted, write=True)
    assert 'netmedic_calico_verdict{cluster="east",verdict="healthy"} 1\n' in saved.paths[0].read_text()
    # node_exporter runs as a user of its own, and reads every file whose name ends in .prom.
    assert saved.paths[0].stat().st_mode & 0o777 == 0o644
    assert len(seen) == 1
    assert not seen[0].endswith(".prom")


def test_of_a_report_that_is_not_whole_report_json_is_written_all_the_same(tmp_path):
    saved = files.save_report({"verdict": "healthy"}, str(tmp_path), ["html", "json"], write=True)
    assert "report.html cannot be made of this report" in saved.problem
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="ot a directory"):
        files.save_report({}, str(tmp_path / "file" / "below"), JSON, write=True)


def test_one_file_that_cannot_be_written_does_not_cost_the_others_and_is_named(tmp_path, mesh):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(files.NotWrittenError, match=r"report\.html: Is a directory") as raised:
        files.save_report(told.of(mesh), str(tmp_path), ["json", "html", "text"], write=True)
    assert raised.value.failed == {"report.html": "Is a directory"}
    assert raised.value.written == ["report.json", "report.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json", "report.txt"]


def test_files_that_fail_for_the_same_reason_are_named_together(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(files.NotWrittenError) as raised:
        files.save_files({"a": b"", "b": b""}, str(tmp_path / "file"), write=True)
    assert list(raised.value.reasons().values()) == [["a", "b"]]


@pytest.mark.parametrize("form", formats.FILES)
def test_hostile_names_can_be_written_in_each_form(tmp_path, form):
    saved = files.save_report(told.hostile(), str(tmp_path), [form], write=True)
    assert saved.problem == ""
    assert saved.paths[0].read_bytes().decode("utf-8")
