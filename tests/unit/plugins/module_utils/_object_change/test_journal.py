# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: written ahead, whole after a kill at any moment, and enough to put everything back."""

from __future__ import annotations

import copy
import errno
import json
import os
import signal

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import asking, greeting
from ansible_collections.netmedic.calico.plugins.module_utils._cluster.problems import ApiError
from ansible_collections.netmedic.calico.plugins.module_utils._object_change import journal, owners, run

V1 = "crd.projectcalico.org/v1"
POOL = f"/apis/{V1}/ippools/default"
PEER = f"/apis/{V1}/bgppeers/outside"
SECRET = "/api/v1/namespaces/b/secrets/made"
CANARY = "canary-4711"

SET = {"action": "patch", "api_version": V1, "kind": "IPPool", "name": "default", "patch": {"spec": {"ipipMode": "X"}}}
MAKE = {
    "action": "create",
    "object": {"apiVersion": V1, "kind": "BGPPeer", "metadata": {"name": "outside"}, "spec": {"peerIP": "10.0.0.1"}},
}
DELETE = {"action": "delete", "api_version": V1, "kind": "IPPool", "name": "default"}
COPY = {
    "action": "copy_secret",
    "from": {"namespace": "a", "name": "source"},
    "to": {"namespace": "b", "name": "made"},
    "keys": ["rr"],
}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "objects.jsonl")


@pytest.fixture
def task(memory, monkeypatch, path):
    """Run a task that keeps a journal."""
    monkeypatch.setattr(greeting, "connect", lambda *_arguments: memory)
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.001)
    memory.put(
        "/api/v1/namespaces/a/secrets/source", kind="Secret", apiVersion="v1", type="Opaque", data={"rr": CANARY}
    )

    def make(*changes, **more):
        check = more.pop("check", False)
        wanted = {"timeout": 5.0, "state": "done", "changes": list(changes), "journal": path, **more}
        return run.run(wanted, check, {}, "/nonexistent")

    return make


