# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import iptables_save, model

PLAIN = ["plain_legacy.txt", "plain_nft.txt", "plain_legacy_without_counters.txt", "plain_nft_without_counters.txt"]


@pytest.mark.parametrize("name", PLAIN)
def test_both_backends_with_and_without_counters_read_alike(world, name):
    dump = iptables_save.parse(world.text(name))
    assert (dump.problems, dump.unshown, dump.rules) == ([], [], 11)
    (table,) = dump.tables
    assert (table.backend, table.family, table.name) == (
        "iptables-nft" if "_nft" in name else "iptables-legacy",
        "ipv4",
        "filter",
    )
    assert {chain: found.policy for chain, found in table.chains.items()} == {
        "INPUT": "accept",
        "FORWARD": "accept",
        "OUTPUT": "accept",
        "site-rules": "",
    }
    seventh = table.chains["INPUT"].rules()[6]
    assert (seventh.number, seventh.text) == (7, "-A INPUT -p tcp -m tcp --dport 179 -j DROP")
    assert seventh.packets == (-1 if "without" in name else 0)


def test_several_tables_and_both_families_in_one_text(world):
    text = world.text("firewalld_iptables.txt") + world.text("firewalld_iptables6.txt")
    dump = iptables_save.parse(text)
    assert sorted({(table.family, table.name) for table in dump.tables}) == [
        (family, name) for family in ("ipv4", "ipv6") for name in ("filter", "mangle", "nat", "raw", "security")
    ]
    assert dump.problems == []


def test_base_chains_stand_at_the_kernels_priorities(world):
    dump = iptables_save.parse(world.text("firewalld_iptables.txt"))
    found = {
        (base.table.name, base.chain.name): (base.hook, base.priority, base.kind)
        for table in dump.tables
        for base in iptables_save.base_chains(table)
    }
    assert found["raw", "PREROUTING"] == ("prerouting", -300, "filter")
    assert found["nat", "PREROUTING"] == ("prerouting", -100, "nat")
    assert found["nat", "POSTROUTING"] == ("postrouting", 100, "nat")
    assert found["filter", "INPUT"] == ("input", 0, "filter")
    assert found["filter", "FORWARD"] == ("forward", 0, "filter")
    assert ("nat", "FORWARD") not in found


def test_a_cut_listing_says_which_chains_are_in_doubt(world):
    whole = world.text("plain_legacy.txt")
    dump = iptables_save.parse(whole[: whole.index("-A INPUT -p tcp -m tcp --dport 179 -j DROP")])
    (table,) = dump.tables
    assert dump.problems[-1] == "no COMMIT after table filter"
    assert table.chains["INPUT"].doubt == "the listing of table filter ends before its end"
    world.bases.extend(iptables_save.base_chains(table))
    assert world.verdict("10.200.1.5")[:2] == ("unknown", "the listing of table filter ends before its end")


def test_a_table_that_begins_before_the_last_one_ended_is_in_doubt():
    dump = iptables_save.parse("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n")
    assert [bool(table.chains[name].doubt) for table, name in zip(dump.tables, ("INPUT", "OUTPUT"))] == [True, False]


def test_what_cannot_be_read_is_told_by_its_line():
    dump = iptables_save.parse(
        "*filter\n:INPUT ACCEPT [0:0]\nnonsense\n:X\n-I INPUT 1 -j DROP\n[1:2] what\nCOMMIT\n-A INPUT -j DROP\n"
    )
    assert dump.problems == [
        "line 3: nonsense",
        "line 4: :X",
        "line 5: -I INPUT 1 -j DROP",
        "line 6: [1:2] what",
        "line 8: -A INPUT -j DROP",
    ]


def test_tables_that_iptables_cannot_show_are_named():
    text = "# Table `filter' is incompatible, use 'nft' tool.\n\n*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n"
    assert iptables_save.parse(text, "iptables-nft").unshown == ["filter"]


