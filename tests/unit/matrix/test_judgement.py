# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab import birdc
from lab.errors import LabError
from matrix import places, sessions, table
from matrix.measure import Record
from matrix.places import Places
from matrix.sessions import Row

DROP = "-A INPUT -p tcp -m tcp --dport 179 -j DROP"
BEFORE = Places({"node-2": frozenset({"-P INPUT ACCEPT"})}, {"BGPPeer/one": "a", "Node/node-1": "b"})
AFTER = Places({"node-2": frozenset({"-P INPUT ACCEPT", DROP})}, {"BGPPeer/one": "c", "Node/node-1": "b"})


@pytest.mark.parametrize(
    ("where", "right"),
    [
        ({"node": "node-2", "text": DROP}, True),
        ({"node": "node-2", "text": f"{DROP}  "}, True),
        ({"node": "node-2", "text": "-P INPUT ACCEPT"}, False),
        ({"node": "node-1", "text": DROP}, False),
        ({"object": "BGPPeer/one", "field": "spec.asNumber"}, True),
        ({"object": "Node/node-1"}, False),
        ({"object": "BGPPeer"}, None),
        ({"node": "node-2"}, None),
        ({}, None),
    ],
)
def test_a_place_is_right_if_the_injection_has_changed_it(where, right):
    assert places.named_rightly(BEFORE, AFTER, where) is right


def test_what_the_host_has_outdated_is_the_right_place_too():
    assert places.named_rightly(BEFORE, AFTER, {"object": "Node/node-1"}, ["Node/node-1"])


def test_what_is_gone_has_changed_too():
    assert places.changed(BEFORE, Places({}, {"Node/node-1": "b"})) == {"BGPPeer/one"}


def test_a_session_is_disturbed_if_it_is_gone_down_or_made_anew():
    up = Row("10:00:00.000")
    before = {("a", "Mesh_1"): up, ("a", "Mesh_3"): up, ("a", "Mesh_4"): up}
    after = {("a", "Mesh_1"): Row("10:00:01.000"), ("a", "Mesh_3"): Row("10:00:09.000")}
    assert sessions.disturbed(before, after) == [("a", "Mesh_3"), ("a", "Mesh_4")]


class LabOfOne:
    """A lab of one node."""

    nodes = (SimpleNamespace(name="a"),)

    def machine(self, _name):
        return SimpleNamespace(running=True)


def established(monkeypatch, *answers):
    waiting = iter(answers)

    def ask(_machine, _command):
        answer = next(waiting)
        if answer is None:
            raise birdc.BirdError("BIRD does not answer")
        return [f"Mesh_1   BGP      master   {answer}   "]

    monkeypatch.setattr(birdc, "ask", ask)
    return sessions.established(LabOfOne())


def test_a_session_whose_routes_are_on_their_way_is_the_same_when_they_are_there(monkeypatch):
    before = established(monkeypatch, "feed   10:00:00    Established")
    after = established(monkeypatch, "up     10:00:00    Established")
    assert before
    assert sessions.disturbed(before, after) == []


def test_a_session_that_is_not_established_any_more_is_disturbed(monkeypatch):
    before = established(monkeypatch, "up     10:00:00    Established")
    after = established(monkeypatch, "start  10:00:00    Connect")
    assert sessions.disturbed(before, after) == [("a", "Mesh_1")]


def test_a_bird_that_is_slow_has_lost_nothing_and_one_that_is_gone_has(monkeypatch):
    up = "up     10:00:00    Established"
    before = established(monkeypatch, up)
    assert sessions.disturbed(before, established(monkeypatch, None, None, up)) == []
    assert sessions.disturbed(before, established(monkeypatch, *[None] * 9)) == [("a", "Mesh_1")]


def test_a_date_is_no_time_of_the_day():
    assert not Row("2026-11-20").same_as(Row("2026-11-21"))
    assert Row("2026-11-20").same_as(Row("2026-11-20"))


GOOD = Record("x@y", "y", ("x",), ("x",), found_first=True, right_node=True, confidence=0.9)


@pytest.mark.parametrize(
    "change",
    [
        {"found_first": False},
        {"right_node": False},
        {"right_place": False},
        {"disturbed": 1},
        {"wrong": ("z",)},
    ],
)
def test_each_thing_that_is_wrong_makes_a_row_wrong(change):
    assert GOOD.ok
    bad = GOOD._replace(**change)
    assert not bad.ok
    assert table.line(bad).startswith("WRONG")


def test_a_row_that_cannot_be_made_is_not_judged_and_says_why():
    skipped = Record("x@y", "y", ("x",), skipped="x needs the topology z")
    assert skipped.ok
    assert "x needs the topology z" in table.line(skipped)
    assert next(iter(table.summary([GOOD, skipped]))).startswith("1 of 1 rows right, 1 cannot be made")


def test_the_summary_tells_how_many_of_the_sure_ones_were_right():
    told = "\n".join(table.summary([GOOD, GOOD._replace(right_node=False), GOOD._replace(confidence=0.6)]))
    assert "0.9 to 1.0: 1 of 2 right" in told
    assert "0.5 to 0.7: 1 of 1 right" in told


class OneNode:
    """A lab of one node without an API, whose programs print what is given."""

    def __init__(self, printed):
        self.printed = printed
        self.nodes = [type("Node", (), {"name": "node-1"})]

    def machine(self, _name):
        return type("Machine", (), {"running": True})

    def exec(self, _name, command):
        return type("Done", (), {"stdout": self.printed.get(command[0], "")})

    def api(self):
        raise LabError("there is none")


@pytest.mark.parametrize(
    ("program", "line", "text"),
    [
        ("iptables-nft-save", ":INPUT DROP [12:840]", "-P INPUT DROP"),
        ("iptables-nft-save", "[3:180] -A INPUT  -j DROP", "-A INPUT -j DROP"),
        ("nft", "\t\ttype filter hook forward priority filter; policy drop;", "policy drop"),
        ("nft", "\t\ttcp dport 179 drop", "tcp dport 179 drop"),
    ],
)
def test_rules_and_policies_are_known_as_findings_name_them(program, line, text):
    before, after = places.look(OneNode({})), places.look(OneNode({program: f"{line}\n"}))
    assert places.named_rightly(before, after, {"node": "node-1", "text": text})
