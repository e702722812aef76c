# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks against an API in memory: rehearsed, made, settled, recorded, undone."""

from __future__ import annotations

import copy
import json
import pathlib

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import asking, greeting, problems
from ansible_collections.netmedic.calico.plugins.module_utils._object_change import planning, records, run, undoing

V1 = "crd.projectcalico.org/v1"
POOL = f"/apis/{V1}/ippools/default"
PEERS = f"/apis/{V1}/bgppeers"
CANARY = "canary-4711"
RECORDED = sorted(pathlib.Path(__file__).with_name("recorded").glob("*.json"))


def set_pool(mode, **more):
    change = {"action": "patch", "api_version": V1, "kind": "IPPool", "name": "default"}
    return {**change, "patch": {"spec": {"ipipMode": mode}}, **more}


def peer(name="outside", **spec):
    return {"apiVersion": V1, "kind": "BGPPeer", "metadata": {"name": name}, "spec": {"peerIP": "10.0.0.1", **spec}}


@pytest.fixture
def task(memory, monkeypatch):
    """Run a task."""
    monkeypatch.setattr(greeting, "connect", lambda *_arguments: memory)
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.001)

    def make(*changes, **more):
        check = more.pop("check", False)
        return run.run({"timeout": 5.0, "state": "done", "changes": list(changes), **more}, check, {}, "/nonexistent")

    return make


@pytest.fixture
def undo(task):
    """Undo records."""
    return lambda *found: task(
        state="undone", record=json.loads(json.dumps([one for each in found for one in each.record]))
    )


def mode(memory):
    return memory.objects[POOL]["spec"]["ipipMode"]


def writes(memory):
    return [(one[0], one[1]) for one in memory.asked if one[0] != "GET" and "dryRun" not in one[2]]


def test_everything_is_rehearsed_before_anything_is_done(memory, task):
    done = task(set_pool("Always"), {"action": "create", "object": peer()})
    assert (done.why, done.changed, mode(memory)) == ("", True, "Always")
    kinds = ["dry" if "dryRun" in one[2] else "real" for one in memory.asked if one[0] != "GET"]
    assert kinds == ["dry", "dry", "real", "real"]
    assert all(one[2]["fieldManager"] == "netmedic-calico" for one in memory.asked if one[0] != "GET")
    before = copy.deepcopy(memory.objects)
    refused = task(set_pool("Never"), {"action": "create", "object": peer(asNumber=1)})
    assert "There is a BGPPeer outside already, and its spec.asNumber is another" in refused.why
    assert refused.refusals[0]["kind"] == "BGPPeer"
    assert memory.objects == before


def test_only_the_changed_fields_are_sent_on_condition_of_the_version(memory, task):
    version = memory.objects[POOL]["metadata"]["resourceVersion"]
    task(set_pool("Always"))
    assert memory.asked[-1][3] == {"spec": {"ipipMode": "Always"}, "metadata": {"resourceVersion": version}}
    memory.patches = False
    task(set_pool("Never"))
    assert memory.asked[-1][0] == "PUT"
    assert memory.asked[-1][3]["spec"] == {"cidr": "10.244.0.0/16", "ipipMode": "Never"}


def test_a_conflict_is_decided_anew(memory, task):
    def other():
        memory.objects[POOL]["spec"]["natOutgoing"] = True
        memory.objects[POOL]["metadata"]["resourceVersion"] = "999"

    memory.script = [other]
    done = task(set_pool("Always"))
    assert (done.why, memory.objects[POOL]["spec"]["natOutgoing"], mode(memory)) == ("", True, "Always")

    def rival():
        memory.objects[POOL]["spec"]["ipipMode"] = "CrossSubnet"
        memory.objects[POOL]["metadata"]["resourceVersion"] = "1999"

    memory.script = [rival]
    done = task(set_pool("Never", expect={"spec": {"ipipMode": "Always"}}))
    assert "spec.ipipMode of IPPool default is not what it was" in done.why
    assert mode(memory) == "CrossSubnet"


@pytest.mark.parametrize("happens", ["lost", "silent", 500, 503, 429])
def test_what_became_of_a_write_is_found_out(memory, task, undo, happens):
    memory.script = [happens]
    done = task(set_pool("Always", expect={"spec": {"ipipMode": "Never"}}))
    assert (done.why, done.changed, mode(memory)) == ("", True, "Always")
    assert done.record[0]["fields"] == [{"path": ["spec", "ipipMode"], "before": "Never", "after": "Always"}]
    # What was lost was done, and is not done again.
    assert len(writes(memory)) == (1 if happens == "lost" else 2)
    memory.script = [happens]
    made = task({"action": "create", "object": peer()})
    assert (made.why, made.changed) == ("", True)
    memory.script = [happens]
    assert undo(made).why == ""
    assert f"{PEERS}/outside" not in memory.objects


