# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import runs

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEPS = [
    {"role": "netmedic.calico.bgp_firewall", "hosts": ["a", "b", "c", "d"]},
    {"role": "netmedic.calico.mtu", "hosts": []},
]


@pytest.fixture
def begun(tmp_path):
    """A run that has begun to change something."""

    def make(name="20260102T030405Z-abcdef", **plan):
        path = runs.opened(str(tmp_path / "runs"), name)
        runs.keep(path, runs.PLAN, {"run": name, "steps": STEPS, **plan})
        return path

    return make


def test_a_name_tells_the_time_and_is_no_others():
    assert runs.new_id(NOW).startswith("20260102T030405Z-")
    assert len({runs.new_id(NOW) for _time in range(50)}) == 50


def test_only_its_user_may_read_a_run(begun):
    path = begun()
    assert [os.stat(one).st_mode & 0o777 for one in (path.parent, path, path / "plan.json")] == [0o700, 0o700, 0o600]
    assert [one.name for one in path.iterdir()] == ["plan.json"]
    with pytest.raises(FileExistsError):
        begun()


def test_where_nothing_can_be_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for where, wanted in ((tmp_path / "file" / "runs", NotADirectoryError), ("/proc/runs", OSError)):
        with pytest.raises(wanted):
            runs.opened(str(where), "x")

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        runs.opened(str(tmp_path / "runs"), "x")
    assert not list((tmp_path / "runs" / "x").iterdir())


def test_a_run_is_found_by_its_name_and_by_its_folder(begun, tmp_path):
    path = begun()
    directory = str(tmp_path / "runs")
    assert runs.found(path.name, directory) == runs.found(str(path), directory) == runs.found(f"{path}/", "/other")
    assert runs.found(path.name, directory).plan["steps"] == STEPS
    bare = runs.opened(directory, "20260102T030406Z-abcdef")
    assert runs.found(bare.name, directory).plan == {}


@pytest.mark.parametrize("wanted", ["", "20990102T030405Z-abcdef", "..", ".", "no/such/folder", "/etc/passwd"])
def test_one_that_is_not_there_is_refused_with_those_that_are(begun, tmp_path, wanted, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old, new = begun(), begun("20260202T030405Z-000000")
    runs.keep(new, runs.LEDGER, {})
    runs.keep(new, runs.ROLLED_BACK, {})
    runs.opened(str(tmp_path / "runs"), "20260302T030405Z-000000")
    if wanted in (".", ".."):
        with pytest.raises(ValueError, match="is no folder of a run"):
            runs.found(wanted, str(tmp_path / "runs"))
        return
    with pytest.raises(ValueError, match="the newest first") as told:
        runs.found(wanted, str(tmp_path / "runs"))
    assert str(told.value).splitlines()[1:] == [
        f"{new.name}: bgp_firewall on a, b, c and 1 more; mtu on the API (rolled back)",
        f"{old.name}: bgp_firewall on a, b, c and 1 more; mtu on the API (did not come to its end)",
    ]


def test_where_there_is_none_it_says_so(tmp_path):
    with pytest.raises(ValueError, match="holds no run that has changed anything"):
        runs.found("", str(tmp_path / "none"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"run": 1, "steps": []}', '{"run": "x", "steps": [{"role": "r", "hosts": [1]}]}']
)
def test_what_is_no_plan(begun, tmp_path, text):
    path = begun()
    (path / "plan.json").write_text(text)
    with pytest.raises(ValueError, match=r"plan\.json"):
        runs.found(path.name, str(tmp_path / "runs"))
    assert runs.listed(str(tmp_path / "runs")) == []


@pytest.mark.parametrize(
    "odd",
    [
        {"run": "../../../etc/passwd"},
        {"run": "{{ lookup('pipe', 'id') }}"},
        {"run": "\x1b[31m20260102T030405Z-abcdef"},
        {"run": ""},
        {"lock": "kube-system/../../../../api/v1/namespaces/default"},
        {"lock": {"a": 1}},
        {"steps": [{"role": "netmedic.calico.mtu; id", "hosts": []}]},
        {"steps": [{"role": "../x", "hosts": ["a"]}]},
    ],
)
def test_a_plan_that_somebody_edited_so_that_its_names_lead_elsewhere_is_refused(begun, tmp_path, odd):
    path = begun()
    runs.keep(path, runs.PLAN, {"run": path.name, "steps": STEPS, "lock": "kube-system", **odd})
    with pytest.raises(ValueError, match=r"is not the plan of a run.*Nothing was undone"):
        runs.found(path.name, str(tmp_path / "runs"))


def test_the_folder_of_all_runs_is_not_told_to_be_one_that_changed_nothing(begun, tmp_path):
    begun()
    with pytest.raises(ValueError, match="is no folder of a run"):
        runs.found(str(tmp_path / "runs"), "/other")
    copied = tmp_path / "copied"
    (copied / "bundle").mkdir(parents=True)
    assert runs.found(str(copied), "/other").plan == {}


def test_a_plan_that_is_no_file_is_not_taken_for_none(begun, tmp_path):
    path = begun()
    (path / "plan.json").unlink()
    os.mkfifo(path / "plan.json")
    with pytest.raises(ValueError, match="no regular file"):
        runs.found(path.name, str(tmp_path / "runs"))


@pytest.mark.parametrize(
    ("text", "taken"), [('{"turns_taken": 2}', 2), ("[", 0), ("[]", 0), ('{"turns_taken": "2"}', 0), (None, 0)]
)
def test_how_far_it_came_is_told_by_its_ledger(begun, tmp_path, text, taken):
    path = begun()
    if text is not None:
        (path / "ledger.json").write_text(text)
    assert runs.found(path.name, str(tmp_path / "runs")).taken == taken


def test_what_is_kept_is_whole(begun):
    path = begun()
    runs.keep(path, runs.LEDGER, {"a": "ä"})
    assert json.loads((path / "ledger.json").read_text(encoding="utf-8")) == {"a": "ä"}
    with pytest.raises(TypeError):
        runs.keep(path, runs.LEDGER, {"a": object()})
    assert json.loads((path / "ledger.json").read_text(encoding="utf-8")) == {"a": "ä"}
    assert sorted(one.name for one in path.iterdir()) == ["ledger.json", "plan.json"]
