# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model, nft_foreign, nft_kernel, read
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands

ADMIN = "CapEff:\t000001ffffffffff\n"
BASE = {"type": "filter", "hook": "input", "prio": 0, "policy": "accept", "uses": 1}


class Host:
    """A host made of files and of what programs say."""

    def __init__(self, folder, world):
        self.folder = folder
        self.world = world
        self.programs = {}
        self.started = []
        self.chains = []
        self.has_nft = True
        self.sources = Sources()
        (folder / "self").mkdir()
        (folder / "net").mkdir()
        (folder / "self" / "status").write_text(ADMIN)

    def says(self, command, text="", rc=0, stderr="", failure=""):
        self.programs[command] = commands.CommandResult(rc, text, stderr, failure)

    def legacy_tables(self, names, listing="ip_tables_names"):
        (self.folder / "net" / listing).write_text("".join(f"{name}\n" for name in names))

    def run(self, argv, timeout, max_bytes=0):
        assert timeout == 5.0
        line = " ".join(argv)
        self.started.append(line)
        return self.programs.get(line, commands.CommandResult(-1, "", "", "absent"))

    def read(self):
        return read.read(self.sources, 5.0, str(self.folder))

    def status(self, name):
        return next(((one["status"], one["detail"]) for one in self.sources.as_list() if one["source"] == name), None)


@pytest.fixture
def host(tmp_path, world, monkeypatch):
    host = Host(tmp_path, world)
    monkeypatch.setattr(commands, "run", host.run)
    monkeypatch.setattr(
        commands,
        "find_program",
        lambda name: name if any(command.split()[0] == name for command in host.programs) else "",
    )
    monkeypatch.setattr(nft_kernel, "present", lambda proc_root: host.has_nft)
    monkeypatch.setattr(nft_kernel, "base_chains", lambda timeout: host.chains)
    monkeypatch.setattr(nft_foreign, "foreign_rules", lambda *_args: set())
    return host


def verdict(found, world, peer="10.200.0.10"):
    world.bases = found.of_family("ipv4", model.INBOUND)
    return world.verdict(peer)


def test_without_the_right_to_see_filters_nothing_is_tried(host):
    (host.folder / "self" / "status").write_text("CapEff:\t0000000000000000\n")
    assert host.read() is None
    assert host.status("firewall") == ("failed", "needs root: the kernel shows packet filters to root only")
    assert host.started == []


def test_nothing_is_run_on_a_host_without_filters(host):
    host.legacy_tables([])
    found = host.read()
    assert (found.bases, found.rules, host.started) == ([], {}, [])
    assert host.status("iptables_legacy") == ("absent", "no table of iptables-legacy is in use")
    assert host.status("iptables_nft") == ("absent", "no table of iptables-nft is in use")
    assert host.status("nftables") == ("ok", "")


def test_nf_tables_is_not_touched_where_the_kernel_has_it_not(host):
    host.has_nft = False
    host.says("iptables-nft-save -c", host.world.text("plain_nft.txt"))
    assert host.read().bases == []
    assert host.started == []
    assert host.status("nftables") == ("absent", "the kernel has no nf_tables")


def test_legacy_tables(host, world):
    host.has_nft = False
    host.legacy_tables(["filter"])
    host.says("iptables-legacy-save -c", world.text("plain_legacy.txt"))
    found = host.read()
    assert found.rules == {"iptables-legacy": 11}
    assert verdict(found, world, "10.200.1.5") == ("drop", "", "INPUT 7")
    assert host.status("iptables_legacy") == ("ok", "")


def test_legacy_tables_that_no_program_can_list_leave_the_verdict_open(host, world):
    host.has_nft = False
    host.legacy_tables(["filter"])
    found = host.read()
    assert host.status("iptables_legacy") == ("failed", "ipv4: iptables-legacy-save is not installed")
    assert verdict(found, world)[:2] == (
        "unknown",
        "the table filter of iptables-legacy (ipv4) cannot be read: iptables-legacy-save is not installed",
    )
    assert found.of_family("ipv6", model.INBOUND) == []


@pytest.mark.parametrize(
    ("version", "used"),
    [("iptables v1.8.9 (legacy)", True), ("iptables v1.4.21", True), ("iptables v1.8.9 (nf_tables)", False)],
)
def test_plain_iptables_save_is_asked_what_it_is(host, world, version, used):
    host.has_nft = False
    host.legacy_tables(["filter"])
    host.says("iptables --version", version)
    host.says("iptables-save -c", world.text("plain_legacy.txt"))
    assert bool(host.read().rules) is used


