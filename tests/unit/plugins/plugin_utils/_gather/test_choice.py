# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._gather import choice
from ansible_collections.netmedic.calico.plugins.plugin_utils._gather.choice import Limits, choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLENTY = Limits(20, 100)


def report(names: list[str], findings: Sequence[tuple[str, str]] = (), **related: Any) -> dict[str, Any]:
    """A report as analyse() makes it, as far as choices are made by it; related: node_1={"down": {"ipv4": "0"}}."""
    return {
        "findings": [
            {"fault": fault, "nodes": [node], "severity": "critical", "role": "cause", "waived": None}
            for fault, node in findings
        ],
        "coverage": {"nodes": {"missing": []}},
        "mesh": {"nodes": [{"name": name, **related.get(name.replace("-", "_"), {})} for name in names]},
    }


def hosts(number: int) -> list[str]:
    return [f"node-{at}" for at in range(1, number + 1)]


def test_first_the_node_of_the_finding_then_those_without_a_session_then_those_that_serve_then_peers() -> None:
    names = hosts(6)
    told = report(
        names,
        [("tcp179_blocked_host_firewall", "node-2")],
        node_2={"up": {"ipv4": "3"}},
        node_3={"down": {"ipv4": "1"}},
        node_4={"up": {"ipv4": "1"}},
    )

    found = choose(told, names, ["affected"], PLENTY, serving={"node-6": "Typha"})

    assert list(found.nodes.items()) == [
        ("node-2", "finding tcp179_blocked_host_firewall"),
        ("node-3", "no BGP session with node-2"),
        ("node-6", "Typha runs there"),
        ("node-4", "it is a peer of node-2"),
    ]


def test_in_a_full_mesh_everybody_is_a_peer_so_there_is_a_limit() -> None:
    names = hosts(100)
    told = report(names, [("bird_not_running", "node-50")], node_50={"up": {"ipv4": "0-48,50-99"}})

    found = choose(told, names, ["affected"], Limits(5, 100))

    assert next(iter(found.nodes)) == "node-50"
    assert len(found.nodes) == 5
    assert len(found.left_out) == 95
    assert not set(found.left_out) & set(found.nodes)


@pytest.mark.parametrize("change", [{"role": "not_a_fault"}, {"severity": "info"}, {"waived": {"reason": "x"}}])
def test_what_is_no_fault_is_no_reason(change: dict[str, Any]) -> None:
    names = hosts(3)
    told = report(names, [("time_sync_missing", "node-3")])
    told["findings"][0].update(change)

    assert "finding" not in str(choose(told, names, ["affected"], PLENTY).nodes)


def test_where_nothing_is_found_the_first_ones_are_read() -> None:
    found = choose(report(hosts(50)), hosts(50), ["affected"], Limits(3, 100), serving={"node-9": "the operator"})

    assert list(found.nodes) == ["node-9", "node-1", "node-2"]
    assert "nothing was found" in found.nodes["node-1"]


def test_who_could_not_be_reached_is_not_waited_for_again_but_his_peers_are_read() -> None:
    names = hosts(4)
    told = report(names, node_1={"up": {"ipv4": "1"}}, node_3={"down": {"ipv4": "3"}})
    told["coverage"]["nodes"]["missing"] = [{"node": "node-2", "why": "unreachable"}]

    found = choose(told, names, ["affected"], PLENTY, ["node-2"])

    assert list(found.nodes.items()) == [
        ("node-3", "no BGP session with node-4"),
        ("node-4", "no BGP session with node-3"),
        ("node-1", "it is a peer of node-2"),
    ]
    assert found.unreachable == ["node-2"]


def test_where_nobody_is_known_as_a_peer_of_the_lost_ones_the_first_ones_are_read() -> None:
    """The API is down as well, so the mesh has the lost nodes by their addresses alone."""
    names = hosts(4)
    told = report([*names[:2], "10.0.0.3", "10.0.0.4"], node_1={"up": {"ipv4": "1-3"}})
    told["coverage"]["nodes"]["missing"] = [{"node": "node-3"}, {"node": "node-4"}]

    found = choose(told, names, ["affected"], PLENTY, gone=["node-3", "node-4"])

    why = "nothing was found at any node that could be reached; it is one of the first"
    assert found.nodes == {"node-1": why, "node-2": why}
    assert found.unreachable == ["node-3", "node-4"]


def test_all_and_names_are_as_they_are_asked_for_without_the_limit() -> None:
    names = hosts(30)
    told = report(names, [("x", "node-30")])

    assert len(choose(told, names, ["all"], Limits(5, 100)).nodes) == 30
    assert list(choose(told, names, ["node-7", "node-3"], Limits(1, 100)).nodes) == ["node-7", "node-3"]
    both = choose(told, names, ["node-7", "affected"], Limits(2, 100))
    assert list(both.nodes) == ["node-7", "node-30"]


def test_hosts_that_are_no_nodes_of_the_play_are_never_chosen() -> None:
    told = report(["node-1", "10.9.9.9"], node_1={"down": {"ipv4": "1"}})

    assert list(choose(told, ["node-1"], ["affected"], PLENTY).nodes) == ["node-1"]


def test_a_real_report_names_both_ends(mesh: Mesh) -> None:
    mesh.break_session("node-3", "node-4")
    told = analyse(mesh.evidence(), NOW)

    found = choose(told, list(mesh.addresses), ["affected"], PLENTY)

    assert set(list(found.nodes)[:2]) == {"node-3", "node-4"}
    assert [why.split(" of ")[0] for why in found.nodes.values()][2:] == ["it is a peer"] * 2


@pytest.mark.parametrize(
    "odd", [{}, {"mesh": 1}, {"mesh": {"nodes": [1, {"name": "a", "up": {"ipv4": "7-99999999"}}]}}]
)
def test_odd_reports_are_no_reason_to_fail(odd: dict[str, Any]) -> None:
    assert choose(odd, ["a"], ["affected"], PLENTY).nodes == {"a": "nothing was found anywhere; it is one of the first"}


def test_names_that_are_no_hosts() -> None:
    assert choice.unknown(["affected", "all", "node-1", "node-9"], ["node-1"]) == ["node-9"]


def test_each_gets_a_share_within_limits() -> None:
    assert choice.share(100, 20) == 4096
    assert choice.share(100, 1) == 8192
    assert choice.share(10, 500) == 256
    assert choice.share(1, 0) == 819


def test_pods_that_serve_all_are_found_by_what_they_are() -> None:
    def pod(name: str, node: str, container: str) -> dict[str, Any]:
        return {
            "metadata": {"name": name},
            "spec": {"nodeName": node, "containers": [{"name": container, "image": f"calico/{container}:v3"}]},
        }

    pods = [
        pod("calico-typha-1", "kube-a", "calico-typha"),
        pod("calico-kube-controllers-1", "kube-a", "calico-kube-controllers"),
        pod("calico-node-1", "kube-b", "calico-node"),
        pod("tigera-operator-1", "kube-c", "tigera-operator"),
        {"metadata": {"name": "pending"}, "spec": {"containers": [{"name": "calico-typha", "image": "calico/typha"}]}},
    ]

    found = choice.serving({"objects": {"pods": pods}}, {"kube-a": "host-a"})

    assert found == {"host-a": "Typha, kube-controllers", "kube-c": "the operator"}
