# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What installers call the settings of Calico, and what each of them does with edits elsewhere.

Sources: tigera/operator (api/v1/installation_types.go, pkg/render/node.go), kubernetes-sigs/kubespray
(roles/network_plugin/calico), kubernetes/kops (pkg/apis/kops/networking.go), rancher/rke2-charts (rke2-canal),
canonical/microk8s (upgrade-scripts/000-switch-to-calico), IBM's documentation of its clusters (kernel.md).
"""

from __future__ import annotations

from typing import NamedTuple

MANAGED_BY_OPERATOR = "tigera-operator"
MICROK8S_FILE = "/var/snap/microk8s/current/args/cni-network/cni.yaml"
MICROK8S_NOTE = "MicroK8s applies this file again at upgrades, so that an edit of the DaemonSet does not last."
KUBESPRAY_NOTE = "The next run of kubespray's cluster.yml or upgrade-cluster.yml writes its own values again."
KOPS_NOTE = "kops' channels apply the addon again at the next update of the cluster."
RKE2_NOTE = "RKE2's Helm controller puts the chart's values back when the server restarts or is upgraded."
HELM_NOTE = "The next upgrade of the Helm release writes its own values again."
KUBESPRAY_POOL = "default-pool"


class Place(NamedTuple):
    """What a setting is called. installation: below spec of the operator's Installation; iks: a key of the ConfigMap
    calico-config that IBM reads. '' where an installer has no word of its own for it."""

    installation: str
    kubespray: str = ""
    kops: str = ""
    rke2_canal: str = ""
    microk8s: str = ""
    iks: str = ""


AUTODETECTION = {
    "ipv4": Place(
        "calicoNetwork.nodeAddressAutodetectionV4",
        "calico_ip_auto_method",
        "spec.networking.calico.ipv4AutoDetectionMethod",
        "calico.ipAutoDetectionMethod",
    ),
    "ipv6": Place(
        "calicoNetwork.nodeAddressAutodetectionV6",
        "calico_ip6_auto_method",
        "spec.networking.calico.ipv6AutoDetectionMethod",
        "calico.ip6AutoDetectionMethod",
    ),
}
BACKEND = Place(
    "calicoNetwork.bgp",
    "calico_network_backend",
    "spec.networking.calico.encapsulationMode",
    "calico.networkingBackend",
    "ConfigMap calico-config, calico_backend",
)
MTU = Place(
    "calicoNetwork.mtu",
    "calico_mtu",
    "spec.networking.calico.mtu",
    "calico.vethuMTU",
    "ConfigMap calico-config, veth_mtu",
    "calico_mtu_override",
)
POOLS = Place(
    "calicoNetwork.ipPools",
    "calico_ipip_mode, calico_vxlan_mode",
    "spec.networking.calico.encapsulationMode, ipipMode, vxlanMode",
)
ROUTING = Place("calicoNetwork.clusterRoutingMode")
# What IBM's customers may change in the Installation.
OF_IBM_CUSTOMERS = frozenset(("calicoNetwork.mtu", "calicoNetwork.hostPorts"))
# Fields of FelixConfiguration that the operator patches, by what it takes their values from, and what kops calls them.
FELIX = {
    "bpfEnabled": Place("calicoNetwork.linuxDataplane", "calico_bpf_enabled", "spec.networking.calico.bpfEnabled"),
    "nftablesMode": Place("calicoNetwork.linuxDataplane", "calico_nftable_mode"),
    "programClusterRoutes": Place("calicoNetwork.clusterRoutingMode"),
    "ipipMTU": MTU,
    "vxlanMTU": MTU,
    "wireguardMTU": MTU,
    "prometheusMetricsPort": Place("nodeMetricsPort", "calico_felix_prometheusmetricsport"),
    "prometheusMetricsEnabled": Place("nodeMetricsPort", "calico_felix_prometheusmetricsenabled"),
    "wireguardEnabled": Place("", "calico_wireguard_enabled", "spec.networking.calico.wireguardEnabled"),
    "iptablesBackend": Place(
        "", "calico_iptables_backend", "spec.networking.calico.iptablesBackend", "calico.felixIptablesBackend"
    ),
    "chainInsertMode": Place("", "calico_felix_chaininsertmode", "spec.networking.calico.chainInsertMode"),
    "vxlanVNI": Place("", "calico_vxlan_vni"),
    "vxlanPort": Place("", "calico_vxlan_port"),
    "awsSrcDstCheck": Place("", "", "spec.networking.calico.awsSrcDstCheck"),
}
# Fields that kubespray writes into the object itself; it leaves others as they are.
KUBESPRAY_FELIX = {
    "bpfEnabled": "calico_bpf_enabled",
    "bpfExternalServiceMode": "calico_bpf_service_mode",
    "bpfLogLevel": "calico_bpf_log_level",
    "wireguardEnabled": "calico_wireguard_enabled",
    "floatingIPs": "calico_felix_floating_ips",
    "reportingInterval": "calico_felix_reporting_interval",
    "logSeverityScreen": "calico_felix_log_severity_screen",
    "featureDetectOverride": "calico_feature_detect_override",
}
KUBESPRAY_BGP = {
    "asNumber": "global_as_num",
    "nodeToNodeMeshEnabled": "nodetonodemesh, peer_with_calico_rr",
    "listenPort": "calico_bgp_listen_port",
    "serviceClusterIPs": "calico_advertise_cluster_ips",
    "serviceExternalIPs": "calico_advertise_service_external_ips",
    "serviceLoadBalancerIPs": "calico_advertise_service_loadbalancer_ips",
}


def is_kubesprays(peer: str, node: str) -> bool:
    """Say whether a BGPPeer has a name that kubespray gives; node: the one that the peer is for, '' if for several."""
    if peer in ("peer-to-rrs", "rr-mesh") or peer.startswith("global-") or peer.endswith("-to-node"):
        return True
    return bool(node) and peer.startswith(f"{node}-")
