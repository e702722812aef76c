# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import firewall, firewall_verdicts, packing
from ansible_collections.netmedic.calico.plugins.module_utils._facts.bgp_daemon import Peer
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ipset, iptables_save, read
from ansible_collections.netmedic.calico.plugins.module_utils._host.bpf_programs import Program
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Address, Link, Network
from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route

RECORDED = Path(__file__).parent.parent / "_firewall" / "recorded"
LOCAL = {"ipv4": "10.200.0.9", "ipv6": "fd00::9"}


class Node:
    """A node with peers, all behind eth0, and packet filters from texts."""

    def __init__(self):
        self.found = read.Rulesets(Sources(), 5.0)
        self.peers = []
        self.ways = {}
        self.network = Network({}, [Address("10.200.0.9", 24, "eth0", "ipv4", "global", True)])
        self.locals = LOCAL

    def load(self, text, family="ipv4"):
        dump = iptables_save.parse(text, "", family)
        for table in dump.tables:
            self.found.tables.append(table)
            self.found.bases.extend(iptables_save.base_chains(table))
            self.found.rules[table.backend] = self.found.rules.get(table.backend, 0) + dump.rules
        return self

    def recorded(self, name, family="ipv4"):
        return self.load((RECORDED / name).read_text(encoding="utf-8"), family)

    def filter(self, *rules, policy="ACCEPT", chain="INPUT", table="filter"):
        lines = "".join(f"-A {chain} {rule}\n" for rule in rules)
        return self.load(f"*{table}\n:{chain} {policy} [0:0]\n{lines}COMMIT\n")

    def with_peers(self, *addresses, port=179, source=""):
        for address in addresses:
            family = "ipv6" if ":" in address else "ipv4"
            self.peers.append(Peer("Mesh", "Mesh", family, address, port, source, None, True))
            self.ways[address] = Route(address, "unicast", "eth0", "", LOCAL[family])
        return self

    def around(self, **more):
        return firewall.Around(self.peers, self.network, self.ways, self.locals, **more)

    def gather(self, **more):
        return firewall.gather({"timeout": 5}, Sources(), self.around(**more))


@pytest.fixture
def node(monkeypatch):
    node = Node()
    monkeypatch.setattr(read, "read", lambda sources, timeout: node.found)
    return node


def peers_of(entry):
    return list(packing.unpack(entry["peers"]))


def test_a_node_without_filters_accepts_all_peers(node):
    assert node.with_peers("10.200.0.10", "fd00::a").gather() == {
        "backends": {},
        "owners": [],
        "tcp179": {
            way: [{"verdict": "accept", "count": 1, "family": family} for family in ("ipv4", "ipv6")]
            for way in ("inbound", "outbound")
        },
        "flows": {"accepted": ["ipip", "udp4789", "udp8472", "udp51820", "udp51821", "tcp5473"]},
    }


def test_without_filters_nothing_else_would_come_of_an_evaluation(node):
    node.with_peers("10.200.0.10", "10.200.0.11", "fd00::a").with_peers("10.200.0.12", port=1790)
    for address, family in (("fe80::1%eth0", "ipv6"), ("nobody", "ipv4"), ("fd00::b", "ipv4"), ("", "ipv4")):
        node.peers.append(Peer("Mesh", "Mesh", family, address, 179, "", None, None))

    evaluated = firewall_verdicts.verdicts(node.found, node.around())

    gathered = node.gather()
    assert {key: gathered[key] for key in evaluated} == evaluated
    assert set(evaluated) == {"tcp179", "flows"}
    assert [entry["count"] for entry in evaluated["tcp179"]["inbound"]] == [3, 2]


def test_without_peers_nothing_is_evaluated(node):
    assert node.recorded("plain_nft.txt").gather()["tcp179"] == {"inbound": [], "outbound": []}


