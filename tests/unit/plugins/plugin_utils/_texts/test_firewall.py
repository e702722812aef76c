# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ruleset shown by several programs comes to the same model, and what a program does not show stays open."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import evaluate, model, packets
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import (
    firewall_firewalld,
    firewall_ipset,
    firewall_iptables,
    firewall_listing,
    firewall_nft,
    firewall_ufw,
)

TEXTS = Path(__file__).parents[3] / "texts"
PARSERS = (
    firewall_firewalld, firewall_ipset, firewall_iptables, firewall_listing, firewall_nft, firewall_ufw
)  # fmt: skip


def recorded(name):
    return (TEXTS / name / "input.txt").read_text(encoding="utf-8")


def verdicts(filters, peers, way="in", port=179, interface="eth0", protocol=6):
    found = []
    for peer in peers:
        family, far = model.address_number(peer)
        near = model.address_number("10.200.0.9" if family == "ipv4" else "fd00::9")[1]
        packet = model.Packet(family, interface, "", far, near, protocol, 40000, port)
        if way == "out":
            packet = packet._replace(
                in_interface="", out_interface=interface, source=near, destination=far,
                source_type="LOCAL", destination_type="UNICAST",
            )  # fmt: skip
        bases = filters.of_family(family, model.INBOUND if way == "in" else model.OUTBOUND)
        (decision,) = evaluate.evaluate(bases, packets.Batch([packet], lambda _name: None)).decisions
        found.append(decision.verdict)
    return found


def understood(filters):
    """Every chain with what its rules do, apart from matches which nobody can decide."""
    found = {}
    for table in filters.tables:
        for chain in table.chains.values():
            rules = [
                (
                    [match for match in rule.matches if match.kind != "undecidable"],
                    any(match.kind == "undecidable" for match in rule.matches),
                    list(rule.effects),
                    rule.verdict,
                    rule.argument,
                )
                for rule in chain.rules()
            ]
            found[(table.family, table.name, chain.name)] = (chain.policy, rules)
    return found


@pytest.mark.parametrize("version", ["1.8.7-nft", "1.8.9-legacy", "1.8.9-nft", "1.8.11-nft"])
def test_a_listing_says_what_iptables_save_says(version):
    listed = firewall_listing.parse(recorded(f"iptables-list/{version}-tables"))
    saved = firewall_iptables.parse(recorded(f"iptables-save/{version}-counters"))
    assert (listed.problems, saved.problems) == ((), ())
    assert understood(listed.value) == understood(saved.value)
    listed = firewall_listing.parse(recorded(f"iptables-list/{version}-ipv6"))
    saved = firewall_iptables.parse(recorded(f"iptables-save/{version}-ipv6"))
    assert understood(listed.value) == understood(saved.value)


def test_without_the_interfaces_a_verdict_is_open():
    whole = firewall_listing.parse(recorded("iptables-list/1.8.9-nft-tables")).value
    without = firewall_listing.parse(recorded("iptables-list/1.8.9-without-interfaces")).value
    peers = ["10.200.0.13", "10.200.0.10"]
    assert verdicts(whole, peers) == ["accept", "accept"]
    assert verdicts(without, peers) == ["unknown", "unknown"]


def test_the_family_is_seen_from_addresses_and_commands():
    text = recorded("iptables-list/1.8.9-nft-ipv6")
    assert {table.family for table in firewall_listing.parse(text).value.tables} == {"ipv6"}
    text = "# ip6tables -t raw -L -n -v\nChain PREROUTING (policy ACCEPT 0 packets, 0 bytes)\n"
    (table,) = firewall_listing.parse(text).value.tables[:1]
    assert (table.family, table.name) == ("ipv6", "raw")


def test_a_chain_that_is_not_listed_leaves_the_verdict_open():
    text = "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target prot opt in out source destination\n"
    filters = firewall_listing.parse(text).value
    assert verdicts(filters, ["10.0.0.1"]) == ["accept"]
    assert verdicts(filters, ["10.0.0.1"], "out") == ["unknown"]


def test_several_backends_in_one_text():
    found = firewall_iptables.parse(recorded("iptables-save/1.8.9-both-backends"))
    assert found.problems == ()
    kinds = {(table.backend, table.family) for table in found.value.tables}
    assert kinds == {("iptables-legacy", "ipv4"), ("iptables-nft", "ipv4"), ("iptables-nft", "ipv6")}


@pytest.mark.parametrize("version", ["0.9.8", "1.0.6", "1.1.3"])
@pytest.mark.parametrize("name", ["firewalld", "statements"])
def test_nft_says_the_same_in_both_languages(version, name):
    text = firewall_nft.parse(recorded(f"nft-ruleset/{version}-{name}-text"))
    json = firewall_nft.parse(recorded(f"nft-ruleset/{version}-{name}-json"))
    assert (text.problems, json.problems) == ((), ())
    ours, theirs = understood(text.value), understood(json.value)
    for key, (policy, rules) in theirs.items():
        assert ours[key][0] == policy
        # nft 0.9 leaves out of its JSON what a plain reject sends.
        for own, their in zip(ours[key][1], rules, strict=True):
            assert own == their or (own[3] == their[3] == "reject" and their[4] == "icmpx-port-unreachable")
    assert [base.chain.name for base in text.value.bases] == [base.chain.name for base in json.value.bases]


