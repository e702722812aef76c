# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that another job has left in a cache: what came of reading the host, by whose clock, and how old that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import cached, kept
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.inventory import from_hostvars, why_not_read

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
LIMIT = 900
UNREACHABLE = {"unreachable": True, "msg": "Failed to connect to the host via ssh"}
FAILURES = [
    UNREACHABLE,
    {"failed": True, "rc": 127, "msg": "MODULE FAILURE", "module_stderr": "/bin/sh: 1: /usr/bin/python3: not found\n"},
    {"msg": "Task failed: Timed out.", "timedout": {"frame": "", "period": 15}},
    {"failed": True, "msg": "Missing sudo password"},
]


@pytest.fixture
def live(mesh):
    """The hosts as the run that reads them has them."""
    return {
        name: {"ansible_facts": facts, "ansible_host": mesh.addresses[name], "collect_result": {"ansible_facts": facts}}
        for name, facts in mesh.facts.items()
    }


def cache(live, now=NOW):
    """The hosts as a later job has them: facts and note, and no result of any task."""
    later = {}
    for name, variables in live.items():
        note = kept.note(variables, *why_not_read(variables), now)
        later[name] = {
            "ansible_facts": {**variables["ansible_facts"], kept.FACT: note},
            "ansible_host": variables["ansible_host"],
        }
    return later


def missing(hostvars, now=NOW):
    evidence = from_hostvars(hostvars, list(hostvars), now, LIMIT)
    return {node.name: (node.why, node.unreachable) for node in evidence.missing}


def test_hosts_that_were_read_are_read_from_the_cache(live):
    assert missing(cache(live)) == {}


@pytest.mark.parametrize("result", FAILURES)
def test_a_host_that_was_asked_in_vain_is_told_as_the_run_itself_tells_it(live, result):
    live["node-2"]["collect_result"] = result
    told = missing(live)
    assert list(told) == ["node-2"]
    assert missing(cache(live)) == told


@pytest.mark.parametrize("result", FAILURES)
def test_so_is_one_of_which_the_cache_never_had_anything(live, result):
    live["node-2"].update(collect_result=result, ansible_facts={})
    told = missing(live)
    assert list(told) == ["node-2"]
    assert missing(cache(live)) == told


@pytest.mark.parametrize("stamp", ["2025-12-31T21:00:00Z", "2027-01-01T00:00:00Z"])
def test_the_age_is_by_the_controllers_clock_however_wrong_the_nodes_is(live, stamp):
    live["node-2"]["ansible_facts"]["calico_node"]["taken_at"] = stamp
    later = cache(live)
    assert missing(later, NOW + timedelta(seconds=LIMIT)) == {}
    assert set(missing(later, NOW + timedelta(seconds=LIMIT + 1))) == set(later)


def test_what_is_too_old_is_refused_even_if_it_is_a_failure(live):
    live["node-2"]["collect_result"] = UNREACHABLE
    late = missing(cache(live), NOW + timedelta(seconds=1000))
    assert late["node-2"] == ("its facts in the cache are 1000 s old, more than the 900 s allowed", False)


def test_facts_that_came_after_the_note_are_judged_by_themselves(live):
    live["node-2"]["collect_result"] = UNREACHABLE
    later = cache(live)
    later["node-2"]["ansible_facts"]["calico_node"]["taken_at"] = "2026-01-01T00:00:29Z"
    assert missing(later) == {}


@pytest.mark.parametrize(
    "note", [None, [], "x", {}, {"at": 7}, {"facts": []}, {"result": [1]}, {"at": "x", "result": 3}]
)
def test_a_note_that_is_none_is_no_reason_to_raise(live, note):
    later = cache(live)
    later["node-2"]["ansible_facts"][kept.FACT] = note
    assert isinstance(missing(later), dict)


def test_a_result_of_this_run_goes_before_a_note(live):
    later = cache(live)
    later["node-2"]["collect_result"] = UNREACHABLE
    assert missing(later)["node-2"][1]


def test_the_age_is_told(live):
    lines, problem = cached.told(cache(live), list(live), NOW + timedelta(seconds=95), LIMIT)
    assert (lines, problem) == (["Facts of 4 of 4 node(s) are in the cache, 95 s old."], "")


def test_what_is_absent_and_what_will_be_refused_is_told(live):
    later = cache(live)
    later["node-1"]["ansible_facts"][kept.FACT]["at"] = "2025-12-31T23:30:30Z"
    later["node-2"] = {}
    lines, problem = cached.told(later, list(later), NOW, LIMIT)
    assert lines == [
        "Facts of 3 of 4 node(s) are in the cache, 0 s to 1800 s old.",
        "Nothing is in the cache of node-2.",
        "Refused, as they are not of the last 900 s (diagnose_max_age): those of node-1.",
    ]
    assert problem == ""


def test_nothing_but_old_facts_is_a_problem_with_a_way_out(live):
    _lines, problem = cached.told(cache(live), list(live), NOW + timedelta(seconds=4000), LIMIT)
    assert "the newest are 4000 s old, and diagnose_max_age allows 900 s" in problem
    assert "netmedic.calico.collect" in problem


def test_stamps_of_the_future_are_told_as_such_and_not_as_an_age(live):
    """The clock of this machine, or of the one that collected, was set back: allowing older facts is no way out."""
    lines, problem = cached.told(cache(live), list(live), NOW - timedelta(seconds=4000), LIMIT)
    assert lines == ["Facts of 4 of 4 node(s) are in the cache, 4 of them stamped in the future."]
    assert "stamped in the future" in problem
    assert "-4000" not in problem
    assert "diagnose_max_age" not in problem
    later = cache(live, NOW - timedelta(seconds=95))
    later["node-1"]["ansible_facts"][kept.FACT]["at"] = "2026-01-01T01:00:00Z"
    lines, problem = cached.told(later, list(later), NOW, LIMIT)
    assert lines[0] == "Facts of 4 of 4 node(s) are in the cache, 95 s old, 1 of them stamped in the future."
    assert problem == ""


def test_an_empty_cache_is_a_problem_with_a_way_out():
    lines, problem = cached.told({"a": {}, "b": {}}, ["a", "b"], NOW, LIMIT)
    assert lines == []
    assert problem.startswith("The fact cache has nothing of any of these 2 hosts. Run netmedic.calico.collect")


def test_of_a_task_that_timed_out_only_the_time_is_looked_at():
    """ansible-core warns as soon as somebody looks at the frame's value."""

    class Result(dict):
        def items(self):
            raise AssertionError("all values were looked at")

        def values(self):
            raise AssertionError("all values were looked at")

    assert kept.given_up_after({"timedout": Result(frame="", period=15)}) == "15"
    assert kept.given_up_after({"timedout": True}) == kept.given_up_after({}) == ""
