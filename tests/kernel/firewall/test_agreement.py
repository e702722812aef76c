# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evaluator against the kernel: rulesets at random, real packets, no disagreement."""

from __future__ import annotations

import os
import sys
from collections import Counter

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import evaluate, model, packets, read
from ansible_collections.netmedic.calico.tests.kernel.firewall import loading, random_rules
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network

PER_RULESET = 40
INWARD = ("in", "reply")
RULESETS = int(os.environ.get("NETMEDIC_RULESETS", "10"))
SEED = int(os.environ.get("NETMEDIC_SEED", "20261121"))
# iptables-nft-save does not show every table that has a name of iptables and rules of nft.
NOT_ITS_OWN = ("iptables_nft",)
# What the kernel sends for each name that the evaluator gives.
SENT = {
    "tcp-reset": "tcp-reset",
    "icmp-port-unreachable": "icmp 3 3",
    "icmp-host-prohibited": "icmp 3 10",
    "icmp-admin-prohibited": "icmp 3 13",
    "icmp-net-unreachable": "icmp 3 0",
    "icmp6-port-unreachable": "icmp6 1 4",
    "icmp6-adm-prohibited": "icmp6 1 1",
    "icmp6-admin-prohibited": "icmp6 1 1",
    "icmp6-addr-unreachable": "icmp6 1 3",
}


def evaluated(hosts, family, shots, way, tolerated=()):
    """The evaluator's result, and its decision about each packet, from what it reads in the host itself."""
    sources = Sources()
    with network.inside(hosts.host.descriptor):
        found = read.read(sources, 5.0)
        batch = packets.Batch([loading.packet_of(shot, way) for shot in shots], found.find_set)
        hooks = model.INBOUND if way in INWARD else model.OUTBOUND
        result = evaluate.evaluate(found.of_family(family, hooks), batch)
    assert not [
        entry for entry in sources.as_list() if entry["status"] == "failed" and entry["source"] not in tolerated
    ]
    whole = 0
    for decision in result.decisions:
        assert not whole & decision.members
        whole |= decision.members
    assert whole == batch.all
    each = [next(one for one in result.decisions if one.members >> number & 1) for number in range(len(shots))]
    return result, each


def agrees(decision, seen, way):
    """Whether what was seen is what was said. An icmpx of nft is of the packet's family."""
    if way not in INWARD or not decision.how_is_sure:
        return (decision.verdict == "accept") == (seen == "accept")
    if decision.verdict != "reject":
        return decision.verdict == seen
    names = [decision.detail, decision.detail.replace("icmpx", "icmp"), decision.detail.replace("icmpx", "icmp6")]
    return seen[0] == "reject" and seen[1] in [SENT.get(name) for name in names]


def disagreements(hosts, family, shots, way, tally, silence, tolerated):
    _result, decisions = evaluated(hosts, family, shots, way, tolerated)
    hosts.forget_connections()
    if way == "reply":
        hosts.open(shots)
    if way == "out":
        answers = hosts.send_back(shots, silence)
    else:
        answers = hosts.send(shots, silence, with_copies=way != "answer")
    tally.update(decision.verdict for decision in decisions)
    return [
        (shot, decision.verdict, decision.detail, decision.place and decision.place.path, seen)
        for shot, decision, seen in zip(shots, decisions, answers, strict=True)
        if decision.verdict != "unknown" and not agrees(decision, seen, way)
    ]


def compare(hosts, family, seed, tally, way="in", tolerated=()):
    """Send packets through the ruleset that the host has now; return what the two disagree about."""
    dice = random_rules.Dice(seed, family, flows=loading.with_flows(seed, way))
    # What the host opens or answers leaves by the link that leads to the peer, whatever address it has.
    shots = dice.shots(hosts.fresh_ports(20000, 60000, PER_RULESET), odd=way == "in")
    if way == "reply":  # what has no answer of its own is answered by what comes from where it went
        shots = [shot._replace(source_port=shot.destination_port) for shot in shots if shot.protocol != network.TCP]
        shots = list({network.key(shot): shot for shot in shots}.values())
    wrong = disagreements(hosts, family, shots, way, tally, network.SETTLED, tolerated)
    if not wrong:
        return []
    # A slow answer is no disagreement: once more, patiently.
    ports = hosts.fresh_ports(20000, 60000, len(wrong))
    again = [one[0]._replace(source_port=port) for one, port in zip(wrong, ports, strict=True)]
    if way == "reply":
        again = [one[0] for one in wrong]
    return disagreements(hosts, family, again, way, Counter(), 0.3, tolerated)


