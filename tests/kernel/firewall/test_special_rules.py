# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of which it is easily overlooked what the kernel makes of them: one ruleset each, real packets, no guess."""

from __future__ import annotations

from collections import Counter

import pytest

from ansible_collections.netmedic.calico.tests.kernel.firewall import loading, random_rules, test_agreement
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network

pytestmark = pytest.mark.usefixtures("clean_hosts")
SOURCES = {"ipv4": ("10.100.0.5", "10.100.200.9", "10.101.0.5"), "ipv6": ("fd00::5", "fd00::9", "fd01::5")}
PORTS = ((network.TCP, 179), (network.TCP, 22), (network.UDP, 4789), (network.IPIP, 0))
ALL_DROPPED, ALL_PASS = {"drop"}, {"accept"}
BOTH, NOT_KNOWN = {"accept", "drop"}, {"unknown"}
WITH_MAP = (
    'counter k {{ }}\n ct helper h {{ type "ftp" protocol tcp; }}\n chain i {{ type filter hook input priority 0; {} }}'
)
DYNAMIC = "set d {{ type ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout 1m; }}\n"
DYNAMIC_ADDRESSES = "set d { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1m; }"
DYNAMIC += "chain i {{ type filter hook input priority 0; {} }}"


def shots(hosts, family, way):
    links = dict(zip(SOURCES[family], ("eth0", "eth0", "wan1"), strict=True))
    wanted = [(source, *port) for source in links for port in PORTS if family == "ipv4" or port[0] != network.IPIP]
    ports = hosts.fresh_ports(20000, 60000, len(wanted))
    return [
        network.Shot(link, source, fresh, random_rules.HOSTS[family][link], port, protocol)
        for (source, protocol, port), fresh in zip(wanted, ports, strict=True)
        for link in (links[source],)
    ]


def verdicts(hosts, family="ipv4", way="in"):
    """Send packets; return the evaluator's verdicts, none of which the kernel belies."""
    tally = Counter()
    silence, wrong = network.SETTLED, []
    for silence in (network.SETTLED, 0.3):  # a slow answer is no disagreement: once more, patiently
        tally.clear()
        wrong = test_agreement.disagreements(hosts, family, shots(hosts, family, way), way, tally, silence, ())
        if not wrong:
            break
    assert not wrong, wrong
    return set(tally)


def load(hosts, text, program="nft"):
    argv = ("nft", "-f", "-") if program == "nft" else (program,)
    hosts.host.run(*argv, text=text)


def chain(rules, more=""):
    return f"table inet a {{\n {more}\n chain i {{ type filter hook input priority 0; {rules} }}\n}}\n"


@pytest.mark.parametrize(
    ("table", "name", "head", "rules"),
    [
        ("ip filter", "INPUT", "type filter hook input priority -1; policy drop", "tcp dport 22 accept"),
        ("ip raw", "PREROUTING", "type filter hook prerouting priority -450", "tcp dport 179 drop"),
        ("ip mangle", "INPUT", "type filter hook input priority 300", "ip saddr { 10.100.0.5 } drop"),
        ("ip nat", "PREROUTING", "type filter hook prerouting priority -300", "tcp dport 179 drop"),
    ],
)
def test_a_chain_of_nft_by_the_name_of_one_of_iptables(hosts, table, name, head, rules):
    load(hosts, f"table {table} {{\n chain {name} {{ {head}; {rules}; }}\n}}\n")
    assert verdicts(hosts) == BOTH


def test_beside_such_a_chain_those_of_iptables_are_still_read(hosts):
    load(hosts, "table ip filter {\n chain INPUT { type filter hook input priority -1; tcp dport 22 drop; }\n}\n")
    load(hosts, "*mangle\n-A INPUT -p udp -j DROP\nCOMMIT\n", "iptables-nft-restore")
    assert verdicts(hosts) == BOTH


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_a_dormant_table_does_nothing(hosts, family):
    ip = "ip" if family == "ipv4" else "ip6"
    base = "chain INPUT { type filter hook input priority 0; policy drop; }"
    load(hosts, f"table inet a {{\n flags dormant;\n {base}\n}}\ntable {ip} filter {{\n flags dormant;\n {base}\n}}\n")
    assert verdicts(hosts, family) == ALL_PASS


