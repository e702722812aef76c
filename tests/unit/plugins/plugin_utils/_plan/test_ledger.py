# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.ledger import ledger, working

BLOCKED = "tcp179_blocked_host_firewall"


def facts(*peers, routes=3, troubled=(), address=""):
    told = {"peers": {"packed": {"Mesh": pack(peers)}, "routes_imported": routes}, "troubled": list(troubled)}
    return {"calico_bgp": {"daemons": {"ipv4": {**told, "config": {"local_address": address}}}}}


def compared(before, after, diagnosed=(), proven=()):
    return ledger(working(before), working(after), {"findings": list(diagnosed)}, {"findings": list(proven)})


def test_a_repair_that_works_gains_sessions_and_loses_none(found):
    told = compared({"a": facts("10.0.0.2")}, {"a": facts("10.0.0.2", "10.0.0.3", routes=4)}, [found(BLOCKED, "a")])

    assert told["sessions"]["gained"] == 1
    assert told["sessions"]["which_gained"] == [["a", "10.0.0.3"]]
    assert told["findings"] == {"gone": [f"{BLOCKED}@a"], "unknown": [], "left": [], "rest": [], "new": []}
    assert told["worse"] == []


def test_nothing_is_known_of_what_cannot_be_read_any_more(found):
    told = compared({"a": facts("10.0.0.2"), "b": facts()}, {"a": {}, "b": facts()}, [found(BLOCKED, "a")])

    assert told["findings"]["unknown"] == [f"{BLOCKED}@a"]
    assert told["findings"]["gone"] == []
    assert "a could be read before and cannot any more" in told["worse"]


def test_a_lost_session_is_worse_than_before():
    told = compared({"a": facts("10.0.0.2", "10.0.0.3")}, {"a": facts("10.0.0.3")})

    assert told["worse"] == ["a has lost its session with 10.0.0.2"]


def test_sessions_of_unusual_protocols_count_too():
    unusual = {"name": "Node_x", "peer": "10.9.9.9", "bgp_state": "Established"}
    told = compared({"a": facts(troubled=[unusual])}, {"a": facts(troubled=[unusual | {"bgp_state": "Connect"}])})

    assert told["worse"] == ["a has lost its session with 10.9.9.9"]


def test_fewer_routes_are_worse_and_more_are_not():
    told = compared({"a": facts(routes=3), "b": facts(routes=3)}, {"a": facts(routes=2), "b": facts(routes=4)})

    assert told["worse"] == ["a has 2 ipv4 routes, 3 before"]
    assert [one["node"] for one in told["routes"]] == ["a", "b"]


def test_a_node_that_cannot_be_read_any_more_is_worse_and_told_once():
    told = compared({"a": facts("10.0.0.2")}, {"a": {}})

    assert told["worse"] == ["a could be read before and cannot any more"]


def mesh(*addresses):
    """The nodes a, b and c, which speak by these addresses, each with sessions with all others."""
    return {name: facts(*(set(addresses) - {own}), address=own) for name, own in zip("abc", addresses, strict=True)}


def test_a_node_that_changes_its_address_loses_no_sessions_by_that():
    told = compared(mesh("10.0.0.1", "172.17.0.1", "10.0.0.3"), mesh("10.0.0.1", "10.0.0.2", "10.0.0.3"))

    assert told["worse"] == []
    assert [told["sessions"][key] for key in ("before", "after", "lost", "gained")] == [6, 6, 0, 0]


def test_a_node_that_changes_its_address_and_loses_a_session_is_told_of():
    after = mesh("10.0.0.1", "10.0.0.2", "10.0.0.3")
    after["c"] = facts("10.0.0.1", address="10.0.0.3")
    told = compared(mesh("10.0.0.1", "172.17.0.1", "10.0.0.3"), after)

    assert told["worse"] == ["c has lost its session with 172.17.0.1"]


def test_a_session_with_whoever_has_a_peers_old_address_now_is_another_one():
    here = {"a": facts("10.0.0.2", address="10.0.0.1")}
    swapped = {"b": facts(address="10.0.0.3"), "c": facts(address="10.0.0.2")}
    told = compared({**here, "b": swapped["c"], "c": swapped["b"]}, {**here, **swapped})

    assert told["sessions"]["which_lost"] == [["a", "10.0.0.2"]]
    assert told["sessions"]["which_gained"] == [["a", "10.0.0.2"]]