def test_the_same_value_from_somebody_else_is_not_ours(memory, task):
    def rival():
        memory.objects[POOL]["spec"]["ipipMode"] = "Always"
        memory.objects[POOL]["metadata"].update(resourceVersion="999", managedFields=[{"manager": "kubectl-edit"}])

    memory.script = [rival]
    done = task(set_pool("Always"))
    assert (done.why, done.changed, done.record) == ("", False, [])


def test_a_write_that_never_succeeds(memory, task):
    memory.script = [500] * 50
    done = task({"action": "create", "object": peer()}, set_pool("Always"))
    assert (done.record, mode(memory)) == ([], "Never")
    assert done.why.startswith("Nothing was changed. https://api answers")
    memory.script = [None, *[500] * 50]
    done = task({"action": "create", "object": peer()}, set_pool("Always"))
    assert done.why.startswith("1 of 2 changes were made, which the record tells. https://api answers")
    assert [one["kind"] for one in done.record] == ["BGPPeer"]


def test_chains_on_one_object_are_rehearsed_as_a_whole(memory, task, undo):
    label = {"action": "patch", "api_version": V1, "kind": "IPPool", "name": "default"}
    label["patch"] = {"metadata": {"labels": {"a": "b"}}}
    before = copy.deepcopy(memory.objects[POOL]["spec"])
    first = task(set_pool("Always"), label, set_pool("CrossSubnet"))
    assert (first.why, mode(memory), len(first.record)) == ("", "CrossSubnet", 3)
    gone = {"action": "delete", "api_version": V1, "kind": "BGPPeer", "name": "outside"}
    made = task({"action": "create", "object": peer()}, gone)
    assert (made.why, len(made.record)) == ("", 2)
    assert undo(first).why == ""
    assert memory.objects[POOL]["spec"] == before
    assert not memory.objects[POOL]["metadata"].get("labels")


def test_undo_leaves_alone_what_others_did(memory, task, undo):
    done = task(set_pool("Always"))
    memory.objects[POOL]["spec"]["natOutgoing"] = False
    memory.objects[POOL]["metadata"]["resourceVersion"] = "999"
    assert undo(done).why == ""
    assert memory.objects[POOL]["spec"] == {"cidr": "10.244.0.0/16", "ipipMode": "Never", "natOutgoing": False}
    again = undo(done)
    assert (again.why, again.changed) == ("", False)
    memory.objects[POOL]["spec"]["ipipMode"] = "CrossSubnet"
    assert "spec.ipipMode of IPPool default is not put back: somebody has changed it since." in undo(done).why
    memory.objects[POOL]["metadata"]["uid"] = "another"
    assert "another object of that name" in undo(done).why
    del memory.objects[POOL]
    assert "IPPool default is gone" in undo(done).why


def test_an_unsure_record_can_be_undone_either_way(memory, task, undo):
    done = task(set_pool("Always"))
    (entry,) = done.record
    unsure = done._replace(record=[{**entry, "unsure": True, "resource_version": ""}])
    assert (undo(unsure).changed, mode(memory)) == (True, "Never")
    assert (undo(unsure).why, undo(unsure).changed) == ("", False)


def test_secrets_go_from_answer_to_request_only(memory, task, undo):
    secret = "/api/v1/namespaces/a/secrets/source"
    memory.put(secret, kind="Secret", apiVersion="v1", type="Opaque", data={"rr": CANARY, "more": CANARY + "-2"})
    copying = {"action": "copy_secret", "from": {"namespace": "a", "name": "source"}}
    copying["to"] = {"namespace": "b", "name": "made"}
    first = task({**copying, "keys": ["rr"]})
    second = task({**copying, "keys": ["rr", "more"]})
    assert first.why == second.why == ""
    made = memory.objects["/api/v1/namespaces/b/secrets/made"]
    assert (made["data"], made["type"]) == ({"rr": CANARY, "more": CANARY + "-2"}, "Opaque")
    assert CANARY not in json.dumps([list(first), list(second)])
    gone = task({"action": "delete", "api_version": "v1", "kind": "Secret", "namespace": "b", "name": "made"})
    assert "could not be put back" in gone.why
    back = undo(first, second)
    assert (back.why, "/api/v1/namespaces/b/secrets/made" in memory.objects) == ("", False)
    assert CANARY not in json.dumps(list(back))
    assert "cannot be put back" in undo(back).why
    first = task({**copying, "keys": ["rr"]})
    memory.objects["/api/v1/namespaces/b/secrets/made"]["metadata"]["resourceVersion"] = "9999"
    assert "is not as it was made" in undo(first).why
    memory.objects["/api/v1/namespaces/b/secrets/made"]["data"]["rr"] = "other"
    assert "has other values for rr" in task({**copying, "keys": ["rr"]}).why


