# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import fitness
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import (
    only,
    recorded,
    scene,
    shown,
)

ALL = ["node-1", "node-2", "node-3"]


def host(facts: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = facts[name]["calico_node"]["host"]
    return found


def clock(facts: dict[str, Any], name: str, ahead: float, error: float = 0.1) -> None:
    facts[name]["calico_chrony"].update(offset_to_controller_seconds=ahead, offset_to_controller_error_seconds=error)


def test_a_tunnel_that_the_kernel_cannot_make_matters_where_it_is_chosen() -> None:
    """The recorded kernel has neither ipip nor wireguard."""
    assert shown(fitness.findings(scene(recorded("bare")))) == [("kernel_module_missing", "minor", ALL)]
    assert shown(fitness.findings(scene(recorded("bare"), flavour=["ipip"]))) == [
        ("kernel_module_missing", "major", ALL)
    ]
    assert fitness.findings(scene(recorded("bare"), flavour=["vxlan"])) == []


def test_what_filters_need_is_always_missed() -> None:
    facts = recorded("bare")
    facts["node-2"]["calico_node"]["readiness"]["kernel_missing"] = ["ip_set", "ip_tables", "nf_tables", "xt_set"]

    found = only(fitness.findings(scene(facts, flavour=["vxlan"])), "kernel_module_missing")

    # iptables writes to nftables there, so that ip_tables is not used and nf_tables is.
    assert (found["severity"], found["nodes"]) == ("major", ["node-2"])
    assert "ip_set, xt_set and nf_tables" in found["summary"]


def test_forwarding_that_a_file_turns_off_again() -> None:
    found = only(fitness.findings(scene(recorded("trouble"))), "ip_forward_off")

    assert (found["severity"], found["nodes"]) == ("major", ["node-2"])
    assert "/etc/sysctl.d/99-hardening.conf" in found["evidence"][0]["says"]
    assert found["fix"]["commands"] == ["ssh node-2 grep -n forward /etc/sysctl.d/99-hardening.conf"]


def test_forwarding_that_is_merely_off_is_felix_to_turn_on() -> None:
    facts = recorded("trouble")
    del facts["node-2"]["calico_node"]["readiness"]["saved"]

    assert ("ip_forward_off", "minor", ["node-2"]) in shown(fitness.findings(scene(facts)))


def test_a_path_that_a_shell_would_take_apart_does_not_get_into_a_command() -> None:
    facts = recorded("trouble")
    facts["node-2"]["calico_node"]["readiness"]["saved"]["net.ipv4.ip_forward"]["file"] = "/etc/sysctl.d/$(reboot).conf"

    commands = only(fitness.findings(scene(facts)), "ip_forward_off")["fix"]["commands"]

    assert commands == ["ssh node-2 grep -n forward FILE"]


@pytest.mark.parametrize(
    ("told", "severity"),
    [
        ({"NetworkManager": {"not_excluded": ["cali*", "tunl0"]}}, "minor"),
        ({"NetworkManager": {"not_excluded": ["cali*"], "managed": ["cali1"]}}, "major"),
        ({"systemd-networkd": {"removes_foreign_routes": True}}, "minor"),
        ({"systemd-networkd": {"removes_foreign_routes": True, "files": ["99-all.network"]}}, "major"),
        ({"systemd-networkd": {}}, ""),
    ],
)
def test_network_managers(told: dict[str, Any], severity: str) -> None:
    facts = recorded("bare")
    host(facts, "node-1")["network_managers"] = told

    found = [one for one in shown(fitness.findings(scene(facts))) if one[0] == "host_network_manager_interference"]

    assert found == ([("host_network_manager_interference", severity, ["node-1"])] if severity else [])


def test_clocks_are_compared_with_most() -> None:
    facts = recorded("bare")
    # All are ahead of the controller: that is its trouble, not theirs.
    for name, ahead in (("node-1", 100.0), ("node-2", 100.2), ("node-3", 55.0)):
        clock(facts, name, ahead)

    found = only(fitness.findings(scene(facts)), "clock_skew")

    assert (found["severity"], found["nodes"]) == ("major", ["node-3"])
    assert "45.0 s behind" in found["evidence"][0]["says"]


def test_slow_answers_are_no_skew() -> None:
    facts = recorded("bare")
    for name, ahead, error in (("node-1", 0.0, 0.1), ("node-2", 0.0, 0.1), ("node-3", 2.5, 2.0)):
        clock(facts, name, ahead, error)
    assert not [one for one in fitness.findings(scene(facts)) if one["fault"] == "clock_skew"]

    clock(facts, "node-3", 3.5, 0.2)
    assert ("clock_skew", "minor", ["node-3"]) in shown(fitness.findings(scene(facts)))


def test_time_services() -> None:
    facts = recorded("bare")
    facts["node-1"]["calico_chrony"].update(running=False, why="No time service runs.")
    facts["node-2"]["calico_chrony"].update(synchronised=False, why="no source answers")

    found = [one for one in shown(fitness.findings(scene(facts))) if one[0] == "time_sync_missing"]

    assert found == [("time_sync_missing", "minor", ["node-1"]), ("time_sync_missing", "minor", ["node-2"])]


def test_a_strict_filter_matters_with_several_ways() -> None:
    facts = recorded("bare")
    host(facts, "node-1")["rp_filter"] = {"strict": ["all", "eth0"]}
    assert "rp_filter_strict" not in {one["fault"] for one in fitness.findings(scene(facts))}

    facts = recorded("trouble")
    host(facts, "node-1")["rp_filter"] = {"strict": ["all", "eth0"]}
    assert ("rp_filter_strict", "minor", ["node-1"]) in shown(fitness.findings(scene(facts)))


def test_a_full_table_of_connections() -> None:
    facts = recorded("bare")
    host(facts, "node-3")["conntrack"] = {"count": 262140, "max": 262144}

    assert ("conntrack_full", "major", ["node-3"]) in shown(fitness.findings(scene(facts)))


def test_silence_is_told() -> None:
    facts = recorded("bare")
    del facts["node-1"]["calico_node"]["readiness"]
    facts["node-1"]["calico_node"]["read_without_python"] = True
    facts["node-2"]["calico_node"]["privileged"] = False
    broken = {"source": "readiness_saved", "status": "failed", "detail": "OSError: broken"}
    facts["node-3"]["calico_node"]["sources"].append(broken)

    found = only(fitness.findings(scene(facts)), "preflight.not_everything_read")

    assert found["nodes"] == ["node-1", "node-2", "node-3"]
    assert [one["says"] for one in found["evidence"]] == [
        "it has no usable Python",
        "it was not read as root",
        "readiness_saved: OSError: broken",
    ]