def test_without_privilege_there_are_no_verdicts(monkeypatch):
    monkeypatch.setattr(read, "read", lambda sources, timeout: None)
    assert firewall.gather({}, Sources(), firewall.Around([], None, {}, {})) == {}


def test_the_deciding_rule_in_full(node):
    facts = (
        node.recorded("plain_nft.txt").with_peers("10.200.0.10", "10.200.0.13", "10.200.0.14", "10.200.1.5").gather()
    )
    assert facts["backends"] == {"iptables_nft": {"rules": 11}}
    accepted, dropped, rejected = sorted(facts["tcp179"]["inbound"], key=lambda entry: entry["verdict"])
    assert (accepted["verdict"], accepted["count"], peers_of(accepted)) == ("accept", 2, ["10.200.0.10", "10.200.0.14"])
    assert "rule" not in accepted  # not one and the same for all
    assert dropped == {
        "verdict": "drop",
        "count": 1,
        "family": "ipv4",
        "peers": {"10.200.1": "5"},
        "rule": {
            "backend": "iptables-nft",
            "family": "ipv4",
            "table": "filter",
            "chain": "INPUT",
            "rule": 7,
            "text": "-A INPUT -p tcp -m tcp --dport 179 -j DROP",
            "owner": "unknown",
            "path": ["INPUT 7"],
            "packets": 0,
        },
    }
    assert (rejected["verdict"], rejected["with"]) == ("reject", "icmp-host-prohibited")
    assert rejected["rule"]["path"] == ["INPUT 4", "site-rules 2"]
    assert facts["tcp179"]["outbound"] == [{"verdict": "accept", "count": 4, "family": "ipv4"}]


def test_a_policy_is_rule_number_0_of_its_owner(node):
    facts = node.recorded("ufw_nft.txt").with_peers("10.200.1.5").gather()
    assert facts["owners"] == ["ufw"]
    (entry,) = facts["tcp179"]["inbound"]
    assert entry["peers"] == {"10.200.1": "5"}
    assert {key: entry["rule"][key] for key in ("chain", "rule", "text", "owner", "path")} == {
        "chain": "INPUT",
        "rule": 0,
        "text": "-P INPUT DROP",
        "owner": "ufw",
        "path": ["INPUT 0"],
    }


def test_one_rule_that_accepts_everybody_is_named(node):
    facts = node.recorded("ufw_nft.txt").with_peers("10.200.0.10", "10.200.0.11").gather()
    (entry,) = facts["tcp179"]["inbound"]
    assert (entry["verdict"], entry["rule"]["text"]) == (
        "accept",
        "-A ufw-user-input -s 10.200.0.0/28 -p tcp -m tcp --dport 179 -j ACCEPT",
    )
    assert "peers" not in entry


def test_unknown_says_why_and_where(node):
    facts = node.filter("-p tcp -m recent --name x --update -j DROP").with_peers("10.200.0.10").gather()
    (entry,) = facts["tcp179"]["inbound"]
    assert (entry["verdict"], entry["why_unknown"]) == ("unknown", "it depends on: recent --name x --update")
    assert entry["rule"]["rule"] == 1


def test_stopped_one_way_or_the_other_is_said(node):
    facts = node.filter("-m limit --limit 1/sec -j REJECT", "-j DROP").with_peers("10.200.0.10").gather()
    (entry,) = facts["tcp179"]["inbound"]
    assert (entry["verdict"], entry["how_is_uncertain"]) == ("drop", True)


def test_answers_that_are_stopped_are_told_though_the_connection_is_let_in(node):
    node.filter("-p tcp -m tcp --dport 179 -j ACCEPT", policy="DROP")
    node.filter("-p tcp -m tcp --sport 179 -d 10.200.0.10/32 -j DROP", chain="OUTPUT")
    verdicts = node.with_peers("10.200.0.10", "10.200.0.11").gather()["tcp179"]
    assert [entry["verdict"] for entry in verdicts["inbound"] + verdicts["outbound"]] == ["accept", "accept"]
    # What we send to .10 as its listener, and what everybody sends us as our listener, never arrives.
    (sent,) = verdicts["answers"]["sent"]
    assert (sent["verdict"], peers_of(sent), sent["rule"]["path"]) == ("drop", ["10.200.0.10"], ["OUTPUT 1"])
    (received,) = verdicts["answers"]["received"]
    assert (received["verdict"], received["count"], received["rule"]["rule"]) == ("drop", 2, 0)


