# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults bring about the symptoms of what is not BGP, and how often beside each other.

The odds are of the same kind as those of table.py: rough, and never a diagnosis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue import observed
from .._catalogue.packet_signals import IPIP, NONE, VXLAN, encapsulations
from . import dataplane_symptoms as kinds
from . import kube_symptoms as kube_kinds
from .model import Cause, Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._evidence.evidence import Evidence
    from .model import Symptom

DATAPLANE: dict[str, tuple[Cause, ...]] = {
    # Felix runs and does not get through its first round: it waits for data, or cannot program the host.
    kinds.FELIX_NOT_READY: (
        Cause("apiserver_unreachable", 2, "api"),
        Cause("typha_port_blocked", 2, "typha port"),
        Cause("kernel_module_missing", 1.5, "felix log"),
        Cause("felix_crash_loop", 1.5, "felix log"),
        Cause("iptables_backend_mismatch", 1, "felix log"),
        Cause("ipset_version_mismatch", 0.8, "felix log"),
        Cause("typha_down", 0.8, "typha"),
    ),
    # Nobody listens on Felix' health port: it has not begun, or ends before it listens.
    kinds.FELIX_SILENT: (
        Cause("apiserver_unreachable", 3, "api"),
        Cause("felix_crash_loop", 2, "felix log"),
        Cause("autodetection_found_nothing", 1, "felix log"),
        Cause("kernel_module_missing", 1, "felix log"),
        Cause("benign_startup_transient", 1, "felix log"),
        Cause("rp_filter_loose", 0.5, "felix log"),
    ),
    kinds.FELIX_SLOW: (
        Cause("probe_exec_failure", 1.5, "strain"),
        Cause("felix_crash_loop", 1, "felix log"),
        Cause("conntrack_full", 0.5, "strain"),
    ),
    kinds.PROBE_SAYS_NOTHING: (
        Cause("probe_exec_failure", 3, "strain"),
        Cause("bird_hung", 1, "bird here"),
        Cause("felix_crash_loop", 0.8, "felix log"),
    ),
    kinds.FELIX_FAILS: (
        Cause("kernel_module_missing", 2.5, "felix log"),
        Cause("iptables_backend_mismatch", 2, "rules"),
        Cause("felix_crash_loop", 1.5, "felix log"),
        Cause("ipset_version_mismatch", 0.8, "felix log"),
    ),
    kinds.TUNNEL_FAILS: (
        Cause("tunnel_device_missing", 3, "felix log"),
        Cause("kernel_module_missing", 2, "felix log"),
        Cause("host_network_manager_interference", 1, "managers"),
    ),
    kube_kinds.NODE_NOT_READY: (
        Cause("kubelet_not_ready", 3, "node status"),
        Cause("apiserver_unreachable", 0.8, "node status"),
        Cause("node_ready_flapping", 0.5, "node status"),
    ),
    # Its pod, or what it says of itself, is not as it should be, while BIRD works.
    kube_kinds.AGENT_NOT_WELL: (
        Cause("apiserver_unreachable", 1.5, "agent process"),
        Cause("felix_crash_loop", 1.5, "felix log"),
        Cause("probe_exec_failure", 1, "strain"),
        Cause("benign_startup_transient", 1, "agent process"),
    ),
    kinds.CRASHES: (
        Cause("apiserver_unreachable", 2.5, "api"),
        Cause("felix_crash_loop", 2, "felix log"),
        Cause("autodetection_found_nothing", 1.2, "felix log"),
        Cause("kernel_module_missing", 1, "felix log"),
        Cause("rp_filter_loose", 0.4, "felix log"),
    ),
    # What runs before calico-node asks the API server for a token, and writes files.
    kinds.INIT_FAILS: (
        Cause("apiserver_unreachable", 4, "api"),
        Cause("certificate_expired", 1, "init log"),
        Cause("cni_token_expired", 0.5, "init log"),
    ),
    # What is written down there was wanted in vain, and the line does not go on to say why.
    kinds.NO_DATASTORE: (
        Cause("apiserver_unreachable", 4, "api"),
        Cause("certificate_expired", 1, "felix log"),
        Cause("cni_token_expired", 0.5, "felix log"),
    ),
    # kube-controllers' rights come with calico-node's, from one manifest or one operator.
    kinds.CONTROLLERS_REFUSED: (
        Cause("calico_node_refused", 4, "rights"),
        Cause("operator_migration_stuck", 1, "rights"),
    ),
    # A pod's way to the API server leads through the host's rules and, on most nodes, to another node.
    kinds.POD_WITHOUT_API: (
        Cause("apiserver_unreachable", 3, "api"),
        Cause("host_firewall_blocks_pod_interfaces", 2.5, "rules"),
        Cause("vxlan_udp_blocked", 1, "encapsulated"),
        Cause("ipip_blocked", 1, "encapsulated"),
        Cause("ip_forward_off", 0.5, "host settings"),
    ),
    # Kubelet's own check of the container runtime failed: that is so, or was so for a moment.
    kinds.KUBELET_UNWELL: (
        Cause("kubelet_not_ready", 3, "node status"),
        Cause("node_ready_flapping", 1.5, "node status"),
    ),
    # What a pod sends out of the cluster is forwarded by the host, and masqueraded by Calico's rules.
    kinds.POD_WITHOUT_WORLD: (
        Cause("host_firewall_blocks_pod_interfaces", 2.5, "rules"),
        Cause("ip_forward_off", 1, "host settings"),
        Cause("iptables_backend_mismatch", 0.8, "rules"),
        Cause("rp_filter_strict", 0.3, "host settings"),
    ),
    kinds.NO_SANDBOX: (
        Cause("apiserver_unreachable", 2, "api"),
        Cause("cni_token_expired", 2, "cni"),
        Cause("certificate_expired", 1.5, "cni"),
        Cause("calico_node_not_scheduled", 1, "felix log"),
    ),
    # calico-node writes the file when it starts well for the first time.
    kinds.NO_NODENAME: (
        Cause("apiserver_unreachable", 2.5, "api"),
        Cause("calico_node_not_scheduled", 2, "felix log"),
        Cause("autodetection_found_nothing", 1, "felix log"),
        Cause("daemonset_missing", 1, "felix log"),
    ),
    kinds.PODS_APART: (
        Cause("ipip_blocked", 3, "encapsulated"),
        Cause("vxlan_udp_blocked", 3, "encapsulated"),
        Cause("encapsulation_disabled_but_needed", 2, "pools"),
        Cause("host_firewall_blocks_pod_interfaces", 1.5, "rules"),
        Cause("cloud_source_dest_check", 1, "pools"),
        Cause("wrong_ip_autodetection", 1, "addresses"),
        Cause("mtu_mismatch", 0.7, "size"),
        Cause("checksum_offload", 0.7, "encapsulated"),
        Cause("rp_filter_strict", 0.5, "host settings"),
        Cause("ip_forward_off", 0.5, "host settings"),
    ),
    # Most of a Service's pods are on other nodes; kube-proxy's rules, and what they make of packets, are in between.
    kinds.SERVICES_LOST: (
        Cause("host_firewall_blocks_pod_interfaces", 2.5, "rules"),
        Cause("ipip_blocked", 2, "encapsulated"),
        Cause("vxlan_udp_blocked", 2, "encapsulated"),
        Cause("checksum_offload", 1.5, "encapsulated"),
        Cause("encapsulation_disabled_but_needed", 1, "pools"),
        Cause("iptables_backend_mismatch", 1, "rules"),
        Cause("ip_forward_off", 0.5, "host settings"),
    ),
    # Told to somebody with kubectl, wherever that was: the server is away, or the way to it is.
    kinds.API_SILENT: (
        Cause("apiserver_unreachable", 3, "api from here"),
        Cause("certificate_expired", 1, "api from here"),
        Cause("kubelet_not_ready", 0.5, "api from here"),
    ),
    kinds.API_CERTIFICATE: (
        Cause("certificate_expired", 9, "certificates"),
        Cause("clock_skew", 1, "certificates"),
    ),
    kinds.API_NOT_YET: (
        Cause("clock_skew", 9, "certificates"),
        Cause("certificate_expired", 2, "certificates"),
    ),
    # Who asked is not known any more, or takes the server for another one: a certificate was renewed, or has ended.
    kinds.API_REFUSES: (Cause("certificate_expired", 2, "certificates"),),
    kinds.NO_SUCH_KIND: (Cause("benign_tool_artifact", 2, "kinds"),),
    kinds.LARGE_LOST: (
        Cause("mtu_mismatch", 5, "size"),
        Cause("checksum_offload", 1, "encapsulated"),
        Cause("conntrack_invalid", 0.7, "rules"),
    ),
}