def test_rules_are_not_taken_apart_before_they_are_wanted(monkeypatch, world):
    taken = []
    original = iptables_save.iptables_rule.translate
    monkeypatch.setattr(
        iptables_save.iptables_rule,
        "translate",
        lambda number, line, *rest: taken.append(line) or original(number, line, *rest),
    )
    services = [
        f'-A KUBE-SERVICES -d 10.96.0.{n}/32 -p tcp -m comment --comment "a/b" -m tcp --dport 443 -j KUBE-SVC'
        for n in range(200)
    ]
    never = [f"-A KUBE-SVC -s 10.0.0.{n}/32 -j DROP" for n in range(200)]
    world.filter(
        "-j KUBE-SERVICES", *services, *never, "-p tcp -m tcp --dport 179 -j DROP", chains=("KUBE-SERVICES", "KUBE-SVC")
    )
    assert world.verdict()[0] == "drop"
    assert taken == ["-A INPUT -j KUBE-SERVICES", "-A INPUT -p tcp -m tcp --dport 179 -j DROP"]


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("-A INPUT -p tcp -m tcp --dport 179 -j DROP", True),
        ("-A INPUT -p tcp -m tcp --dport 22 -j DROP", False),
        ("[5:300] -A INPUT -p tcp -m tcp --dport 22 -j DROP", False),
        ("-A INPUT -p tcp -m tcp ! --dport 22 -j DROP", True),
        ("-A INPUT -p tcp -m tcp --dport 22:200 -j DROP", True),
        ('-A INPUT -p tcp -m comment --comment "not --dport 22 but" -m tcp --dport 179 -j DROP', True),
        ('-A INPUT -p tcp -m comment --comment "a \\" --dport 179 " -m tcp --dport 22 -j DROP', False),
        ("-A INPUT -p udp -j DROP", False),
        ("-A INPUT ! -p udp -j DROP", True),
        ("-A INPUT -p 6 -j DROP", True),
        ("-A INPUT -p all -j DROP", True),
        ("-A INPUT -s 10.200.0.0/24 -j DROP", True),
        ("-A INPUT -s 10.201.0.0/24 -j DROP", False),
        ("-A INPUT ! -s 10.200.0.0/24 -p udp -j DROP", True),
        ("-A INPUT -s 10.201.0.0/255.255.0.0 -j DROP", True),
        ("-A INPUT -s 10.201.0.0/24,10.200.0.0/24 -j DROP", True),
        ("-A INPUT -d 10.96.0.1/32 -j DROP", False),
        ("-A INPUT -i cali+ -j DROP", False),
        ("-A INPUT -i eth+ -j DROP", True),
        ("-A INPUT -i eth0 -o eth0 -j DROP", False),
    ],
)
def test_a_rule_is_only_thrown_out_by_its_text_if_it_can_hold_for_nobody(world, line, may):
    batch = iptables_save_batch(world)
    assert iptables_save.may_matter(line, batch.screen()) is may
    rule = iptables_save.iptables_rule.translate(1, line.split("] ")[-1], -1, model.Table("", "ipv4", "filter", {}))
    everybody = batch.all
    for match in rule.matches:
        everybody &= batch.answer(match)[1]
    assert bool(everybody) <= may


def iptables_save_batch(world):
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import packets

    return packets.Batch([world.packet(f"10.200.0.{n}") for n in (10, 11, 12)], {}.get)


WORDS = [
    "*filter\n",
    ":INPUT DROP [0:0]\n",
    "-A INPUT ",
    "-p tcp ",
    "! ",
    "-s ",
    "10.0.0.0/8 ",
    '"',
    "\\",
    "-m ",
    "tcp ",
    "--dport ",
    "179",
    "-j ",
    "-g ",
    "DROP\n",
    "COMMIT\n",
    "[0:0] ",
    "set ",
    "--match-set ",
    "\x00",
    "conntrack --ctstate NEW",
    "mark --mark 0x1/0x",
    "REJECT --reject-with",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map("".join)))
def test_no_text_whatever_breaks_it(text):
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import evaluate, packets

    dump = iptables_save.parse(text)
    assert len(dump.problems) <= iptables_save.PROBLEMS_KEPT + 1
    bases = [base for table in dump.tables for base in iptables_save.base_chains(table) if base.hook in model.INBOUND]
    packet = model.Packet("ipv4", "eth0", "", 1, 2, source_port=40000)
    result = evaluate.evaluate(bases, packets.Batch([packet], lambda _name: None))
    assert sum(bin(decision.members).count("1") for decision in result.decisions) == 1


@pytest.mark.parametrize(("backend", "priority"), [("iptables-legacy", 50), ("iptables-nft", 150)])
def test_iptables_nft_has_its_security_table_behind_nat(backend, priority):
    (table,) = iptables_save.parse("*security\n:INPUT ACCEPT [0:0]\nCOMMIT\n", backend).tables
    assert [base.priority for base in iptables_save.base_chains(table)] == [priority]