COPY = {"action": "copy_secret", "from": {"name": "a"}, "to": {"namespace": "b", "name": "c"}, "keys": ["d"]}
SET = {"path": ["spec", "ipipMode"], "was": ["x", None]}


def named(kind, name, **more):
    return {"action": "patch", "kind": kind, "name": name, "api_version": V1, "patch": {"a": 1}, **more}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (named("IPPool", "default", patch=None), "needs patch or set"),
        (named("", "default"), "needs kind"),
        ({"action": "create", "object": {"kind": "Secret"}}, "Secrets are only copied"),
        ({"action": "create", "object": {"kind": "IPPool", "apiVersion": V1}}, "needs a kind and metadata.name"),
        (COPY, "from of copy_secret has a namespace and a name"),
        (named("IPPool", "a/../b"), "is no name"),
        (named("IPPool", ".."), "is no name"),
        (named("DaemonSet", "a", api_version="apps/v1"), "needs a namespace"),
        (named("IPPool", "a", namespace="b"), "has no namespace"),
        (named("Other", "a"), "serves no Other"),
        (named("IPPool", "a", api_version="v1/../x"), "is no api_version"),
        (set_pool("Always", patch={"spec": {"password": CANARY}}), "looks like a secret"),
        ({"action": "create", "object": peer(password=CANARY)}, "looks like a secret"),
        (set_pool("Always", owner_reverts="Helm does."), "for it would be put back: Helm does. Change it there"),
        (set_pool("Always", set=[{"path": ["spec", "cidr", "x"], "value": 1}]), "above it is no object"),
        (named("IPPool", "default", set=[{**SET, "value": "Never"}]), ""),
        (named("IPPool", "default", set=[{**SET, "value": "Always"}]), "is not what it was"),
    ],
)
def test_what_is_refused(memory, task, change, words):
    before = copy.deepcopy(memory.objects)
    done = task(change)
    assert words in done.why
    assert CANARY not in done.why
    assert bool(done.why) == bool(words)
    assert (memory.objects == before) == bool(words)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (None, "is no object"),
        ({}, "has no action"),
        ({"action": "patch", "api_version": V1, "kind": "IPPool", "name": "a", "was": "there", "is": "there",
          "fields": [{"path": []}]}, "a field without a path"),
    ],
)  # fmt: skip
def test_records_that_are_none(task, entry, words):
    done = task(state="undone", record=[entry])
    assert "Entry 1 of the record" in done.why
    assert words in done.why


def test_check_mode_says_what_is_done(memory, task):
    before = copy.deepcopy(memory.objects)
    changes = [set_pool("Always"), {"action": "create", "object": peer()}]
    checked = task(*changes, check=True)
    assert (memory.objects, checked.record) == (before, [])
    done = task(*changes)
    assert (checked.results, checked.differences) == (done.results, done.differences)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_records_are_whole(path):
    told = json.loads(path.read_text(encoding="utf-8"))
    assert [records.lacking(entry) for entry in told["record"]] == [""] * len(told["record"])
    assert "Y2FuYXJ5" not in json.dumps(told["record"])
    assert not [one for one in told["changes"] if planning.trouble(one)]


def test_an_api_that_is_not_there(task, monkeypatch):
    def nobody(*_arguments):
        raise problems.of_connection("refused", "https://api", "the test")

    monkeypatch.setattr(greeting, "connect", nobody)
    done = task(set_pool("Always"))
    assert (done.changed, done.record) == (False, [])
    assert "Nothing listens at https://api" in done.why


def test_restarts_are_not_undone(found):
    entry = {"action": "restart_pod", "api_version": "v1", "kind": "Pod", "namespace": "n", "name": "p"}
    assert undoing.transitions(found, [{**entry, "was": "there", "is": "absent", "restorable": True}]) == []
