# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of this collection on a host, and the places in files that are loaded at boot."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import firewall_own
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import (
    iptables_save,
    nft_script,
    nftables,
    persistence,
    read,
)

COMMENT = "netmedic.calico bgp_firewall"
RULE = '-A INPUT -s 10.200.0.{}/32 -p tcp -m comment --comment "' + COMMENT + '" -m tcp --dport 179 -j ACCEPT'
OWN = {"backend": "iptables-nft", "family": "ipv4", "table": "filter", "chain": "INPUT", "text": RULE.format("X")}
OWN["text"] = OWN["text"].replace("10.200.0.X", "{peer}")
NATIVE = """table inet own {
    chain input {
        type filter hook input priority 0; policy accept;
        ip saddr 10.200.0.10 tcp dport 179 accept comment "netmedic.calico bgp_firewall"
        tcp dport 179 drop
    }
}
"""


class Host:
    def __init__(self, root):
        self.root = str(root)
        self.found = read.Rulesets(Sources(), 1.0)

    def file(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w") as stream:
            stream.write(text)

    def starts(self, service):
        self.file(f"/etc/systemd/system/multi-user.target.wants/{service}.service", "")

    def runs(self, text):
        self.found.marked = True
        for table in iptables_save.parse(text, "iptables-nft").tables:
            self.found.bases.extend(iptables_save.base_chains(table))

    def runs_nft(self, text):
        self.found.marked = True
        document = nft_script.parse(text).document()
        for chain in nftables.relevant_chains(document):
            self.found.bases.append(
                nftables.base_chain(chain, nftables.table(document, chain["family"], chain["table"]))
            )

    def facts(self, blocked=()):
        facts = {"tcp179": {"inbound": list(blocked)}}
        files = persistence.Files(self.root)
        firewall_own.add(facts, self.found, persistence.loaders(files), files)
        return facts


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def save(*rules):
    return "\n".join(["*filter", ":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", *rules, "COMMIT", ""])


def blocked(table="filter", family="ipv4", chain="INPUT"):
    rule = {"family": family, "table": table, "path": [chain + " 3", "own 1"]}
    return {"verdict": "drop", "rule": rule}


def test_nothing_is_told_where_there_is_nothing(host):
    host.starts("netfilter-persistent")
    host.file("/etc/iptables/rules.v4", save())
    assert set(host.facts()) == {"tcp179"}


def test_own_rules_are_one_entry_with_their_peers(host):
    host.runs(save(RULE.format(10), RULE.format(12), "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"))
    assert host.facts()["own_rules"] == [dict(OWN, peers={"10.200.0": "10,12"})]


def test_own_rules_of_nftables_and_of_its_file(host):
    host.runs_nft(NATIVE)
    host.starts("nftables")
    host.file("/etc/nftables.conf", NATIVE)
    text = 'ip saddr {peer} tcp dport 179 accept comment "netmedic.calico bgp_firewall"'
    place = {"family": "inet", "chain": "input", "text": text, "peers": {"10.200.0": "10"}}
    facts = host.facts()
    assert facts["own_rules"] == [
        dict(place, backend="nftables", table="inet own"),
        dict(place, backend="/etc/nftables.conf", table="own"),
    ]
    assert facts["loaded_at_boot"] == [
        {"path": "/etc/nftables.conf", "family": "inet", "table": "own", "chain": "input"}
    ]


def test_the_place_in_the_file_that_is_loaded_at_boot(host):
    host.starts("netfilter-persistent")
    host.file("/etc/iptables/rules.v4", save(RULE.format(10)))
    facts = host.facts([blocked(), blocked("nat"), blocked("inet own")])
    place = {"path": "/etc/iptables/rules.v4", "family": "ipv4", "table": "filter", "chain": "INPUT"}
    assert facts["loaded_at_boot"] == [place]
    assert facts["own_rules"] == [dict(OWN, backend=place["path"], peers={"10.200.0": "10"})]


def test_a_file_that_nothing_loads_is_none(host):
    host.file("/etc/iptables/rules.v4", save())
    assert "loaded_at_boot" not in host.facts([blocked()])


def test_rules_that_ufw_keeps(host):
    host.starts("ufw")
    host.file("/etc/ufw/ufw.conf", "ENABLED=yes\n")
    comment = COMMENT.encode().hex()
    tuples = f"### tuple ### allow tcp 179 0.0.0.0/0 any 10.200.0.10 in comment={comment}\n"
    host.file("/etc/ufw/user.rules", tuples + "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n")
    host.file("/etc/ufw/before.rules", save(RULE.format(11).replace("INPUT", "ufw-before-input")))
    ufw, before = host.facts()["own_rules"]
    assert ufw["text"] == 'allow tcp 179 -d any -s {peer} in "netmedic.calico bgp_firewall"'
    assert (ufw["backend"], ufw["peers"]) == ("ufw", {"10.200.0": "10"})
    assert (before["backend"], before["chain"]) == ("/etc/ufw/before.rules", "ufw-before-input")


def test_many_own_rules_stay_few_bytes(host):
    host.runs(save(*(RULE.format(number) for number in range(1, 250))))
    assert len(repr(host.facts()["own_rules"])) < 400


def test_a_chain_in_a_file_that_is_included_is_found_there(host):
    """As RHEL has it: /etc/sysconfig/nftables.conf does nothing but include others."""
    host.starts("nftables")
    host.file(
        "/etc/nftables.conf",
        'flush ruleset\n# include "/etc/no.nft"\ninclude "/etc/nftables.d/*.nft"\ninclude "gone"\n',
    )
    host.file("/etc/nftables.d/a.nft", 'table inet other {\n}\ninclude "/etc/nftables.conf"\n')
    host.file("/etc/nftables.d/b.nft", NATIVE)
    host.runs_nft(NATIVE)
    facts = host.facts([blocked("inet own", "inet", "input")])
    assert [one["path"] for one in facts["loaded_at_boot"]] == ["/etc/nftables.d/b.nft"]
    assert [one["backend"] for one in facts["own_rules"]] == ["nftables", "/etc/nftables.d/b.nft"]
