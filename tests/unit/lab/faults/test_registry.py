# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault record is whole, and its id is one of the catalogue's."""

from __future__ import annotations

import pytest

from lab import topology
from lab.errors import UsageError
from lab.faults.engine import fault
from lab.faults.registry import FAULTS, MACHINE_OFF

# The faults that the project promises to make real.
PROMISED = [
    "tcp179_blocked_host_firewall",
    "tcp179_latent_one_way_block",
    "tcp179_blocked_network",
    "peer_bird_not_running",
    "bird_not_running",
    "bird_hung",
    "as_mismatch",
    "duplicate_router_id",
    "bgp_password_mismatch",
    "stale_node_ip",
    "duplicate_node_ip",
    "stale_node_in_mesh",
    "peer_node_down",
    "bird_reload_stuck",
    "port179_conflict",
    "mtu_mismatch",
    "time_sync_missing",
    "benign_startup_transient",
    "undetermined",
    "wrong_ip_autodetection",
    "vip_chosen_as_node_ip",
    "autodetection_found_nothing",
    "ipv4_missing_on_host",
    "node_ip_not_on_host",
    "node_ip_mask_32",
    "node_has_no_internal_ip",
    "calico_node_not_scheduled",
    "daemonset_missing",
    "admission_webhook_blocks_pods",
    "kubelet_not_ready",
    "node_ready_flapping",
    "datastore_lost_data",
    "apiserver_unreachable",
    "certificate_expired",
    "cni_token_expired",
    "typha_port_blocked",
    "typha_stale_endpoint",
    "typha_discovery_misconfigured",
    "typha_not_scheduled",
    "typha_down",
    "bird_not_expected",
    "bird_probe_without_bird",
    "vxlan_udp_blocked",
    "tunnel_device_missing",
    "routes_missing",
    "node_podcidr_missing",
    "bgp_source_nat",
    "middlebox_breaks_bgp",
    "nodename_mismatch",
    "hold_timer_expired",
    "metallb_conflict",
    "bgppeer_wrong_address",
    "bgppeer_selects_nothing",
    "mesh_disabled_no_peers",
    "route_reflector_misconfigured",
    "bgp_password_secret_unreadable",
    "external_router_config",
    "bgpconfig_service_cidr_contains_pods",
    "port_listen_changed",
    "host_endpoint_policy",
    "encapsulation_disabled_but_needed",
]
CASES = [pytest.param(each, id=each.id) for each in FAULTS]


def test_what_is_promised_is_there():
    assert set(PROMISED) <= {each.id for each in FAULTS}


def test_ids_are_unique():
    assert len({each.id for each in FAULTS}) == len(FAULTS)
    assert MACHINE_OFF in {each.id for each in FAULTS}


@pytest.mark.parametrize("record", CASES)
def test_variants_are_unique_and_said(record):
    assert record.variants
    assert len({variant.name for variant in record.variants}) == len(record.variants)
    assert all(variant.description for variant in record.variants)
    assert record.description
    assert {variant.topology for variant in record.variants} <= {"", *(each.name for each in topology.TOPOLOGIES)}


@pytest.mark.parametrize("record", CASES)
def test_the_first_variant_works_wherever_any_does(record):
    first = record.variants[0].topology
    assert first == "" or all(variant.topology for variant in record.variants)
    assert record.variant(None) == record.variants[0]
    with pytest.raises(UsageError, match="has no variant 'nonsense'"):
        record.variant("nonsense")


@pytest.mark.parametrize("record", CASES)
@pytest.mark.parametrize("shape", [each.name for each in topology.TOPOLOGIES])
def test_there_is_a_target_or_a_subject(record, shape):
    plan = topology.plan(shape, max(2, record.least_nodes))
    if record.default is None:
        assert record.ghost
    else:
        assert all(record.default(plan, variant.name) in plan.nodes for variant in record.variants)


def test_an_unknown_fault_is_said():
    with pytest.raises(UsageError, match="cannot make 'gremlins'"):
        fault("gremlins")
