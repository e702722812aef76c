# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rulesets recorded from real programs, and packets to send through them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import (
    evaluate,
    ipset,
    iptables_save,
    model,
    nftables,
    packets,
)

RECORDED = Path(__file__).parent / "recorded"
HOST = {"ipv4": "10.200.0.9", "ipv6": "fd00::9"}


class World:
    """A host with base chains, and what becomes of TCP 179 there. Texts are iptables-save's unless said otherwise."""

    def __init__(self):
        self.bases = []
        self.sets = {}

    def text(self, name):
        return (RECORDED / name).read_text(encoding="utf-8")

    def load(self, text, family="ipv4", backend=""):
        dump = iptables_save.parse(text, backend, family)
        for table in dump.tables:
            self.bases.extend(iptables_save.base_chains(table))
        return self

    def filter(self, *rules, policy="ACCEPT", chains=(), family="ipv4", table="filter", entry="INPUT"):
        """One table with rules of INPUT, or of whatever chain a rule names itself ("-A x …")."""
        lines = [rule if rule.startswith("-A") else f"-A {entry} {rule}" for rule in rules]
        declared = [f":{entry} {policy} [0:0]", *(f":{chain} - [0:0]" for chain in chains)]
        return self.load("\n".join([f"*{table}", *declared, *lines, "COMMIT", ""]), family)

    def recorded(self, name, family="ipv4", sets=""):
        self.sets.update(ipset.parse(self.text(sets)) if sets else {})
        return self.load(self.text(name), family)

    def native(self, name):
        text = self.text(f"{name}.json")
        tables = {}
        for chain in nftables.relevant_chains(self.text(f"{name}_chains.json")):
            key = (chain["family"], chain["table"])
            if key not in tables:
                tables[key] = nftables.table(text, *key)
            self.bases.append(nftables.base_chain(chain, tables[key]))
        return self

    def packet(self, peer, way="in", **fields):
        family, far = model.address_number(peer)
        near = model.address_number(HOST[family])[1]
        packet = model.Packet(family, "eth0", "", far, near, source_port=(32768, 60999))
        if way != "in":
            packet = model.Packet(
                *(family, "", "eth0", near, far),
                source_port=(32768, 60999),
                source_type="LOCAL",
                destination_type="UNICAST",
            )
        return packet._replace(**fields)

    def decide(self, peers, way="in", **fields):
        batch = packets.Batch([self.packet(peer, way, **fields) for peer in peers], self.sets.get)
        hooks = model.INBOUND if way == "in" else model.OUTBOUND
        families = {batch.family, "inet", "netdev"}
        bases = [base for base in self.bases if base.hook in hooks and base.table.family in families]
        return evaluate.evaluate(bases, batch)

    def verdict(self, peer="10.200.0.10", way="in", **fields):
        """The one decision about one packet: verdict, detail, and where ("INPUT 3 > user 1")."""
        (decision,) = self.decide([peer], way, **fields).decisions
        path = " > ".join(f"{chain} {number}" for chain, number in decision.place.path) if decision.place else ""
        return decision.verdict, decision.detail, path


@pytest.fixture
def world():
    return World()


@pytest.fixture
def new_world():
    return World
