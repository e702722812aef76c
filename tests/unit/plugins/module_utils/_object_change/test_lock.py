# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock: whose it is, by the API server's clock."""

from __future__ import annotations

import calendar
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import asking, greeting
from ansible_collections.netmedic.calico.plugins.module_utils._object_change import lock

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{lock.NAME}"
# The time of the API in memory.
NOW = "2026-11-21T00:00:00Z"


@pytest.fixture
def hold(memory, monkeypatch):
    """Ask for the lock."""
    monkeypatch.setattr(greeting, "connect", lambda *_arguments: memory)
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.001)

    def ask(state, holder, check=False, **more):
        params = {"timeout": 5.0, "state": state, "holder": holder, "namespace": "kube-system", **more}
        return lock.hold(params, check, {}, "/nonexistent")

    return ask


def held(memory, holder, renewed, seconds=120, process=""):
    spec = {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": seconds}
    metadata = {"annotations": {lock.PROCESS: process, "theirs": "x"}} if process else {}
    spec.update(acquireTime="2026-11-20T23:00:00.000000Z", leaseTransitions=4)
    memory.put(LEASE, spec=spec, metadata=metadata)


def test_it_is_acquired_renewed_and_released(memory, hold):
    mine = hold("acquired", "me")
    assert list(mine) == [True, "me", NOW, "2026-11-21T00:02:00Z", "", "", ""]
    assert memory.objects[LEASE]["spec"]["leaseTransitions"] == 0
    assert hold("renewed", "me").changed is False
    assert hold("released", "me") == (True, "", "", "", "", "", "")
    assert LEASE not in memory.objects
    assert hold("released", "me").changed is False


@pytest.mark.parametrize(
    ("renewed", "taken"),
    [
        ("2026-11-20T23:58:01.000000Z", False),
        ("2026-11-20T23:58:00.000000Z", True),
        ("2026-11-20T23:58:01Z", False),
        ("some day", True),
        ("", True),
    ],
)
def test_it_is_taken_over_when_it_has_run_out(memory, hold, renewed, taken):
    held(memory, "you", renewed)
    found = hold("acquired", "me")
    assert (found.why == "", found.taken_over_from) == (taken, "you" if taken else "")
    if taken:
        assert memory.objects[LEASE]["spec"]["leaseTransitions"] == 5
    else:
        assert found.why.startswith(
            "you holds the lock (Lease kube-system/netmedic-calico-remediate) since 2026-11-20T23"
        )


def test_whoever_lost_it_is_told(memory, hold):
    held(memory, "you", "2026-11-20T23:59:59.000000Z")
    assert "The lock was lost, so nothing more may be changed. you holds the lock" in hold("renewed", "me").why
    assert hold("released", "me").holder == "you"
    del memory.objects[LEASE]
    assert "Nobody holds" in hold("renewed", "me").why


def test_who_comes_second_in_a_race_is_refused(memory, hold):
    memory.script = [lambda: held(memory, "you", "2026-11-20T23:59:59.000000Z")]
    assert "you holds the lock" in hold("acquired", "me").why


def test_an_answer_that_was_lost(memory, hold):
    memory.script = ["lost"]
    assert (hold("acquired", "me").why, len([one for one in memory.asked if one[0] == "POST"])) == ("", 1)
    memory.script = ["lost"]
    assert hold("released", "me").why == ""


def test_check_mode_takes_nothing(memory, hold):
    assert hold("acquired", "me", check=True).holder == "me"
    assert LEASE not in memory.objects


def test_it_is_held_for_as_long_as_is_asked(hold):
    def seconds(state):
        ends = [calendar.timegm(time.strptime(word, "%Y-%m-%dT%H:%M:%SZ")) for word in (state.since, state.until)]
        return ends[1] - ends[0]

    assert seconds(hold("acquired", "me")) == 120
    assert seconds(hold("renewed", "me", seconds=900)) == 900


def test_who_waits_is_told_when_it_ends(memory, hold):
    held(memory, "you", "2026-11-20T23:59:00.000000Z")
    assert "until 2026-11-21T00:01:00Z, which is in 60 s, if it is not renewed." in hold("acquired", "me").why


def test_a_run_tells_in_which_process_it_holds_the_lock_and_keeps_to_that(memory, hold):
    hold("acquired", "me", process="boot ns 0 5")
    assert memory.objects[LEASE]["metadata"]["annotations"] == {lock.PROCESS: "boot ns 0 5"}
    assert hold("acquired", "you").process == "boot ns 0 5"
    hold("renewed", "me")
    assert memory.objects[LEASE]["metadata"]["annotations"] == {lock.PROCESS: "boot ns 0 5"}


@pytest.mark.parametrize(
    ("process", "instead_of", "taken"),
    [("gone", "gone", True), ("gone", "another", False), ("gone", "", False), ("", "gone", False), ("", "", False)],
)
def test_it_is_taken_from_a_process_that_is_gone_and_from_no_other(memory, hold, process, instead_of, taken):
    held(memory, "you", "2026-11-20T23:59:59.000000Z", process=process)
    found = hold("acquired", "me", instead_of=instead_of)
    assert (found.why == "", found.taken_over_from) == (taken, "you" if taken else "")
    assert memory.objects[LEASE]["spec"]["holderIdentity"] == ("me" if taken else "you")


def test_whoever_was_quicker_to_take_it_from_the_dead_keeps_it(memory, hold):
    held(memory, "dead", "2026-11-20T23:59:59.000000Z", process="gone")
    memory.script = [lambda: held(memory, "you", "2026-11-20T23:59:59.000000Z", process="alive")]
    found = hold("acquired", "me", instead_of="gone")
    assert (found.process, found.why.startswith("you holds the lock")) == ("alive", True)


def test_of_a_former_holder_nothing_is_left(memory, hold):
    held(memory, "you", "2026-11-20T23:00:00.000000Z", process="gone")
    assert hold("acquired", "me").why == ""
    assert memory.objects[LEASE]["metadata"]["annotations"] == {"theirs": "x"}


def test_what_is_gone_is_gone_for_who_renews_too(memory, hold):
    held(memory, "you", "2026-11-20T23:59:59.000000Z", process="gone")
    assert "The lock was lost" in hold("renewed", "me", instead_of="gone").why


@pytest.mark.parametrize(("denied", "stays"), [("PATCH", False), ("DELETE", True)])
def test_a_right_that_is_lacking_later_is_missed_at_once(memory, hold, monkeypatch, denied, stays):
    asked = memory.request

    def request(method, *rest):
        return memory.answer(403, {"kind": "Status", "message": "no"}) if method == denied else asked(method, *rest)

    monkeypatch.setattr(memory, "request", request)
    why = hold("acquired", "me").why
    assert why.startswith("The lock can be taken, but not renewed and given back. Not allowed at https://api: no.")
    assert ("It is held for nothing now, and ends by itself in 120 s." in why) is stays
    assert (LEASE in memory.objects) is stays
