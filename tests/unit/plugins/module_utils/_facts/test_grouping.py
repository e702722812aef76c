# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._bird import control, replies
from ansible_collections.netmedic.calico.plugins.module_utils._bird.daemon import Spoken
from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Daemon
from ansible_collections.netmedic.calico.plugins.module_utils._bird.replies import Session
from ansible_collections.netmedic.calico.plugins.module_utils._facts import bgp_daemon, grouping


def session(number, **more):
    entry = {"name": f"Mesh_10_200_{number // 250}_{number % 250}", "kind": "Mesh", "state": "start"}
    entry.update(peer=f"10.200.{number // 250}.{number % 250}", since_seconds_ago=number, bgp_state="Connect")
    return dict(entry, **more)


def test_few_entries_stand_in_full():
    entries = [session(number) for number in range(20)]

    assert grouping.fold(entries) == (entries, [])


def test_a_thousand_equal_troubles_are_one_group():
    entries = [session(number, timers={"connect_delay": f"{number}/5"}) for number in range(1000)]

    kept, (group,) = grouping.fold(entries)

    assert kept == entries[:20]
    assert group["count"] == 980
    assert (group["since_seconds_ago"], group["since_seconds_ago_longest"]) == (20, 999)
    assert len(json.dumps([kept, group])) < 5000
    again = list(grouping.unfold([group]))
    assert [(entry["peer"], entry["name"]) for entry in again] == [
        (entry["peer"], entry["name"]) for entry in entries[20:]
    ]
    assert {entry["bgp_state"] for entry in again} == {"Connect"}


def test_what_differs_makes_groups_of_its_own():
    entries = [session(number) for number in range(20)]
    entries += [
        session(number, last_error="" if number % 2 else "Socket: Connection refused") for number in range(40, 60)
    ]
    entries += [session(70, name="uplink")]

    _kept, groups = grouping.fold(entries)

    assert [group["count"] for group in groups] == [10, 10, 1]
    assert [entry["name"] for entry in grouping.unfold(groups[2:])] == ["uplink"]


def test_probes_have_no_name():
    entries = [{"peer": f"fd00::{number:x}", "result": "silent"} for number in range(30)]

    _kept, groups = grouping.fold(entries)

    assert groups == [{"result": "silent", "peers": {"fd00:0:0:0:0:0:0": "14-1d"}, "count": 10}]
    assert next(iter(grouping.unfold(groups))) == {"result": "silent", "peer": "fd00::14"}


@given(
    st.dictionaries(st.sampled_from(["peers", "count", "kind", "x"]), st.one_of(st.none(), st.text(), st.integers()))
)
def test_groups_of_any_shape_are_no_exception(group):
    list(grouping.unfold([group, {"peers": {"10.0.0": 5, "10.0.1": "1-2"}}]))


def test_names_made_by_confd_are_packed():
    names = [f"Mesh_10_200_0_{number}" for number in range(100, 130)] + ["Node_fd00__9", "uplink"]

    kept, packed = grouping.fold_names(names)

    assert kept == [*names[:20], "uplink"]
    assert packed == {"Mesh": {"10.200.0": "120-129"}, "Node": {"fd00:0:0:0:0:0:0": "9"}}


def test_a_node_cut_off_from_a_thousand_peers_says_so_in_a_few_kilobytes():
    names = [f"10.210.{number // 250}.{number % 250 + 1}" for number in range(1000)]
    sessions = [
        Session(
            name="Mesh_" + peer.replace(".", "_"),
            state="start",
            bgp_state="Passive" if number % 3 else "Active",
            last_error="" if number % 3 else "Socket: No route to host",
            since=30.0 + number,
            peer=peer,
            peer_as=64512,
            local_as=None,
            peer_id="",
            source="",
            hold_timer="",
            imported=0,
            exported=0,
            external=False,
            restarting=False,
            timers={} if number % 3 else {"connect_delay": f"{number % 5}/5"},
        )
        for number, peer in enumerate(names)
    ]
    daemon = Daemon("ipv4", None, [], [], [])
    spoken = Spoken(control.ANSWERS, "", "socket", "/run/bird.ctl", None, sessions, 0.0)

    facts = bgp_daemon.facts_of(bgp_daemon.Look(daemon, spoken, None), 0.0)

    assert (facts["peers"]["total"], facts["peers"]["established"]) == (1000, 0)
    assert sum(group["count"] for group in facts["troubled_groups"]) == 980
    assert len(json.dumps(facts)) < 10000


def test_troubles_of_a_thousand_kinds_stay_few_groups():
    entries = [session(number, name=f"peer{number}", neighbor_as=number) for number in range(5000)]

    kept, groups = grouping.fold(entries)

    assert len(kept) == 20
    assert len(groups) == grouping.MOST_GROUPS
    assert sum(group["count"] for group in groups) == 4980
    assert groups[0]["name"] == "peer20"
    assert (groups[-1]["bgp_state"], "name" in groups[-1], "neighbor_as" in groups[-1]) == ("Connect", False, False)
    assert (groups[-1]["since_seconds_ago"], groups[-1]["since_seconds_ago_longest"]) == (1019, 4999)


def test_names_beyond_reason_are_counted():
    kept, packed = grouping.fold_names([f"peer{number}" for number in range(60_000)])

    assert packed == {}
    assert len(kept) == grouping.MOST_NAMES + 1
    assert kept[-1] == "(and 59000 more)"


def test_an_absurd_number_of_sessions_gives_facts_of_bounded_size():
    block = (
        "1002-Mesh_%d BGP      master   start  07:00:00    Active        Socket: Connection refused\n"
        "1006-  Description:    \n   BGP state:          Active\n     Neighbor address: 10.%d.%d.%d\n"
        "     Neighbor AS:      64512\n \n"
    )
    text = "".join(block % (number, number >> 16, number >> 8 & 255, number & 255) for number in range(60_000))
    spoken = Spoken(control.ANSWERS, "", "socket", "/run/bird.ctl", None, replies.parse_sessions(text, 0.0))
    look = bgp_daemon.Look(Daemon("ipv4", None, [], [], []), spoken, None)

    assert len(json.dumps(bgp_daemon.facts_of(look, 0.0))) < 600_000
