# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import owners


@pytest.mark.parametrize(
    ("chain", "owner"),
    [
        ("ufw-user-input", "ufw"),
        ("ufw6-before-output", "ufw"),
        ("KUBE-FIREWALL", "kube-proxy"),
        ("cali-fh-eth0", "calico"),
        ("DOCKER-USER", "docker"),
        ("IN_public_allow", "firewalld"),
        ("INPUT_ZONES", "firewalld"),
        ("FLANNEL-FWD", "flannel"),
        ("LIBVIRT_INP", "libvirt"),
        ("f2b-sshd", "fail2ban"),
        ("CILIUM_INPUT", "cilium"),
        ("CNI-HOSTPORT-DNAT", "cni"),
        ("INPUT", "unknown"),
        ("INTERNAL", "unknown"),
        ("site-rules", "unknown"),
    ],
)
def test_chains(chain, owner):
    assert owners.of_chain(chain) == owner


@pytest.mark.parametrize(
    ("table", "owner"),
    [
        ("inet firewalld", "firewalld"),
        ("ip kube-proxy", "kube-proxy"),
        ("ip6 calico", "calico"),
        ("inet f2b-table", "fail2ban"),
        ("inet filter", "unknown"),
        ("filter", "unknown"),
        ("calico", "unknown"),
    ],
)
def test_tables(table, owner):
    assert owners.of_table(table) == owner


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ('-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT', "calico"),
        ('-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS', "kube-proxy"),
        ('-A INPUT -m comment --comment "flanneld forward" -j ACCEPT', "flannel"),
        ("-A INPUT -m comment --comment cilium-feeder -j CILIUM_INPUT", "cilium"),
        ('-A INPUT -m comment --comment "no calico here, cali:x" -j DROP', "unknown"),
        ('ip saddr 10.0.0.1 drop comment "cali:x; note"', "calico"),
        ("-A INPUT -p tcp -j DROP", "unknown"),
    ],
)
def test_rules_of_the_kernels_own_chains_are_known_by_their_comment(text, owner):
    assert owners.of_rule("filter", "INPUT", text, ["INPUT"], ["INPUT"]) == owner


def test_a_policy_belongs_to_whoever_keeps_chains_beside_it():
    assert owners.of_rule("filter", "INPUT", "", ["INPUT"], ["INPUT", "ufw-user-input"]) == "ufw"
    assert owners.of_rule("filter", "INPUT", "", ["INPUT"], ["INPUT", "INPUT_ZONES"]) == "firewalld"
    assert owners.of_rule("filter", "INPUT", "", ["INPUT"], ["INPUT", "DOCKER"]) == "unknown"


def test_a_rule_beside_ufws_is_not_ufws():
    assert (
        owners.of_rule("filter", "INPUT", "-A INPUT -p tcp -j DROP", ["INPUT"], ["INPUT", "ufw-user-input"])
        == "unknown"
    )


def test_firewalld_closes_the_kernels_chain_itself():
    closing = "-A INPUT -j REJECT --reject-with icmp-host-prohibited"
    assert owners.of_rule("filter", "INPUT", closing, ["INPUT"], ["INPUT", "INPUT_ZONES"]) == "firewalld"
    assert owners.of_rule("filter", "INPUT", closing, ["INPUT"], ["INPUT"]) == "unknown"


def test_a_chain_without_an_owners_name_belongs_to_who_calls_it():
    assert owners.of_rule("filter", "mine", "-A mine -j DROP", ["INPUT", "ufw-user-input", "mine"], []) == "ufw"
    assert owners.of_rule("filter", "mine", "-A mine -j DROP", ["INPUT", "mine"], []) == "unknown"
