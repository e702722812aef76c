# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import counterfactual, model, packet_classes

BGP = "-p tcp -m tcp --dport 179"


def added(line, table="filter", backend=model.LEGACY):
    return counterfactual.addition(backend, "ipv4", table, line)


def compared(world, line, *peers, **fields):
    tried = [world.packet(peer, **fields) for peer in peers or ("10.200.0.10",)]
    return counterfactual.compare(world.bases, added(line), tried, world.sets.get)


def verdicts(outcomes):
    return [one.verdict for one in outcomes]


def test_a_rule_that_opens_the_port_for_one_peer(world):
    world.filter(f"{BGP} -j DROP")
    told = compared(world, f"-I INPUT 1 -s 10.200.0.10/32 {BGP} -j ACCEPT", "10.200.0.10", "10.200.0.11")
    assert (verdicts(told.before), verdicts(told.after)) == (["drop", "drop"], ["accept", "drop"])
    assert (told.changed, told.turned("accept"), told.undecided) == ([0], [0], [])
    assert told.after[0].place.path == (("INPUT", 1),)
    assert told.after[1].place.path == (("INPUT", 2),)  # the old rule has got another number


def test_the_rules_themselves_stay_as_they_are(world):
    world.filter(f"{BGP} -j DROP")
    compared(world, f"-I INPUT {BGP} -j ACCEPT")
    assert world.verdict() == ("drop", "", "INPUT 1")


@pytest.mark.parametrize(
    ("line", "after"),
    [
        (f"-A INPUT {BGP} -j ACCEPT", "drop"),  # too late
        (f"-I INPUT {BGP} -j ACCEPT", "accept"),
        (f"-I INPUT 2 {BGP} -j ACCEPT", "drop"),
        (f"-A user {BGP} -j ACCEPT", "drop"),
        ("-I INPUT 1 -p tcp -j user", "drop"),
        ("-I INPUT 1 -p udp -j ACCEPT", "drop"),
        ("-I INPUT 1 -j REJECT", "reject"),
        ("-I INPUT 1 -m limit --limit 1/sec -j ACCEPT", "unknown"),
    ],
)
def test_places(world, line, after):
    world.filter(f"{BGP} -j DROP", "-j user", chains=("user",))
    assert verdicts(compared(world, line).after) == [after]


def test_what_cannot_be_decided_may_change_too(world):
    world.filter("-m limit --limit 1/sec -j ACCEPT", policy="DROP")
    assert compared(world, "-A INPUT -j DROP").undecided == [0]
    assert compared(world, "-A INPUT -p udp -j DROP").undecided == []
    told = compared(world, "-A INPUT -j ACCEPT")
    assert (verdicts(told.before), verdicts(told.after), told.changed) == (["unknown"], ["accept"], [0])


def test_another_answer_is_a_change_and_another_rule_is_none(world):
    world.filter("-j REJECT")
    assert compared(world, "-I INPUT 1 -p tcp -j REJECT --reject-with tcp-reset").changed == [0]
    assert compared(world, "-I INPUT 1 -p tcp -j REJECT").changed == []


def test_a_table_of_iptables_that_is_not_there_is_made(world):
    told = counterfactual.compare(
        [], added("-A POSTROUTING -j MASQUERADE", "nat"), [world.packet("10.200.0.10", "out")], world.sets.get
    )
    assert (told.before[0].sources, told.after[0].sources, told.after[0].source_is_sure) == ((), ("",), True)
    assert told.changed == [0]


@pytest.mark.parametrize(
    ("line", "table"),
    [
        ("-A nowhere -j DROP", "filter"),
        ("-I INPUT 3 -j DROP", "filter"),
        ("-A PREROUTING -j DROP", "filter"),
        ("-A INPUT -j DROP", "broute"),
    ],
)
def test_a_place_that_is_not_there(world, line, table):
    world.filter("-j ACCEPT")
    with pytest.raises(LookupError):
        counterfactual.with_rule(world.bases, added(line, table))


@pytest.mark.parametrize("line", ["", "-A", "-D INPUT 1", "-I INPUT 0 -j DROP", "INPUT -j DROP", "-P INPUT DROP"])
def test_what_adds_nothing(line):
    with pytest.raises(ValueError, match=r"neither|numbered"):
        added(line)


def test_packets_of_any_family_and_direction_together(world):
    world.filter("-j DROP").filter("-j DROP", family="ipv6")
    tried = [world.packet("fd00::a"), world.packet("10.200.0.10", "out"), world.packet("10.200.0.10")]
    told = counterfactual.compare(world.bases, added("-I INPUT -j ACCEPT"), tried, world.sets.get)
    assert verdicts(told.before) == ["drop", "accept", "drop"]
    assert told.changed == [2]


def test_a_rule_of_nft(world):
    world.native("native_host_firewall")
    table = world.bases[0].table
    chain = next(base.chain.name for base in world.bases if base.hook == "input")
    expression = [
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 179}},
        {"drop": None},
    ]
    addition = counterfactual.Addition(model.NATIVE, "ipv4", table.name, chain, 1, expression)
    tried = [world.packet("10.200.0.10"), world.packet("10.200.0.10", destination_port=22)]
    told = counterfactual.compare(world.bases, addition, tried, world.sets.get)
    assert told.after[0].verdict == "drop"
    assert told.after[0].place.path == ((chain, 1),)
    assert 1 not in told.changed
    with pytest.raises(LookupError):
        counterfactual.with_rule(world.bases, addition._replace(table="inet nowhere"))


