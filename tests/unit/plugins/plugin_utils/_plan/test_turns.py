# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.runs import Run
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.turns import back, hosts, told_back, turns

FIREWALL, CLOCK, POOL = (f"netmedic.calico.{name}" for name in ("bgp_firewall", "time_sync", "ippool_encapsulation"))


def step(number, role, *hosts):
    return {"number": number, "role": role, "hosts": list(hosts)}


STEPS = [step(1, CLOCK, "b"), step(2, FIREWALL, *"abcdef"), step(3, POOL), step(4, FIREWALL, "a")]


def undone(steps, journal):
    return [(one["at"], one["id"]) for one in back(Run("run", Path("/run"), {"steps": steps}), journal, "first")]


def test_one_host_after_the_other_step_by_step():
    found = turns(STEPS, "first")
    assert [(one["step"], one["at"]) for one in found] == [
        (1, "b"),
        *((2, host) for host in "abcdef"),
        (3, "first"),
        (4, "a"),
    ]
    assert [one["number"] for one in found] == list(range(1, 10))
    assert {one["role"] for one in found} == {"time_sync", "bgp_firewall", "ippool_encapsulation"}


def test_the_lock_is_renewed_for_as_long_as_it_may_take():
    assert [one["hold"] for one in turns(STEPS, "first")] == [*[210] * 7, 960, 210]


def test_all_hosts_take_part_in_what_is_done_through_the_api():
    found = turns(STEPS, "a")
    assert [one["role"] for one in found if one["together"]] == ["ippool_encapsulation"]
    assert hosts(found, "abcdefgh") == list("abcdefgh")
    assert hosts(turns([STEPS[0], STEPS[3]], "a"), "abcdefgh") == ["b", "a"]
    assert hosts([], "ab") == []


def test_back_goes_the_other_way_and_each_thing_once():
    assert undone(STEPS, "/run/objects.jsonl") == [
        ("a", "run-bgp_firewall"),
        ("first", ""),
        *((host, "run-bgp_firewall") for host in "fedcb"),
        ("b", "run-time_sync"),
    ]


def test_the_lock_is_held_on_the_way_back_for_as_long_as_each_turn_may_take():
    found = back(Run("run", Path("/run"), {"steps": STEPS}), "/run/objects.jsonl", "first")
    assert [one["hold"] for one in found] == [210 if one["id"] else 960 for one in found]
    assert {one["hold"] for one in found} == {210, 960}


def test_without_a_journal_there_are_no_objects_to_be_put_back():
    assert ("first", "") not in undone(STEPS, "")


def test_objects_that_a_step_on_hosts_has_changed_go_first():
    assert undone([step(1, CLOCK, "b")], "/run/objects.jsonl") == [("first", ""), ("b", "run-time_sync")]


def test_no_steps_are_no_turns():
    assert (turns([], "first"), undone([], "")) == ([], [])


def test_back_it_is_known_of_which_turns_the_hosts_must_have_a_record():
    plan = {"steps": STEPS, "turns": turns(STEPS, "first")}
    found = back(Run("run", Path("/run"), plan, taken=3), "", "first")
    assert {(one["at"], one["id"]) for one in found if one["taken"]} == {
        ("b", "run-time_sync"),
        ("a", "run-bgp_firewall"),
        ("b", "run-bgp_firewall"),
    }
    assert not any(one["taken"] for one in back(Run("run", Path("/run"), plan), "", "first"))
    for odd in (None, {}, [1, {}]):
        told = back(Run("run", Path("/run"), {**plan, "turns": odd}, taken=3), "", "first")
        assert not any(one["taken"] for one in told)


def test_objects_whose_journal_is_gone_are_told_of():
    plan = {"steps": STEPS, "turns": turns(STEPS, "first")}
    through = Run("run", Path("/run"), plan, ended=True, taken=8)
    assert "There is no objects.jsonl in /run" in told_back(through, "")
    assert "There is no" not in told_back(through, "/run/objects.jsonl")
    assert "There is no" not in told_back(through._replace(taken=7), "")
    assert "nothing is to be undone" in told_back(Run("run", Path("/run"), {}), "")


def test_a_restart_leaves_no_record_that_could_be_missed():
    steps = [{"number": 1, "role": "netmedic.calico.rolling_restart", "hosts": ["a"]}]
    plan = {"steps": steps, "turns": turns(steps, "first")}
    assert plan["turns"][0]["role"] == "rolling_restart"
    found = back(Run("run", Path("/run"), plan, taken=1), "", "first")
    assert [(one["at"], one["taken"]) for one in found] == [("a", False)]
