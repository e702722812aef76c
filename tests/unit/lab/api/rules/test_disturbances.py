# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disturbances: what shall happen to a request."""

from __future__ import annotations

import threading

import pytest

from lab.api.rules.disturbances import AS_USUAL, BadSettingError, Disturbances, WatchEnd
from lab.api.rules.rbac import Request

PODS = Request("list", "", "pods")
WRITE = Request("patch", "apps", "daemonsets", namespace="x", name="d")
WATCH = Request("watch", "", "pods")


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def disturbed(clock, *settings):
    found = Disturbances(clock)
    found.set(list(settings))
    return found


def codes(found, request, times, user="ann"):
    outcomes = [found.happens(user, request) for _time in range(times)]
    return [outcome.refusal.code if outcome.refusal else 200 for outcome in outcomes]


def test_nothing_happens_by_itself(clock):
    assert Disturbances(clock).happens("ann", PODS) == AS_USUAL


def test_the_next_writes_conflict(clock):
    found = disturbed(clock, {"what": "conflict", "count": 2, "kinds": ["daemonsets.apps"]})
    assert codes(found, PODS, 1) == [200]
    assert codes(found, Request("get", "apps", "daemonsets"), 1) == [200]
    refusal = found.happens("ann", WRITE).refusal
    assert (refusal.code, refusal.reason) == (409, "Conflict")
    assert refusal.message == (
        'Operation cannot be fulfilled on daemonsets.apps "d": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert codes(found, WRITE, 2) == [409, 200]
    assert found.settings() == []


def test_every_third_request_is_too_many(clock):
    found = disturbed(clock, {"what": "throttle", "every": 3, "retry_after": 2})
    assert codes(found, PODS, 6) == [200, 200, 429, 200, 200, 429]
    found = disturbed(clock, {"what": "throttle", "for_seconds": 5})
    assert codes(found, PODS, 2) == [429, 429]
    assert found.happens("ann", PODS).retry_after == 1
    clock.now = 5
    assert codes(found, PODS, 1) == [200]


def test_slow_answers_still_come(clock):
    found = disturbed(clock, {"what": "slow", "seconds": 2, "kinds": ["pods"]}, {"what": "slow", "seconds": 0.5})
    assert found.happens("ann", PODS).delay == 2.5
    assert found.happens("ann", WRITE).delay == 0.5
    found.add({"what": "error", "status": 503})
    outcome = found.happens("ann", PODS)
    assert (outcome.delay, outcome.refusal.code) == (2.5, 503)


def test_tokens_expire_for_some(clock):
    found = disturbed(clock, {"what": "expired_token", "users": ["bob"]})
    assert codes(found, PODS, 1, "bob") == [401]
    assert codes(found, PODS, 1, "ann") == [200]


def test_watches_are_dropped(clock):
    found = disturbed(clock, {"what": "drop_watch", "after_seconds": 5, "after_events": 3, "gone": True})
    assert found.happens("ann", WATCH).watch == WatchEnd(5, 3, True)
    assert found.happens("ann", PODS).watch is None


def test_kinds_are_missing_or_forbidden(clock):
    found = disturbed(
        clock,
        {"what": "missing", "kinds": ["ippools.crd.projectcalico.org"]},
        {"what": "forbidden", "kinds": ["secrets"], "for_seconds": 9},
    )
    assert codes(found, Request("list", "crd.projectcalico.org", "ippools"), 1) == [404]
    assert found.hides("crd.projectcalico.org", "ippools")
    assert not found.hides("projectcalico.org", "ippools")
    refusal = found.happens("ann", Request("get", "", "secrets", namespace="x", name="s")).refusal
    assert refusal.message == (
        'secrets "s" is forbidden: User "ann" cannot get resource "secrets" in API group "" in the namespace "x"'
    )


@pytest.mark.parametrize("how", ["refused", "unanswered"])
def test_down_is_stronger_than_all(clock, how):
    found = disturbed(clock, {"what": "error"}, {"what": "down", "how": how})
    outcome = found.happens("ann", PODS)
    assert (outcome.connection, outcome.refusal) == (how, None)


def test_a_weaker_disturbance_is_not_used_up(clock):
    found = disturbed(clock, {"what": "conflict", "count": 1}, {"what": "throttle", "count": 1})
    assert codes(found, WRITE, 3) == [429, 409, 200]


def test_settings_are_json_and_say_what_is_left(clock):
    found = Disturbances(clock)
    found.set('[{"what": "error", "status": 500, "count": 3, "for_seconds": 10}]')
    found.happens("ann", PODS)
    clock.now = 4
    assert found.settings() == [{"what": "error", "status": 500, "count": 2, "for_seconds": 6}]
    found.set("[]")
    assert found.settings() == []


@pytest.mark.parametrize(
    "setting",
    [
        "{", {}, [1], [{}], [{"what": "x"}], [{"what": "slow", "seconds": -1}], [{"what": "slow", "seconds": "1"}],
        [{"what": "error", "status": 200}], [{"what": "throttle", "every": 0}], [{"what": "throttle", "count": True}],
        [{"what": "throttle", "count": 1.5}], [{"what": "down", "how": "x"}], [{"what": "slow", "kinds": "pods"}],
        [{"what": "slow", "nonsense": 1}], [{"what": "missing"}], [{"what": ["slow"]}], [{"what": "slow", "gone": 1}],
    ],
)  # fmt: skip
def test_bad_settings_change_nothing(clock, setting):
    found = disturbed(clock, {"what": "error"})
    with pytest.raises(BadSettingError):
        found.set(setting)
    assert codes(found, PODS, 1) == [500]


def test_threads_use_up_a_count_exactly(clock):
    found = disturbed(clock, {"what": "error", "count": 500})
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.extend(codes(found, PODS, 200))) for _thread in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(seen), seen.count(500)) == (1000, 500)


def test_dry_runs_and_others_are_told_apart():
    made = Disturbances()
    made.set([{"what": "conflict", "dry_run": False}, {"what": "denied", "dry_run": True, "message": "no"}])
    request = Request("patch", "apps", "daemonsets", namespace="n", name="d")
    assert made.happens("me", request).refusal.code == 409
    denied = made.happens("me", request, dry_run=True).refusal
    assert (denied.code, denied.message) == (403, 'admission webhook "policy.netmedic.lab" denied the request: no')
    with pytest.raises(BadSettingError):
        made.set([{"what": "conflict", "dry_run": "yes"}])


def test_an_answer_is_lost_of_writes_only():
    made = Disturbances()
    made.set([{"what": "lost", "count": 1}])
    assert made.happens("me", Request("get", "", "nodes", name="n")).lost is False
    assert made.happens("me", Request("create", "", "nodes", name="n")).lost is True
    assert made.happens("me", Request("create", "", "nodes", name="n")).lost is False