def test_a_listing_that_breaks_off_is_used_as_far_as_it_goes(host, world):
    host.has_nft = False
    host.legacy_tables(["filter"])
    whole = world.text("plain_legacy.txt")
    host.says("iptables-legacy-save -c", whole[: whole.index("-A INPUT -m pkttype")], failure="timeout")
    found = host.read()
    assert host.status("iptables_legacy") == ("failed", "ipv4: timeout")
    assert verdict(found, world, "10.200.1.5") == ("drop", "", "INPUT 7")
    assert verdict(found, world, "10.200.0.20")[0] == "unknown"


def test_tables_of_iptables_nft(host, world):
    host.chains = [
        dict(BASE, family="ip", table="filter", name=name, hook=name.lower()) for name in ("INPUT", "OUTPUT")
    ]
    host.says("iptables-nft-save -c", world.text("plain_nft.txt"))
    found = host.read()
    assert found.native == []
    assert host.started == ["iptables-nft-save -c"]
    assert verdict(found, world, "10.200.1.5") == ("drop", "", "INPUT 7")
    assert (host.status("iptables_nft"), host.status("nftables")) == (("ok", ""), ("ok", ""))


def test_tables_of_iptables_nft_are_known_by_their_shape_without_its_program(host, world):
    host.chains = [dict(BASE, family="ip", table="filter", name="INPUT")]
    listing = world.text("native_host_firewall.json").replace('"inet"', '"ip"')
    listing = listing.replace('"input", "handle"', '"INPUT", "handle"').replace('"chain": "input"', '"chain": "INPUT"')
    host.says("nft -j list table ip filter", listing)
    found = host.read()
    assert (found.native, set(found.rules)) == ([], {model.NFT})
    assert found.rules[model.NFT] > 5
    assert [(table.backend, table.family, table.name) for table in found.tables] == [(model.NFT, "ipv4", "filter")]
    assert verdict(found, world, "10.200.1.5") == ("reject", "tcp-reset", "INPUT 6")
    assert host.status("iptables_nft") == ("ok", "read by nft, for there is no iptables-nft-save")


@pytest.mark.parametrize("odd", [{"prio": 10}, {"name": "input"}, {"table": "mine"}, {"family": "inet"}])
def test_a_table_of_another_shape_is_somebodys_own(host, odd):
    host.chains = [{**BASE, "family": "ip", "table": "filter", "name": "INPUT", **odd}]
    assert len(host.read().native) == 1


def test_a_table_that_nobody_can_show_is_not_taken_for_absent(host):
    host.chains = [dict(BASE, family="ip", table="filter", name="INPUT")]
    assert host.read().native == ["ip filter INPUT"]
    assert host.status("iptables_nft") == ("failed", "ipv4: iptables-nft-save is not installed")


def test_native_chains_are_read_through_nft(host, world):
    host.chains = [dict(BASE, family="inet", table="filter", name="input", policy="drop")]
    host.says("nft -j list table inet filter", world.text("native_host_firewall.json"))
    found = host.read()
    assert found.native == ["inet filter input"]
    assert verdict(found, world, "10.200.1.5") == ("reject", "tcp-reset", "input 6")
    assert host.status("nftables") == ("ok", "")


def test_an_empty_native_chain_that_accepts_is_not_even_read(host):
    host.chains = [dict(BASE, family="inet", table="filter", name="output", hook="output", uses=0)]
    assert host.read().native == []
    assert host.started == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"failure": "absent"}, "not installed"),
        ({"rc": 1, "stderr": "Error: JSON support not compiled-in\n"}, "Error: JSON support not compiled-in"),
        ({"text": "table inet filter {"}, "nft gave no JSON"),
        ({"text": '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}'}, "nft does not list it"),
    ],
)
def test_native_chains_that_cannot_be_read_leave_the_verdict_open(host, world, said, why):
    host.chains = [dict(BASE, family="inet", table="filter", name="input")]
    host.says("nft -j list table inet filter", **said)
    assert verdict(host.read(), world)[:2] == ("unknown", f"inet filter input: {why}")
    if why != "nft does not list it":
        assert host.status("nftables") == ("failed", f"inet filter: {why}")


