# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evaluator against the kernel: rulesets at random, real SYNs, no disagreement."""

from __future__ import annotations

import os
import re
from collections import Counter

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import evaluate, model, packets, read
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network
from ansible_collections.netmedic.calico.tests.kernel.firewall import random_rules

PER_RULESET = 32
RULESETS = int(os.environ.get("NETMEDIC_RULESETS", "10"))
SEED = int(os.environ.get("NETMEDIC_SEED", "20261121"))
LEGACY = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
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


@pytest.fixture(scope="module")
def hosts():
    lacking = network.missing()
    if lacking:
        pytest.skip(lacking)
    pair = network.Pair()
    for name, line in random_rules.create_sets().items():
        if pair.host.run("ipset", *line.split(), check=False).returncode:
            random_rules.forget_set(name)  # a type of set that this kernel has not
    yield pair
    pair.close()


@pytest.fixture(autouse=True)
def _clean(hosts):
    yield
    clear(hosts)


def clear(hosts):
    """Leave no rule of any kind in the host."""
    hosts.host.run("nft", "flush", "ruleset")
    for program, listing in (("iptables", "ip_tables_names"), ("ip6tables", "ip6_tables_names")):
        with network.inside(hosts.host.descriptor), open(f"/proc/net/{listing}") as stream:
            tables = stream.read().split()
        policies = {table: "".join(f":{chain} ACCEPT [0:0]\n" for chain in LEGACY[table]) for table in tables}
        if policies:
            text = "".join(f"*{table}\n{chains}COMMIT\n" for table, chains in policies.items())
            hosts.host.run(f"{program}-legacy-restore", text=text)


def packet_of(syn, way):
    """What the evaluator is told about a SYN on its way in, out, or about the host's answer to one."""
    family, far = model.address_number(syn.source)
    near = model.address_number(syn.destination)[1]
    # The host answers, and opens connections, by the link that leads to the other side.
    here = "LOCAL" if random_rules.HOSTS[family][syn.link] == syn.destination else "UNICAST"
    inbound = model.Packet(
        *(family, syn.link, "", far, near),
        source_port=syn.source_port,
        destination_port=syn.destination_port,
        source_type_here="UNICAST",
        destination_type_here=here,
    )
    if way == "in":
        return inbound
    outbound = inbound._replace(
        in_interface="",
        out_interface=syn.link,
        source=near,
        destination=far,
        source_type="LOCAL",
        source_type_here=here,
        destination_type="UNICAST",
        destination_type_here="UNICAST",
    )
    if way == "out":
        return outbound
    return outbound._replace(
        source_port=syn.destination_port,
        destination_port=syn.source_port,
        state="ESTABLISHED",
        direction="REPLY",
        tcp_flags=0x12,
    )


def verdicts(hosts, family, syns, way, tolerated=()):
    """The evaluator's decision about each SYN, from what it reads in the host itself."""
    sources = Sources()
    with network.inside(hosts.host.descriptor):
        found = read.read(sources, 5.0)
        batch = packets.Batch([packet_of(syn, way) for syn in syns], found.find_set)
        hooks = model.INBOUND if way == "in" else model.OUTBOUND
        result = evaluate.evaluate(found.of_family(family, hooks), batch)
    assert not [
        entry for entry in sources.as_list() if entry["status"] == "failed" and entry["source"] not in tolerated
    ]
    whole = 0
    for decision in result.decisions:
        assert not whole & decision.members
        whole |= decision.members
    assert whole == batch.all
    return [next(one for one in result.decisions if one.members >> number & 1) for number in range(len(syns))]


def agrees(decision, seen, way):
    """Whether what was seen is what was said. An icmpx of nft is of the packet's family."""
    if way != "in" or not decision.how_is_sure:
        return (decision.verdict == "accept") == (seen == "accept")
    if decision.verdict != "reject":
        return decision.verdict == seen
    names = [decision.detail, decision.detail.replace("icmpx", "icmp"), decision.detail.replace("icmpx", "icmp6")]
    return seen[0] == "reject" and seen[1] in [SENT.get(name) for name in names]


def disagreements(hosts, family, syns, way, tally, silence, tolerated):
    decisions = verdicts(hosts, family, syns, way, tolerated)
    answers = (hosts.send_back if way == "out" else hosts.send)(syns, silence)
    tally.update(decision.verdict for decision in decisions)
    return [
        (syn, decision.verdict, decision.detail, decision.place and decision.place.path, seen)
        for syn, decision, seen in zip(syns, decisions, answers, strict=True)
        if decision.verdict != "unknown" and not agrees(decision, seen, way)
    ]