def show(seed, texts, wrong):
    return f"seed {seed}\n" + "\n".join(texts) + "\n" + "\n".join(map(str, wrong))


def mostly_known(tally):
    return tally["unknown"] <= 0.02 * sum(tally.values()) and len(tally) > 1


pytestmark = pytest.mark.usefixtures("clean_hosts")
# Everything that was compared, except where matches that cannot be decided are put in on purpose.
ALL = Counter()


@pytest.fixture
def tally():
    """Counts the evaluator's verdicts."""
    own = Counter()
    yield own
    ALL.update(own)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backends", [("legacy",), ("nft",), ("legacy", "nft")], ids="+".join)
def test_iptables(hosts, family, backends, tally):
    for seed in range(SEED, SEED + RULESETS):
        loading.clear(hosts)
        flows = loading.with_flows(seed, "in")
        texts = [loading.load_iptables(hosts, family, one, seed * 7 + len(one), flows=flows) for one in backends]
        wrong = compare(hosts, family, seed, tally)
        assert not wrong, show(seed, texts, wrong)
    assert mostly_known(tally), tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_matches_that_cannot_be_decided_are_never_guessed(hosts, family):
    tally = Counter()
    for seed in range(SEED + 1000, SEED + 1000 + RULESETS):
        loading.clear(hosts)
        manner = {"undecidable": 0.3, "flows": loading.with_flows(seed, "in")}
        text = loading.load_iptables(hosts, family, "nft" if seed % 3 else "legacy", seed, **manner)
        wrong = compare(hosts, family, seed, tally)
        assert not wrong, show(seed, [text], wrong)
    assert len(tally) > 2, tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("beside", [None, "nft"], ids=["alone", "beside iptables"])
def test_native_nftables(hosts, family, beside, tally):
    for seed in range(SEED + 2000, SEED + 2000 + RULESETS):
        loading.clear(hosts)
        texts = [loading.load_nft(hosts, family, seed, beside=bool(beside))]
        if beside:
            texts.append(loading.load_iptables(hosts, family, beside, seed, flows=loading.with_flows(seed, "in")))
        wrong = compare(hosts, family, seed, tally, tolerated=NOT_ITS_OWN)
        assert not wrong, show(seed, texts, wrong)
    assert mostly_known(tally), tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_rules_that_nft_put_among_those_of_iptables(hosts, family):
    """iptables-nft-save shows them as other rules than they are, or shows no table at all."""
    tally = Counter()
    for seed in range(SEED + 3000, SEED + 3000 + RULESETS):
        loading.clear(hosts)
        flows = loading.with_flows(seed, "in")
        texts = [
            loading.load_iptables(hosts, family, "nft", seed, flows=flows),
            loading.add_with_nft(hosts, family, seed),
        ]
        wrong = compare(hosts, family, seed, tally, tolerated=NOT_ITS_OWN)
        assert not wrong, show(seed, texts, wrong)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft", "native"])
@pytest.mark.parametrize("way", ["out", "answer"])
def test_on_the_way_out(hosts, family, backend, way, tally):
    for seed in range(SEED + 4000, SEED + 4000 + RULESETS):
        loading.clear(hosts)
        if backend == "native":
            text = loading.load_nft(hosts, family, seed, outbound=True)
        else:
            text = loading.load_iptables(
                hosts, family, backend, seed, outbound=True, flows=loading.with_flows(seed, way)
            )
        wrong = compare(hosts, family, seed, tally, way, NOT_ITS_OWN)
        assert not wrong, show(seed, [text], wrong)
    assert len(tally) > 1, tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft", "native"])
