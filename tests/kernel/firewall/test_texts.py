# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random rulesets, loaded into the kernel: what the programs print as text says what they say to other programs."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import (
    firewall_iptables,
    firewall_listing,
    firewall_nft,
)
from ansible_collections.netmedic.calico.tests.kernel.firewall import loading

RULESETS = int(os.environ.get("NETMEDIC_RULESETS", "10"))
SEED = int(os.environ.get("NETMEDIC_SEED", "20261121"))
TABLES = ("raw", "mangle", "nat", "filter", "security")


@pytest.fixture(autouse=True)
def _clean(hosts):
    yield
    loading.clear(hosts)


def understood(filters):
    """Every chain that is in use, with what its rules are understood as; the words of undecidable matches differ."""
    found = {}
    for table in filters.tables:
        for chain in table.chains.values():
            rules = [
                (
                    [match for match in rule.matches if match.kind != "undecidable"],
                    any(match.kind == "undecidable" for match in rule.matches),
                    list(rule.effects),
                    rule.verdict,
                    rule.argument,
                )
                for rule in chain.rules()
            ]
            if rules or chain.policy == model.DROP:
                found[(table.family, table.name, chain.name)] = (chain.policy, rules)
    return found


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_nft_says_the_same_as_text_and_as_json(hosts, family):
    rules = 0
    for seed in range(SEED, SEED + RULESETS):
        loading.clear(hosts)
        # (Not with a dormant table, of which the JSON of nft 1.0.6 does not tell.)
        loaded = loading.load_nft(hosts, family, seed, outbound=bool(seed % 2), beside=True)
        text = firewall_nft.parse(hosts.host.run("nft", "list", "ruleset").stdout)
        json = firewall_nft.parse(hosts.host.run("nft", "-j", "list", "ruleset").stdout)
        assert (text.problems, json.problems) == ((), ()), loaded
        assert understood(text.value) == understood(json.value), loaded
        assert [base.priority for base in text.value.bases] == [base.priority for base in json.value.bases]
        rules += sum(len(listed) for _policy, listed in understood(json.value).values())
    assert rules > 2 * RULESETS


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("backend", ["legacy", "nft"])
def test_a_listing_says_no_more_than_iptables_save(hosts, family, backend):
    """What a listing shows is what was saved, and where it shows less the rule is one that nobody can decide."""
    program = "iptables" if family == "ipv4" else "ip6tables"
    rules = alike = 0
    for seed in range(SEED, SEED + RULESETS):
        loading.clear(hosts)
        loaded = loading.load_iptables(hosts, family, backend, seed)
        saved = firewall_iptables.parse(hosts.host.run(f"{program}-{backend}-save").stdout, family)
        listed = "".join(
            f"# {program} -t {table} -L -n -v\n"
            + hosts.host.run(f"{program}-{backend}", "-t", table, "-L", "-n", "-v").stdout
            for table in TABLES
        )
        theirs = understood(saved.value)
        ours = understood(firewall_listing.parse(listed, family).value)
        for key, (policy, saved_rules) in theirs.items():
            assert ours[key][0] == policy, loaded
            for own, their in zip(ours[key][1], saved_rules, strict=True):
                rules += 1
                alike += own == their
                assert own == their or own[1], (own, their, listed)
                assert own[3:] == their[3:] or model.UNKNOWN in (own[3], their[3]), (own, their)
    # (What a listing says of policy, owner, rt and frag, and of the set that is changed, is not read back.)
    assert alike > 0.95 * rules
