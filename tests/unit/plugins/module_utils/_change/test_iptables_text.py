# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of iptables that are the same however they are written."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import iptables_text
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

SAVED = '-A INPUT -s 10.0.0.2/32 -p tcp -m comment --comment "it\'s ours" -m tcp --dport 179 -j ACCEPT'


@pytest.mark.parametrize(
    ("rule", "comment", "same"),
    [
        ("-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT", "it's ours", True),
        ("-p tcp -s 10.0.0.2/32 -m tcp --dport 179 -j ACCEPT", "it's ours", True),
        ("-p 6 -s 10.0.0.2 -m tcp --dport 179 -j ACCEPT", "it's ours", True),
        ("-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT", "theirs", False),
        ("-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT", "", False),
        ("-s 10.0.0.3 -p tcp --dport 179 -j ACCEPT", "it's ours", False),
        ("-s 10.0.0.2 -p tcp --dport 179 -j DROP", "it's ours", False),
        ("-s 10.0.0.2 -p tcp --dport 179", "it's ours", False),
        ("-s 10.0.0.2 -p tcp ! --dport 179 -j ACCEPT", "it's ours", False),
    ],
)
def test_which_rules_are_alike(rule, comment, same):
    line = iptables_text.line_of("INPUT", iptables_text.words_of(rule, comment))
    assert iptables_text.alike(SAVED, line, "ipv4") is same
    assert not iptables_text.alike(SAVED, line.replace("INPUT", "OUTPUT"), "ipv4")


def test_targets_with_options_are_told_apart():
    assert not iptables_text.alike("-A INPUT -j LOG --log-prefix a", "-A INPUT -j LOG --log-prefix b", "ipv4")
    assert iptables_text.alike("-A I -j REJECT", "-A I -j REJECT --reject-with icmp-port-unreachable", "ipv4")


@pytest.mark.parametrize(
    "rule", ["", "-A INPUT -j ACCEPT", "-t nat -j ACCEPT", "-p tcp 'x", "-p tcp\n-j ACCEPT", "-w 5"]
)
def test_what_is_no_rule_alone(rule):
    with pytest.raises(RefusedError):
        iptables_text.words_of(rule, "")


def test_the_rules_of_a_chain():
    text = "*filter\n:INPUT DROP [0:0]\n:OTHER - [0:0]\n-A OTHER -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n"
    assert iptables_text.rules_in(text, "INPUT") == ["-A INPUT -j ACCEPT"]
    assert iptables_text.rules_in(text, "INPU") is None
    assert iptables_text.split('-A INPUT "') == []
