# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import (
    firewalld,
    firewalld_files,
    nft_script,
    nftables,
    owners,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'rule family="ipv4" source address="10.0.0.0/8" port port="179" protocol="tcp" accept',
            (0, "ipv4", "10.0.0.0/8", "", ("port", "179/tcp"), "accept", "", False),
        ),
        (
            'rule priority="-5" source NOT address="10.0.0.1" reject type="icmp-host-prohibited"',
            (-5, "", "!10.0.0.1", "", ("", ""), "reject", "icmp-host-prohibited", False),
        ),
        (
            'rule service name="ssh" log prefix="a b" limit value="1/m" accept limit value="2/m"',
            (0, "", "", "", ("service", "ssh"), "accept", "", True),
        ),
        ('rule protocol value="ipip" drop', (0, "", "", "", ("protocol", "ipip"), "drop", "", False)),
        ('rule source ipset="bad" drop', (0, "", "ipset:bad", "", ("", ""), "drop", "", False)),
    ],
)
def test_rich_rules(text, expected):
    assert tuple(firewalld.rich_rule(text)) == expected


ZONE = """<?xml version="1.0" encoding="utf-8"?>
<zone target="DROP">
  <short>a &amp; b</short> <!-- <port port="1" protocol="tcp"/> -->
  <interface name="eth0"/> <source address="10.0.0.0/8"/>
  <service name="ssh"/> <port protocol="tcp" port="179"/>
  <rule family="ipv4" priority="3">
    <source address="10.1.1.1" invert="True"/><port port="22" protocol="tcp"/><drop/>
  </rule>
</zone>"""


def test_a_zone_of_a_file():
    zone = firewalld_files.zone("public", ZONE)
    assert (zone.target, zone.interfaces, zone.sources) == ("DROP", ["eth0"], ["10.0.0.0/8"])
    assert zone.opened == [("service", "ssh"), ("port", "179/tcp")]
    assert tuple(zone.rich[0])[:5] == (3, "ipv4", "!10.1.1.1", "", ("port", "22/tcp"))


def test_a_service_that_is_not_known_may_open_anything():
    zone = firewalld.Zone("public", opened=[("service", "strange")])
    text = firewalld.script([zone], "public", [], {})
    table = nftables.table(nft_script.parse(text).document(), "inet", "firewalld")
    (rule,) = table.chains["filter_IN_public_allow"].rules()
    assert [match.kind for match in rule.matches] == ["undecidable"]


def test_own_files_overrule_those_of_the_distribution():
    files = {
        "/etc/firewalld/firewalld.conf": "# x\nDefaultZone=mine\n",
        "/etc/firewalld/zones/mine.xml": '<zone target="ACCEPT"/>',
        "/usr/lib/firewalld/zones/mine.xml": '<zone target="DROP"/>',
        "/usr/lib/firewalld/zones/drop.xml": '<zone target="DROP"/>',
    }

    def names(folder):
        return [path.rpartition("/")[2] for path in files if path.rpartition("/")[0] == folder]

    found = firewalld_files.Configuration(lambda path: files.get(path, ""), names)
    assert (found.default, {zone.name: zone.target for zone in found.zones}) == (
        "mine",
        {"mine": "ACCEPT", "drop": "DROP"},
    )


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_whatever_a_configuration_holds_the_rules_can_be_read(rule, name, value):
    zone = firewalld_files.zone("z", f'<zone><interface name="{name}"/><source address="{value}"/>{rule}</zone>')
    zone = zone._replace(
        rich=[firewalld.rich_rule(rule)], opened=[("port", value), ("service", name), ("protocol", rule)]
    )
    script = nft_script.parse(firewalld.script([zone], "z", [], {}))
    assert script.complete
    for chain in nftables.table(script.document(), "inet", "firewalld").chains.values():
        chain.rules()


@pytest.mark.parametrize(
    ("owner", "chains", "part"),
    [
        (
            "firewalld",
            ["filter_INPUT", "filter_INPUT_ZONES", "filter_IN_public", "filter_IN_public_allow"],
            "zone public",
        ),
        ("firewalld", ["filter_IN_public", "filter_INPUT_POLICIES_pre", "filter_IN_policy_nodes_deny"], "policy nodes"),
        ("firewalld", ["INPUT", "INPUT_ZONES", "IN_public"], "zone public"),
        ("firewalld", ["filter_OUTPUT", "filter_OUTPUT_POLICIES_pre", "filter_OUT_policy_out_deny"], "policy out"),
        ("firewalld", ["filter_INPUT"], ""),
        ("ufw", ["INPUT", "ufw-before-input", "ufw-user-input"], "user.rules"),
        ("ufw", ["INPUT", "ufw6-before-input"], "before6.rules"),
        ("ufw", ["INPUT"], ""),
        ("calico", ["INPUT", "cali-INPUT"], ""),
    ],
)
def test_the_part_of_its_configuration_that_a_rule_is_of(owner, chains, part):
    assert owners.part_of(owner, chains) == part