def text_of(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def undo(task, **more):
    return task(state="undone", **more)


def killed(memory, task, change, when):
    """Run a task in a process of its own that is killed by SIGKILL before or after its write has reached the API; the
    API's objects as that has left them."""
    reader, writer = os.pipe()

    def end():
        os.write(writer, json.dumps(memory.objects).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        if when == "before":
            memory.script = [end]
        else:
            made = memory.done
            memory.done = lambda method, path, body, dry: (
                made(method, path, body, dry),
                end() if method != "GET" and not dry else None,
            )[0]
        task(change)
        os._exit(3)
    os.close(writer)
    with os.fdopen(reader) as stream:
        told = stream.read()
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    memory.objects = json.loads(told)
    memory.version += 50


def test_it_tells_what_the_record_tells(memory, task, path):
    done = task(SET, MAKE, SET)
    assert done.why == ""
    assert journal.read(path) == json.loads(json.dumps(done.record))
    assert os.stat(path).st_mode & 0o7777 == 0o600
    second = task(COPY)
    assert journal.read(path) == json.loads(json.dumps([*done.record, *second.record]))
    assert CANARY not in text_of(path)
    before = text_of(path)
    assert (task(SET).changed, text_of(path)) == (False, before)
    assert undo(task).why == ""
    assert (POOL in memory.objects, PEER in memory.objects, SECRET in memory.objects) == (True, False, False)
    assert memory.objects[POOL]["spec"]["ipipMode"] == "Never"
    assert journal.read(path) == []
    again = undo(task)
    assert (again.why, again.changed) == ("", False)
    assert task(MAKE).changed
    assert [one["kind"] for one in journal.read(path)] == ["BGPPeer"]


def test_nothing_is_written_in_check_mode(memory, task, path):
    assert (task(SET, check=True).changed, os.path.exists(path)) == (True, False)
    task(SET)
    told = text_of(path)
    assert (undo(task, check=True).changed, text_of(path)) == (True, told)


@pytest.mark.parametrize("change", [SET, MAKE, DELETE, COPY], ids=["patch", "create", "delete", "copy_secret"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_task_leaves_what_undoes_it(memory, task, path, change, when):
    before = copy.deepcopy(memory.objects)
    killed(memory, task, change, when)
    changed = {name: one.get("spec") or one.get("data") for name, one in memory.objects.items()} != {
        name: one.get("spec") or one.get("data") for name, one in before.items()
    }
    assert changed == (when == "after")
    (entry,) = journal.read(path)
    assert entry["unsure"]
    for one in memory.objects.values():
        for manager in one["metadata"].get("managedFields", ()):
            manager["time"] = "2026-11-21T00:00:00Z"
    done = undo(task)
    assert (done.why, done.changed) == ("", when == "after")
    kept = {name: {key: one.get(key) for key in ("spec", "data")} for name, one in memory.objects.items()}
    assert kept == {name: {key: one.get(key) for key in ("spec", "data")} for name, one in before.items()}
    assert journal.read(path) == [] or when == "before"
    assert undo(task).changed is False


def test_what_somebody_else_made_meanwhile_is_left_alone(memory, task):
    killed(memory, task, MAKE, "before")
    memory.put(PEER, **MAKE["object"])
    memory.objects[PEER]["metadata"]["managedFields"] = [{"manager": "kubectl-create"}]
    done = undo(task)
    assert (done.why, done.changed, PEER in memory.objects) == ("", False, True)


def test_a_secret_that_somebody_wrote_after_the_kill_is_not_taken_away(memory, task):
    killed(memory, task, COPY, "after")
    managed = [{"manager": "netmedic-calico", "time": "2026-11-21T00:00:00Z"}]
    memory.objects[SECRET]["metadata"]["managedFields"] = [*managed, {"manager": "x", "time": "2026-11-21T00:00:00Z"}]
    assert "is not as it was made" in undo(task).why
    assert SECRET in memory.objects


def test_the_next_task_after_a_kill_adds_to_the_journal(memory, task, path):
    killed(memory, task, SET, "after")
    with open(path, "ab") as stream:
        stream.write(b'{"number":1,"ma')
    task(MAKE)
    assert [(one["kind"], one.get("unsure", False)) for one in journal.read(path)] == [
        ("IPPool", True),
        ("BGPPeer", False),
    ]
    assert undo(task).why == ""
    assert (memory.objects[POOL]["spec"]["ipipMode"], PEER in memory.objects) == ("Never", False)


def test_what_was_refused_midway_is_told_as_not_made(memory, task, path):
    memory.script = [None, 422]
    done = task(MAKE, SET)
    assert done.why.startswith("1 of 2 changes were made")
    assert [one["kind"] for one in journal.read(path)] == ["BGPPeer"]
    lines = [json.loads(line) for line in text_of(path).splitlines()]
    assert "not_made" in lines[-1]


@pytest.mark.parametrize("check", [True, False])
def test_one_that_cannot_be_written_is_refused_before_the_first_change(memory, task, tmp_path, path, check):
    before = copy.deepcopy(memory.objects)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(path)
    for name, words in (
        (str(tmp_path / "none" / "x"), "No such file or directory"),
        (str(tmp_path), "it is no regular file"),
        (str(tmp_path / "pipe"), "it is no regular file"),
        (str(tmp_path / "link"), "it is no regular file"),
        ("/proc/x", ""),
    ):
        done = task(SET, journal=name, check=check)
        if name == "/proc/x" and check:
            continue  # whether a file can be made there is not told by anything but trying
        assert f"The journal {name} cannot be written" in done.why
        assert words in done.why
        assert memory.objects == before


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_disk_that_gets_full(memory, task, path, monkeypatch, line):
    """The first line, the intention and the outcome each meet it."""
    written = []
    real = os.write

    def write(descriptor, data):
        if os.path.exists(path) and os.fstat(descriptor).st_ino == os.stat(path).st_ino:
            written.append(data)
            if len(written) == line:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    done = task(SET, MAKE)
    assert "No space left on device" in done.why
    assert PEER not in memory.objects
    assert memory.objects[POOL]["spec"]["ipipMode"] == ("X" if line == 3 else "Never")
    assert done.why.startswith("1 of 2 changes were made" if line == 3 else "Nothing was changed.")
    monkeypatch.setattr(os, "write", real)
    assert undo(task).changed == (line == 3)
    assert memory.objects[POOL]["spec"]["ipipMode"] == "Never"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello\n", "line 1"),
        ('{"begun": "now"}\n', "line 1"),
        ('{"schema": "netmedic.calico.journal/v1", "begun": ""}\nx\n{"number": 1, "not_made": ""}\n', "line 2"),
        ('{"schema": "netmedic.calico.journal/v1", "begun": ""}\n[1]\n{"number": 1, "not_made": ""}\n', "line 2"),
    ],
)
def test_what_is_no_journal(text, words):
    with pytest.raises(ApiError, match=words):
        journal.record("j", text + '{"number": 1, "made": {}}\n')


def test_entries_that_make_no_sense_are_told(task, path):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write('{"schema": "netmedic.calico.journal/v1", "begun": ""}\n{"number": 1, "made": {}}\n')
    assert "Entry 1 of the record has no action" in undo(task).why


def test_a_journal_that_is_not_there(task):
    assert "cannot be read: No such file or directory." in undo(task).why


def test_a_journal_of_which_nothing_came(path, task):
    open(path, "w", encoding="utf-8").close()
    done = undo(task)
    assert (done.why, done.changed) == ("", False)


@pytest.mark.parametrize(
    ("managed", "ours"),
    [
        ([], False),
        ([{"manager": owners.MANAGER}], True),
        ([{"manager": owners.MANAGER, "time": "2"}, {"manager": "x", "time": "1"}], True),
        ([{"manager": owners.MANAGER, "time": "2"}, {"manager": "x", "time": "2"}], False),
        ([{"manager": owners.MANAGER}, {"manager": "x"}], False),
        ([{"manager": "x", "time": "1"}], False),
    ],
)
def test_who_wrote_last(managed, ours):
    assert owners.wrote_last({"metadata": {"managedFields": managed}}) is ours
