# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank, weigh
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue import reachability
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID

DIALLERS = ("node-1", "node-3", "node-4")
BLOCKED, LATENT = "tcp179_blocked_host_firewall", "tcp179_latent_one_way_block"
NETWORK = "tcp179_blocked_network"


def silence_at_node_2(mesh):
    for dialler in DIALLERS:
        mesh.break_session(dialler, "node-2")
        mesh.probe(dialler, "node-2", "silent")
        mesh.reach(dialler, "node-2")


def found(mesh):
    return [(item.fault.id, item.subject.nodes, item.role) for item in rank(mesh.evidence())]


def summary_of(mesh, item):
    return item.fault.summary(mesh.evidence(), item.subject)


def test_a_rule_that_drops_the_listeners_answers_is_named(mesh):
    silence_at_node_2(mesh)
    mesh.block("node-2", list(DIALLERS), direction="sent", text="-A OUTPUT -p tcp -m tcp --sport 179 -j DROP")
    (item,) = rank(mesh.evidence())
    assert (item.fault.id, item.subject.nodes) == (BLOCKED, ("node-2",))
    assert item.subject.where["chain"] == "OUTPUT"
    assert "what node-2 answers to the TCP 179 connections of" in summary_of(mesh, item)
    (line,) = item.fault.fix.commands(mesh.evidence(), item.subject)
    assert "-I INPUT 1" in line  # the chain by which the packet came to the rule
    assert "-d 10.0.0.9,10.0.0.11,10.0.0.12 --sport 179 -m conntrack --ctstate ESTABLISHED -j ACCEPT" in line


def test_a_rule_that_drops_the_answers_a_dialler_gets_is_named(mesh):
    mesh.break_session("node-3", "node-2")
    mesh.probe("node-3", "node-2", "silent")
    mesh.block("node-3", ["node-2"], verdict="reject", direction="received")
    assert found(mesh) == [(BLOCKED, ("node-3",), "cause")]


def test_what_would_block_next_is_opened_too(mesh):
    silence_at_node_2(mesh)
    mesh.block("node-2", list(DIALLERS), table="raw", chain="PREROUTING", path=["PREROUTING 1"])
    tcp179 = mesh.facts["node-2"]["calico_firewall"]["tcp179"]
    rule = tcp179["inbound"][0]["rule"]
    own = {"backend": "nftables", "table": "inet own", "chain": "in", "path": ["in 3"]}
    tcp179["inbound"][0]["then"] = [
        {"verdict": "reject", "rule": dict(rule, **own)},
        {"verdict": "unknown", "rule": dict(rule, table="mangle")},
    ]
    (item,) = rank(mesh.evidence())
    first, second = item.fault.fix.commands(mesh.evidence(), item.subject)
    assert "iptables-nft -t raw -I PREROUTING 1 -p tcp -s 10.0.0.9,10.0.0.11,10.0.0.12 --dport 179 -j ACCEPT" in first
    assert "insert rule inet own in ip saddr { 10.0.0.9, 10.0.0.11, 10.0.0.12 } tcp dport 179 accept" in second


def test_the_port_on_which_a_node_listens_is_opened(mesh):
    silence_at_node_2(mesh)
    mesh.block("node-2", list(DIALLERS))
    mesh.facts["node-2"]["calico_firewall"]["tcp179"]["listen_ports"] = {"ipv4": 1790}
    (item,) = rank(mesh.evidence())
    (line,) = item.fault.fix.commands(mesh.evidence(), item.subject)
    assert "--dport 1790 -j ACCEPT" in line


def test_a_native_table_gets_a_native_line_for_answers(mesh):
    silence_at_node_2(mesh)
    mesh.block("node-2", list(DIALLERS), direction="sent", backend="nftables", table="ip t", path=["o 1"])
    (item,) = rank(mesh.evidence())
    (line,) = item.fault.fix.commands(mesh.evidence(), item.subject)
    assert "insert rule ip t o ip daddr { 10.0.0.9, 10.0.0.11, 10.0.0.12 } tcp sport 179 ct state established" in line


def test_a_rule_that_could_not_be_evaluated_is_named_and_the_network_is_not_blamed(mesh):
    silence_at_node_2(mesh)
    mesh.block("node-2", list(DIALLERS), verdict="unknown", text="-A INPUT -m limit --limit 1/hour -j ACCEPT")
    (item,) = rank(mesh.evidence())
    assert (item.fault.id, item.subject.nodes) == (BLOCKED, ("node-2",))
    assert 0.5 <= item.confidence < 0.8
    told = summary_of(mesh, item)
    assert "may stop TCP 179" in told
    assert "could not be decided (it depends on: limit 1/hour)" in told
    (rival,) = item.alternatives
    assert (rival.fault.id, rival.confidence < 0.5) == (NETWORK, True)
    assert item.fault.missing(mesh.evidence(), item.subject)


