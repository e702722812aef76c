# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role bgp_firewall by itself: a firewall's fault is healed in its owner's words, and put back exactly."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures

NODE = "node-2"
FAULT = "tcp179_blocked_host_firewall"
RULES = (
    "iptables-nft-save; iptables-legacy-save; ip6tables-nft-save; nft list ruleset; "
    "cat /etc/ufw/user.rules /etc/ufw/before.rules /etc/iptables/rules.v4"
)
MARK = "netmedic.calico bgp_firewall"


@pytest.fixture
def cluster(lab):
    yield lab
    for node in lab.nodes:
        lab.exec(node.name, ["rm", "-rf", cures.RECORDS], check=False)


run = functools.partial(cures.run, role="bgp_firewall")


def rules(lab, node=NODE):
    text = lab.exec(node, ["sh", "-c", RULES + " 2>/dev/null; true"]).stdout
    return cures.lasting(text)


def undo(lab, tmp_path):
    run(
        lab,
        tmp_path,
        task={"netmedic.calico.host_change": {"id": "manual-bgp_firewall", "state": "undone"}},
        hosts=NODE,
    )


@pytest.mark.thorough
@pytest.mark.parametrize("variant", ["iptables-nft", "iptables-legacy", "nft", "ufw", "answers"])
def test_a_blocked_node_is_healed_and_the_fault_put_back(cluster, tmp_path, variant):
    lab = cluster
    lab.make(FAULT, NODE, variant)
    broken = rules(lab)
    foretold = run(lab, tmp_path, "--check")
    assert rules(lab) == broken
    done = run(lab, tmp_path)
    assert cures.changed(done) == 1
    assert cures.diffs(done) == cures.diffs(foretold) != []
    healed = rules(lab)
    assert MARK in healed or MARK.encode().hex() in healed
    assert cures.changed(run(lab, tmp_path)) == 0
    assert rules(lab) == healed
    undo(lab, tmp_path)
    assert rules(lab) == broken


STALE = "-s 10.200.0.250/32 -p tcp -m comment --comment 'netmedic.calico bgp_firewall' -m tcp --dport 179 -j ACCEPT"
LOADED = "/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service"
SAVED = "/etc/iptables/rules.v4"


def test_what_is_loaded_at_boot_is_changed_too_and_rules_for_nobody_go(cluster, tmp_path):
    lab = cluster
    lab.make(FAULT, NODE, "iptables-nft")
    make = (
        f"mkdir -p {LOADED.rpartition('/')[0]} /etc/iptables; touch {LOADED}; iptables-nft -I INPUT {STALE}; "
        f"iptables-nft-save > {SAVED}"
    )
    lab.exec(NODE, ["sh", "-c", make])
    try:
        broken = rules(lab)
        printed = run(lab, tmp_path, bgp_firewall_print=["aws"])
        assert "aws ec2 authorize-security-group-ingress" in printed
        assert cures.changed(printed) == 0
        assert cures.changed(run(lab, tmp_path)) == 1
        healed = rules(lab)
        assert "10.200.0.250" not in healed
        saved = lab.exec(NODE, ["cat", SAVED]).stdout
        assert saved.count(MARK) == healed.count(MARK) // 2 == len(lab.nodes) - 1
        assert cures.changed(run(lab, tmp_path)) == 0
        undo(lab, tmp_path)
        assert rules(lab) == broken
    finally:
        lab.exec(NODE, ["sh", "-c", f"rm -f {LOADED} {SAVED}; iptables-nft -D INPUT {STALE}"], check=False)
