# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that arrive under another address. node-1 (10.0.0.9) dials all others."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, summary, told

FAULT = "bgp_source_nat"
EGRESS = "10.0.0.230"
RULE = {
    "backend": "iptables-nft",
    "family": "ipv4",
    "table": "nat",
    "chain": "POSTROUTING",
    "rule": 2,
    "text": f"-A POSTROUTING -o eth0 -j SNAT --to-source {EGRESS}",
    "owner": "docker",
    "path": ["POSTROUTING 2"],
}


def thrown_out(mesh, caller="node-1", called="node-2", since=20):
    mesh.trouble(caller, called, "Active", "Socket: Connection reset by peer", since_seconds_ago=since)
    mesh.trouble(called, caller, "Passive", since_seconds_ago=since)
    mesh.probe(caller, called, "open")


def called_by(mesh, name, address, at="", count=1):
    words = f"BGP: Unexpected connect from unknown address {address} (port 40000)"
    line = {"at": at, "kind": "unexpected_connect", "peer": address, "value": "40000", "text": words, "count": count}
    mesh.bgp(name).setdefault("log", []).append(line)


def rewrite(mesh, name, to=EGRESS, **more):
    peers = pack(address for node, address in mesh.addresses.items() if node != name)
    entry = {"flows": ["tcp179"], "family": "ipv4", "peers": peers, "to": to, "rule": RULE, **more}
    mesh.facts[name]["calico_firewall"].setdefault("source_nat", []).append(entry)


def test_the_rule_of_the_dialler_is_named(mesh):
    thrown_out(mesh)
    rewrite(mesh, "node-1")
    called_by(mesh, "node-2", EGRESS, count=4)
    item = told(mesh)[FAULT]
    assert list(told(mesh)) == [FAULT]
    assert item.subject.nodes == ("node-1",)
    assert (item.subject.where["chain"], item.subject.where["rule"]) == ("POSTROUTING", 2)
    assert item.confidence > 0.95
    assert EGRESS in summary(mesh, None, FAULT)
    assert "iptables-nft -t nat -I POSTROUTING 1 -p tcp -d 10.0.0.10 --dport 179 -j ACCEPT" in commands(
        mesh, None, FAULT
    )


def test_a_rule_that_leaves_the_address_as_it_is_does_nothing(mesh):
    thrown_out(mesh)
    rewrite(mesh, "node-1", to=mesh.addresses["node-1"])
    assert FAULT not in told(mesh)


def test_a_rule_whose_effect_is_not_known_is_no_proof(mesh):
    thrown_out(mesh)
    rewrite(mesh, "node-1", uncertain=True)
    sure, unsure = 0.9, told(mesh)[FAULT].confidence
    assert 0.5 <= unsure < sure


def test_a_stranger_is_told_from_the_listeners_log(mesh):
    thrown_out(mesh)
    thrown_out(mesh, called="node-3")
    for name in ("node-2", "node-3"):
        called_by(mesh, name, "203.0.113.7", count=5)
    item = told(mesh)[FAULT]
    assert item.subject.nodes == ("node-1",)
    assert item.subject.where["address"] == "203.0.113.7"
    assert "on the way" in summary(mesh, None, FAULT)
    assert "NAT" in commands(mesh, None, FAULT)


def test_a_known_nodes_call_is_no_stranger(mesh):
    thrown_out(mesh)
    called_by(mesh, "node-2", mesh.addresses["node-1"], count=5)
    assert FAULT not in told(mesh)


def test_a_call_from_before_the_session_went_down_is_past(mesh):
    thrown_out(mesh, since=20)
    called_by(mesh, "node-2", EGRESS, at="2025-12-31T23:59:00Z", count=9)
    assert FAULT not in told(mesh)


def test_calls_where_all_is_well_are_past(mesh):
    called_by(mesh, "node-2", EGRESS, count=9)
    assert told(mesh) == {}


def test_a_session_that_only_waits_is_not_explained_by_a_stranger(mesh):
    mesh.break_session("node-1", "node-2")
    called_by(mesh, "node-2", EGRESS, count=9)
    assert FAULT not in told(mesh)


def test_a_single_line_alone_is_not_enough(mesh):
    for name in list(mesh.facts):
        mesh.bgp(name)["daemons"] = {}
    called_by(mesh, "node-2", EGRESS)
    assert FAULT not in told(mesh)
    mesh.bgp("node-2")["log"][0]["count"] = 7
    assert told(mesh)[FAULT].subject.nodes == ("node-2",)
    assert EGRESS in summary(mesh, None, FAULT)


@pytest.mark.parametrize("address", ["", "X.X.X.X"])
def test_an_address_that_is_not_told_is_nobodys(mesh, address):
    thrown_out(mesh)
    called_by(mesh, "node-2", address)
    item = told(mesh)[FAULT]
    assert "address" not in item.subject.where
    assert 0.5 <= item.confidence < 0.9


def test_ends_that_speak_know_each_other(mesh):
    mesh.trouble("node-1", "node-2", "Idle", "Received: Bad peer AS")
    mesh.trouble("node-2", "node-1", "Passive", "BGP Error: Bad peer AS")
    rewrite(mesh, "node-1", uncertain=True)
    called_by(mesh, "node-2", EGRESS)
    assert FAULT not in told(mesh)


def test_silence_is_another_matter_where_answers_would_come_back(mesh):
    mesh.break_session("node-1", "node-2")
    mesh.probe("node-1", "node-2", "silent")
    rewrite(mesh, "node-1")
    assert FAULT in told(mesh)
    mesh.facts["node-1"]["calico_node"]["addresses"].append({"address": EGRESS, "prefix": 32, "interface": "eth0"})
    assert FAULT not in told(mesh)
