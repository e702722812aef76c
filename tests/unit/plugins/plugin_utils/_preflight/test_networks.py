# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import networks
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import (
    recorded,
    scene,
    shown,
)

ALL = ["node-1", "node-2", "node-3"]
OVERLAP, POOL, SMALL = "preflight.networks_overlap", "ippool_overlaps_network", "preflight.pool_too_small"


def found(name: str = "bare", **planned: Any) -> list[tuple[str, str, list[str]]]:
    return shown(networks.findings(scene(recorded(name), **planned)))


def test_ranges_of_their_own() -> None:
    assert found(pod_networks=["10.244.0.0/16", "fd00:244::/48"], service_networks=["10.96.0.0/12"]) == []
    assert found() == []


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ({"pod_networks": ["10.200.0.0/16"]}, [(POOL, "critical", ALL)]),
        ({"pod_networks": ["10.200.0.128/25"]}, [(POOL, "critical", ALL), (SMALL, "major", [])]),
        ({"service_networks": ["10.200.0.0/20"]}, [(OVERLAP, "critical", ALL)]),
        ({"pod_networks": ["10.0.0.0/8"], "service_networks": ["10.96.0.0/12"]},
         [(OVERLAP, "critical", []), (POOL, "critical", ALL)]),
        ({"pod_networks": ["10.244.0.0/16", "10.244.128.0/20"]}, [(OVERLAP, "critical", [])]),
        ({"pod_networks": ["169.254.0.0/16"]}, [(OVERLAP, "critical", [])]),
        ({"service_networks": ["224.0.0.0/8"]}, [(OVERLAP, "critical", [])]),
        ({"pod_networks": ["::/0"]}, [(OVERLAP, "critical", [])]),
    ],
)  # fmt: skip
def test_overlaps(planned: dict[str, Any], expected: list[tuple[str, str, list[str]]]) -> None:
    assert found(**planned) == expected


def test_networks_of_docker_and_routes_of_others() -> None:
    told = networks.findings(scene(recorded("trouble"), pod_networks=["10.244.0.0/16", "172.16.0.0/12"]))

    assert shown(told) == [(POOL, "major", ["node-2"]), (POOL, "major", ALL)]
    assert "10.244.128.0/17 via 10.200.0.254 dev eth0" in told[0]["summary"]
    assert "default-address-pools" in told[1]["fix"]["text"]


def test_a_wide_route_around_the_pool_loses_little() -> None:
    facts = recorded("bare")
    facts["node-1"]["calico_node"]["readiness"]["routes"] = ["10.0.0.0/8 via 10.200.0.254 dev eth0"]

    assert shown(networks.findings(scene(facts, pod_networks=["10.244.0.0/16"]))) == [(POOL, "minor", ["node-1"])]


def test_calicos_own_devices_have_pods_addresses() -> None:
    facts = recorded("bare")
    about = facts["node-1"]["calico_node"]
    about["other_addresses"] = [
        {"address": "10.244.1.1", "prefix": 32, "interface": "tunl0"},
        {"address": "10.96.0.1", "prefix": 32, "interface": "kube-ipvs0"},
    ]
    planned = {"pod_networks": ["10.244.0.0/16"], "service_networks": ["10.96.0.0/12"]}
    assert networks.findings(scene(facts, **planned)) == []

    about["other_addresses"] = [{"address": "10.244.1.0", "prefix": 32, "interface": "flannel.1"}]
    assert len(networks.findings(scene(facts, **planned))) == 1
    about["calico"]["felix_running"] = True
    assert networks.findings(scene(facts, **planned)) == []


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ({"pod_networks": ["10.244.0.0/25"]}, [(SMALL, "major", [])]),
        ({"pod_networks": ["10.244.0.0/24"]}, [(SMALL, "minor", [])]),
        ({"pod_networks": ["10.244.0.0/24"], "block_size": 27}, []),
        ({"pod_networks": ["10.244.0.0/28"]}, [(SMALL, "critical", [])]),
        ({"pod_networks": ["10.244.0.0/25", "10.245.0.0/24"]}, []),
        ({"pod_networks": ["fd00:244::/121"]}, [(SMALL, "major", [])]),
    ],
)
def test_room_for_all_hosts(planned: dict[str, Any], expected: list[tuple[str, str, list[str]]]) -> None:
    assert found(**planned) == expected


def test_pools_of_a_cluster_that_is_there(kube: Any) -> None:
    told = networks.findings(scene(recorded("trouble"), kube.cluster()))

    assert shown(told) == [(POOL, "major", ["node-2"])]
    assert "(IPPool default-ipv4-ippool)" in told[0]["summary"]