def _carried_by(kind: str, shown: str) -> Callable[[Evidence, Symptom], str]:
    def holds(evidence: Evidence, symptom: Symptom) -> str:
        return f"the pools use {shown}" if encapsulations(evidence) == {kind} else ""

    return holds


def _is_rejected(evidence: Evidence, symptom: Symptom) -> str:
    """Where a route leads, "no route to host" comes from a filter: ICMP's host-prohibited, as firewalld sends it."""
    told = any("no route to host" in seen.detail for seen in symptom.seen)
    return "the host rejects what the pod sends (no route to host)" if told else ""


def _pods_answer(evidence: Evidence, symptom: Symptom) -> str:
    """What differs on the way to a Service is that its packets are rewritten: their checksums are made anew."""
    answered = symptom.kind == kinds.SERVICES_LOST and observed.pods_answer_beside_services(evidence)
    return "pods of other nodes answer where a Service does not" if answered else ""


def _pings_pass(evidence: Evidence, symptom: Symptom) -> str:
    """A tunnel, or the network below, that carries pings between the same ends is not what is blocked: a filter tells
    the protocols apart, or checksums are wrong, which pings' answers do not need of the tunnel's."""
    passing = observed.by_protocol(evidence)[0] if symptom.kind == kinds.PODS_APART else []
    return "pings pass between the same ends" if passing else ""


