# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real programs' rulesets do with BGP; they are described in recorded/SOURCE."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import owners

ALLOWED, DENIED, OTHER = "10.200.0.10", "10.200.0.20", "10.200.1.5"


@pytest.mark.parametrize(
    "name", ["plain_legacy.txt", "plain_nft.txt", "plain_legacy_without_counters.txt", "plain_nft_without_counters.txt"]
)
def test_a_ruleset_of_ones_own(world, name):
    world.recorded(name)
    assert world.verdict("10.200.0.10") == ("accept", "", "INPUT 4 > site-rules 1")
    assert world.verdict("10.200.0.13") == ("reject", "icmp-host-prohibited", "INPUT 4 > site-rules 2")
    assert world.verdict("10.200.0.20") == ("accept", "", "")
    assert world.verdict(OTHER) == ("drop", "", "INPUT 7")
    assert world.verdict("10.200.0.70", "out") == ("reject", "tcp-reset", "OUTPUT 1")
    assert world.verdict("10.200.0.10", in_interface="eth1") == ("drop", "", "INPUT 7")


@pytest.mark.parametrize("name", ["plain6_legacy.txt", "plain6_nft.txt"])
def test_a_ruleset_of_ones_own_for_ipv6(world, name):
    world.recorded(name, "ipv6")
    assert world.verdict("fd00::a") == ("accept", "", "INPUT 2")
    assert world.verdict("2001:db8::1") == ("reject", "icmp6-adm-prohibited", "INPUT 3")
    assert world.verdict("fd00:1::a") == ("drop", "", "INPUT 0")


def test_ufw(world):
    world.recorded("ufw_nft.txt")
    assert world.verdict(ALLOWED) == ("accept", "", "INPUT 2 > ufw-before-input 13 > ufw-user-input 2")
    assert world.verdict(DENIED) == ("drop", "", "INPUT 2 > ufw-before-input 13 > ufw-user-input 3")
    assert world.verdict(OTHER) == ("drop", "", "INPUT 0")
    assert world.verdict("10.200.0.30", "out") == ("drop", "", "OUTPUT 2 > ufw-before-output 3 > ufw-user-output 1")
    assert world.verdict(OTHER, "out")[0] == "accept"
    # The port that is only let in at a limited rate depends on that rate.
    assert world.verdict(OTHER, destination_port=2222)[0] == "unknown"
    assert world.verdict(OTHER, state="ESTABLISHED", direction="REPLY")[0] == "accept"


def test_ufw_for_ipv6(world):
    world.recorded("ufw_nft6.txt", "ipv6")
    assert world.verdict("fd00::a") == ("accept", "", "INPUT 2 > ufw6-before-input 34 > ufw6-user-input 5")
    assert world.verdict("fd00:1::a") == ("drop", "", "INPUT 0")
    assert world.verdict("fd00:1::a", "out")[0] == "accept"


def test_firewalld_on_nftables(world):
    world.native("firewalld_nft")
    way = "filter_INPUT 5 > filter_INPUT_ZONES 2 > filter_IN_public "
    assert world.verdict(ALLOWED) == ("accept", "", way + "5 > filter_IN_public_allow 3")
    assert world.verdict(DENIED) == ("drop", "", way + "4 > filter_IN_public_deny 1")
    assert world.verdict(OTHER) == ("reject", "icmpx-admin-prohibited", way + "9")
    assert world.verdict("fd00::a")[0] == "reject"
    assert world.verdict("fd00:1::b")[0] == "accept"
    assert world.verdict(OTHER, "out")[0] == "accept"
    assert world.verdict(OTHER, state="ESTABLISHED", direction="REPLY")[0] == "accept"


def test_firewalld_on_iptables(world):
    world.recorded("firewalld_iptables.txt")
    way = "INPUT 5 > INPUT_ZONES 1 > IN_public "
    assert world.verdict(ALLOWED) == ("accept", "", way + "5 > IN_public_allow 2")
    assert world.verdict(DENIED) == ("drop", "", way + "4 > IN_public_deny 1")
    assert world.verdict(OTHER) == ("reject", "icmp-port-unreachable", way + "9")