@pytest.mark.parametrize(
    "rules",
    [
        "meta mark set ip saddr map { 10.100.0.5 : 1 } drop;",
        "meta mark set ip saddr map { 10.100.0.5 : 1 } accept; drop;",
        "ct mark set ip saddr map { 10.100.0.5 : 1 } drop;",
        'counter name tcp dport map { 22 : "k" } drop;',
        "meta priority set tcp dport map { 22 : 1:1 } drop;",
        'ct helper set tcp dport map { 22 : "h" } drop;',
        "meta mark set ip saddr map { 10.100.0.5 : 1, 10.100.200.9 : 3 }; meta mark & 1 == 1 drop;",
        "meta mark set 1 ip saddr vmap { 10.100.0.5 : accept }; meta mark 1 drop;",
        "meta mark set 1 meta mark set ip saddr map { 10.100.0.5 : 2 }; meta mark 1 drop;",
        "meta mark set ct mark tcp dport 22 drop;",
        "tcp option maxseg size set 1200 drop;",
        "ip dscp set cs1 drop;",
    ],
)
def test_a_statement_without_a_value_ends_its_rule(hosts, rules):
    load(hosts, f"table inet a {{\n {WITH_MAP.format(rules)}\n}}\n")
    assert verdicts(hosts) <= BOTH


def test_a_connection_that_is_not_tracked_has_no_mark_to_copy(hosts):
    early = "chain p { type filter hook prerouting priority -300; tcp dport 22 notrack; }"
    load(hosts, chain("meta mark set ct mark drop;", early))
    assert verdicts(hosts) == BOTH


@pytest.mark.parametrize(
    "rules",
    [
        "ip saddr set 10.100.0.7; ip saddr 10.100.0.7 drop;",
        "tcp dport 179 tcp dport set 22; tcp dport 22 drop;",
        "ip daddr set ip saddr map { 10.100.0.5 : 10.77.0.1 }; tcp dport 22 drop;",
    ],
)
def test_a_header_rewritten_by_hand_makes_another_packet_of_it(hosts, rules):
    load(hosts, chain(rules))
    assert "unknown" in verdicts(hosts)


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        ("add @d {{ ip saddr . th sport }}; ip saddr . th sport @d drop;", NOT_KNOWN),
        ("add @d {{ ip saddr . th sport }}; ip saddr . th sport @d accept; drop;", NOT_KNOWN),
        ("tcp dport 22 update @d {{ ip saddr . th sport }}; ip saddr . th sport @d drop;", {"unknown", "accept"}),
        ("udp dport 4789 add @d {{ ip saddr . th sport }} drop; tcp dport 22 drop;", {"unknown", *BOTH}),
        ("ip saddr . th sport @d drop; add @d {{ ip saddr . th sport }};", NOT_KNOWN),
    ],
)
def test_what_a_rule_puts_into_a_set_later_ones_find(hosts, rules, known):
    # (What the inner packet of IPIP has at the place of a port is no port: it is not looked at there.)
    load(hosts, f"table inet a {{\n {DYNAMIC.format('meta l4proto 4 accept; ' + rules.format())}\n}}\n")
    assert verdicts(hosts) <= {*known, "accept"}


def test_what_a_packet_puts_into_a_set_the_next_one_finds(hosts):
    load(hosts, chain("ip saddr @d drop; tcp dport 179 add @d { ip saddr };", DYNAMIC_ADDRESSES))
    assert verdicts(hosts) == NOT_KNOWN


def test_what_a_rule_takes_out_of_a_set_later_ones_do_not_find(hosts):
    named = "set d { type ipv4_addr; flags dynamic,timeout; timeout 1m; elements = { 10.100.0.5 } }"
    load(hosts, chain("delete @d { ip saddr }; ip saddr @d drop;", named))
    assert verdicts(hosts) == {"accept", "unknown"}


@pytest.mark.parametrize("backend", ["legacy", "nft"])
@pytest.mark.parametrize("target", ["--add-set special src,src", "--del-set special src,src"])
def test_a_set_of_ipset_that_a_rule_changes(hosts, backend, target):
    hosts.host.run("ipset", "create", "special", "hash:ip,port")
    try:
        rules = (
            f"-A INPUT -p tcp -m tcp --dport 22 -j SET {target}\n-A INPUT -m set --match-set special src,src -j DROP\n"
        )
        load(hosts, f"*filter\n{rules}COMMIT\n", f"iptables-{backend}-restore")
        assert verdicts(hosts) <= {"accept", "unknown"}
    finally:
        loading.clear(hosts)
        loading.destroy_set(hosts, "special")


@pytest.mark.parametrize("backend", ["legacy", "nft"])
def test_an_element_that_says_nomatch_may_be_what_is_asked_for(hosts, backend):
    hosts.host.run(
        "ipset", "restore", text="create special hash:net\nadd special 10.100.0.0/16\nadd special 10.100.0.5 nomatch\n"
    )
    try:
        match = "-m set --match-set special src --return-nomatch"
        load(hosts, f"*filter\n-A INPUT {match} -j DROP\nCOMMIT\n", f"iptables-{backend}-restore")
        assert verdicts(hosts) == NOT_KNOWN
    finally:
        loading.clear(hosts)
        loading.destroy_set(hosts, "special")


@pytest.mark.parametrize("header", ["hbh", "frag", "rt", "dst", "mh"])
@pytest.mark.parametrize(("family", "expected"), [("ipv4", ALL_PASS), ("ipv6", ALL_DROPPED)])
def test_an_extension_header_is_missing_in_ipv6_only(hosts, family, expected, header):
    load(hosts, chain(f"exthdr {header} missing drop;"))
    assert verdicts(hosts, family) == expected


