# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fields of Calico's objects may hold, up to Calico 3.34 (api/pkg/apis/projectcalico/v3, operator's api/v1).

No schema: only fields that hold one value, a list or a mapping, and words where there are few of them. Custom resources
drop unknown fields in silence (kubectl warns at best), so that a slip in a name is a setting that is not made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import felix_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOLEAN, NUMBER, LIST, MAPPING, TEXT, ANY = "true or false", "a number", "a list", "a mapping", "a text", ""
Fields = dict[str, "str | tuple[str, ...]"]
_MODES = ("Never", "Always", "CrossSubnet")
_SWITCH = ("Enabled", "Disabled")
_OWNERS = ("Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly")


def _all(kind: str, names: str) -> Fields:
    return dict.fromkeys(names.split(), kind)


_IPPOOL: Fields = {
    **_all(TEXT, "cidr namespaceSelector nodeSelector"),
    **_all(BOOLEAN, "disableBGPExport disabled natOutgoing nat-outgoing"),
    "allowedUses": LIST,
    "assignmentMode": ("Automatic", "Manual"),
    "blockSize": NUMBER,
    "ipip": MAPPING,
    "ipipMode": _MODES,
    "vxlanMode": _MODES,
}
_BGP_CONFIGURATION: Fields = {
    **_all(LIST, "communities ignoredInterfaces prefixAdvertisements serviceClusterIPs serviceExternalIPs"),
    **_all(LIST, "serviceLoadBalancerIPs"),
    **_all(NUMBER, "ipv4NormalRoutePriority ipv6NormalRoutePriority listenPort"),
    **_all(TEXT, "localWorkloadPeeringIPV4 localWorkloadPeeringIPV6 logSeverityScreen nodeMeshMaxRestartTime"),
    "asNumber": ANY,
    "bindMode": ("None", "NodeIP"),
    "nodeMeshPassword": MAPPING,
    "nodeToNodeMeshEnabled": BOOLEAN,
    "programClusterRoutes": _OWNERS,
    "serviceLoadBalancerAggregation": _SWITCH,
}
_BGP_PEER: Fields = {
    **_all(
        TEXT, "keepaliveTime localWorkloadSelector maxRestartTime node nodeSelector peerIP peerSelector reachableBy"
    ),
    **_all(NUMBER, "numAllowedLocalASNumbers ttlSecurity"),
    **_all(ANY, "asNumber localASNumber"),
    "filters": LIST,
    "keepOriginalNextHop": BOOLEAN,
    "nextHopMode": ("Auto", "Self", "Keep"),
    "password": MAPPING,
    "reversePeering": ("Auto", "Manual"),
    "sourceAddress": ("UseNodeIP", "None"),
}
_FELIX: Fields = {
    **dict.fromkeys(felix_fields.BOOLEANS, BOOLEAN),
    **dict.fromkeys(felix_fields.NUMBERS, NUMBER),
    **dict.fromkeys(felix_fields.LISTS, LIST),
    **dict.fromkeys(felix_fields.OTHERS, ANY),
    "awsSrcDstCheck": ("DoNothing", "Enable", "Disable"),
    "nftablesMode": ("Disabled", "Enabled", "Auto"),
    "programClusterRoutes": _OWNERS,
}
INSTALLATION: Fields = _all(
    ANY,
    """azure calicoKubeControllersDeployment calicoLibHostPath calicoNetwork calicoNodeDaemonSet
    calicoNodeWindowsDaemonSet calicoRunHostPath calicoWindowsUpgradeDaemonSet certificateManagement cni
    componentResources controlPlaneNodeSelector controlPlaneReplicas controlPlaneTolerations
    csiNodeDriverDaemonSet fipsMode flexVolumePath imagePath imagePrefix imagePullPolicy imagePullSecrets
    kubeletVolumePluginPath kubernetesProvider logging networkPolicy nodeMetricsPort nodeUpdateStrategy
    nonPrivileged proxy registry serviceCIDRs tlsCipherSuites typhaAffinity typhaDeployment typhaMetricsPort
    typhaPodDisruptionBudget variant windowsNodes""",
)
CALICO_NETWORK: Fields = {
    **_all(NUMBER, "linuxPolicySetupTimeoutSeconds mtu"),
    **_all(LIST, "ipPools sysctl"),
    **_all(MAPPING, "nodeAddressAutodetectionV4 nodeAddressAutodetectionV6"),
    **dict.fromkeys(
        ["bgp", "bpfNetworkBootstrap", "containerIPForwarding", "hostPorts", "kubeProxyManagement"], _SWITCH
    ),
    "clusterRoutingMode": ("BIRD", "Felix", "FelixIPIPOnly"),
    "linuxDataplane": ("Iptables", "BPF", "VPP", "Nftables"),
    "linuxPodInterfaceType": ("Veth", "Netkit"),
    "multiInterfaceMode": ("None", "Multus"),
    "windowsDataplane": ("HNS", "Disabled"),
}
OPERATOR_POOL: Fields = {
    **_all(BOOLEAN, "disableBGPExport disableNewAllocations"),
    **_all(TEXT, "assignmentMode cidr name nodeSelector"),
    "allowedUses": LIST,
    "blockSize": NUMBER,
    "encapsulation": ("IPIP", "IPIPCrossSubnet", "VXLAN", "VXLANCrossSubnet", "None"),
    "natOutgoing": _SWITCH,
}
AUTODETECTION: Fields = {
    **_all(TEXT, "canReach interface skipInterface"),
    "cidrs": LIST,
    "firstFound": BOOLEAN,
    "kubernetes": ("NodeInternalIP",),
}
CALICO: Mapping[str, Fields] = {
    "IPPool": _IPPOOL,
    "BGPConfiguration": _BGP_CONFIGURATION,
    "BGPPeer": _BGP_PEER,
    "BGPFilter": _all(LIST, "exportV4 exportV6 importV4 importV6"),
    "FelixConfiguration": _FELIX,
    "HostEndpoint": {**_all(TEXT, "interfaceName node"), **_all(LIST, "expectedIPs ports profiles")},
}
