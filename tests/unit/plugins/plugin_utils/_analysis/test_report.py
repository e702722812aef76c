# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import Cluster, KubeNode

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)


def test_a_healthy_mesh_is_healthy_and_everything_was_seen(mesh):
    report = analyse(mesh.evidence(), NOW)
    assert report["schema"] == "netmedic.calico.report/v1"
    assert report["verdict"] == "healthy"
    assert report["sessions"] == {
        "expected": 6,
        "established": 6,
        "down": 0,
        "unexpected": 0,
        "not_configured": 0,
        "compared_with_api": False,
        "seen_from_one_end": 0,
        "known": True,
    }
    assert report["coverage"]["nodes"] == {
        "expected": 4,
        "collected": 4,
        "missing": [],
        "aliases": [],
        "without_calico": [],
        "ignored": [],
        "without_python": [],
        "without_root": [],
        "unlisted": [],
    }
    assert report["findings"] == []
    assert report["collected"] == {"first": "2026-01-01T00:00:00Z", "last": "2026-01-01T00:00:00Z"}


def test_an_unread_node_is_never_health(mesh):
    mesh.lose("node-4")
    report = analyse(mesh.evidence(), NOW)
    assert report["verdict"] == "undetermined"
    assert report["coverage"]["nodes"]["missing"] == [{"node": "node-4", "why": "unreachable: timed out"}]


def test_no_node_at_all_is_undetermined(mesh):
    for name in list(mesh.facts):
        mesh.lose(name)
    assert analyse(mesh.evidence(), NOW)["verdict"] == "undetermined"


def test_a_latent_fault_degrades(mesh):
    mesh.block("node-1", ["node-2"])
    report = analyse(mesh.evidence(), NOW)
    assert report["verdict"] == "degraded"
    (finding,) = report["findings"]
    assert finding["role"] == "latent"
    assert finding["where"]["text"] == "-A INPUT -p tcp -m tcp --dport 179 -j DROP"
    fix = finding["fix"]
    assert fix["commands"] == [
        "ssh node-1 sudo iptables-nft -t filter -I INPUT 1 -p tcp -s 10.0.0.10 --dport 179 -j ACCEPT"
    ]
    assert (fix["automatic"], fix["role"], fix["hosts"]) == (True, "netmedic.calico.bgp_firewall", ["node-1"])
    assert fix["command"].endswith(" -e remediate_only=tcp179_latent_one_way_block")


def test_every_field_of_a_finding_is_plain_and_present(mesh):
    mesh.break_session("node-2", "node-3")
    report = analyse(mesh.evidence(), NOW)
    assert json.loads(json.dumps(report)) == report
    assert report["verdict"] == "faulty"
    wanted = {"fault", "family", "severity", "confidence", "role", "nodes", "affects", "where", "summary", "evidence"}
    wanted |= {"against", "missing", "alternatives", "fix", "verify", "waived"}
    assert wanted <= set(report["findings"][0])
    assert report["missing_evidence"][0].keys() == {"node", "source", "how", "would_tell"}


def test_a_node_cut_off_from_all_its_peers_makes_the_fault_critical(mesh):
    for other in ("node-2", "node-3", "node-4"):
        mesh.break_session("node-1", other)
        mesh.probe("node-1", other, "silent")
    assert analyse(mesh.evidence(), NOW)["findings"][0]["severity"] == "critical"


def test_a_session_down_at_one_pair_only_is_major(mesh):
    mesh.break_session("node-2", "node-3")
    assert analyse(mesh.evidence(), NOW)["findings"][0]["severity"] == "major"


def test_a_host_without_a_trace_of_calico_is_named_and_does_not_spoil_the_verdict(mesh):
    about = {"taken_at": "2026-01-01T00:00:00Z", "nodename": "bastion", "nodename_source": "hostname"}
    mesh.facts["bastion"] = {"calico_node": about, "calico_bgp": {"expected": None}}
    report = analyse(mesh.evidence(), NOW)
    assert report["verdict"] == "healthy"
    assert report["coverage"]["nodes"]["without_calico"] == ["bastion"]


def test_a_host_that_is_no_node_may_be_as_it_likes(mesh):
    about = {"taken_at": "2026-01-01T00:00:00Z", "host": {"forwarding_off": {"ipv4": ["all", "eth0"]}}}
    mesh.facts["controller"] = {"calico_node": about}
    assert analyse(mesh.evidence(), NOW)["findings"] == []
    about["kubelet_nodename"] = "controller"
    assert [one["fault"] for one in analyse(mesh.evidence(), NOW)["findings"]] == ["ip_forward_off"]


def test_hosts_of_which_none_has_calico_are_not_healthy(mesh):
    for name in mesh.facts:
        mesh.facts[name] = {"calico_node": {"taken_at": "2026-01-01T00:00:00Z"}}
    assert analyse(mesh.evidence(), NOW)["verdict"] == "undetermined"


def test_a_mesh_peer_in_no_inventory_is_named_and_keeps_the_verdict_from_healthy(mesh):
    del mesh.facts["node-4"]
    report = analyse(mesh.evidence(), NOW)
    assert report["coverage"]["nodes"]["unlisted"] == ["10.0.0.12"]
    assert report["verdict"] == "undetermined"


def in_api(*nodes):
    return Cluster(reached=True, nodes={node.name: node for node in nodes})


def test_a_node_of_the_api_in_no_inventory_is_named_once(mesh):
    del mesh.facts["node-4"]
    known = [KubeNode(f"node-{number}", (("InternalIP", f"10.0.0.{number + 8}"),)) for number in (1, 2, 3, 4)]
    evidence = replace(mesh.evidence(), cluster=in_api(*known))
    assert analyse(evidence, NOW)["coverage"]["nodes"]["unlisted"] == ["node-4"]


def test_nodes_of_the_api_are_those_of_the_inventory_by_name_or_by_address(mesh):
    named_otherwise = KubeNode("ip-10-0-0-9.internal", (("InternalIP", "10.0.0.9"),))
    windows = KubeNode("win-1", (("InternalIP", "10.0.0.99"),), operating_system="windows")
    known = [KubeNode(f"node-{number}") for number in (2, 3, 4)]
    report = analyse(replace(mesh.evidence(), cluster=in_api(named_otherwise, windows, *known)), NOW)
    assert report["coverage"]["nodes"]["unlisted"] == []
    assert report["verdict"] == "healthy"
