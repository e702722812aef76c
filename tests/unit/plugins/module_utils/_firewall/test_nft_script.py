# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nft's own language against nft's JSON, as recorded, and scripts as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model, nft_script, nftables


def objects(text, kind="rule", files=None):
    return nftables.objects(nft_script.parse(text, files).document(), kind)


def statements(rule, family="inet"):
    (found,) = objects(f"table {family} t {{ chain c {{\n{rule}\n}} }}")
    return found["expr"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "ip saddr 10.0.0.0/8 accept",
            [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
                        "right": {"prefix": {"addr": "10.0.0.0", "len": 8}}}}, {"accept": None}],
        ),
        (
            "ct state established,related accept",
            [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
             {"accept": None}],
        ),
        (
            "tcp flags & (fin | syn) == syn drop",
            [{"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}},
                                                   {"|": ["fin", "syn"]}]}, "right": "syn"}}, {"drop": None}],
        ),
        (
            'iifname { "eth0", "wan*" } jump x',
            [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": {"set": ["eth0", "wan*"]}}},
             {"jump": {"target": "x"}}],
        ),
        (
            "tcp dport vmap { 22: accept, 179 : drop }",
            [{"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}},
                       "data": {"set": [[22, {"accept": None}], [179, {"drop": None}]]}}}],
        ),
        (
            "meta mark set meta mark & 0xff | 0x10",
            [{"mangle": {"key": {"meta": {"key": "mark"}},
                         "value": {"|": [{"&": [{"meta": {"key": "mark"}}, 255]}, 16]}}}],
        ),
        ("counter packets 5 bytes 300 log prefix \"x; y\" reject with tcp reset",
         [{"counter": {"packets": 5, "bytes": 300}}, {"log": {"prefix": "x; y"}}, {"reject": {"type": "tcp reset"}}]),
        ("snat ip to 10.0.0.1:80-90 persistent", [{"snat": {"family": "ip", "addr": "10.0.0.1"}}]),
        ("reject", [{"reject": {"type": "icmpx", "expr": "port-unreachable"}}]),
    ],
)  # fmt: skip
def test_statements(rule, expected):
    assert statements(rule) == expected


def test_a_plain_reject_depends_on_the_table():
    assert statements("reject", "ip") == [{"reject": {"type": "icmp", "expr": "port-unreachable"}}]
    assert statements("reject", "ip6") == [{"reject": {"type": "icmpv6", "expr": "port-unreachable"}}]


def test_what_is_not_understood_leaves_the_fate_of_packets_open():
    script = nft_script.parse("table inet t {\n chain c {\n tcp dport 179 frobnicate 3 %% accept\n }\n}\n")
    ((line, words, _why),) = script.problems
    assert (line, words) == (3, "tcp dport 179 frobnicate 3 %% accept")
    table = nftables.table(script.document(), "inet", "t")
    (rule,) = table.chains["c"].rules()
    assert rule.verdict == model.UNKNOWN


def test_base_chains_with_priorities_of_every_spelling():
    text = """
    table inet t {
        chain a { type filter hook input priority filter + 10; policy drop; }
        chain b { type filter hook output priority -5; }
        chain c { type nat hook prerouting priority dstnat-1; policy accept; }
        chain d { type filter hook ingress device "eth0" priority 0; }
    }
    """
    found = {chain["name"]: (chain["prio"], chain["policy"], chain.get("dev")) for chain in objects(text, "chain")}
    assert found == {
        "a": (10, "drop", None),
        "b": (-5, "accept", None),
        "c": (-101, "accept", None),
        "d": (0, "accept", "eth0"),
    }


CONFIGURATION = """#!/usr/sbin/nft -f
flush ruleset
define nodes = { 10.200.0.0/24, \\
    10.201.0.9 }
define bgp = 179
include "rules.d/*.nft"
table inet filter {
    set extra { type ipv4_addr; flags interval; elements = { 10.9.0.0/16, } }
    chain input {
        type filter hook input priority 0; policy drop; # closed
        ip saddr $nodes tcp dport $bgp accept comment "nodes; all"
        ip saddr @extra accept; iif lo accept
    }
}
add rule inet filter input tcp dport 22 accept
insert rule inet filter input ct state invalid drop
add element inet filter extra { 10.8.0.1 }
delete table inet gone
"""


def test_a_configuration_as_people_write_it():
    asked = []

    def files(pattern):
        asked.append(pattern)
        return ["table inet gone { chain x { drop; } }\n"]

    script = nft_script.parse(CONFIGURATION, files)
    assert (script.problems, asked) == ([], ["rules.d/*.nft"])
    document = script.document()
    assert [table["name"] for table in nftables.objects(document, "table")] == ["filter"]
    rules = nftables.table(document, "inet", "filter").chains["input"].rules()
    assert [rule.text for rule in rules] == [
        "ct state invalid drop",
        'ip saddr { 10.200.0.0/24, 10.201.0.9 } tcp dport 179 accept comment "nodes; all"',
        "ip saddr @extra accept",
        "iif lo accept",
        "tcp dport 22 accept",
    ]
    (extra,) = nftables.objects(document, "set")
    assert len(extra["elem"]) == 2


def test_an_include_that_cannot_be_read_is_told():
    ((line, _words, why),) = nft_script.parse('\ninclude "/etc/x.nft"\n').problems
    assert (line, why) == (2, "the file is not at hand")


def test_files_that_include_each_other_come_to_an_end():
    script = nft_script.parse('include "a"\n', lambda _pattern: ['include "a"\n'])
    assert script.problems


def test_a_text_that_is_cut_says_so():
    whole = "table inet t {\n chain c {\n accept\n }\n}\n"
    assert nft_script.parse(whole).complete
    assert not nft_script.parse(whole[:-3]).complete


WORDS = ("table inet t {", "chain c {", "}", "{", "set s {", "elements = {", "ip saddr", "10.0.0.1", "vmap", ":", ",",
         ";",
         "\n", '"', "#", "$x", "define x =", "@s", "accept", "jump", "meta mark set", "&", "(", ")",
         ".", "-", "jhash",
         "type filter hook input priority", "policy drop;", "add rule inet t c", "include", "limit rate", "log prefix",
         "ct", "fib", "tcp", "numgen inc mod", "counter", "\\\n")  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), max_size=60))
def test_any_words_in_any_order(words):
    script = nft_script.parse(" ".join(words), lambda _pattern: [])
    for table in nftables.objects(script.document(), "table"):
        for chain in nftables.table(script.document(), table["family"], table["name"]).chains.values():
            chain.rules()


@pytest.mark.parametrize("text", ["{" * 50000, "table t {" * 5000, "(" * 50000, "ip saddr { " * 20000, "jhash " * 50000,
                                  "define a = $a $a\nadd rule t c $a\n" * 100, '"' * 50000, "a;" * 20000])  # fmt: skip
def test_deep_and_long_texts(text):
    nft_script.parse(text)
    nft_script.parse("table inet t { chain c {\n" + text + "\n}}")
