# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of rulesets: what they show is decided, what they do not show is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import firewall_fragments

TEXTS = Path(__file__).parents[3] / "texts"
STATUS = """root@node-2:~# calicoctl node status
Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+---------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |  INFO   |
+--------------+-------------------+-------+----------+---------+
| 10.0.1.41    | node-to-node mesh | start | 09:12:33 | Passive |
+--------------+-------------------+-------+----------+---------+
root@node-2:~# ip -br addr
lo               UNKNOWN        127.0.0.1/8 ::1/128
eth0             UP             10.0.1.12/24
"""


def firewall(typed, text):
    bundle = read.sort({"x.txt": f"{STATUS}root@node-2:~# {typed}\n{text}"})
    return evidence.facts_of("node-2", bundle.nodes["node-2"]).get("calico_firewall", {})


def verdict(typed, text, direction="inbound"):
    found = firewall(typed, text).get("tcp179", {}).get(direction, [])
    return [(one["verdict"], one.get("rule", {}).get("backend"), one.get("rule", {}).get("rule")) for one in found]


def recorded(kind, name):
    return (TEXTS / kind / name / "input.txt").read_text(encoding="utf-8")


def test_a_list_of_rules_is_a_ruleset_of_a_backend_that_it_does_not_tell():
    assert verdict("iptables -S", recorded("iptables-save", "1.8.9-S")) == [("drop", "iptables", 4)]
    assert verdict("iptables -S", recorded("iptables-save", "1.8.9-S"), "outbound") == [("accept", None, None)]


def test_iptables_save_without_its_comments_is_not_called_legacy():
    text = recorded("iptables-save", "1.8.9-without-comments")
    assert set(firewall("iptables-save", text)["backends"]) == {"iptables"}
    assert set(firewall("iptables-legacy-save", text)["backends"]) == {"iptables_legacy"}
    assert set(firewall("iptables-nft-save", text)["backends"]) == {"iptables_nft"}


@pytest.mark.parametrize(
    ("typed", "kind", "name"),
    [
        ("iptables -S INPUT", "iptables-save", "1.8.9-S-one-chain"),
        ("iptables -L INPUT -n -v --line-numbers", "iptables-list", "1.8.9-one-chain"),
        ("nft list chain ip filter INPUT", "nft-ruleset", "1.0.6-one-chain"),
    ],
)
def test_of_one_chain_the_others_are_not_known(typed, kind, name):
    assert [(found, rule) for found, _backend, rule in verdict(typed, recorded(kind, name))] == [("drop", 4)]
    assert [found for found, _backend, _rule in verdict(typed, recorded(kind, name), "outbound")] == ["unknown"]


def test_a_chain_that_pods_pass_says_nothing_of_bgp():
    text = "-P FORWARD ACCEPT\n-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n"
    assert [found for found, _backend, _rule in verdict("iptables -S FORWARD", text)] == ["unknown"]


def test_a_rule_that_somebody_sifted_out_keeps_its_number_and_is_doubted():
    typed = "iptables -L INPUT -n -v --line-numbers | grep -E '179|DROP'"
    found = firewall(typed, recorded("iptables-list", "1.8.9-sifted"))
    assert found["tcp179"]["inbound"][0]["rule"]["rule"] == 4
    assert any(one["source"] == "all_rules" and one["status"] == "failed" for one in found["sources"])


def test_a_single_rule_of_iptables_save_lets_nothing_pass_for_certain():
    accepts = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
    assert [found for found, _backend, _rule in verdict("iptables-save | grep 22", accepts)] == ["unknown"]


def test_a_table_of_nat_alone_does_not_say_that_the_filter_lets_pass():
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"
    )
    assert [found for found, _backend, _rule in verdict("iptables-save -t nat", text)] == ["unknown"]


def test_a_chain_of_nft_that_nothing_comes_through_decides_nothing():
    text = "table inet filter {\n\tchain other {\n\t\ttcp dport 179 drop\n\t}\n}\n"
    found = verdict("nft list chain inet filter other", text)
    assert [one for one, _backend, _rule in found] == ["unknown"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-A",
        "-P INPUT",
        "-A INPUT\n" * 3,
        "*filter\n-A INPUT -j DROP",
        "-N x\n-N x\n",
        "-P INPUT DROP -c 1",
        "\0-A x y",
    ],
)
def test_whatever_stands_there_is_read(text):
    found = firewall_fragments.saved(text)
    assert isinstance(found.text, str)
    assert firewall_fragments.saved(found.text).text == found.text


def test_counters_go_where_iptables_save_has_them():
    found = firewall_fragments.saved("-P INPUT DROP -c 7 420\n-A INPUT -p tcp -c 5 300 -j DROP\n")
    assert found.text.splitlines() == ["*filter", ":INPUT DROP [7:0]", "[5:300] -A INPUT -p tcp -j DROP", "COMMIT"]
