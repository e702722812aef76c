# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's own settings: pools, BGP, Felix, ConfigMap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ...topology import POD_POOL, POD_POOL6
from ..names import CALICO_CONFIG, CALICO_V1, CALICO_VERSION, KUBE_SYSTEM
from ..objects import Object, make
from .nodes import zone

if TYPE_CHECKING:
    from ...topology import Plan

POOL, POOL6 = "default-ipv4-ippool", "default-ipv6-ippool"


def objects(plan: Plan) -> list[Object]:
    """Calico's settings for a plan."""
    made = [config_map(plan), *_pools(plan), *_bgp(plan)]
    spec: Object = {"bpfConnectTimeLoadBalancing": "TCP", "logSeverityScreen": "Info", "reportingInterval": "0s"}
    made.append(make(CALICO_V1, "FelixConfiguration", "default", spec={**spec, "floatingIPs": "Disabled"}))
    information = {
        "calicoVersion": CALICO_VERSION,
        "clusterGUID": "6c1f4a0b7d4e4a0d9d3e2f5b8a7c6d5e",
        "clusterType": f"k8s,{'canal' if plan.topology.overlay == 'canal' else 'bgp'},kubeadm,kdd",
        "datastoreReady": True,
    }
    made.append(make(CALICO_V1, "ClusterInformation", "default", spec=information))
    made.append(_kube_controllers())
    ipam = {"autoAllocateBlocks": True, "strictAffinity": False}
    made.append(make(CALICO_V1, "IPAMConfig", "default", spec=ipam))
    made.append(make(CALICO_V1, "Tier", "default", spec={"order": 1000000, "defaultAction": "Deny"}))
    return made


def config_map(plan: Plan) -> Object:
    """ConfigMap calico-config, or Canal's."""
    canal = plan.topology.overlay == "canal"
    network = {
        "name": "k8s-pod-network",
        "cniVersion": "0.3.1",
        "plugins": [
            {
                "type": "calico",
                "log_level": "info",
                "log_file_path": "/var/log/calico/cni/cni.log",
                "datastore_type": "kubernetes",
                "nodename": "__KUBERNETES_NODE_NAME__",
                "mtu": "__CNI_MTU__",
                "ipam": {"type": "host-local", "subnet": "usePodCidr"} if canal else {"type": "calico-ipam"},
                "policy": {"type": "k8s"},
                "kubernetes": {"kubeconfig": "__KUBECONFIG_FILEPATH__"},
            },
            {"type": "portmap", "snat": True, "capabilities": {"portMappings": True}},
        ],
    }
    data = {
        "typha_service_name": "none",
        "veth_mtu": "0",
        # The place of the MTU is a number's, which no JSON can say before it is filled in.
        "cni_network_config": json.dumps(network, indent=2).replace('"__CNI_MTU__"', "__CNI_MTU__"),
    }
    if canal:
        flannel = json.dumps({"Network": POD_POOL, "Backend": {"Type": "vxlan"}}, indent=2)
        more = {"canal_iface": "", "masquerade": "true", "net-conf.json": flannel}
        return make("v1", "ConfigMap", "canal-config", KUBE_SYSTEM, data={**data, **more})
    data["calico_backend"] = plan.topology.backend
    return make("v1", "ConfigMap", CALICO_CONFIG, KUBE_SYSTEM, data=data)


def _pools(plan: Plan) -> list[Object]:
    if plan.topology.overlay == "canal":
        return []
    vxlan = "Always" if plan.topology.overlay else "Never"
    common = {"vxlanMode": vxlan, "ipipMode": "Never", "nodeSelector": "all()"}
    uses = {"allowedUses": ["Workload", "Tunnel"]}
    spec: Object = {"cidr": POD_POOL, "blockSize": 26, "natOutgoing": True, **common, **uses}
    made = [make(CALICO_V1, "IPPool", POOL, spec=spec)]
    if plan.topology.dual_stack:
        spec6: Object = {"cidr": POD_POOL6, "blockSize": 122, "natOutgoing": False, **common, **uses}
        made.append(make(CALICO_V1, "IPPool", POOL6, spec=spec6))
    return made


def _bgp(plan: Plan) -> list[Object]:
    """Nothing is there by default: the mesh is what Calico does without any settings."""
    made = []
    if plan.topology.reflectors:
        spec: Object = {"logSeverityScreen": "Info", "nodeToNodeMeshEnabled": False, "asNumber": 64512}
        made.append(make(CALICO_V1, "BGPConfiguration", "default", spec=spec))
        peers: Object = {"nodeSelector": "all()", "peerSelector": "route-reflector == 'true'"}
        made.append(make(CALICO_V1, "BGPPeer", "peer-with-route-reflectors", spec=peers))
    subnets = plan.topology.subnets if plan.topology.router_as else ()
    for number, subnet in enumerate(subnets):
        router: Object = {"peerIP": subnet.gateway, "asNumber": plan.topology.router_as}
        if len(subnets) > 1:
            router["nodeSelector"] = f"topology.kubernetes.io/zone == '{zone(number)}'"
        name = "top-of-rack" if len(subnets) == 1 else f"top-of-rack-{number + 1}"
        made.append(make(CALICO_V1, "BGPPeer", name, spec=router))
    return made


def _kube_controllers() -> Object:
    node: Object = {"reconcilerPeriod": "5m0s", "syncLabels": "Enabled", "hostEndpoint": {"autoCreate": "Disabled"}}
    period: Object = {"reconcilerPeriod": "5m0s"}
    spec: Object = {
        "controllers": {
            "namespace": dict(period),
            "node": {**node, "leakGracePeriod": "15m0s"},
            "policy": dict(period),
            "serviceAccount": dict(period),
            "workloadEndpoint": dict(period),
        },
        "etcdV3CompactionPeriod": "10m0s",
        "healthChecks": "Enabled",
        "logSeverityScreen": "Info",
        "prometheusMetricsPort": 9094,
    }
    running: Object = {"controllers": {"node": dict(node)}, "healthChecks": "Enabled", "logSeverityScreen": "Info"}
    status = {
        "environmentVars": {"DATASTORE_TYPE": "kubernetes", "ENABLED_CONTROLLERS": "node"},
        "runningConfig": running,
    }
    return make(CALICO_V1, "KubeControllersConfiguration", "default", spec=spec, status=status)
