# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reboot would change, from the files of a host under a folder of its own."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import firewall
from ansible_collections.netmedic.calico.plugins.module_utils._facts.bgp_daemon import Peer
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import (
    ipset,
    iptables_save,
    nft_script,
    nftables,
    persistence,
    read,
)
from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route

PEERS = [Peer(f"Mesh_{n}", "Mesh", "ipv4", f"10.200.0.{n}", 179, "10.200.0.9", None, True) for n in (10, 11)]
WAYS = {peer.address: Route(peer.address, "unicast", "eth0", "", "10.200.0.9", 0) for peer in PEERS}
DROP = "-A INPUT -s 10.200.0.10/32 -p tcp -m tcp --dport 179 -j DROP"
PROGRAMS = ":cali-INPUT - [0:0]\n:KUBE-FIREWALL - [0:0]\n"
CALLS = '-A INPUT -m comment --comment "cali:x" -j cali-INPUT\n-A INPUT -j KUBE-FIREWALL\n'


def save(*rules, policy="ACCEPT", chains="", table="filter"):
    return "\n".join(
        [f"*{table}", f":INPUT {policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n{chains}".rstrip(), *rules, "COMMIT", ""]
    )


class Host:
    def __init__(self, root):
        self.root = str(root)
        self.sources = Sources()
        self.found = read.Rulesets(self.sources, 1.0)

    def has(self, **files):
        for path, text in files.items():
            self.file("/" + path.replace("__", "/"), text)
        return self

    def file(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w") as stream:
            stream.write(text)
        return self

    def starts(self, *services):
        for service in services:
            self.file(f"/etc/systemd/system/multi-user.target.wants/{service}.service", "")
        return self

    def runs(self, text, backend="iptables-nft"):
        for table in iptables_save.parse(text, backend).tables:
            self.found.tables.append(table)
            self.found.bases.extend(iptables_save.base_chains(table))
        return self

    def runs_nft(self, text):
        document = nft_script.parse(text).document()
        for chain in nftables.relevant_chains(document):
            table = nftables.table(document, chain["family"], chain["table"])
            self.found.tables.append(table)
            self.found.bases.append(nftables.base_chain(chain, table))
        return self

    def facts(self, monkeypatch):
        monkeypatch.setattr(read, "read", lambda *_args: self.found)
        return firewall.gather({}, self.sources, firewall.Around(PEERS, None, WAYS, {"ipv4": "10.200.0.9"}), self.root)


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def changes(facts):
    return [
        (entry["direction"], entry["now"], entry["after_reboot"], entry["count"], entry["rule"]["text"])
        for entry in facts["persistence"]["tcp179"]
    ]


def test_nothing_is_told_of_a_host_without_filters(host, monkeypatch):
    assert "persistence" not in host.facts(monkeypatch)


def test_a_rule_of_now_that_nothing_loads(host, monkeypatch):
    facts = host.runs(save(DROP)).facts(monkeypatch)
    assert changes(facts) == [("inbound", "drop", "accept", 1, DROP)]
    assert facts["persistence"]["loaded_at_boot"] == {}
    assert facts["persistence"]["tcp179"][0]["peers"] == {"10.200.0": "10"}


def test_a_rule_in_a_file_that_is_not_loaded_now(host, monkeypatch):
    host.starts("netfilter-persistent").file("/etc/iptables/rules.v4", save(DROP))
    facts = host.facts(monkeypatch)
    assert changes(facts) == [("inbound", "accept", "drop", 1, DROP)]
    assert facts["persistence"]["loaded_at_boot"] == {"netfilter-persistent": ["/etc/iptables/rules.v4"]}


def test_a_rule_that_is_in_both_is_not_told(host, monkeypatch):
    host.starts("netfilter-persistent").file("/etc/iptables/rules.v4", save(DROP)).runs(save(DROP))
    assert "persistence" not in host.facts(monkeypatch)


def test_a_file_whose_service_is_not_enabled_counts_for_nothing(host, monkeypatch):
    host.file("/etc/iptables/rules.v4", save(DROP)).file("/etc/nftables.conf", "garbage {{{")
    host.file("/etc/systemd/system/multi-user.target.wants/other.service", "")
    assert "persistence" not in host.facts(monkeypatch)


def test_a_masked_service_counts_for_nothing(host, monkeypatch):
    host.starts("netfilter-persistent").file("/etc/iptables/rules.v4", save(DROP))
    os.symlink("/dev/null", host.root + "/etc/systemd/system/netfilter-persistent.service")
    assert "persistence" not in host.facts(monkeypatch)


def test_what_programs_make_again_is_taken_as_it_is(host, monkeypatch):
    programs = save(CALLS.strip(), f"-A cali-INPUT{DROP[8:]}", chains=PROGRAMS)
    assert "persistence" not in host.runs(programs).facts(monkeypatch)


def test_what_was_saved_of_programs_rules_is_not_loaded_twice(host, monkeypatch):
    stale = save(CALLS.strip(), f"-A cali-INPUT{DROP[8:]}", chains=PROGRAMS)
    host.starts("netfilter-persistent").file("/etc/iptables/rules.v4", stale)
    host.runs(save(CALLS.strip(), chains=PROGRAMS))
    assert "persistence" not in host.facts(monkeypatch)


def test_a_policy_that_is_not_saved(host, monkeypatch):
    facts = host.runs(save(policy="DROP")).facts(monkeypatch)
    assert changes(facts) == [("inbound", "drop", "accept", 2, "-P INPUT DROP")]
    assert "ipip" in facts["persistence"]["flows_gained"]


def test_the_files_of_red_hat(host, monkeypatch):
    host.starts("iptables").file("/etc/sysconfig/iptables", save(policy="DROP"))
    assert changes(host.facts(monkeypatch)) == [("inbound", "accept", "drop", 2, "-P INPUT DROP")]


def test_system_v_links(host, monkeypatch):
    host.file("/etc/rc2.d/S01netfilter-persistent", "").file("/etc/iptables/rules.v4", save(policy="DROP"))
    assert len(changes(host.facts(monkeypatch))) == 1


NFT = """flush ruleset
include "/etc/nftables.d/*.nft"
table inet filter {
 chain input {
  type filter hook input priority filter; policy drop;
  ip saddr $allowed tcp dport 179 accept
 }
}
"""


def test_nftables_with_an_include(host, monkeypatch):
    host.starts("nftables").file("/etc/nftables.conf", NFT)
    host.file("/etc/nftables.d/site.nft", "define allowed = 10.200.0.11\n")
    assert changes(host.facts(monkeypatch)) == [("inbound", "accept", "drop", 1, "policy drop")]
    host.runs_nft(NFT.replace("$allowed", "10.200.0.11"))
    assert "persistence" not in host.facts(monkeypatch)


def test_what_cannot_be_read_is_told_and_not_guessed(host, monkeypatch):
    host.starts("nftables").file("/etc/nftables.conf", NFT)
    facts = host.facts(monkeypatch)
    assert "persistence" not in facts
    assert host.sources.status("boot_filters") == "unrecognised"


def test_firewalld_that_does_not_run_now(host, monkeypatch):
    host.starts("firewalld").file("/etc/firewalld/firewalld.conf", "DefaultZone=public\n")
    host.file("/usr/lib/firewalld/zones/public.xml", '<zone><service name="ssh"/></zone>')
    host.file("/usr/lib/firewalld/services/ssh.xml", '<service><port protocol="tcp" port="22"/></service>')
    ((direction, now, later, count, _text),) = changes(host.facts(monkeypatch))
    assert (direction, now, later, count) == ("inbound", "accept", "reject", 2)
    facts = host.facts(monkeypatch)["persistence"]["tcp179"][0]
    assert (facts["rule"]["owner"], facts["rule"]["part"]) == ("firewalld", "zone public")


def test_ufw_that_is_enabled_and_does_not_run_now(host, monkeypatch):
    host.starts("ufw").file("/etc/ufw/ufw.conf", "ENABLED=yes\n").file(
        "/etc/default/ufw", 'IPV6=no\nDEFAULT_INPUT_POLICY="DROP"\n'
    )
    host.file(
        "/etc/ufw/user.rules",
        "*filter\n:ufw-user-input - [0:0]\n-A ufw-user-input -s 10.200.0.11 -p tcp --dport 179 -j ACCEPT\nCOMMIT\n",
    )
    facts = host.facts(monkeypatch)
    assert changes(facts) == [("inbound", "accept", "drop", 1, "-P INPUT DROP")]
    assert facts["persistence"]["tcp179"][0]["rule"]["owner"] == "ufw"


def test_ufw_that_is_not_enabled(host, monkeypatch):
    host.starts("ufw").file("/etc/ufw/ufw.conf", "ENABLED=no\n")
    assert persistence.loaders(persistence.Files(host.root)) == []


RC_LOCAL = "#!/bin/sh\n/usr/sbin/iptables -I INPUT -p tcp --dport 179 -j DROP\nexit 0\n"
UNIT = "[Unit]\nAfter=iptables.service\n[Service]\nExecStart={}\n"
WANTS = "/etc/systemd/system/multi-user.target.wants"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/rc.local", RC_LOCAL),
        ("/etc/rc.d/rc.local", "iptables-restore </etc/rules\n"),
        ("/etc/network/interfaces", "iface eth0 inet dhcp\n  pre-up iptables-restore </etc/iptables.up.rules\n"),
        ("/etc/network/if-pre-up.d/firewall", "#!/bin/sh\nnft -f /etc/my.nft\n"),
        ("/etc/NetworkManager/dispatcher.d/50-rules", "ip6tables -A INPUT -j DROP\n"),
        ("/etc/local.d/rules.start", "iptables -P INPUT DROP\n"),
        ("/var/lib/cloud/scripts/per-boot/rules.sh", RC_LOCAL),
        ("/var/lib/cloud/instance/user-data.txt", "#cloud-config\nbootcmd:\n - [iptables, -A, INPUT, -j, DROP]\n"),
        ("/etc/cron.d/rules", "@reboot root /sbin/iptables-restore /etc/rules\n"),
        (f"{WANTS}/mine.service", UNIT.format("/bin/sh -c 'iptables -A INPUT -j DROP'")),
        (f"{WANTS}/iptables-restore.service", ""),
        (f"{WANTS}/ferm.service", ""),
    ],
)
def test_a_rule_that_something_may_load_again_is_not_said_to_go(host, monkeypatch, path, text):
    facts = host.runs(save(DROP)).file(path, text).facts(monkeypatch)

    assert changes(facts) == [("inbound", "drop", "unknown", 1, DROP)]
    assert facts["persistence"]["may_load"] == [path]