def test_an_undecided_rule_that_lets_others_through_is_no_finding_of_its_own_but_told(mesh):
    mesh.break_session("node-3", "node-2")
    mesh.probe("node-3", "node-2", "silent")
    mesh.block("node-2", list(DIALLERS), verdict="unknown")
    (item,) = rank(mesh.evidence())
    assert item.fault.id == "undetermined"
    assert {rival.fault.id for rival in item.alternatives} == {BLOCKED, NETWORK}
    assert any("iptables-nft filter INPUT rule 1" in seen.detail for _signal, told in item.speaks_for for seen in told)


def test_an_undecided_rule_says_nothing_where_the_syn_is_answered(mesh):
    mesh.break_session("node-3", "node-2")
    mesh.probe("node-3", "node-2", "open")
    mesh.block("node-2", list(DIALLERS), verdict="unknown")
    assert [fault for fault, _nodes, _role in found(mesh)] == ["undetermined"]


def test_the_network_is_not_said_to_be_proven_where_a_firewall_could_not_be_read(mesh):
    silence_at_node_2(mesh)
    del mesh.facts["node-2"]["calico_firewall"]
    (item,) = rank(mesh.evidence())
    assert item.fault.id == "undetermined"
    (subject,) = reachability.silent_paths(mesh.evidence())
    told = reachability.TCP179_BLOCKED_NETWORK.summary(mesh.evidence(), subject)
    assert "both ends accept" not in told
    assert "not proven" in told


def test_a_rewritten_source_speaks_against_both_ends_accepting(mesh):
    silence_at_node_2(mesh)
    clear = rank(mesh.evidence())[0].confidence
    for name in DIALLERS:
        mesh.facts[name]["calico_firewall"]["source_nat"] = [
            {
                "flows": ["tcp179", "udp4789"],
                "family": "ipv4",
                "count": 1,
                "peers": {"10.0.0": "10"},
                "to": "10.0.0.99",
                "rule": {"backend": "iptables-nft", "table": "nat", "chain": "POSTROUTING", "rule": 2},
            }
        ]
    assert rank(mesh.evidence())[0].fault.id == "bgp_source_nat"
    (network,) = weigh(BY_ID["tcp179_blocked_network"], mesh.evidence())
    assert network.confidence < clear
    against = [seen.detail for _signal, told in network.speaks_against for seen in told]
    assert any("nat POSTROUTING rule 2 makes the source 10.0.0.99" in detail for detail in against)


@pytest.mark.parametrize("direction", ["inbound", "sent"])
def test_a_rule_in_the_dialled_direction_is_no_latent_block_though_the_sessions_are_up(mesh, direction):
    mesh.block("node-2", list(DIALLERS), direction=direction)
    (item,) = rank(mesh.evidence())
    assert (item.fault.id, item.subject.nodes, item.role) == (BLOCKED, ("node-2",), "cause")
    assert item.severity == "major"
    told = summary_of(mesh, item)
    assert "node-1, node-3 and node-4" in told
    assert "still up; once they end they stay down" in told


def test_what_a_dialler_can_no_longer_open_is_told_though_the_sessions_are_up(mesh):
    mesh.block("node-1", ["node-2", "node-3", "node-4"], direction="outbound")
    assert found(mesh) == [(BLOCKED, ("node-1",), "cause")]


def test_of_one_rule_the_dialled_and_the_undialled_direction_are_told_apart(mesh):
    mesh.block("node-3", ["node-1", "node-2", "node-4"])  # node-1 and node-4 dial node-3, which dials node-2
    by_fault = {item.fault.id: item for item in rank(mesh.evidence())}
    assert by_fault[BLOCKED].subject.about.peers == {"10.0.0.9", "10.0.0.12"}
    assert by_fault[LATENT].subject.about.peers == {"10.0.0.10"}
    assert by_fault[LATENT].role == "consequence"


def test_sessions_down_and_still_up_by_one_rule_are_told_in_one_finding(mesh):
    mesh.block("node-2", list(DIALLERS))
    mesh.break_session("node-3", "node-2")
    mesh.probe("node-3", "node-2", "silent")
    (item,) = rank(mesh.evidence())
    told = summary_of(mesh, item)
    assert "drops TCP 179 from node-3 " in told
    assert "The sessions with node-1 and node-4 are still up; once they end they stay down." in told
    assert item.subject.about.peers == {"10.0.0.9", "10.0.0.11", "10.0.0.12"}


def test_a_session_that_both_ends_may_dial_is_not_said_to_be_lost(mesh):
    mesh.block("node-2", ["node-3"])
    daemon = mesh.daemon("node-2")
    daemon["peers"]["packed"] = {"Mesh": {"10.0.0": "9,12"}, "Global": {"10.0.0": "11"}}
    assert found(mesh) == [(LATENT, ("node-2",), "latent")]
