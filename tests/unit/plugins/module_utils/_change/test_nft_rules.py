# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of nft that are the same, and what nft lists of them."""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import nft_rules
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

# nft 1.0.6, nft -a list chain inet t in
LISTED = """\
table inet t {
    chain in { # handle 1
        type filter hook input priority filter; policy accept;
        iif "lo" accept # handle 2
        ip saddr { 10.0.0.1,
            10.0.0.2 } tcp dport 179 accept comment "ours" # handle 5
    }
}
""".replace("    ", "\t")


def test_the_words_of_each_rule():
    rules = [
        {"rule": {"family": "inet", "table": "t", "chain": "in", "handle": 2, "expr": [{"accept": None}]}},
        {"rule": {"family": "inet", "table": "t", "chain": "in", "handle": 5, "expr": [], "comment": "ours"}},
        {"rule": {"family": "inet", "table": "t", "chain": "other", "handle": 6, "expr": []}},
    ]
    found = nft_rules.listed(LISTED, json.dumps({"nftables": rules}), "in")
    assert [(one.handle, one.text, one.comment) for one in found] == [
        (2, 'iif "lo" accept', ""),
        (5, 'ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 179 accept comment "ours"', "ours"),
    ]


def test_which_rules_are_alike():
    one = nft_rules.expression("ip saddr 10.0.0.2 tcp dport 179 accept", "inet")
    assert nft_rules.alike(one, nft_rules.expression("tcp dport 179 ip saddr 10.0.0.2 accept", "inet"))
    assert nft_rules.alike(one, nft_rules.expression("ip saddr 10.0.0.2/32 tcp dport bgp accept", "inet"))
    assert not nft_rules.alike(one, nft_rules.expression("ip saddr 10.0.0.2 tcp dport 180 accept", "inet"))
    assert not nft_rules.alike(one, nft_rules.expression("ip saddr 10.0.0.2 tcp dport 179 drop", "inet"))


@pytest.mark.parametrize("rule", ["", "accept; drop", "accept\ndrop"])
def test_what_is_no_rule(rule):
    with pytest.raises(RefusedError):
        nft_rules.expression(rule, "inet")
