# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import picks
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import (
    ADDRESSES,
    only,
    recorded,
    scene,
    shown,
)

ALL = list(ADDRESSES)
ODD_NETWORK = [
    {"address": "10.99.0.7", "prefix": 24, "interface": "eth9", "position": 9, "scope": "global", "up": True}
]


def with_release(facts: dict[str, Any], release: str) -> dict[str, Any]:
    for told in facts.values():
        told["calico_node"]["calico"]["version"] = release
    return facts


def test_hosts_with_one_address_each_are_well() -> None:
    assert picks.findings(scene(recorded("bare"))) == []


def test_the_address_that_a_hypervisor_gives_to_all_hosts_would_be_taken() -> None:
    found = only(picks.findings(scene(recorded("trouble"))), "wrong_ip_autodetection")

    assert (found["severity"], found["nodes"]) == ("critical", ALL)
    assert "10.0.2.15 (eth1)" in found["summary"]
    assert "cidr=10.200.0.0/24" in found["fix"]["text"]
    assert "'cidrs': ['10.200.0.0/24']" in found["fix"]["text"]


def test_the_method_that_is_proposed_is_right() -> None:
    assert picks.findings(scene(recorded("trouble"), autodetection="interface=^eth0$")) == []


def test_what_a_host_told_itself_goes_before_what_can_be_guessed_of_its_routes() -> None:
    facts = recorded("trouble")
    method = "can-reach=198.51.100.1"
    assert picks.findings(scene(facts, autodetection=method)) == []
    facts["node-1"]["calico_node"]["readiness"]["reach"] = {"198.51.100.1": "10.0.2.15"}
    facts["node-2"]["calico_node"]["readiness"]["reach"] = {"198.51.100.1": ""}

    found = picks.findings(scene(facts, autodetection=method))

    assert ("autodetection_found_nothing", "critical", ["node-2"]) in shown(found)
    assert any(one["nodes"] == ["node-1"] and "10.0.2.15" in one["evidence"][0]["says"] for one in found)


@pytest.mark.parametrize(
    ("planned", "fault", "says"),
    [
        ({"autodetection": "interface=ens.*"}, "autodetection_found_nothing", "matches nothing there"),
        ({"autodetection": "interface=docker.*"}, "wrong_ip_autodetection", "172.17.0.1 (docker0)"),
        ({"autodetection": "cidr=nonsense"}, "autodetection_found_nothing", "cidr=nonsense"),
        ({"autodetection": "best"}, "autodetection_found_nothing", "best"),
        ({"autodetection": "kubernetes-internal-ip"}, "preflight.autodetection", "cannot be said"),
        ({"autodetection": "none", "autodetection_ipv6": "first-found"}, "autodetection_found_nothing", "IPv6"),
    ],
)
def test_methods_that_do_not_find_the_right_address(planned: dict[str, str], fault: str, says: str) -> None:
    (found,) = picks.findings(scene(recorded("trouble"), **planned))

    assert (found["fault"], found["nodes"]) == (fault, ALL)
    assert says in found["summary"]


def test_hosts_without_ipv4_are_told_as_such() -> None:
    facts = recorded("bare")
    own = facts["node-3"]["calico_node"]["addresses"]
    own[0].update(address="fd00:200::b", prefix=64)

    found = picks.findings(scene(facts, addresses={"node-3": "fd00:200::b"}))

    assert shown(found) == [("ipv4_missing_on_host", "critical", ["node-3"])]


def test_a_host_that_was_given_an_address_looks_for_none() -> None:
    facts = recorded("trouble")
    for told in facts.values():
        told["calico_node"]["autodetection"]["ipv4"].update(set="address", given="10.200.0.9/24")

    assert picks.findings(scene(facts)) == []


def test_one_host_apart_from_all_others() -> None:
    facts = recorded("bare")
    facts["node-2"]["calico_node"]["addresses"] += ODD_NETWORK

    found = only(picks.findings(scene(facts)), "wrong_ip_autodetection")

    assert found["nodes"] == ["node-2"]
    assert "nobody else is in the subnet of 10.99.0.7" in found["evidence"][0]["says"]
    assert "the node is managed by it" in found["evidence"][0]["says"]


def test_another_network_that_all_hosts_have_is_a_choice_and_was_not_probed() -> None:
    facts = recorded("bare")
    for number, told in enumerate(facts.values()):
        told["calico_node"]["addresses"] += [dict(ODD_NETWORK[0], address=f"10.99.0.{number + 7}")]

    (found,) = picks.findings(scene(facts))

    assert (found["fault"], found["severity"]) == ("preflight.addresses_not_probed", "minor")
    assert '"node-1": "10.99.0.7"' in found["fix"]["command"]


def test_the_networks_that_are_planned_for_nodes_decide() -> None:
    (found,) = picks.findings(scene(recorded("bare"), node_networks=["10.201.0.0/16"]))

    assert (found["fault"], found["nodes"]) == ("wrong_ip_autodetection", ALL)
    assert "10.201.0.0/16" in found["evidence"][0]["says"]


def test_a_floating_address_would_be_taken() -> None:
    facts = recorded("trouble")
    about = facts["node-2"]["calico_node"]
    about["addresses"] = [one for one in about["addresses"] if one["address"] == "10.200.0.100"]
    for sign, severity in (("maybe_vip", "minor"), ("vip", "major")):
        about["addresses"][0]["signs"] = ["host_prefix", sign]
        about["vip_holders"] = ["keepalived"]

        found = picks.findings(scene(facts, autodetection="interface=eth0", addresses={"node-2": "10.200.0.100"}))

        assert ("vip_chosen_as_node_ip", severity, ["node-2"]) in shown(found)
        assert ("node_ip_mask_32", "minor", ["node-2"]) in shown(found)


def test_two_hosts_with_one_address() -> None:
    facts = recorded("bare")
    facts["node-3"]["calico_node"]["addresses"][0]["address"] = "10.200.0.10"

    found = only(picks.findings(scene(facts, addresses={"node-3": "10.200.0.10"})), "duplicate_node_ip")

    assert found["nodes"] == ["node-2", "node-3"]


def test_an_upgrade_that_takes_another_address() -> None:
    """Releases before 3.25 take a podman bridge for the host's, later ones leave it out."""
    facts = with_release(recorded("bare"), "v3.24.6")
    bridge = dict(ODD_NETWORK[0], address="10.88.0.1", prefix=16, interface="podman0")
    facts["node-1"]["calico_node"]["other_addresses"] = [bridge]

    found = only(picks.findings(scene(facts, target_version="v3.30.3")), "preflight.address_changes")

    assert (found["severity"], found["nodes"]) == ("major", ["node-1"])
    assert "now 10.88.0.1 (podman0), then 10.200.0.9 (eth0)" in found["evidence"][0]["says"]
    assert not [one for one in picks.findings(scene(facts)) if one["fault"] == "preflight.address_changes"]


def test_without_facts_nothing_is_said() -> None:
    assert picks.findings(scene({"node-1": {}, "node-2": {"calico_node": {}}})) == []


def test_facts_of_wrong_types_do_no_harm() -> None:
    facts = recorded("bare")
    facts["node-1"]["calico_node"].update(addresses="none", autodetection=[1], readiness={"reach": 7})
    facts["node-2"]["calico_node"]["addresses"] = [{"address": "x", "prefix": None}, 7, {}]

    picks.findings(scene(facts, autodetection="can-reach=198.51.100.1"))