def test_a_native_chain_of_ones_own(world):
    world.native("native_host_firewall")
    assert world.verdict(ALLOWED) == ("accept", "", "input 5")
    assert world.verdict(OTHER) == ("reject", "tcp-reset", "input 6")
    assert world.verdict("fd00::a") == ("reject", "tcp-reset", "input 6")
    assert world.verdict(OTHER, destination_port=80) == ("drop", "", "input 0")


@pytest.mark.parametrize("name", ["docker.txt", "kube_proxy_nft.txt"])
def test_programs_that_leave_bgp_alone(world, name):
    world.recorded(name)
    for way in ("in", "out"):
        assert world.verdict(ALLOWED, way) == ("accept", "", "")


def test_calico_without_host_endpoint(world):
    world.recorded("calico_nft.txt", sets="calico.ipset")
    for way in ("in", "out"):
        result = world.decide([ALLOWED, OTHER], way)
        assert [(decision.verdict, decision.place) for decision in result.decisions] == [("accept", None)]
        assert result.rewrites == []


def test_calico_with_a_host_endpoint_whose_failsafe_ports_lost_179(world):
    world.recorded("calico_host_endpoint_legacy.txt", sets="calico.ipset")
    way = "INPUT 1 > cali-INPUT 6 > cali-from-host-endpoint 1 > cali-fh-eth0 "
    assert world.verdict("10.200.0.5") == ("accept", "", "INPUT 1 > cali-INPUT 7")
    assert world.verdict("10.200.0.4") == ("drop", "", way + "8")  # nomatch in the policy's set
    assert world.verdict(OTHER) == ("drop", "", way + "8")
    assert world.verdict(OTHER, "out")[0] == "accept"
    assert world.verdict(OTHER, destination_port=22)[0] == "accept"


def test_a_service_with_port_179_takes_packets_for_its_own_address_only(world):
    world.recorded("kube_proxy_nft.txt")
    far = world.packet("10.200.0.77").source
    verdict = world.verdict(ALLOWED, destination=far)
    assert verdict[0] == "unknown"
    assert verdict[1] == "the destination is rewritten (DNAT to 10.244.7.5:1790)"
    assert verdict[2].endswith("KUBE-SVC-BGPSPEAKER00000 1 > KUBE-SEP-TYJMJ4LZXXPKQ2AW 2")


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("ufw_nft.txt", ["ufw"]),
        ("firewalld_iptables.txt", ["firewalld"]),
        ("docker.txt", ["docker"]),
        ("kube_proxy_nft.txt", ["kube-proxy"]),
        ("calico_nft.txt", ["calico"]),
        ("plain_nft.txt", []),
    ],
)
def test_owners_seen(world, name, owner):
    world.recorded(name)
    assert owners.seen((base.table.name, base.table.chains) for base in world.bases) == owner


@pytest.mark.parametrize(
    ("name", "peer", "owner"),
    [
        ("ufw_nft.txt", DENIED, "ufw"),
        ("ufw_nft.txt", OTHER, "ufw"),  # the policy
        ("firewalld_iptables.txt", OTHER, "firewalld"),
        ("calico_host_endpoint_legacy.txt", OTHER, "calico"),
        ("plain_nft.txt", OTHER, "unknown"),
        ("plain_nft.txt", "10.200.0.13", "unknown"),
    ],
)
def test_owner_of_the_deciding_rule(world, name, peer, owner):
    world.recorded(name, sets="calico.ipset")
    place = world.decide([peer]).decisions[0].place
    chains = [chain for chain, _number in place.path]
    text = place.rule.text if place.rule else ""
    assert owners.of_rule(place.base.table.name, place.chain.name, text, chains, place.base.table.chains) == owner