def test_a_units_own_script_is_looked_into(host, monkeypatch):
    host.file("/usr/lib/systemd/system/mine.service", UNIT.format("-/opt/rules.sh start"))
    host.file(f"{WANTS}/mine.service", "").file("/opt/rules.sh", RC_LOCAL)

    facts = host.runs(save(DROP)).facts(monkeypatch)

    assert facts["persistence"]["may_load"] == ["/opt/rules.sh"]


def test_what_only_speaks_of_filters_loads_none(host, monkeypatch):
    host.file("/etc/rc.local", "#!/bin/sh\n# iptables -A INPUT -j DROP\necho nftables iptables.service my-iptables\n")
    host.file(f"{WANTS}/fail2ban.service", UNIT.format("/usr/bin/fail2ban-server -xf start"))
    host.file("/usr/bin/fail2ban-server", "\x7fELF iptables \0")
    host.file("/etc/systemd/system/not-enabled.service", UNIT.format("/sbin/iptables -A INPUT -j DROP"))
    os.symlink("/dev/null", host.root + "/etc/systemd/system/masked.service")
    host.file(f"{WANTS}/masked.service", UNIT.format("/sbin/iptables -A INPUT -j DROP"))

    facts = host.runs(save(DROP)).facts(monkeypatch)

    assert changes(facts) == [("inbound", "drop", "accept", 1, DROP)]
    assert "may_load" not in facts["persistence"]