def _forward_drops(evidence: Evidence, symptom: Symptom) -> str:
    """Docker, ufw and others have it so, and then all depends on who lets pods' packets pass in time."""
    names = [node.name for node in evidence.nodes.values() if node.packets.forward_drops]
    return f"FORWARD of {names[0]} drops what no rule lets pass" if names else ""


_RARELY = 0.05
DATAPLANE_CONTEXTS = (
    Context("rejected", _is_rejected, {"host_firewall_blocks_pod_interfaces": 3}),
    Context("FORWARD drops", _forward_drops, {"host_firewall_blocks_pod_interfaces": 3}),
    Context(
        "pods answer",
        _pods_answer,
        {
            **dict.fromkeys(("ipip_blocked", "vxlan_udp_blocked", "encapsulation_disabled_but_needed"), _RARELY),
            "checksum_offload": 2,
        },
    ),
    Context(
        "pings pass",
        _pings_pass,
        {
            **dict.fromkeys(("ipip_blocked", "vxlan_udp_blocked", "encapsulation_disabled_but_needed"), _RARELY),
            **dict.fromkeys(("cloud_source_dest_check", "wrong_ip_autodetection", "ip_forward_off"), _RARELY),
            "checksum_offload": 4,
            "host_firewall_blocks_pod_interfaces": 2,
        },
    ),
    Context(
        "by IPIP",
        _carried_by(IPIP, "IPIP"),
        {"vxlan_udp_blocked": _RARELY, "encapsulation_disabled_but_needed": 0.1, "cloud_source_dest_check": 0.1},
    ),
    Context(
        "by VXLAN",
        _carried_by(VXLAN, "VXLAN"),
        {
            "ipip_blocked": _RARELY,
            "encapsulation_disabled_but_needed": 0.1,
            "cloud_source_dest_check": 0.1,
            "checksum_offload": 2,
        },
    ),
    Context(
        "bare",
        _carried_by(NONE, "no encapsulation"),
        {
            "ipip_blocked": _RARELY,
            "vxlan_udp_blocked": _RARELY,
            "checksum_offload": 0.1,
            "encapsulation_disabled_but_needed": 2,
            "cloud_source_dest_check": 2,
        },
    ),
)
