# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the lab can make comes out first, at the right node, also without Python; of two both come out.

`make test` makes one fault of each kind and reads a few nodes without Python. `make faults` makes all in every way,
`make matrix` on further topologies, with drawn pairs.
"""

from __future__ import annotations

import pytest

from lab.faults.registry import FAULTS
from matrix.diagnosis import without_python
from matrix.expected import right_node

RULE_IN_INPUT = "tcp179_blocked_host_firewall"
THOROUGH = pytest.mark.thorough


def cases(brief):
    """Each fault in each way, of which only those in `brief` are not too much for `make test`."""
    return [
        pytest.param(
            fault.id,
            variant.name,
            variant.topology or "one_subnet",
            id=f"{fault.id}-{variant.name}",
            marks=[] if (fault.id, variant.name) in brief else [THOROUGH],
        )
        for fault in FAULTS
        for variant in fault.variants
    ]


# Some of each kind. Others are made in pairs below or by the tests of the roles that repair them, or are diagnosed as
# recorded (tests/unit/cases); all are found in evidence by the catalogue's tests, and made here by `make faults`.
BRIEFLY_MADE = {
    "apiserver_unreachable",
    "benign_startup_transient",
    "bgp_password_mismatch",
    "bird_config_rejected",
    "bird_hung",
    "clock_skew",
    "external_router_config",
    "hold_timer_expired",
    "host_endpoint_policy",
    "ipip_blocked",
    "kubelet_not_ready",
    "peer_node_down",
    "port179_conflict",
    "route_reflector_misconfigured",
    "routes_missing",
    "rp_filter_strict",
    "stale_node_in_mesh",
    "tcp179_blocked_network",
    "typha_tls_mismatch",
    "undetermined",
    "vip_chosen_as_node_ip",
    "vxlan_udp_blocked",
    "wrong_ip_autodetection",
}
FIRST_WAYS = {(fault.id, fault.variants[0].name) for fault in FAULTS}
# How a node is read is the same for all variants of a fault but for the firewall's programs.
WITHOUT_PYTHON = FIRST_WAYS | {
    (fault.id, variant.name) for fault in FAULTS for variant in fault.variants if fault.id == RULE_IN_INPUT
}
BRIEFLY_WITHOUT_PYTHON = {
    (RULE_IN_INPUT, "nft"),
    ("as_mismatch", "own"),
    ("bird_not_running", "stopped"),
    ("time_sync_missing", "stopped"),
    ("vxlan_udp_blocked", "host"),
}
PAIRS = [
    (("tcp179_blocked_host_firewall", "node-2"), ("as_mismatch", "node-4")),
    (("bird_not_running", "node-3"), ("tcp179_latent_one_way_block", "node-1")),
]
MORE_PAIRS = [
    (("duplicate_router_id", "node-3"), ("bird_reload_stuck", "node-4")),
    (("stale_node_in_mesh", None), ("bgp_password_mismatch", "node-2")),
    (("peer_node_down", "node-4"), ("tcp179_blocked_host_firewall", "node-2")),
    (("time_sync_missing", "node-2"), ("port179_conflict", "node-3")),
]
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
    # Without Python it would be a host of the inventory, and so one that is down.
    "stale_node_in_mesh-node-object",
    "typha_discovery_misconfigured",
    "typha_down",
    "typha_not_scheduled",
    "typha_stale_endpoint",
}


@pytest.mark.parametrize(
    ("fault", "variant", "topology"), cases(brief={way for way in FIRST_WAYS if way[0] in BRIEFLY_MADE})
)
def test_the_fault_comes_out_first_at_the_right_node(lab, diagnose, fault, variant, topology):
    case = lab.make(fault, None, variant)
    run = diagnose()
    first = at_first(case, run)
    assert first["confidence"] >= 0.5
    assert first["fix"]["text"]
    assert fault in run.printed
    if fault == RULE_IN_INPUT:
        assert first["where"]["node"] == case.target
        assert first["where"]["text"]


@pytest.mark.parametrize(
    ("fault", "variant", "topology"),
    [
        case
        for case in cases(brief=BRIEFLY_WITHOUT_PYTHON)
        if case.values[:2] in WITHOUT_PYTHON and not BY_THE_API & {case.values[0], case.id}
    ],
)
def test_it_comes_out_where_there_is_no_python(lab, diagnose, tmp_path, fault, variant, topology):
    case = lab.make(fault, None, variant)
    at_first(case, diagnose(*without_python(tmp_path, case.target)))


def at_first(case, run):
    """The first finding, which is the case's."""
    assert run.findings, run.printed
    first = run.findings[0]
    assert first["fault"] == case.fault.id, run.printed
    assert right_node(case, first), run.printed
    return first


@pytest.mark.parametrize("topology", ["one_subnet"])
@pytest.mark.parametrize(
    "pair",
    [*PAIRS, *(pytest.param(pair, marks=THOROUGH) for pair in MORE_PAIRS)],
    ids=lambda pair: f"{pair[0][0]}+{pair[1][0]}",
)
def test_two_faults_at_once_both_come_out(lab, diagnose, pair, topology):
    cases = [lab.make(fault, node) for fault, node in pair]
    run = diagnose()
    found = {finding["fault"]: finding for finding in run.findings if finding["role"] != "consequence"}
    for case in cases:
        assert right_node(case, found.get(case.fault.id, {"nodes": ["not found"]})), run.printed


@pytest.mark.parametrize("topology", ["one_subnet", "two_subnets", "vxlan", "canal"])
def test_a_healthy_mesh_has_no_finding(lab, diagnose, topology):
    run = diagnose()
    assert run.status == 0, run.printed
    assert run.report["verdict"] == "healthy", run.printed
    assert run.causes == []
    if topology in ("vxlan", "canal"):
        (overlay,) = run.report["overlay"]
        others = len(lab.nodes) * (len(lab.nodes) - 1)
        assert overlay["ways"] == {"expected": others, "examined": others, "lacking": 0, "missing": []}
        assert overlay["echoes"] == {"answered": others, "silent": [], "silent_count": 0}
        assert overlay["says"].split(";")[0] in " ".join(run.printed.split())
