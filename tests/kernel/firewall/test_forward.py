# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evaluator against the kernel for packets that go through the host, as those of pods do."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import evaluate, model, packets, read
from ansible_collections.netmedic.calico.tests.kernel.firewall import loading, random_rules
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network
from ansible_collections.netmedic.calico.tests.kernel.firewall import test_agreement as agreement

PER_RULESET = 40
RULESETS = int(os.environ.get("NETMEDIC_RULESETS", "10"))
SEED = int(os.environ.get("NETMEDIC_SEED", "20261121")) + 7000


@pytest.fixture
def router(clean_hosts):
    """The host, which takes packets from one link to the other."""
    names = ("net__ipv4__ip_forward", "net__ipv6__conf__all__forwarding")
    clean_hosts.host.set(**dict.fromkeys(names, 1))
    yield clean_hosts
    clean_hosts.host.set(**dict.fromkeys(names, 0))


def shots_of(hosts, family, seed):
    """Packets from behind one link to somebody behind the other."""
    dice = random_rules.Dice(seed, family, flows=seed % 2 == 0)
    shots = []
    for shot in dice.shots(hosts.fresh_ports(20000, 60000, PER_RULESET)):
        behind = network.LINKS[1 - network.LINKS.index(shot.link)]
        shots.append(shot._replace(destination=dice.source(behind)))
    return list({network.key(shot): shot for shot in shots}.values())


def decided(hosts, family, shots):
    with network.inside(hosts.host.descriptor):
        found = read.read(Sources(), 5.0)
        batch = packets.Batch([loading.packet_between(shot) for shot in shots], found.find_set)
        result = evaluate.evaluate(found.of_family(family, model.FORWARDED), batch)
    return [next(one for one in result.decisions if one.members >> number & 1) for number in range(len(shots))]


def disagreements(hosts, family, shots, tally, silence=network.SETTLED, way="in"):
    decisions = decided(hosts, family, shots)
    hosts.forget_connections()
    seen = hosts.forward(shots, silence)
    tally.update(decision.verdict for decision in decisions)
    return [
        (shot, decision.verdict, decision.detail, decision.place and decision.place.path, answer)
        for shot, decision, answer in zip(shots, decisions, seen, strict=True)
        if decision.verdict != "unknown" and not agreement.agrees(decision, answer, way)
    ]


def compare(hosts, family, seed, text, tally):
    # What says that a packet is rejected leaves by postrouting, too, and may be stopped there.
    way = "out" if "hook postrouting" in text else "in"
    wrong = disagreements(hosts, family, shots_of(hosts, family, seed), tally, way=way)
    # A slow answer is no disagreement: once more, patiently.
    return disagreements(hosts, family, [one[0] for one in wrong], Counter(), 0.3, way) if wrong else []


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft", "native"])
def test_what_goes_through(router, family, backend):
    tally = Counter()
    for seed in range(SEED, SEED + RULESETS):
        loading.clear(router)
        if backend == "native":
            rules = random_rules.Nft(seed, family, flows=seed % 2 == 0, between=True)
            text = loading.load_nft(router, family, seed, text=rules.ruleset())
        else:
            rules = random_rules.IptablesBetween(seed, family, flows=seed % 2 == 0)
            router.host.run("ipset", "restore", text=rules.sets())
            text = rules.ruleset()
            router.host.run(f"{'iptables' if family == 'ipv4' else 'ip6tables'}-{backend}-restore", text=text)
        wrong = compare(router, family, seed, text, tally)
        assert not wrong, agreement.show(seed, [text], wrong)
    assert len(tally) > 1, tally
    assert agreement.mostly_known(tally), tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_without_rules_everything_goes_through(router, family):
    shots = shots_of(router, family, SEED)

    assert set(router.forward(shots)) == {"accept"}
    assert {decision.verdict for decision in decided(router, family, shots)} == {"accept"}