def test_answers_are_not_asked_about_where_nothing_is_let_in(node):
    node.filter("-j DROP").filter("-p tcp -m tcp --sport 179 -j DROP", chain="OUTPUT")
    assert "sent" not in node.with_peers("10.200.0.10").gather()["tcp179"]["answers"]


def test_a_rewritten_source_is_told(node):
    node.network = with_addresses(("10.200.0.8", 24, "eth0"), ("10.200.0.9", 24, "eth0"))
    node.filter("! -o docker0 -p tcp -j MASQUERADE", chain="POSTROUTING", table="nat")
    facts = node.with_peers("10.200.0.10").gather()
    assert facts["tcp179"]["outbound"] == [{"verdict": "accept", "count": 1, "family": "ipv4"}]
    (rewrite,) = facts["source_nat"]
    assert rewrite.pop("rule")["text"] == "-A POSTROUTING ! -o docker0 -p tcp -j MASQUERADE"
    assert rewrite == {
        "flows": ["tcp179", "tcp5473"],
        "family": "ipv4",
        "count": 1,
        "peers": {"10.200.0": "10"},
        "to": "10.200.0.8",
    }


def with_addresses(*addresses):
    entries = [Address(address, prefix, name, "ipv4", "global", True) for address, prefix, name in addresses]
    links = [
        Link(number, name, 1500, "", True, True, 0) for number, name in enumerate({one[2] for one in addresses}, 1)
    ]
    return Network(links, entries)


@pytest.mark.parametrize(
    ("addresses", "gateway", "to"),
    [
        ([("10.200.0.9", 24, "eth0")], "", None),  # its own address already
        ([("10.1.0.1", 24, "eth0"), ("10.200.0.9", 24, "eth0")], "", None),  # the one in the peer's subnet
        ([("10.1.0.1", 24, "eth0"), ("10.200.0.9", 24, "eth0")], "10.1.0.254", "10.1.0.1"),  # in the next hop's
        ([("10.2.0.1", 24, "eth0"), ("10.200.0.9", 32, "lo")], "10.1.0.254", "10.2.0.1"),  # else the first
    ],
)
def test_masquerading_takes_an_address_of_the_interface(node, addresses, gateway, to):
    node.filter("-j MASQUERADE", chain="POSTROUTING", table="nat").with_peers("10.200.0.10")
    node.network = with_addresses(*addresses)
    node.ways["10.200.0.10"] = Route("10.200.0.10", "unicast", "eth0", gateway, "10.200.0.9")
    assert [entry["to"] for entry in node.gather().get("source_nat", [])] == ([to] if to else [])


def test_snat_says_its_address_and_perhaps(node):
    node.filter(
        "-d 10.200.0.10/32 -m statistic --mode random --probability 0.5 -j SNAT --to-source 10.0.0.5",
        "-d 10.200.0.11/32 -j SNAT --to-source 10.200.0.9",
        chain="POSTROUTING",
        table="nat",
    )
    (entry,) = node.with_peers("10.200.0.10", "10.200.0.11").gather()["source_nat"]
    assert (entry["to"], entry["uncertain"], entry["peers"]) == ("10.0.0.5", True, {"10.200.0": "10"})
    assert entry["flows"] == ["tcp179", "ipip", "udp4789", "udp8472", "udp51820", "tcp5473"]


KUBE_PROXY = """*nat
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SERVICES - [0:0]
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
%sCOMMIT
"""