def test_what_iptables_cannot_show_is_read_through_nft(host, world):
    host.chains = [dict(BASE, family="ip", table="filter", name="INPUT")]
    host.says("iptables-nft-save -c", "# Table `filter' is incompatible, use 'nft' tool.\n")
    listing = (
        world.text("native_host_firewall.json")
        .replace('"inet"', '"ip"')
        .replace('"input", "handle"', '"INPUT", "handle"')
    )
    host.says("nft -j list table ip filter", listing.replace('"chain": "input"', '"chain": "INPUT"'))
    assert verdict(host.read(), world, "10.200.1.5") == ("reject", "tcp-reset", "INPUT 6")


def test_one_table_that_breaks_the_listing_does_not_hide_the_others(host, world):
    places = {"filter": 0, "mangle": -150}
    host.chains = [dict(BASE, family="ip", table=table, name="INPUT", prio=at) for table, at in places.items()]
    host.says("iptables-nft-save -c", "*filter\n:INPUT ACCEPT [0:0]\n", rc=3, stderr="Error: unknown payload offset\n")
    host.says("iptables-nft-save -c -t mangle", "*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j DROP\nCOMMIT\n")
    found = host.read()
    assert host.status("iptables_nft") == ("failed", "ipv4: Error: unknown payload offset")
    assert verdict(found, world) == ("drop", "", "INPUT 1")
    assert "nft -j list table ip filter" in host.started


def test_rules_of_nft_among_those_of_iptables_are_taken_from_nft(host, world, monkeypatch):
    host.chains = [dict(BASE, family="ip", table="filter", name="INPUT")]
    host.says(
        "iptables-nft-save -c", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n-A INPUT -p tcp -j REJECT\nCOMMIT\n"
    )
    source = {"payload": {"protocol": "ip", "field": "saddr"}}
    drop = [{"match": {"op": "==", "left": source, "right": {"set": ["10.200.0.10"]}}}, {"drop": None}]
    rules = [{"family": "ip", "table": "filter", "chain": "INPUT", "expr": statements} for statements in (drop, [])]
    listing = {"nftables": [{"metainfo": {}}, *({"rule": rule} for rule in rules)]}
    host.says("nft -j list chain ip filter INPUT", json.dumps(listing))
    monkeypatch.setattr(nft_foreign, "foreign_rules", lambda family, table, chain, timeout: {1})
    found = host.read()
    assert verdict(found, world, "10.200.0.10") == ("drop", "", "INPUT 1")
    assert verdict(found, world, "10.200.0.11") == ("reject", "icmp-port-unreachable", "INPUT 2")


def test_where_nft_cannot_be_asked_about_its_rule_the_verdict_stays_open(host, world, monkeypatch):
    host.chains = [dict(BASE, family="ip", table="filter", name="INPUT")]
    host.says("iptables-nft-save -c", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n")
    monkeypatch.setattr(nft_foreign, "foreign_rules", lambda *_args: {1})
    assert verdict(host.read(), world)[:2] == (
        "unknown",
        "the rule was written by nft and iptables-save shows it incompletely",
    )


def test_a_silent_kernel_leaves_the_verdict_open(host, world, monkeypatch):
    def silent(timeout):
        raise OSError(110, "Connection timed out")

    monkeypatch.setattr(nft_kernel, "base_chains", silent)
    assert verdict(host.read(), world)[:2] == ("unknown", "nf_tables does not answer: Connection timed out")
    assert host.status("nftables")[0] == "failed"


def test_sets_are_read_when_they_are_wanted_and_only_once(host):
    host.says("ipset save calico", "create calico hash:ip family inet\nadd calico 10.200.0.10\n")
    found = host.read()
    assert host.status("ipset") is None
    assert found.find_set("calico").lines == ["10.200.0.10"]
    assert found.find_set("calico") is found.find_set("calico")
    assert host.started == ["ipset save calico"]
    assert host.status("ipset") == ("ok", "")


def test_a_set_that_cannot_be_read_is_reported(host):
    host.says("ipset save calico", rc=1, stderr="ipset v7.17: The set with the given name does not exist\n")
    found = host.read()
    assert found.find_set("calico") is None
    assert found.find_set("calico") is None
    assert host.started == ["ipset save calico"]
    assert host.status("ipset") == ("failed", "set calico: ipset v7.17: The set with the given name does not exist")


def test_many_sets_are_read_all_at_once(host):
    for number in range(8):
        host.says(f"ipset save s{number}", f"create s{number} hash:ip\n")
    host.says("ipset save", "create s8 hash:ip\ncreate s9 hash:ip\n")
    found = host.read()
    assert all(found.find_set(f"s{number}") for number in range(10))
    assert host.started[-1] == "ipset save"
    assert len(host.started) == 9