@pytest.mark.parametrize(("release", "version"), [("0.9.3", "0.9.8"), ("1.3.3", "1.0.6"), ("2.3.1", "1.1.3")])
def test_firewalld_says_what_its_rules_say(release, version):
    told = firewall_firewalld.parse(recorded(f"firewalld/{release}-policies"))
    rules = firewall_nft.parse(recorded(f"nft-ruleset/{version}-firewalld-text"))
    assert told.problems == ()
    peers = [f"10.200.0.{last}" for last in (1, 3, 9, 14, 17, 20, 40, 41, 70)]
    peers += ["10.201.0.5", "10.66.1.1", "10.5.5.5", "fd00::1", "fd00:1::5"]
    for interface in ("eth0", "eth1"):
        for port in (179, 22, 5353):
            assert verdicts(told.value, peers, "in", port, interface) == verdicts(
                rules.value, peers, "in", port, interface
            )
        assert verdicts(told.value, peers, "out", 179, interface) == verdicts(rules.value, peers, "out", 179, interface)
        assert verdicts(told.value, peers, "in", 4789, interface, 17) == verdicts(
            rules.value, peers, "in", 4789, interface, 17
        )


def test_ufw_says_what_becomes_of_packets():
    filters = firewall_ufw.parse(recorded("ufw-status/0.36.2-verbose")).value
    peers = ["10.200.0.1", "10.200.0.20", "10.200.0.50", "10.1.1.1"]
    assert verdicts(filters, peers) == ["accept", "drop", "reject", "accept"]
    assert verdicts(filters, peers, port=80) == ["drop"] * 4
    assert verdicts(filters, ["10.200.0.30", "10.200.0.31"], "out") == ["drop", "accept"]
    assert verdicts(filters, ["10.200.0.99", "10.201.0.1"], port=4789, protocol=17) == ["accept", "drop"]
    assert verdicts(filters, ["10.200.0.99"], port=2222) == ["unknown"]


def test_ufw_that_does_not_tell_its_defaults_leaves_the_rest_open():
    filters = firewall_ufw.parse(recorded("ufw-status/0.36.2-numbered")).value
    assert verdicts(filters, ["10.200.0.1", "10.200.0.20"]) == ["accept", "drop"]
    assert verdicts(filters, ["10.200.0.1"], port=80) == ["unknown"]


def test_inactive_ufw_filters_nothing():
    assert firewall_ufw.parse("Status: inactive\n").value.bases == ()


@pytest.mark.parametrize("name", ["1.0.6-firewalld-text", "1.0.6-firewalld-json"])
def test_a_cut_listing_of_nft_leaves_everything_open(name):
    text = recorded(f"nft-ruleset/{name}")
    found = firewall_nft.parse(text[: len(text) // 2])
    assert found.problems
    assert verdicts(found.value, ["10.200.0.1"])[0] in {"unknown", "reject"}
    assert verdicts(found.value, ["10.201.0.5"], port=9)[0] != "accept"


def test_a_set_whose_members_are_not_all_there_is_left_out():
    whole = firewall_ipset.parse(recorded("ipset/7.17-list"))
    assert (whole.problems, len(whole.value)) == ((), 6)
    saved = firewall_ipset.parse(recorded("ipset/7.17-save")).value
    assert {name: one.lines for name, one in whole.value.items()} == {name: one.lines for name, one in saved.items()}
    cut = firewall_ipset.parse(recorded("ipset/7.17-list").replace("10.200.0.10\n", ""))
    assert "cali40all-hosts-net" not in cut.value
    assert cut.problems


LINES = [line for name in TEXTS.glob("*/*/input.txt") if name.parts[-3] in
         {"firewalld", "ipset", "iptables-list", "iptables-save", "ufw-status"}
         for line in name.read_text(encoding="utf-8").split("\n")[:60]]  # fmt: skip


def _read_all(text):
    for parser in PARSERS:
        found = parser.parse(text)
        parser.plain(found.value)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=30)), max_size=40), st.integers(0, 2000))
def test_mixed_up_and_cut_texts(chosen, length):
    _read_all("\n".join(chosen)[:length])


PIECES = (
    *("Chain INPUT (policy DROP)\n", "1 2 3 4 5 6 7 8 9\n", "*filter\n", "a" * 100, "{", "[", "Name: x\n"),
    *("-A INPUT ! ", 'x (active)\n  rich rules: \n\trule "', "/* ", "\x00\n"),
)


@pytest.mark.parametrize("piece", PIECES)
def test_long_texts(piece):
    _read_all(piece * (100_000 // len(piece)))
    _read_all("Chain INPUT (policy ACCEPT)\ntarget prot opt source destination\n" + piece * (20_000 // len(piece)))