@pytest.mark.parametrize(
    ("rules", "flows"),
    [
        ("-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-MARK-MASQ\n", []),
        # as somebody's rule that marks too much does
        ("-A KUBE-SERVICES -p tcp -j KUBE-MARK-MASQ\n", [["tcp179", "tcp5473"]]),
    ],
)
def test_kube_proxy_masquerades_what_is_marked(node, rules, flows):
    node.network = with_addresses(("10.200.0.8", 24, "eth0"))
    facts = node.load(KUBE_PROXY % rules).with_peers("10.200.0.10").gather()
    assert [entry["flows"] for entry in facts.get("source_nat", [])] == flows
    assert [entry["rule"]["owner"] for entry in facts.get("source_nat", [])] == ["kube-proxy"] * len(flows)


IP_MASQ_AGENT = """*nat
:POSTROUTING ACCEPT [0:0]
:IP-MASQ-AGENT - [0:0]
-A POSTROUTING -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT
-A IP-MASQ-AGENT -d %s -m comment --comment "ip-masq-agent: local traffic is not subject to MASQUERADE" -j RETURN
-A IP-MASQ-AGENT -m addrtype ! --dst-type LOCAL -j MASQUERADE
COMMIT
"""


@pytest.mark.parametrize(("exempt", "count"), [("10.0.0.0/8", 0), ("172.16.0.0/12", 1)])
def test_ip_masq_agent(node, exempt, count):
    node.network = with_addresses(("10.200.0.8", 24, "eth0"))
    facts = node.load(IP_MASQ_AGENT % exempt).with_peers("10.200.0.10").gather()
    assert len(facts.get("source_nat", [])) == count


# --- flows other than BGP ---


def test_flows_that_are_blocked_are_told_with_their_rule(node):
    node.filter(
        "-p tcp -m tcp --dport 179 -j ACCEPT",
        "-s 10.200.0.11/32 -p udp -j REJECT",
        "-p ipencap -j ACCEPT",
        policy="DROP",
    )
    node.filter("-p ipencap -j DROP", chain="OUTPUT")
    flows = node.with_peers("10.200.0.10", "10.200.0.11").gather()["flows"]
    assert flows["accepted"] == []
    inbound = [
        (entry["flows"], entry["verdict"], entry.get("peers"), entry["rule"]["path"]) for entry in flows["inbound"]
    ]
    udp = ["udp4789", "udp8472", "udp51820"]
    assert inbound == [
        (udp, "drop", {"10.200.0": "10"}, ["INPUT 0"]),
        (udp, "reject", {"10.200.0": "11"}, ["INPUT 2"]),
        (["tcp5473"], "drop", None, ["INPUT 0"]),
    ]
    (outbound,) = flows["outbound"]
    assert (outbound["flows"], outbound["count"], outbound["family"]) == (["ipip"], 2, "ipv4")
    assert "answers" not in outbound


def test_what_passes_as_an_answer_is_told(node):
    node.filter(
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-p udp -m udp --dport 4789 -j ACCEPT", policy="DROP"
    )
    flows = node.with_peers("10.200.0.10").gather()["flows"]
    assert {tuple(entry["flows"]): entry.get("answers") for entry in flows["inbound"]} == {
        ("ipip", "udp51820"): "accept",
        ("udp8472", "tcp5473"): None,
    }
    assert flows["accepted"] == ["udp4789"]


@pytest.mark.parametrize("recorded", ["calico_nft.txt", "calico_host_endpoint_legacy.txt"])
def test_calico_lets_ipip_in_from_its_own_hosts_only(node, recorded):
    node.found._sets = ipset.parse((RECORDED / "calico.ipset").read_text(encoding="utf-8"))
    node.recorded(recorded).with_peers("10.200.0.10", "10.200.0.77")
    node.ways = {address: route._replace(source="10.200.0.9") for address, route in node.ways.items()}
    entries = node.gather()["flows"]["inbound"]
    (ipip,) = [entry for entry in entries if "ipip" in entry["flows"]]
    assert (ipip["verdict"], ipip["peers"], ipip["rule"]["owner"]) == ("drop", {"10.200.0": "77"}, "calico")
    assert "Drop IPIP packets from non-Calico hosts" in ipip["rule"]["text"]


