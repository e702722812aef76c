# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import duplicates
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import (
    only,
    recorded,
    scene,
    shown,
)


def about(facts: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = facts[name]["calico_node"]
    return found


def test_hosts_of_their_own() -> None:
    assert duplicates.findings(scene(recorded("bare"))) == []


def test_copies_of_one_disk_are_found_and_their_identifier_is_not_shown() -> None:
    found = only(duplicates.findings(scene(recorded("trouble"))), "preflight.cloned_host")

    assert (found["severity"], found["nodes"]) == ("major", ["node-2", "node-3"])
    assert about(recorded("trouble"), "node-2")["readiness"]["machine"]["machine_id"] not in str(found)
    assert found["fix"]["commands"] == [
        "ssh node-3 'sudo rm /etc/machine-id && sudo systemd-machine-id-setup   # then reboot'"
    ]


def test_the_address_of_a_hypervisor_is_only_mentioned() -> None:
    found = only(duplicates.findings(scene(recorded("trouble"))), "duplicate_node_ip")

    assert (found["severity"], found["role"]) == ("info", "contributing")


def test_an_address_by_which_a_host_is_reached_is_nobody_elses() -> None:
    facts = recorded("bare")
    about(facts, "node-3")["addresses"][0]["address"] = "10.200.0.10"

    found = only(duplicates.findings(scene(facts)), "duplicate_node_ip")

    assert (found["severity"], found["nodes"]) == ("critical", ["node-2", "node-3"])


def test_the_bridge_of_docker_is_everywhere_and_nobodys() -> None:
    facts = recorded("bare")
    for name in facts:
        bridge = {"address": "172.17.0.1", "prefix": 16, "interface": "docker0"}
        about(facts, name)["other_addresses"] = [bridge]
        about(facts, name)["addresses"].append({**bridge, "interface": "br-77"})

    assert duplicates.findings(scene(facts)) == []


def test_anycast_and_floating_addresses_may_be_on_several_hosts() -> None:
    facts = recorded("bare")
    anycast = {"address": "10.53.0.53", "prefix": 32, "interface": "lo", "scope": "global"}
    floating = {"address": "10.200.0.100", "prefix": 32, "interface": "eth0", "scope": "global", "signs": ["vip"]}
    for name in ("node-1", "node-2"):
        about(facts, name)["addresses"] += [anycast, floating]

    assert duplicates.findings(scene(facts)) == []
    both = {"node-1": "10.200.0.100", "node-2": "10.200.0.100"}
    assert shown(duplicates.findings(scene(facts, addresses=both))) == [
        ("duplicate_node_ip", "critical", ["node-1", "node-2"])
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("web", "WEB", "db"), ("preflight.nodename_duplicate", "critical", ["node-1", "node-2"])),
        (("web", "localhost", "db"), ("preflight.nodename_unfit", "major", ["node-2"])),
        (("web", "data_base", "db"), ("preflight.nodename_unfit", "major", ["node-2"])),
        (("web", "db.example.org", "db"), ("preflight.nodename_forms", "info", ["node-2"])),
        (("Web", "DB", "app"), None),
    ],
)
def test_names(names: tuple[str, ...], expected: tuple[str, str, list[str]] | None) -> None:
    facts = recorded("bare")
    for host, name in zip(facts, names, strict=True):
        about(facts, host).update(hostname=name, nodename=name.lower())

    assert shown(duplicates.findings(scene(facts))) == ([expected] if expected else [])


def test_an_old_nodename_file_is_no_name_of_today() -> None:
    facts = recorded("bare")
    for name in ("node-1", "node-2"):
        about(facts, name).update(nodename="node-old", nodename_source="file")

    assert duplicates.findings(scene(facts)) == []


def test_kubelet_and_calico_of_different_minds() -> None:
    facts = recorded("bare")
    about(facts, "node-1").update(kubelet_nodename="ip-10-0-0-1", nodename="node-1", nodename_source="environment")

    assert shown(duplicates.findings(scene(facts))) == [("nodename_mismatch", "major", ["node-1"])]


def test_mac_addresses_and_firmware() -> None:
    facts = recorded("bare")
    for name in ("node-1", "node-3"):
        about(facts, name)["readiness"]["machine"].update(product_uuid="77", macs={"eth0": "52:54:00:00:00:01"})

    assert shown(duplicates.findings(scene(facts))) == [
        ("preflight.cloned_host", "minor", ["node-1", "node-3"]),
        ("preflight.mac_duplicate", "critical", ["node-1", "node-3"]),
    ]
