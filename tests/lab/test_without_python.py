# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes without Python: the same faults come out first, at the same node, from what a shell script reads."""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.tests.lab.test_faults import AT_FAULT
from lab.faults.registry import FAULTS

CASES = [
    pytest.param(fault.id, variant.name, variant.topology or "one_subnet", id=f"{fault.id}-{variant.name}")
    for fault in FAULTS
    for variant in fault.variants
]


def hidden(tmp_path, *names):
    """An inventory to lay over the lab's, by which Python is at no path of these nodes."""
    path = tmp_path / "hidden.yml"
    hosts = {name: {"ansible_python_interpreter": "/nonexistent/python3"} for name in names}
    path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return "-i", str(path)


# Told by the API's objects: how a node was read is no matter.
BY_THE_API = {
    "admission_webhook_blocks_pods",
    "bgp_password_secret_unreadable",
    "bgpconfig_service_cidr_contains_pods",
    "bgppeer_selects_nothing",
    "bgppeer_wrong_address",
    "bird_not_expected",
    "bird_probe_without_bird",
    "calico_node_not_scheduled",
    "daemonset_missing",
    "datastore_lost_data",
    "encapsulation_disabled_but_needed",
    "external_router_config",
    "kubelet_not_ready",
    "mesh_disabled_no_peers",
    "node_has_no_internal_ip",
    "node_ip_mask_32",
    "node_ready_flapping",
    "route_reflector_misconfigured",
    "typha_discovery_misconfigured",
    "typha_down",
    "typha_not_scheduled",
    "typha_stale_endpoint",
}
BY_A_NODE = [case for case in CASES if case.values[0] not in BY_THE_API]


@pytest.mark.parametrize(("fault", "variant", "topology"), BY_A_NODE)
def test_a_fault_at_a_node_without_python_is_found_first(lab, diagnose, tmp_path, fault, variant, topology):
    case = lab.make(fault, None, variant)
    run = diagnose(*hidden(tmp_path, case.target))
    assert run.findings, run.printed
    first = run.findings[0]
    assert first["fault"] == fault, run.printed
    assert AT_FAULT.get((fault, variant), case.target) in first["nodes"], run.printed


def test_a_healthy_mesh_is_healthy_without_any_python(lab, diagnose, tmp_path):
    run = diagnose(*hidden(tmp_path, *(node.name for node in lab.nodes)))
    assert (run.status, run.report["verdict"]) == (0, "healthy"), run.printed
    assert all("python" not in (source["detail"].lower()) for source in run.report["coverage"]["sources"])