def test_ipv6_has_no_ipip_and_another_wireguard(node):
    node.load("*filter\n:INPUT DROP [0:0]\nCOMMIT\n", "ipv6").with_peers("fd00::a", "10.200.0.10")
    flows = node.gather()["flows"]
    assert [entry["flows"] for entry in flows["inbound"]] == [["udp4789", "udp8472", "udp51821", "tcp5473"]]
    assert flows["accepted"] == ["ipip", "udp51820"]


def test_many_rules_about_flows_are_merged(node):
    node.filter(*(f"-s 10.200.0.{number}/32 -p udp -j DROP" for number in range(1, 100)))
    (entry,) = node.with_peers(*many(99)).gather()["flows"]["inbound"]
    assert (entry["count"], entry["rules"], entry["flows"]) == (99, 99, ["udp4789", "udp8472", "udp51820"])


def test_calicos_masquerading_of_pods_does_not_touch_the_node(node):
    node.found._sets = ipset.parse((RECORDED / "calico.ipset").read_text(encoding="utf-8"))
    assert "source_nat" not in node.recorded("calico_nft.txt").with_peers("10.200.0.10").gather()


def test_the_way_to_a_peer_decides_about_interfaces(node):
    node.filter("! -i eth0 -j DROP").with_peers("10.200.0.10", "10.200.0.11", "10.200.0.12")
    node.ways["10.200.0.11"] = Route("10.200.0.11", "unicast", "eth1", "", "10.201.0.9")
    node.ways["10.200.0.12"] = Route("10.200.0.12", "none")
    found = {entry["verdict"]: peers_of(entry) for entry in node.gather()["tcp179"]["inbound"]}
    assert found == {"accept": ["10.200.0.10"], "drop": ["10.200.0.11"], "unknown": ["10.200.0.12"]}


def test_our_own_address_is_the_sessions_then_bgps_then_the_routes(node):
    node.filter("-d 10.200.0.9/32 -j ACCEPT", policy="DROP")
    node.with_peers("10.200.0.10").with_peers("10.200.0.11", source="10.99.0.1")
    found = {entry["verdict"]: entry["count"] for entry in node.gather()["tcp179"]["inbound"]}
    assert found == {"accept": 1, "drop": 1}
    node.locals = {}
    assert {entry["verdict"]: entry["count"] for entry in node.gather()["tcp179"]["inbound"]} == found


def test_an_address_of_another_interface_is_known_as_such(node):
    node.filter("-m addrtype ! --dst-type LOCAL --limit-iface-in -j DROP").with_peers("10.200.0.10").with_peers(
        "10.200.0.11", source="10.99.0.1"
    )
    node.network = Network({}, [*node.network.addresses, Address("10.99.0.1", 32, "lo", "ipv4", "global", True)])
    found = {entry["verdict"]: peers_of(entry) for entry in node.gather()["tcp179"]["inbound"]}
    assert found == {"accept": ["10.200.0.10"], "drop": ["10.200.0.11"]}


def test_another_port_than_179(node):
    node.filter("-p tcp -m tcp --dport 1790 -j DROP").filter("-p tcp -m tcp --dport 179 -j DROP", chain="OUTPUT")
    verdicts = node.with_peers("10.200.0.10", port=1790).gather()["tcp179"]
    assert [verdicts[way][0]["verdict"] for way in ("inbound", "outbound")] == ["drop", "accept"]


def test_link_local_peers_name_their_interface(node):
    node.load("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i eth1 -j DROP\nCOMMIT\n", "ipv6")
    node.peers.append(Peer("x", "Node", "ipv6", "fe80::1%eth1", 179, "", None, True))
    (entry,) = node.gather()["tcp179"]["inbound"]
    assert (entry["verdict"], entry["peers"]) == ("drop", {"": "fe80::1%eth1"})


