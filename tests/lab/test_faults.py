# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the lab can make comes out first, at the right node; two at once both come out."""

from __future__ import annotations

import pytest

from lab.faults.registry import FAULTS

CASES = [
    pytest.param(fault.id, variant.name, variant.topology or "one_subnet", id=f"{fault.id}-{variant.name}")
    for fault in FAULTS
    for variant in fault.variants
]
PAIRS = [
    (("tcp179_blocked_host_firewall", "node-2"), ("as_mismatch", "node-4")),
    (("bird_not_running", "node-3"), ("tcp179_latent_one_way_block", "node-1")),
    (("duplicate_router_id", "node-3"), ("bird_reload_stuck", "node-4")),
    (("stale_node_in_mesh", None), ("bgp_password_mismatch", "node-2")),
    (("peer_node_down", "node-4"), ("tcp179_blocked_host_firewall", "node-2")),
    (("time_sync_missing", "node-2"), ("port179_conflict", "node-3")),
]
# Where the lab names another node than the one at fault: a registered machine that does not exist has no name to be
# known by, only its address; and of two that disagree about an AS number the one that expects a wrong one is at fault.
# What concerns every node is not about one; "" is for what concerns none.
AT_FAULT = {
    ("stale_node_in_mesh", "registered"): "10.200.0.200",
    ("as_mismatch", "peer"): "node-4",
    ("daemonset_missing", "deleted"): "node-1",
    ("bird_not_expected", "vxlan"): "node-1",
    ("bird_probe_without_bird", "vxlan"): "node-1",
    ("datastore_lost_data", "pools"): "",
    ("as_mismatch", "bgppeer"): "10.200.0.254",
    ("bgppeer_selects_nothing", "node-selector"): "",
    ("bgppeer_selects_nothing", "peer-selector"): "",
}
RULE_IN_INPUT = "tcp179_blocked_host_firewall"


@pytest.mark.parametrize(("fault", "variant", "topology"), CASES)
def test_the_fault_comes_out_first_at_the_right_node(lab, diagnose, fault, variant, topology):
    case = lab.make(fault, None, variant)
    run = diagnose()
    assert run.findings, run.printed
    first = run.findings[0]
    assert first["fault"] == fault, run.printed
    wanted = AT_FAULT.get((fault, variant), case.target)
    assert wanted in first["nodes"] if wanted else not first["nodes"], run.printed
    assert first["confidence"] >= 0.5
    assert first["fix"]["text"]
    assert fault in run.printed
    if fault == RULE_IN_INPUT:
        assert first["where"]["node"] == case.target
        assert first["where"]["text"]


@pytest.mark.parametrize("topology", ["one_subnet"])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0][0]}+{pair[1][0]}")
def test_two_faults_at_once_both_come_out(lab, diagnose, pair, topology):
    cases = [lab.make(fault, node) for fault, node in pair]
    run = diagnose()
    found = {finding["fault"]: finding["nodes"] for finding in run.findings if finding["role"] != "consequence"}
    for case in cases:
        wanted = AT_FAULT.get((case.fault.id, case.variant), case.target)
        assert wanted in found.get(case.fault.id, []), run.printed


@pytest.mark.parametrize("topology", ["one_subnet", "two_subnets"])
def test_a_healthy_mesh_has_no_finding(lab, diagnose, topology):
    run = diagnose()
    assert run.status == 0, run.printed
    assert run.report["verdict"] == "healthy", run.printed
    assert run.causes == []