def test_scripts_of_other_ways_to_start(host, monkeypatch):
    host.file("/etc/rc2.d/S20mine", "").file("/etc/init.d/mine", RC_LOCAL)
    host.file("/etc/runlevels/default/shorewall", "").file("/etc/runlevels/default/sshd", "")

    facts = host.runs(save(DROP)).facts(monkeypatch)

    assert facts["persistence"]["may_load"] == ["/etc/init.d/mine", "/etc/init.d/shorewall"]


def test_flows_that_may_be_blocked_again_are_undecided(host, monkeypatch):
    rule = "-A INPUT -p udp -m udp --dport 4789 -j DROP"

    assert host.runs(save(rule)).facts(monkeypatch)["persistence"]["flows_gained"] == ["udp4789"]
    told = host.file("/etc/rc.local", RC_LOCAL).facts(monkeypatch)["persistence"]
    assert (told["flows_undecided"], "flows_gained" in told) == (["udp4789"], False)


@pytest.mark.parametrize(
    ("name", "kept", "change"),
    [
        ("mine", "", False),
        ("mine", "/etc/iptables/ipsets", True),
        ("mine", "/etc/firewalld/ipsets/mine.xml", True),
        ("cali40s:x", "", True),
    ],
)
def test_a_set_that_nothing_makes_again_leaves_open_what_its_rules_do(host, monkeypatch, name, kept, change):
    rule = f"-A INPUT -p tcp -m tcp --dport 179 -m set --match-set {name} src -j DROP"
    host.starts("netfilter-persistent").file("/etc/iptables/rules.v4", save(rule))
    if kept:
        host.file(kept, f"create {name} hash:ip family inet\nadd {name} 10.200.0.10\n")
    host.found._sets.update(ipset.parse(f"create {name} hash:ip family inet\nadd {name} 10.200.0.10\n"))

    assert ("persistence" in host.facts(monkeypatch)) is change
