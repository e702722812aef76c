# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._commonality.groups import commonality, culprits_of
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = "topology.kubernetes.io/zone"


def silent_zone():
    """Forty nodes in four zones; those of one of them the API server hears no more."""
    kube = Kube({f"node-{number}": f"10.0.{number % 4}.{number + 1}" for number in range(40)})
    for number in range(40):
        kube.node(f"node-{number}")["metadata"]["labels"][ZONE] = "abcd"[number % 4]
        if number % 4 == 1:
            kube.condition(f"node-{number}", "Ready", *shapes.SILENT)
    return Evidence({}, cluster=kube.cluster())


def test_the_report_tells_what_nodes_in_trouble_share():
    report = analyse(silent_zone(), NOW)
    zone = next(one for one in report["commonality"] if one["attribute"] == ZONE)
    assert (zone["value"], zone["affected"], zone["of"], zone["elsewhere"], zone["others"]) == ("b", 10, 10, 0, 30)
    assert 0 < zone["p_value"] < zone["corrected"] < 1e-6
    assert len(zone["nodes"]) == 10
    printed = "".join(lines(report))
    assert f"10 of 10: {ZONE} b; of all other nodes 0" in " ".join(printed.split())


def test_nodes_at_which_one_fault_was_found_are_a_group():
    nodes = {}
    for number in range(30):
        facts = {
            "calico_node": {
                "bgp_addresses": {"ipv4": f"10.0.0.{number}"},
                "addresses": [
                    {"address": f"10.0.0.{number}", "prefix": 24, "interface": "eth1" if number < 7 else "eth0"}
                ],
            }
        }
        nodes[f"n{number}"] = read_node(f"n{number}", facts)
    found = [{"fault": "bird_hung", "role": "cause", "nodes": [f"n{number}"]} for number in range(7)]
    (told,) = commonality(Evidence(nodes), found)
    assert (told["attribute"], told["value"], told["what"]) == ("interface", "eth1", "bird_hung")
    assert commonality(Evidence(nodes), [{**one, "guess": True} for one in found]) == []
    assert commonality(Evidence(nodes), []) == []


def test_three_nodes_are_named_and_not_297_pairs():
    mesh = Mesh({f"node-{number}": f"10.0.0.{number}" for number in range(1, 101)})
    names = list(mesh.addresses)
    bad = names[10:13]
    for name in bad:
        for other in names:
            if other != name:
                mesh.trouble(name, other, "Connect")
                mesh.trouble(other, name, "Connect")
    report = analyse(mesh.evidence(), NOW)
    assert report["sessions"]["down"] == 294
    assert sorted(one["nodes"] for one in report["culprits"]) == sorted([name] for name in bad)
    assert sum(one["sessions"] for one in report["culprits"]) == 294
    printed = " ".join("".join(lines(report)).split())
    assert "all 294 sessions that are down end at" in printed


def test_a_tie_is_told():
    mesh = Mesh()
    mesh.trouble("node-1", "node-2", "Connect")
    mesh.trouble("node-2", "node-1", "Connect")
    (one,) = culprits_of(mesh.evidence())
    assert (sorted(one["nodes"]), one["tie"], one["sessions"]) == (["node-1", "node-2"], True, 1)