def test_what_answers_an_earlier_packet(hosts, family, backend, tally):
    """UDP and IPIP know no SYN: what comes back from where something was sent is an established connection's."""
    for seed in range(SEED + 5000, SEED + 5000 + RULESETS // 2):
        loading.clear(hosts)
        if backend == "native":
            text = loading.load_nft(hosts, family, 2 * seed)
        else:
            text = loading.load_iptables(hosts, family, backend, seed, flows=True)
        wrong = compare(hosts, family, seed, tally, "reply", NOT_ITS_OWN)
        assert not wrong, show(seed, [text], wrong)
    assert len(tally) > 1, tally


# --- rewritten sources ---


def expected_sources(decision, rewrites, number, shot, family):
    """Return the sources with which a shot may reach the peer; None stands for not at all."""
    if decision.verdict in {"drop", "reject"}:
        return {None}
    allowed = {None} if decision.verdict == "unknown" else set()
    own = [rewrite for rewrite in rewrites if rewrite.maybe >> number & 1]
    for rewrite in own:
        allowed |= new_sources(rewrite.place.rule.argument, shot, family)
    is_sure = any(rewrite.sure >> number & 1 for rewrite in own)
    return allowed if is_sure else allowed | {shot.destination}


def is_undecided(rewrites, number):
    own = [rewrite for rewrite in rewrites if rewrite.maybe >> number & 1]
    return bool(own) and not any(rewrite.sure >> number & 1 for rewrite in own)


def new_sources(argument, shot, family):
    if not argument:
        return {random_rules.HOSTS[family][shot.link]}
    first, _dash, last = argument.partition("-")
    low, high = (int(word[-1]) for word in (first, last or first))
    return {f"{first[:-1]}{number}" for number in range(low, high + 1)}


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft", "native", "native+nft"])
def test_sources_are_rewritten_as_is_said(hosts, family, backend, tally):
    rewritten = undecided = 0
    for seed in range(SEED + 6000, SEED + 6000 + RULESETS):
        loading.clear(hosts)
        hosts.forget_connections()
        texts = []
        if "native" in backend:
            texts.append(
                loading.load_nft(hosts, family, seed, text=random_rules.Nft(seed, family, True, True).sources())
            )
        if backend != "native":
            manner = {"outbound": True, "flows": True, "snat": True}
            texts.append(loading.load_iptables(hosts, family, backend.rpartition("+")[2], seed, **manner))
        shots = random_rules.Dice(seed, family, flows=True).shots(hosts.fresh_ports(20000, 60000, PER_RULESET), False)
        # IPIP has no ports: from one new source there is one connection to a peer, and a second one finds no place.
        shots = list({(shot.source, shot.protocol != 4 and shot.source_port): shot for shot in shots}.values())
        result, decisions = evaluated(hosts, family, shots, "out")
        tally.update(decision.verdict for decision in decisions)
        expected = [
            expected_sources(decision, result.rewrites, number, shot, family)
            for number, (decision, shot) in enumerate(zip(decisions, shots, strict=True))
        ]
        undecided += sum(is_undecided(result.rewrites, number) for number in range(len(shots)))
        seen = hosts.sources_of(shots)
        wrong = [one for one in zip(shots, expected, seen, strict=True) if one[2] not in one[1]]
        assert not wrong, show(seed, texts, wrong)
        rewritten += sum(source not in {None, shot.destination} for source, shot in zip(seen, shots, strict=True))
    assert rewritten > RULESETS
    assert undecided <= 0.02 * RULESETS * PER_RULESET


# --- last, because it counts what the others did ---


def test_enough_was_compared_and_little_was_unknown(capsys):
    total = sum(ALL.values())
    if total < 2000:
        pytest.skip(f"only {total} pairs were compared: not all tests were run")
    share = ALL["unknown"] / max(total, 1)
    with capsys.disabled():
        sys.stdout.write(f"\n{total} pairs of ruleset and packet: {dict(ALL)}, {share:.2%} unknown\n")
    assert share < 0.02, ALL