# --- representatives ---


RULES = (
    "-s 10.200.0.0/28 -p tcp -m tcp --dport 22:200 -j ACCEPT",
    "-s 10.200.0.11/32 -p udp -j REJECT",
    "-i eth0 -p udp -m udp --dport 4789 -j DROP",
    "-p ipencap -m set --match-set hosts src -j ACCEPT",
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m iprange --src-range 10.200.0.5-10.200.0.20 -j DROP",
    "-d 10.200.0.9/32 -i cali+ -j user",
    "-A user -p tcp -m multiport --ports 5000:6000 -j RETURN",
    "-A user -j DROP",
)
ADDED = (
    "-I INPUT 1 -s 10.200.0.8/30 -p tcp -m tcp --dport 100:300 -j DROP",
    "-I INPUT 3 -p udp -m udp --dport 4000:5000 -j ACCEPT",
    "-I INPUT 4 -p ipencap -j REJECT",
    "-I user 2 -j ACCEPT",
    "-I INPUT 5 -m conntrack --ctstate NEW -j ACCEPT",
    "-I INPUT 2 -m set --match-set hosts src -j DROP",
)


@pytest.fixture
def busy(world):
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ipset

    elements = ("10.200.0.8/31", "10.200.0.64/26", "10.200.0.70 nomatch")
    world.sets = ipset.parse(
        "\n".join(["create hosts hash:net family inet", *(f"add hosts {one}" for one in elements)])
    )
    return world.filter(*RULES, policy="DROP", chains=("user",))


def packets_at_random(world, count):
    import random

    dice = random.Random(20261121)
    for _number in range(count):
        protocol = dice.choice((6, 6, 17, 17, 4, 47))
        with_ports = protocol in {6, 17}
        state = dice.choice(("NEW", "NEW", "ESTABLISHED", "INVALID"))
        yield world.packet(
            f"10.200.0.{dice.randrange(128)}",
            protocol=protocol,
            in_interface=dice.choice(("eth0", "cali12", "wan1")),
            source_port=dice.choice((5500, 40000)) if with_ports else None,
            destination_port=dice.choice((22, 150, 250, 4789, 4500, 5001)) if with_ports else None,
            state=state,
            direction="REPLY" if state == "ESTABLISHED" else "ORIGINAL",
            tcp_flags=dice.choice((2, 2, 0x10)) if protocol == 6 else 0,
        )


def fate(told, at):
    """What becomes of a packet before and after, and by which rule."""
    return tuple((one.verdict, one.place and one.place.path) for one in (told.before[at], told.after[at]))


@pytest.mark.parametrize("line", ADDED)
def test_what_changes_for_any_packet_changes_for_a_representative(busy, line):
    rule = added(line)
    shown = packet_classes.representatives(
        busy.bases, busy.sets.get, busy.packet("10.200.0.10"), counterfactual.rule_of(rule)
    )
    assert shown.complete
    told = counterfactual.compare(busy.bases, rule, shown.packets, busy.sets.get)
    known = {fate(told, at) for at in told.changed}
    tried = list(packets_at_random(busy, 3000))
    seen = counterfactual.compare(busy.bases, rule, tried, busy.sets.get)
    changes = {fate(seen, at) for at in seen.changed}
    assert changes
    assert changes <= known
    assert not told.undecided


def test_representatives_are_within_what_the_rule_is_about(busy):
    rule = added("-I INPUT 1 -s 10.200.0.8/30 -p tcp -m tcp --dport 179 -j ACCEPT")
    shown = packet_classes.representatives(
        busy.bases, busy.sets.get, busy.packet("10.200.0.10"), counterfactual.rule_of(rule)
    )
    assert {(one.protocol, one.destination_port) for one in shown.packets} == {(6, 179)}
    # Of the sources no other rule tells any from another: .11 is one for UDP only, .8 and .9 for IPIP.
    assert {one.source for one in shown.packets} == {model.address_number("10.200.0.10")[1]}
    rule = added("-I INPUT 1 -s 10.200.0.8/30 -p ipencap -j ACCEPT")
    shown = packet_classes.representatives(
        busy.bases, busy.sets.get, busy.packet("10.200.0.10"), counterfactual.rule_of(rule)
    )
    assert {one.source & 1023 for one in shown.packets} == {8, 10}
    assert {one.destination_port for one in shown.packets} == {None}


def test_too_many_classes_are_said_to_be_too_many(busy):
    shown = packet_classes.representatives(busy.bases, busy.sets.get, busy.packet("10.200.0.10"), limit=5)
    assert not shown.complete
    assert 1 < len(shown.packets) <= 5


def test_without_rules_there_is_little_to_tell_apart(world):
    shown = packet_classes.representatives([], world.sets.get, world.packet("10.200.0.10"), fields=("source", "state"))
    assert [one.state for one in shown.packets] == ["NEW"]
    assert shown.complete


def test_outbound_packets_vary_their_outgoing_interface(world):
    world.filter("-o eth1 -j DROP", entry="OUTPUT")
    shown = packet_classes.representatives(world.bases, world.sets.get, world.packet("10.200.0.10", "out"))
    assert {(one.in_interface, one.out_interface) for one in shown.packets} == {
        ("", "eth0"),
        ("", "eth1"),
    }
