# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said to stand behind a rule that blocks: the rules are opened one after the other, and packets sent."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import evaluate, model, opening, packets, read
from ansible_collections.netmedic.calico.tests.kernel.firewall import loading, random_rules
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network

RULESETS = int(os.environ.get("NETMEDIC_RULESETS", "20"))
SEED = int(os.environ.get("NETMEDIC_SEED", "20261121")) + 8000

pytestmark = pytest.mark.usefixtures("clean_hosts")


def decided(hosts, family, shot):
    with network.inside(hosts.host.descriptor):
        found = read.read(Sources(), 5.0)
        tried = [loading.packet_of(shot, "in")]
        bases = found.of_family(family, model.INBOUND)
        (decision,) = evaluate.evaluate(bases, packets.Batch(tried, found.find_set)).decisions
        blocked = decision.verdict in {"drop", "reject"} and decision.place is not None
        then = opening.behind(found.bases, decision.place, tried, found.find_set, 179) if blocked else []
    return decision, then


def insert(hosts, family, place):
    """Type what a fix would type."""
    added = opening.allowing(place, family, 179)
    if added.backend == model.NATIVE:
        kind, table = added.table.split()
        hosts.host.run("nft", "insert", "rule", kind, table, added.chain, "tcp", "dport", "179", "accept")
        return
    program = f"{'iptables' if family == 'ipv4' else 'ip6tables'}-{added.backend.rpartition('-')[2]}"
    where = ["-t", added.table, "-I", added.chain, str(added.position)]
    hosts.host.run(program, *where, *added.rule.split())


def sent(hosts, shot):
    hosts.forget_connections()
    (answer,) = hosts.send([shot], silence=0.05)
    return answer if isinstance(answer, str) else answer[0]


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backends", [("legacy",), ("nft",), ("legacy", "nft"), ("native", "nft")], ids="+".join)
def test_rule_after_rule_is_opened(hosts, family, backends):
    opened = deep = 0
    for seed in range(SEED, SEED + RULESETS):
        loading.clear(hosts)
        for one in backends:
            if one == "native":
                loading.load_nft(hosts, family, seed, beside="nft" in backends)
            else:
                loading.load_iptables(hosts, family, one, seed * 7 + len(one))
        dice = random_rules.Dice(seed, family)
        (port,) = hosts.fresh_ports(20000, 60000, 1)
        link = dice.pick(network.LINKS)
        shot = network.Shot(link, dice.source(link), port, random_rules.HOSTS[family][link], 179)
        decision, then = decided(hosts, family, shot)
        place = decision.place
        for number, outcome in enumerate(then):
            insert(hosts, family, place)
            (fresh,) = hosts.fresh_ports(20000, 60000, 1)
            if outcome.verdict != "unknown":
                seen = sent(hosts, shot._replace(source_port=fresh))
                assert seen == outcome.verdict or (not outcome.how_is_sure and seen != "accept"), (
                    seed,
                    number,
                    outcome,
                )
                opened += 1
            place = outcome.place
            deep += number > 0
    assert opened > RULESETS // 4
    assert deep
