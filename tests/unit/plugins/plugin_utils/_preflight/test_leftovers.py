# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import filters, leftovers
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import (
    only,
    recorded,
    scene,
    shown,
)


def others(facts: dict[str, Any], **plugins: Any) -> dict[str, Any]:
    facts["node-1"]["calico_node"]["host"]["other_plugins"] = plugins
    return facts


def test_nothing_is_left_on_bare_hosts() -> None:
    assert leftovers.findings(scene(recorded("bare"))) == []
    assert filters.findings(scene(recorded("bare"))) == []


def test_what_flannel_and_calico_left() -> None:
    found = leftovers.findings(scene(recorded("trouble")))

    assert shown(found) == [
        ("preflight.cni_leftovers", "minor", ["node-2"]),
        ("preflight.interfaces_left", "minor", ["node-2"]),
        ("preflight.interfaces_left", "minor", ["node-2"]),
        ("leftover_iptables_rules", "minor", ["node-2"]),
        ("preflight.calico_leftovers", "minor", ["node-3"]),
    ]
    says = found[-1]["evidence"][0]["says"]
    assert "interfaces vxlan.calico" in says
    assert "/etc/cni/net.d/10-calico.conflist" in says
    assert "rules in the packet filters" in says


def test_routes_that_bird_left_when_it_was_killed() -> None:
    found = only(leftovers.findings(scene(recorded("left_routes"))), "preflight.calico_leftovers")

    assert [one["says"] for one in found["evidence"]] == ["3 routes", "1 route", "2 routes"]
    assert "ip route flush proto bird" in found["fix"]["commands"][0]


def test_where_calico_runs_nothing_of_it_is_left_over() -> None:
    facts = recorded("left_routes")
    for told in facts.values():
        told["calico_node"]["calico"]["felix_running"] = True

    assert leftovers.findings(scene(facts)) == []


def test_a_plugin_that_runs_is_no_leftover() -> None:
    facts = others(recorded("bare"), flannel={"interfaces": ["flannel.1"], "rules": True, "running": True})

    assert shown(leftovers.findings(scene(facts))) == [("preflight.other_plugin_running", "major", ["node-1"])]
    assert leftovers.findings(scene(facts, flavour=["canal"])) == []


def test_the_first_configuration_by_name_wins() -> None:
    facts = recorded("bare")
    cni = {"files": ["05-cilium.conflist", "10-calico.conflist"], "plugin": "cilium-cni"}
    facts["node-1"]["calico_node"]["host"]["cni"] = cni

    found = only(leftovers.findings(scene(facts)), "preflight.cni_leftovers")

    assert (found["severity"], found["evidence"][0]["says"]) == ("major", "/etc/cni/net.d/05-cilium.conflist")


# --- packet filters ---


def backends(**rules: list[str]) -> dict[str, Any]:
    facts = recorded("bare")
    told = {name: {"rules": 4, "owners": owners} for name, owners in rules.items()}
    facts["node-1"]["calico_firewall"]["backends"] = told
    return facts


def test_rules_in_both_backends() -> None:
    facts = backends(iptables_legacy=["docker"], iptables_nft=["kube-proxy"])
    assert shown(filters.findings(scene(facts))) == [("iptables_backend_mismatch", "minor", ["node-1"])]

    facts = backends(iptables_legacy=["kube-proxy"], iptables_nft=["docker"])
    assert shown(filters.findings(scene(facts))) == [("iptables_backend_mismatch", "major", ["node-1"])]
    assert filters.findings(scene(backends(iptables_nft=["kube-proxy", "docker"]))) == []


def test_hosts_whose_iptables_differ() -> None:
    facts = recorded("bare")
    facts["node-2"]["calico_node"]["readiness"]["iptables"] = "legacy"

    assert shown(filters.findings(scene(facts))) == [("iptables_backend_mismatch", "info", ["node-2"])]


def test_what_the_next_boot_blocks() -> None:
    facts = recorded("bare")
    rule = {"table": "filter", "path": "INPUT", "text": "-A INPUT -p tcp --dport 179 -j DROP"}
    facts["node-3"]["calico_firewall"]["persistence"] = {
        "loaded_at_boot": {"netfilter-persistent": ["/etc/iptables/rules.v4"]},
        "tcp179": [{"direction": "inbound", "now": "accept", "after_reboot": "drop", "rule": rule}],
        "flows_lost": ["udp4789", "ipip"],
    }

    found = filters.findings(scene(facts, flavour=["ipip"]))

    assert shown(found) == [
        ("tcp179_blocked_host_firewall", "major", ["node-3"]),
        ("ipip_blocked", "major", ["node-3"]),
    ]
    assert {one["role"] for one in found} == {"latent"}
    assert "/etc/iptables/rules.v4" in found[0]["evidence"][0]["says"]
    assert shown(filters.findings(scene(facts, flavour=["vxlan"]))) == [("vxlan_udp_blocked", "major", ["node-3"])]


def test_what_the_next_boot_opens_is_none_of_our_trouble() -> None:
    facts = recorded("bare")
    facts["node-3"]["calico_firewall"]["persistence"] = {
        "loaded_at_boot": {},
        "tcp179": [{"direction": "inbound", "now": "drop", "after_reboot": "accept"}],
        "flows_gained": ["ipip"],
    }

    assert filters.findings(scene(facts)) == []
