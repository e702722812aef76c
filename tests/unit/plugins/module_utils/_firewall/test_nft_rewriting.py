# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model, nft_rewriting, nftables

SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
MARK = {"meta": {"key": "mark"}}
V4, TCP = ("family", False, ("ipv4",)), ("protocol", False, (6,))
ONE = ("source", False, ((0x0A000001, 0x0A000001),))
TRACKED = ("ct_direction", False, ("ORIGINAL", "REPLY"))


def mapped(key, *pairs):
    return {"map": {"key": key, "data": {"set": [list(pair) for pair in pairs]}}}


def rules(*statements, sets=None):
    made = nftables.translate(1, {"expr": list(statements)}, sets or {})
    return [
        ([tuple(match) for match in rule.matches], [tuple(effect) for effect in rule.effects], rule.verdict)
        for rule in made
    ]


@pytest.mark.parametrize(
    ("value", "needed"),
    [
        (1, []),
        (mapped(SADDR, ("10.0.0.1", 1)), [V4, ONE]),
        (mapped(DPORT, (22, "k")), [TCP, ("destination_port", False, ((22, 22),))]),
        ({"ct": {"key": "mark"}}, [TRACKED]),
        ({"|": [MARK, 2]}, []),
        ({"rt": {"key": "mtu"}}, []),
        ({"meta": {"key": "skuid"}}, [("undecidable", False, "meta skuid")]),
        ({"numgen": {"mode": "inc", "mod": 2}}, []),
        ({"jhash": {"mod": 2, "expr": SADDR}}, [V4]),
        ({"socket": {"key": "mark"}}, [("undecidable", False, "socket key mark")]),
        ({"map": {"key": SADDR, "data": "@nobody"}}, [("undecidable", False, "ip saddr @nobody")]),
    ],
)
def test_what_must_hold_so_that_there_is_a_value(value, needed):
    assert [tuple(match) for match in nft_rewriting.needed(value, {})] == needed


def test_a_map_without_the_key_ends_the_rule_and_what_it_gives_is_one_of_its_values():
    statement = {"mangle": {"key": MARK, "value": mapped(SADDR, ("10.0.0.1", 1), ("10.0.0.2", 3))}}
    ((matches, effects, verdict),) = rules(statement, {"drop": None})
    assert (matches[0], effects, verdict) == (V4, [("mark_among", (1, 2))], "drop")


@pytest.mark.parametrize("name", ["counter", "ct helper", "ct timeout", "limit"])
def test_objects_that_are_looked_up(name):
    ((matches, _effects, verdict),) = rules({name: mapped(SADDR, ("10.0.0.1", "k"))}, {"drop": None})
    assert (matches[:2], verdict) == ([V4, ONE], "drop")


@pytest.mark.parametrize(
    ("key", "text"),
    [(SADDR, "ip saddr set 1"), (DPORT, "tcp dport set 1"), ({"meta": {"key": "pkttype"}}, "meta pkttype set 1")],
)
def test_what_tells_packets_apart_and_is_written_makes_another_packet(key, text):
    (rule,) = nftables.translate(1, {"expr": [{"mangle": {"key": key, "value": 1}}, {"accept": None}]}, {})
    assert (rule.verdict, rule.argument) == (model.UNKNOWN, f"the packet is rewritten by hand ({text})")


@pytest.mark.parametrize(
    ("key", "needed"),
    [
        ({"payload": {"protocol": "ip", "field": "dscp"}}, [V4]),
        ({"tcp option": {"name": "maxseg", "field": "size"}}, [TCP]),
        ({"meta": {"key": "priority"}}, []),
        ({"ct": {"key": "label"}}, []),
    ],
)
def test_other_fields_are_of_no_account_if_the_header_is_there(key, needed):
    assert rules({"mangle": {"key": key, "value": 1}}, {"accept": None}) == [(needed, [], "accept")]


def test_what_was_done_before_a_rule_ended_stays_done():
    first, second = rules(
        {"mangle": {"key": MARK, "value": 1}}, {"vmap": {"key": SADDR, "data": {"set": [["10.0.0.1", {"drop": None}]]}}}
    )
    assert first == ([], [("mark", (0, 1))], "continue")
    assert second == ([V4, ONE], [], "drop")


def test_a_mark_that_was_asked_for_and_then_changed_is_not_asked_for_again():
    asked = {"match": {"op": "==", "left": {"concat": [MARK, SADDR]}, "right": {"concat": [1, "10.0.0.1"]}}}
    done = {"mangle": {"key": MARK, "value": 2}}
    _first, (matches, _effects, _verdict) = rules(
        asked, done, {"match": {"op": "==", "left": DPORT, "right": 22}}, {"drop": None}
    )
    assert ("undecidable", False, "any_of before it was changed") in matches


@pytest.mark.parametrize(
    ("operation", "kind"), [("add", "set_grows"), ("update", "set_grows"), ("delete", "set_shrinks")]
)
def test_a_set_that_a_rule_changes(operation, kind):
    own = {"family": "inet", "table": "t"}
    change = {"set": {"op": operation, "elem": SADDR, "set": "@d"}}
    lookup = {"match": {"op": "==", "left": SADDR, "right": "@d"}}
    document = {
        "nftables": [
            {"set": dict(own, name="d", type="ipv4_addr", elem=["10.0.0.1"])},
            {"chain": dict(own, name="c")},
            {"rule": dict(own, chain="c", expr=[change])},
            {"rule": dict(own, chain="c", expr=[lookup, {"drop": None}])},
        ]
    }
    changed, *_rest, found = nftables.table(document, "inet", "t").chains["c"].rules()
    assert [tuple(effect) for effect in changed.effects] == [(kind, "inet t d")]
    assert tuple(changed.matches[0]) == V4
    assert found.matches[1] == ("changing_set", False, ("inet t d", ((ONE,),)))


def test_a_set_that_no_rule_changes_is_its_elements():
    sets = {"d": {"elem": ["10.0.0.1"]}}
    lookup = {"match": {"op": "==", "left": SADDR, "right": "@d"}}
    assert rules(lookup, {"drop": None}, sets=sets) == [([V4, ONE], [], "drop")]


def test_nothing_is_too_odd_to_be_read():
    deep = {"map": "x"}
    for _time in range(100):
        deep = {"|": [deep, 1]}
    for body in (
        None,
        1,
        [],
        {},
        {"key": None},
        {"key": {"payload": None}, "value": None},
        {"key": MARK, "value": deep},
    ):
        assert rules({"mangle": body}, {"drop": None})
        assert rules({"set": body}, {"drop": None})