def test_an_address_that_two_nodes_call_theirs_stands_for_none_of_them():
    before = {"a": facts("172.17.0.1", address="10.0.0.1")}
    before |= {name: facts(address="172.17.0.1") for name in "bc"}
    after = {"a": facts("10.0.0.2", address="10.0.0.1"), "b": facts(address="10.0.0.2"), "c": facts(address="10.0.0.3")}

    assert compared(before, after)["worse"] == ["a has lost its session with 172.17.0.1"]


def test_a_peer_that_could_be_read_at_one_of_the_two_moments_only_is_still_the_same():
    alone = {"a": facts("10.0.0.2", address="10.0.0.1"), "b": {}}
    read = {**alone, "b": facts("10.0.0.1", address="10.0.0.2")}

    assert compared(alone, read)["sessions"]["lost"] == compared(read, alone)["sessions"]["lost"] - 1 == 0
    assert compared(read, alone)["worse"] == ["b could be read before and cannot any more"]


def test_of_two_sessions_with_one_node_one_may_be_lost():
    before = {"a": facts("10.0.0.2", "10.9.9.2", address="10.0.0.1"), "b": facts(address="10.0.0.2")}
    after = {"a": facts("10.0.0.3", address="10.0.0.1"), "b": facts(address="10.0.0.3")}

    assert compared(before, after)["worse"] == ["a has lost its session with 10.9.9.2"]


def test_the_address_is_told_by_whatever_tells_it():
    told = {"calico_bgp": {"daemons": {"ipv4": {"router_id": "10.0.0.1"}}}}
    assert working({"a": told})["a"]["ipv4"]["address"] == "10.0.0.1"
    told["calico_node"] = {"bgp_addresses": {"ipv4": "10.0.0.2"}}
    assert working({"a": told})["a"]["ipv4"]["address"] == "10.0.0.2"


@pytest.mark.parametrize(("severity", "counts"), [("major", True), ("minor", False)])
def test_a_grave_finding_that_was_not_there_is_worse(found, severity, counts):
    told = compared({}, {}, [], [found(BLOCKED, "a") | {"severity": severity}])

    assert bool(told["worse"]) is counts


def test_what_seemed_to_follow_from_the_repaired_is_left_and_not_worse(found):
    """A rule that stops more than BGP: that is seen as a cause of its own once BGP passes, and was there before."""
    follows = found("host_firewall_blocks_pod_interfaces", "a")
    made = compared({}, {}, [found(BLOCKED, "a"), follows | {"role": "consequence"}], [follows])
    assert made["worse"] == made["findings"]["new"] == []
    assert made["findings"]["left"] == ["host_firewall_blocks_pod_interfaces@a"]
    assert made["findings"]["gone"] == [f"{BLOCKED}@a"]


def test_what_now_asks_for_something_else_that_a_person_does_is_not_left_of_the_repair(found):
    repaired = found(BLOCKED, "a", role="")
    repaired["fix"].update(action="renew_pods", text="Make the pods anew.")
    told = compared({"a": facts()}, {"a": facts()}, [found(BLOCKED, "a")], [repaired])
    assert (told["findings"]["left"], told["findings"]["rest"]) == ([], [f"{BLOCKED}@a"])
    assert told["to_do"] == [f"{BLOCKED} on a: Make the pods anew."]


def test_what_still_asks_for_the_same_is_left_though_no_role_would_do_it_now(found):
    told = compared({"a": facts()}, {"a": facts()}, [found(BLOCKED, "a")], [found(BLOCKED, "a", role="")])
    assert (told["findings"]["left"], told["findings"]["rest"]) == ([f"{BLOCKED}@a"], [])


def test_hostile_facts_are_no_reason_to_stop():
    assert working({"a": {"calico_bgp": {"daemons": {"ipv4": {"peers": [], "troubled": [3, {}]}}}}, "b": {}})["b"] == {}