@pytest.mark.parametrize(
    ("beside", "expected"), [("", {"unknown", "accept"}), ("ct state new accept", BOTH), ("tcp dport 1 accept", None)]
)
def test_chains_of_kind_nat_are_called_where_connections_are_tracked(hosts, beside, expected):
    nat = "chain c { type nat hook prerouting priority -100; policy drop; tcp dport 22 accept; }"
    load(hosts, f"table ip a {{\n {nat}\n chain i {{ type filter hook input priority 0; {beside}; }}\n}}\n")
    assert verdicts(hosts) == (expected or {"unknown", "accept"})


def test_an_ordinary_ruleset_of_ufw_for_ipv6_is_decided(hosts):
    """A module of iptables may have the name of an expression of nft."""
    rules = "-A INPUT -m rt --rt-type 0 -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j DROP\n"
    load(hosts, f"*filter\n{rules}COMMIT\n", "ip6tables-nft-restore")
    assert verdicts(hosts, "ipv6") == BOTH


@pytest.mark.parametrize(
    "rules",
    [
        "ip frag-off & 0x1fff != 0 drop;",
        "ip frag-off & 0x3fff == 0 tcp dport 22 drop;",
        "tcp flags syn tcp option maxseg size 1-535 drop;",
        "tcp option maxseg size < 536 drop;",
        "meta ipsec exists drop; tcp dport 22 drop;",
        "meta ipsec missing drop;",
        "ip saddr <= 10.100.0.5 drop;",
        "ip saddr > 10.100.0.5 drop;",
        "ip saddr < 10.100.0.5 drop;",
        "ip version 4 drop;",
        "ip hdrlength != 5 drop;",
        "ip hdrlength > 5 drop;",
        "ether type ip drop;",
        "ether type != ip drop;",
        "ether type { ip6, arp } drop;",
        "iiftype ether drop;",
        "iiftype != ether drop;",
        "ct l3proto ipv4 drop;",
        "ct l3proto ipv6 drop;",
        "ip6 version 6 drop;",
    ],
)
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_what_a_packet_on_paper_decides(hosts, family, rules):
    load(hosts, chain(rules))
    assert verdicts(hosts, family) <= BOTH


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft"])
@pytest.mark.parametrize(
    ("chain_name", "match"),
    [
        ("INPUT", "-m policy --dir in --pol ipsec"),
        ("INPUT", "-m policy --dir in --pol none"),
        ("INPUT", "-p tcp -m tcpmss --mss 1:535"),
        ("INPUT", "-p tcp -m tcpmss ! --mss 1:535"),
        ("OUTPUT", "-m policy --dir out --pol none"),
        ("OUTPUT", "-m owner --uid-owner 0"),
        ("OUTPUT", "-m owner ! --uid-owner 0-99"),
    ],
)
def test_what_modules_of_iptables_ask_for_is_decided(hosts, family, backend, chain_name, match):
    program = "iptables" if family == "ipv4" else "ip6tables"
    load(hosts, f"*filter\n-A {chain_name} {match} -j DROP\nCOMMIT\n", f"{program}-{backend}-restore")
    assert verdicts(hosts, family, "in" if chain_name == "INPUT" else "out") <= BOTH


@pytest.mark.parametrize("rules", ["meta skuid 0 drop;", "meta skuid != 0 drop;", "meta skuid > 0 drop;"])
def test_the_user_who_sends_is_known(hosts, rules):
    load(hosts, f"table inet a {{\n chain o {{ type filter hook output priority 0; {rules} }}\n}}\n")
    assert verdicts(hosts, "ipv4", "out") <= BOTH


@pytest.mark.parametrize("devices", ["device eth0", "devices = { eth0, wan1 }", "devices = { wan1 }"])
@pytest.mark.parametrize("rule", ["tcp dport 179 drop", "ether type ip6 drop", "ether type ip drop"])
def test_a_chain_of_devices(hosts, devices, rule):
    base = f"type filter hook ingress {devices} priority 0; {rule}"
    load(hosts, f"table netdev a {{\n chain c {{ {base}; }}\n}}\n")
    assert verdicts(hosts) <= BOTH


def test_why_nothing_is_known_behind_a_rewritten_source(hosts):
    nat = "chain n { type nat hook postrouting priority 100; masquerade; }"
    late = "chain l { type filter hook postrouting priority 300; ip saddr 10.77.0.1 drop; }"
    load(hosts, f"table ip a {{\n {nat}\n {late}\n}}\n")
    result, _each = test_agreement.evaluated(hosts, "ipv4", shots(hosts, "ipv4", "out"), "out")
    assert {one.detail for one in result.decisions} == {"it depends on: source, which was rewritten before"}