def test_what_is_no_address_is_left_out(node):
    node.peers.append(Peer("x", "Node", "ipv4", "nonsense", 179, "", None, True))
    assert node.gather()["tcp179"] == {"inbound": [], "outbound": []}


def many(count):
    return [f"10.200.{number // 250}.{number % 250 + 1}" for number in range(count)]


def test_a_thousand_healthy_peers_take_little_room(node):
    node.filter(
        *(f"-s {peer}/32 -p tcp -m tcp --dport 179 -j ACCEPT" for peer in many(1000)),
        "-p udp -j ACCEPT",
        "-p ipencap -j ACCEPT",
        "-p tcp -m tcp --dport 5473 -j ACCEPT",
        "-m conntrack --ctstate ESTABLISHED -j ACCEPT",
        policy="DROP",
    )
    facts = node.with_peers(*many(1000)).gather()
    assert [entry["count"] for entry in facts["tcp179"]["inbound"]] == [1000]
    assert len(json.dumps(facts["flows"], separators=(",", ":"))) < 150
    assert len(json.dumps(facts, separators=(",", ":"))) < 400


def test_a_thousand_rules_that_block_do_not_make_a_thousand_entries(node):
    node.filter(*(f"-s {peer}/32 -j DROP" for peer in many(1000)))
    facts = node.with_peers(*many(1001)).gather()
    accepted, dropped = facts["tcp179"]["inbound"]
    assert (accepted["count"], dropped["count"], dropped["rules"]) == (1, 1000, 1000)
    assert len(json.dumps(facts, separators=(",", ":"))) < 2000


def test_everything_is_plain_json(node):
    facts = node.recorded("calico_host_endpoint_legacy.txt").with_peers("10.200.0.10", "10.200.1.5").gather()
    assert json.loads(json.dumps(facts)) == facts


# --- where this node listens ---


def test_a_connection_goes_to_the_port_on_which_this_node_listens(node):
    node.filter("-p tcp -m tcp --dport 1790 -j DROP").with_peers("10.200.0.10", "10.200.0.11")

    facts = firewall.facts(node.found, node.around(listen_ports={"ipv4": 1790}))

    assert [entry["verdict"] for entry in facts["tcp179"]["inbound"]] == ["drop"]
    assert [entry["verdict"] for entry in facts["tcp179"]["outbound"]] == ["accept"]
    assert facts["tcp179"]["listen_ports"] == {"ipv4": 1790}
    assert [entry["verdict"] for entry in node.gather()["tcp179"]["inbound"]] == ["accept"]


def test_the_peers_own_ports_are_dialled(node):
    node.filter("-p tcp -m tcp --dport 1790 -j DROP", chain="OUTPUT").with_peers("10.200.0.10", port=1790)
    node.with_peers("10.200.0.11")

    facts = firewall.facts(node.found, node.around(listen_ports={"ipv4": 179}))

    assert {entry["verdict"]: peers_of(entry) for entry in facts["tcp179"]["outbound"]} == {
        "accept": ["10.200.0.11"],
        "drop": ["10.200.0.10"],
    }
    assert "listen_ports" not in facts["tcp179"]


def test_listen_ports_come_from_birds_configuration():
    daemons = {"ipv4": {"config": {"listen_port": 1790}}, "ipv6": {"config": {}}}

    assert firewall.listen_ports({"daemons": daemons}) == {"ipv4": 1790}
    assert firewall.listen_ports({}) == {}


# --- peers with whom nobody speaks BGP ---


