# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model, nft_match, nft_text, nftables

DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
FLAGS = {"payload": {"protocol": "tcp", "field": "flags"}}
TCP = ("protocol", False, (6,))
V4 = ("family", False, ("ipv4",))
V6 = ("family", False, ("ipv6",))
NO_MAP = ("undecidable", False, "{} @x")


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


def translate(*statements, sets=None):
    return nftables.translate(1, {"expr": list(statements)}, sets or {})


def one(*statements, sets=None):
    (rule,) = translate(*statements, sets=sets)
    return [tuple(match) for match in rule.matches], rule.verdict, rule.argument


def test_every_kind_of_statement_that_nft_lists_is_understood_or_undecidable(world):
    """What is undecidable below depends on more than addresses and ports."""
    table = nftables.table(world.text("native_statements.json"), "inet", "foo")
    assert {name: chain.policy for name, chain in table.chains.items()} == {
        "c1": "",
        "in": "drop",
        "pre": "accept",
        "ing": "accept",
    }
    undecidable = {
        match.value
        for chain in table.chains.values()
        for rule in chain.rules()
        for match in rule.matches
        if match.kind == "undecidable"
    }
    assert undecidable == {
        "icmpv6 type nd-neighbor-solicit",
        "limit rate over 5/second",
        "set op update elem ip saddr set @dyn",
        "set op add elem ip saddr set @dyn stmt limit rate 5 burst 5 per minute",
        "ct count val 5 inv exists",
        "ip dscp 4",
        "ip ttl 1",
        "meta iifgroup 1",
    }