def compare(hosts, family, seed, tally, way="in", tolerated=()):
    """Send SYNs through the ruleset that the host has now; return what the two disagree about."""
    dice = random_rules.Dice(seed, family)
    # What the host opens or answers leaves by the link that leads to the peer, whatever address it has.
    ports = dice.ports()
    syns = [dice.syn(port, ports) for port in hosts.fresh_ports(20000, 60000, PER_RULESET)]
    wrong = disagreements(hosts, family, syns, way, tally, network.SETTLED, tolerated)
    if not wrong:
        return []
    # A slow answer is no disagreement: once more, patiently.
    ports = hosts.fresh_ports(20000, 60000, len(wrong))
    again = [one[0]._replace(source_port=port) for one, port in zip(wrong, ports, strict=True)]
    return disagreements(hosts, family, again, way, Counter(), 0.3, tolerated)


def load_iptables(hosts, family, backend, seed, **manner):
    rules = random_rules.Iptables(seed, family, **manner)
    hosts.host.run("ipset", "restore", text=rules.sets())
    program = "iptables" if family == "ipv4" else "ip6tables"
    text = rules.ruleset()
    hosts.host.run(f"{program}-{backend}-restore", text=text)
    return text


def load_nft(hosts, family, seed, outbound=False):
    """Load a ruleset without those rules that nft finds contradictory or does not know in a table of this family."""
    lines = random_rules.Nft(seed, family, outbound).ruleset().split("\n")
    while True:
        done = hosts.host.run("nft", "-f", "-", text="\n".join(lines), check=False)
        if done.returncode == 0:
            return "\n".join(lines)
        wrong = int(re.search(r":(\d+):\d+-\d+: Error", done.stderr).group(1)) - 1
        assert lines[wrong].startswith("  "), done.stderr
        del lines[wrong]


def add_with_nft(hosts, family, seed):
    """Put rules into the chains of iptables-nft with nft."""
    rules = random_rules.Nft(seed, family)
    added = []
    while len(added) < 4:
        words = [rules.ip, "filter", rules.random.choice(("INPUT", "INPUT", "one")), *rules.rule().split()]
        command = rules.random.choice(("add", "insert"))
        if "@" not in " ".join(words) and not hosts.host.run("nft", command, "rule", *words, check=False).returncode:
            added.append(f"{command} {' '.join(words)}")
    return "\n".join(added)


def show(seed, texts, wrong):
    return f"seed {seed}\n" + "\n".join(texts) + "\n" + "\n".join(map(str, wrong))


def mostly_known(tally, share=0.02):
    return tally["unknown"] <= share * sum(tally.values()) and len(tally) > 1


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backends", [("legacy",), ("nft",), ("legacy", "nft")], ids="+".join)
def test_iptables(hosts, family, backends):
    tally = Counter()
    for seed in range(SEED, SEED + RULESETS):
        clear(hosts)
        texts = [load_iptables(hosts, family, backend, seed * 7 + len(backend)) for backend in backends]
        wrong = compare(hosts, family, seed, tally)
        assert not wrong, show(seed, texts, wrong)
    # The kernel does not say which of two backends' chains at one hook it calls first.
    assert mostly_known(tally, 0.02 if len(backends) == 1 else 0.1), tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_matches_that_cannot_be_decided_are_never_guessed(hosts, family):
    tally = Counter()
    for seed in range(SEED + 1000, SEED + 1000 + RULESETS):
        clear(hosts)
        text = load_iptables(hosts, family, "nft" if seed % 2 else "legacy", seed, undecidable=0.3)
        wrong = compare(hosts, family, seed, tally)
        assert not wrong, show(seed, [text], wrong)
    assert len(tally) > 2, tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("beside", [None, "nft"], ids=["alone", "beside iptables"])
def test_native_nftables(hosts, family, beside):
    tally = Counter()
    for seed in range(SEED + 2000, SEED + 2000 + RULESETS):
        clear(hosts)
        texts = [load_nft(hosts, family, seed)]
        if beside:
            texts.append(load_iptables(hosts, family, beside, seed))
        wrong = compare(hosts, family, seed, tally)
        assert not wrong, show(seed, texts, wrong)
    assert mostly_known(tally), tally


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_rules_that_nft_put_among_those_of_iptables(hosts, family):
    """iptables-nft-save shows them as other rules than they are, or shows no table at all."""
    tally = Counter()
    for seed in range(SEED + 3000, SEED + 3000 + RULESETS):
        clear(hosts)
        texts = [load_iptables(hosts, family, "nft", seed), add_with_nft(hosts, family, seed)]
        wrong = compare(hosts, family, seed, tally, tolerated=("iptables_nft",))
        assert not wrong, show(seed, texts, wrong)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft", "native"])
@pytest.mark.parametrize("way", ["out", "answer"])
def test_on_the_way_out(hosts, family, backend, way):
    tally = Counter()
    for seed in range(SEED + 4000, SEED + 4000 + RULESETS):
        clear(hosts)
        if backend == "native":
            text = load_nft(hosts, family, seed, outbound=True)
        else:
            text = load_iptables(hosts, family, backend, seed, outbound=True)
        wrong = compare(hosts, family, seed, tally, way)
        assert not wrong, show(seed, [text], wrong)
    assert len(tally) > 1, tally