@pytest.mark.parametrize("rules", [(), ("-p tcp -m tcp --dport 179 -j DROP",)])
def test_with_nodes_that_speak_no_bgp_only_the_other_flows_are_evaluated(node, rules):
    if rules:
        node.filter(*rules)
    node.with_peers("10.200.0.10", "10.200.0.11")
    node.peers = [peer._replace(kind=firewall.NO_BGP) for peer in node.peers]

    facts = node.gather()

    assert facts["tcp179"] == {"inbound": [], "outbound": []}
    assert facts["flows"] == {"accepted": ["ipip", "udp4789", "udp8472", "udp51820", "tcp5473"]}
    assert "persistence" not in facts


# --- eBPF programs ---


def with_programs(node, *programs):
    return node.gather(programs=lambda interfaces: [one for one in programs if one.interface in interfaces])


def test_verdicts_of_packets_that_pass_somebodys_program_are_unknown(node):
    node.with_peers("10.200.0.10")

    facts = with_programs(node, Program("eth0", "tc ingress", "someone"), Program("eth7", "xdp", "other"))

    (entry,) = facts["tcp179"]["inbound"]
    assert (entry["verdict"], entry["why_unknown"]) == ("unknown", "it depends on: the program someone")
    assert entry["rule"] == {
        "backend": "ebpf",
        "family": "ipv4",
        "table": "eth0",
        "chain": "tc ingress",
        "rule": 1,
        "text": "someone",
        "owner": "unknown",
        "path": ["tc ingress 1"],
    }
    assert [entry["verdict"] for entry in facts["tcp179"]["outbound"]] == ["accept"]
    assert [one["program"] for one in facts["backends"]["ebpf"]] == ["someone"]


def test_shapers_of_pods_are_no_filters(node):
    node.with_peers("10.200.0.10")
    node.ways["10.200.0.10"] = Route("10.200.0.10", "unicast", "cali5", "", "10.200.0.9")

    assert "ebpf" not in with_programs(node, Program("cali5", "tc ingress", "u32", False))["backends"]
    assert "ebpf" in with_programs(node, Program("cali5", "tc ingress", "someone"))["backends"]


# --- what would block next ---


def then(entry):
    return [(further["verdict"], further.get("rule", {}).get("text")) for further in entry.get("then", ())]


def test_what_stands_behind_the_rule_that_blocks_is_told(node):
    node.filter("-p tcp -m tcp --dport 179 -j DROP", chain="PREROUTING", table="raw")
    node.filter("-s 10.200.0.10/32 -j REJECT --reject-with icmp-host-prohibited", policy="DROP")

    facts = node.with_peers("10.200.0.10").gather()

    (entry,) = facts["tcp179"]["inbound"]
    assert entry["rule"]["table"] == "raw"
    assert then(entry) == [("reject", "-A INPUT -s 10.200.0.10/32 -j REJECT --reject-with icmp-host-prohibited")]
    assert entry["then"][0]["with"] == "icmp-host-prohibited"


def test_of_one_filter_alone_nothing_stands_behind(node):
    node.filter("-p tcp -m tcp --dport 179 -j DROP", policy="DROP")

    (entry,) = node.with_peers("10.200.0.10").gather()["tcp179"]["inbound"]

    assert "then" not in entry


def test_what_may_block_next_is_told_as_unknown(node):
    node.filter("-p tcp -m tcp --dport 179 -j DROP", chain="PREROUTING", table="raw")
    node.filter("-p tcp -m limit --limit 1/sec -j DROP")

    (entry,) = node.with_peers("10.200.0.10").gather()["tcp179"]["inbound"]

    ((verdict, text),) = then(entry)
    assert (verdict, "limit" in text) == ("unknown", True)


def test_outbound_connections_have_something_behind_them_too(node):
    node.filter("-p tcp -m tcp --dport 179 -j DROP", chain="OUTPUT", table="mangle")
    node.filter("-p tcp -m tcp --dport 179 -j DROP", chain="OUTPUT")

    (entry,) = node.with_peers("10.200.0.10", "10.200.0.11").gather()["tcp179"]["outbound"]

    assert then(entry) == [("drop", "-A OUTPUT -p tcp -m tcp --dport 179 -j DROP")]