def test_the_texts_of_a_listing_read_like_its_source(world):
    table = nftables.table(world.text("native_statements.json"), "inet", "foo")
    texts = [rule.text for rule in table.chains["in"].rules()]
    for expected in (
        "tcp flags syn accept",
        "ct state established,related accept",
        "fib saddr . mark . iif oif missing drop",
        "meta mark set meta mark & 4293197823",
        "ip saddr vmap { 10.0.0.0/24 : accept, 10.1.0.0-10.1.0.5 : drop, * : continue }",
        "iifname { eth*, lo } accept",
        "ip saddr . tcp dport @cc accept",
        'ip saddr 10.0.0.1 tcp dport 179 counter accept comment "my rule"',
        "reject with icmp host-prohibited",
        "goto c1",
    ):
        assert expected in texts


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (match(DPORT, 179), [TCP, ("destination_port", False, ((179, 179),))]),
        (match(DPORT, 22, "!="), [TCP, ("destination_port", True, ((22, 22),))]),
        (match(DPORT, 1024, "<"), [TCP, ("destination_port", False, ((0, 1023),))]),
        (
            match(DPORT, {"set": [22, {"range": [100, 200]}]}),
            [TCP, ("destination_port", False, ((22, 22), (100, 200)))],
        ),
        (match({"payload": {"protocol": "th", "field": "dport"}}, 179), [("destination_port", False, ((179, 179),))]),
        (match(SADDR, "10.0.0.1"), [V4, ("source", False, ((167772161, 167772161),))]),
        (match(SADDR, {"prefix": {"addr": "10.0.0.0", "len": 31}}), [V4, ("source", False, ((167772160, 167772161),))]),
        (match(SADDR, {"set": ["*"]}), [V4, ("always", False, None)]),
        (match({"&": [SADDR, "255.0.255.0"]}, "10.0.1.0"), [V4, ("source_bits", False, (167772416, 4278255360))]),
        (match({"meta": {"key": "iifname"}}, "cali*"), [("in_interface", False, ("cali*",))]),
        (match({"meta": {"key": "mark"}}, 1), [("mark", False, (0xFFFFFFFF, ((1, 1),)))]),
        (match({"&": [{"meta": {"key": "mark"}}, 255]}, 16), [("mark", False, (255, ((16, 16),)))]),
        (match({"meta": {"key": "l4proto"}}, {"set": ["tcp", 17]}), [("protocol", False, (6, 17))]),
        (match({"meta": {"key": "nfproto"}}, "ipv6"), [("family", False, ("ipv6",))]),
        (
            match({"ct": {"key": "state"}}, ["established", "related"], "in"),
            [("ct_state", False, ("ESTABLISHED", "RELATED"))],
        ),
        (match({"ct": {"key": "state"}}, {"|": ["established", "related"]}, "!="), [("ct_state", True, ())]),
        (match({"ct": {"key": "status"}}, "dnat", "!="), [("ct_status", True, ())]),
        (match({"payload": {"protocol": "tcp", "field": "flags"}}, "syn", "in"), [TCP, ("tcp_flags", True, (2, (0,)))]),
        # nft 1.0.6 on `tcp flags & (fin|syn) == (fin|syn)`, `… == { syn, syn|ack }`, `… != syn|rst` and `… < fin`.
        (match({"&": [FLAGS, ["fin", "syn"]]}, ["fin", "syn"]), [TCP, ("tcp_flags", False, (3, (3,)))]),
        (
            match({"&": [FLAGS, {"|": [{"|": ["syn", "rst"]}, "ack"]}]}, {"set": [{"|": ["syn", "ack"]}, "syn"]}),
            [TCP, ("tcp_flags", False, (22, (18, 2)))],
        ),
        (match({"&": [FLAGS, ["syn", "rst"]]}, ["syn", "rst"], "!="), [TCP, ("tcp_flags", True, (6, (6,)))]),
        (match({"&": [FLAGS, {"|": ["fin", "syn"]}]}, "fin", "<"), [TCP, ("tcp_flags", False, (3, (0,)))]),
        (match({"&": [FLAGS, {"|": ["fin", "syn"]}]}, "fin", ">"), [TCP, ("tcp_flags", False, (3, (2, 3)))]),
        (match({"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, False), [("reverse_path", True, None)]),
        (
            match({"fib": {"result": "type", "flags": ["daddr", "iif"]}}, "local"),
            [("destination_type_here", False, ("LOCAL",))],
        ),
        (match({"exthdr": {"name": "rt", "field": "type"}}, 0, "!="), [V6, ("always", True, None)]),
        (match({"exthdr": {"name": "frag"}}, False), [V6, ("always", False, None)]),
        (match({"meta": {"key": "skuid"}}, 0), [("uid", False, ((0, 0),))]),
        (match({"meta": {"key": "skgid"}}, 0), [("undecidable", False, "meta skgid 0")]),
        (match(DPORT, "@nobody"), [("undecidable", False, "tcp dport @nobody")]),
        (match(SADDR, "example.org"), [("undecidable", False, "ip saddr example.org")]),
    ],
)
def test_conditions(statement, expected):
    assert one(statement, {"drop": None}) == (expected, "drop", "")


def test_named_sets_and_their_elements_options():
    sets = {
        "s": {"elem": [{"elem": {"val": "10.0.0.1", "expires": 5}}, {"prefix": {"addr": "10.1.0.0", "len": 16}}]},
        "empty": {},
    }
    assert one(match(SADDR, "@s"), {"drop": None}, sets=sets)[0][1] == (
        "source",
        False,
        ((167772161, 167772161), (167837696, 167903231)),
    )
    assert one(match(SADDR, "@empty"), {"drop": None}, sets=sets)[0][1] == ("source", False, ())


def test_a_verdict_map_becomes_one_rule_per_element():
    sets = {"m": {"elem": [["eth0", {"jump": {"target": "x"}}], ["cali*", {"goto": {"target": "y"}}]]}}
    rules = translate(match(DPORT, 179), {"vmap": {"key": {"meta": {"key": "iifname"}}, "data": "@m"}}, sets=sets)
    assert [(rule.number, rule.verdict, rule.argument, rule.matches[-1].value) for rule in rules] == [
        (1, "jump", "x", ("eth0",)),
        (1, "goto", "y", ("cali*",)),
    ]
    assert all(len(rule.matches) == 3 for rule in rules)


@pytest.mark.parametrize("data", ["@nobody", {"set": ["odd"]}, {"map": 1}, None])
def test_a_verdict_map_that_cannot_be_read_has_an_unknown_verdict(data):
    assert translate({"vmap": {"key": DPORT, "data": data}})[0].verdict == "unknown"


@pytest.mark.parametrize(
    ("statement", "verdict", "argument", "matches"),
    [
        ({"accept": None}, "accept", "", []),
        ({"jump": {"target": "x"}}, "jump", "x", []),
        ({"reject": None}, "reject", "icmpx-port-unreachable", []),
        ({"reject": {"type": "tcp reset"}}, "reject", "tcp-reset", [TCP]),
        ({"reject": {"type": "icmp", "expr": "host-prohibited"}}, "reject", "icmp-host-prohibited", [V4]),
        ({"masquerade": None}, "rewrite source", "", []),
        ({"snat": {"addr": "10.0.0.5"}}, "rewrite source", "10.0.0.5", []),
        (
            {"snat": {"family": "ip", "addr": {"range": ["10.0.0.5", "10.0.0.7"]}, "port": 1}},
            *("rewrite source", "10.0.0.5-10.0.0.7", [V4]),
        ),
        ({"snat": {"addr": {"map": {"key": {}, "data": "@x"}}}}, "rewrite source", "?", [NO_MAP]),
        ({"dnat": {"family": "ip", "addr": "1.2.3.4"}}, "unknown", "the destination is rewritten (dnat)", [V4]),
        ({"queue": {"num": 1}}, "unknown", "the packet is handed to a program (queue)", []),
        ({"xt": {"type": "target", "name": "TPROXY"}}, "unknown", "the effect of the statement xt is not known", []),
        ({"brand new": 1}, "unknown", "the effect of the statement brand new is not known", []),
    ],
)
def test_verdicts(statement, verdict, argument, matches):
    assert one(statement) == (matches, verdict, argument)


@pytest.mark.parametrize(
    ("key", "value", "effect"),
    [
        ("meta", 5, ("mark", (0, 5))),
        ("meta", {"|": [{"meta": {"key": "mark"}}, 16]}, ("mark", (0xFFFFFFEF, 16))),
        ("meta", {"&": [{"meta": {"key": "mark"}}, 255]}, ("mark", (255, 0))),
        ("meta", {"^": [{"&": [{"meta": {"key": "mark"}}, 15]}, 1]}, ("mark", (15, 1))),
        ("meta", {"ct": {"key": "mark"}}, ("restore_mark", (0xFFFFFFFF, 0xFFFFFFFF))),
        ("ct", {"meta": {"key": "mark"}}, ("save_mark", (0xFFFFFFFF, 0xFFFFFFFF))),
        ("ct", 7, ("ct_mark", (0, 7))),
        ("meta", {"jhash": {"mod": 2}}, ("forget_mark", None)),
        ("ct", {"numgen": {}}, ("forget_ct_mark", None)),
    ],
)
def test_marks(key, value, effect):
    (rule,) = translate({"mangle": {"key": {key: {"key": "mark"}}, "value": value}})
    assert ([tuple(one) for one in rule.effects], rule.verdict) == ([effect], "continue")


def test_a_condition_after_a_change_does_not_undo_it():
    first, second = translate(
        {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}, match(DPORT, 22), {"drop": None}
    )
    assert (first.verdict, len(first.effects), list(first.matches)) == ("continue", 1, [])
    assert (second.verdict, list(second.effects), len(second.matches)) == ("drop", [], 2)


def test_counters_are_kept():
    assert translate({"counter": {"packets": 12, "bytes": 720}}, {"drop": None})[0].packets == 12


def test_relevant_chains_and_their_names(world):
    chains = nftables.relevant_chains(world.text("firewalld_nft_chains.json"))
    assert {chain["hook"] for chain in chains} == {"prerouting", "input", "forward", "output", "postrouting"}
    assert nftables.title(chains[0]) == "inet firewalld mangle_PREROUTING"


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "{}", '{"nftables": 5}', '{"nftables": [5, {"rule": 5}, {"chain": []}]}', "[" * 100000],
)
def test_other_texts_hold_nothing(text):
    assert not nftables.is_listing(text)
    assert nftables.relevant_chains(text) == []
    assert nftables.table(text, "inet", "t").chains == {}


KEYS = [
    *("match", "op", "left", "right", "payload", "protocol", "field", "meta", "ct", "key", "set", "range", "prefix"),
    *("addr", "len", "concat", "&", "|", "vmap", "data", "mangle", "value", "accept", "reject", "type", "expr", "xt"),
    *("counter", "fib", "result", "flags", "elem", "val", "exthdr", "jump", "target"),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["tcp", "dport", "@x", "*", "syn", "10.0.0.1", "==", "!=", "in"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4))
def test_no_statement_whatever_breaks_it(statements):
    for rule in nftables.translate(1, {"expr": statements, "comment": statements}, {"x": {"elem": statements}}):
        assert rule.verdict in vars(model).values()
        assert len(rule.text) <= 300
        hash(tuple(rule.matches))


@given(JSON)
def test_no_condition_whatever_breaks_it(body):
    assert nft_match.matches(body, {})
    assert isinstance(nft_text.statement(body), str)
