# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import taken_ports
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import (
    recorded,
    scene,
    shown,
)


def with_port(**entry: Any) -> dict[str, Any]:
    facts = recorded("bare")
    facts["node-1"]["calico_node"]["readiness"]["ports"] = [{"address": "0.0.0.0", **entry}]
    return facts


def test_programs_on_calicos_ports() -> None:
    found = taken_ports.findings(scene(recorded("trouble")))

    assert shown(found) == [
        ("port179_conflict", "major", ["node-2"]),
        ("preflight.port_taken", "minor", ["node-2"]),
    ]
    assert found[0]["evidence"][0]["says"] == "python3 (process 66) has 0.0.0.0"
    assert "ss -tlnp" in found[0]["fix"]["commands"][0]


def test_what_is_not_needed_is_not_told() -> None:
    assert shown(taken_ports.findings(scene(recorded("trouble"), flavour=["canal"]))) == []
    assert shown(taken_ports.findings(scene(recorded("trouble"), flavour=["vxlan"]))) == [
        ("preflight.port_taken", "major", ["node-2"])
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"protocol": "tcp", "port": 179, "process": "speaker", "pid": 9}, ("metallb_conflict", "major")),
        ({"protocol": "tcp", "port": 179, "process": "bird", "pid": 9}, ("port179_conflict", "major")),
        ({"protocol": "tcp", "port": 9099, "process": "java", "pid": 9}, ("preflight.port_taken", "major")),
        ({"protocol": "tcp", "port": 179}, ("port179_conflict", "major")),
        ({"protocol": "udp", "port": 4789, "device": "cilium_vxlan"}, ("preflight.port_taken", "minor")),
        ({"protocol": "udp", "port": 4789, "device": "vxlan.calico"}, None),
        ({"protocol": "tcp", "port": 22, "process": "sshd", "pid": 9}, None),
    ],
)
def test_who_and_what(entry: dict[str, Any], expected: tuple[str, str] | None) -> None:
    found = [(fault, severity) for fault, severity, _nodes in shown(taken_ports.findings(scene(with_port(**entry))))]

    assert found == ([expected] if expected else [])


def test_calicos_own_bird_has_its_port_by_right() -> None:
    facts = with_port(protocol="tcp", port=179, process="bird", pid=9)
    facts["node-1"]["calico_bgp"]["expected"] = True

    assert taken_ports.findings(scene(facts)) == []


def test_what_the_listener_tells_itself_is_not_told_twice() -> None:
    there = scene(with_port(protocol="tcp", port=179, process="bgpd", pid=9))
    listened = {"ports": [{"protocol": "tcp", "port": 179, "state": "taken", "process": "bgpd", "pid": 9}]}
    there = replace(there, hosts={**there.hosts, "node-1": replace(there.hosts["node-1"], listened=listened)})

    assert taken_ports.findings(there) == []
