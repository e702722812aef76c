# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule would change against what it changes: predicted, then really added, and the same packets sent again."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import (
    counterfactual,
    model,
    packet_classes,
    read,
)
from ansible_collections.netmedic.calico.tests.kernel.firewall import loading, random_rules
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network

PER_RULESET = 40
RULESETS = int(os.environ.get("NETMEDIC_RULESETS", "10"))
SEED = int(os.environ.get("NETMEDIC_SEED", "20261121")) + 9000

pytestmark = pytest.mark.usefixtures("clean_hosts")


def found_in(hosts):
    with network.inside(hosts.host.descriptor):
        return read.read(Sources(), 5.0)


def somewhere(dice, rules):
    """A number for a new rule: the first, where it has most to say, or any."""
    return 1 if dice.chance(0.5) else dice.random.randrange(rules + 1) + 1


def add_with_iptables(hosts, family, backend, rules, dice):
    """Add a rule of filter at some place; return what was added, and the rules as they were."""
    found = found_in(hosts)
    name = {"legacy": model.LEGACY, "nft": model.NFT}[backend]
    (table,) = [one for one in found.tables if (one.name, one.backend, one.family) == ("filter", name, family)]
    with network.inside(hosts.host.descriptor):
        lengths = {chain: len(table.chains[chain].rules()) for chain in ("INPUT", "one", "two")}
    while True:
        chain = dice.pick(("INPUT", "INPUT", "INPUT", "one"))
        position = somewhere(dice, lengths[chain])
        words = rules.filter_rule()
        at_end = position > lengths[chain]
        command = ["-A", chain] if at_end else ["-I", chain, str(position)]
        program = f"{'iptables' if family == 'ipv4' else 'ip6tables'}-{backend}"
        line = " ".join([*command, words])
        if not hosts.host.run("sh", "-c", f"{program} {line.replace('!', chr(92) + '!')}", check=False).returncode:
            return counterfactual.addition(name, family, "filter", line), found


def add_with_nft(hosts, family, rules, dice):
    """The same for a native table: of the rule it is nft that tells how it reads."""
    found = found_in(hosts)
    base = dice.pick([base for base in found.bases if (base.table.name[-7:], base.hook) == ("random0", "input")])
    kind, table = base.table.name.split()
    chain = dice.pick([base.chain.name] * 3 + [name for name in base.table.chains if name == "last"])
    with network.inside(hosts.host.descriptor):
        length = max((rule.number for rule in base.table.chains[chain].rules()), default=0)
    position = somewhere(dice, length)
    where = ["index", str(position - 1)] if position <= length else []
    while True:
        words = [kind, table, chain, *where, *rules.filter_rule().split()]
        if not hosts.host.run("nft", "insert" if where else "add", "rule", *words, check=False).returncode:
            break
    listed = json.loads(hosts.host.run("nft", "-j", "list", "table", kind, table).stdout)["nftables"]
    made = [item["rule"] for item in listed if "rule" in item and item["rule"]["chain"] == chain][position - 1]
    sets = {item[of]["name"]: item[of] for item in listed for of in ("set", "map") if of in item}
    return counterfactual.Addition(model.NATIVE, family, base.table.name, chain, position, made["expr"], sets), found


def observed(hosts, shots):
    hosts.forget_connections()
    return [(answer if isinstance(answer, str) else answer[0]) for answer in hosts.send(shots)]


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft", "native"])
def test_what_is_foretold_comes_true(hosts, family, backend):
    changes, unknown = 0, Counter()
    for seed in range(SEED, SEED + RULESETS):
        loading.clear(hosts)
        dice = random_rules.Dice(seed, family, flows=True)
        shots = dice.shots(hosts.fresh_ports(20000, 60000, PER_RULESET))
        if backend == "native":
            rules = random_rules.Nft(seed, family, flows=True)
            text = loading.load_nft(hosts, family, 2 * seed)
            if not [
                base for base in found_in(hosts).bases if (base.table.name[-7:], base.hook) == ("random0", "input")
            ]:
                continue
            before = observed(hosts, shots)
            added, found = add_with_nft(hosts, family, rules, dice)
        else:
            rules = random_rules.Iptables(seed, family, flows=True)
            text = loading.load_iptables(hosts, family, backend, seed, flows=True)
            before = observed(hosts, shots)
            added, found = add_with_iptables(hosts, family, backend, rules, dice)
        after = observed(hosts, shots)
        tried = [loading.packet_of(shot, "in") for shot in shots]
        with network.inside(hosts.host.descriptor):
            told = counterfactual.compare(found.bases, added, tried, found.find_set)
        wrong = [
            (shot, old.verdict, new.verdict, seen_old, seen_new)
            for shot, old, new, seen_old, seen_new in zip(shots, told.before, told.after, before, after, strict=True)
            if not agree(old, seen_old) or not agree(new, seen_new)
        ]
        assert not wrong, f"seed {seed}: {added}\n{text}\n" + "\n".join(map(str, wrong))
        really = {number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}
        assert really <= {*told.changed, *told.undecided}, f"seed {seed}: {added}\n{text}"
        changes += len(really)
        unknown.update(one.verdict == "unknown" for one in told.after)
    assert changes > RULESETS, changes
    assert unknown[True] <= 0.03 * sum(unknown.values()), unknown


def agree(outcome, seen):
    if outcome.verdict == "unknown":
        return True
    return outcome.verdict == seen or (not outcome.how_is_sure and seen != "accept")


def test_what_a_rule_opens_is_found_among_the_representatives(hosts):
    """The packets that stand for all show each change that any packet sees."""
    loading.clear(hosts)
    hosts.host.run(
        "iptables-nft-restore", text="*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.100.0.8/29 -j DROP\nCOMMIT\n"
    )
    line = "-I INPUT 2 -s 10.100.0.0/24 -p udp -m udp --dport 4789 -j ACCEPT"
    added = counterfactual.addition(model.NFT, "ipv4", "filter", line)
    found = found_in(hosts)
    packet = loading.packet_of(network.Shot("eth0", "10.100.0.1", 40000, network.HOST4, 4789, network.UDP), "in")
    with network.inside(hosts.host.descriptor):
        rules = counterfactual.rule_of(added)
        shown = packet_classes.representatives(found.bases, found.find_set, packet, rules)
        told = counterfactual.compare(found.bases, added, shown.packets, found.find_set)
    assert shown.complete
    opened = [shown.packets[at] for at in told.turned("accept")]
    assert opened
    assert {(one.protocol, one.destination_port) for one in opened} == {(17, 4789)}
    assert {one.source & 0xFFFFFF00 for one in opened} == {model.address_number("10.100.0.0")[1]}
    assert not {one.source for one in opened} & set(range(packet.source + 7, packet.source + 15))
    hosts.host.run("sh", "-c", f"iptables-nft {line}")
    for source, port, seen in (
        ("10.100.0.1", 4789, "accept"),
        ("10.100.0.9", 4789, "drop"),
        ("10.100.0.1", 4790, "drop"),
    ):
        shot = network.Shot("eth0", source, hosts.fresh_ports(20000, 60000, 1)[0], network.HOST4, port, network.UDP)
        assert hosts.send([shot]) == [seen]
