# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of CustomResourceDefinitions that are served: Calico's, the operator's, and those that come with them.

Names, columns and scopes are those of Calico's own definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .builtin_kinds import NAME, kind
from .kinds import CALICO_V1, CALICO_V3, OPERATOR, Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_CUSTOM_AGE = Column("Age", "date", ".metadata.creationTimestamp")


def _custom(
    group: str, version: str, plural: str, name: str, *, short: str = "", columns: str = "", **more: Any
) -> Kind:
    """A kind of a CustomResourceDefinition; `columns` as "Name=.json.path:type; …", AGE alone if it is empty."""
    made = []
    for text in filter(None, columns.split("; ")):
        title, _equals, path = text.partition("=")
        path, colon, last = path.rpartition(":")
        made.append(Column(title, last, path) if colon else Column(title, "string", last))
    shown = (NAME, *(made or [_CUSTOM_AGE]))
    return kind(group, version, plural, name, short=short, custom=True, columns=shown, **more)


def _condition(wanted: str, field: str = "status") -> str:
    return f".status.conditions[?(@.type=='{wanted}')].{field}"


# plural, kind, namespaced, has the subresource status; of crd.projectcalico.org/v1.
_CALICO: tuple[tuple[str, str, bool, bool], ...] = (
    ("bgpconfigurations", "BGPConfiguration", False, False),
    ("bgpfilters", "BGPFilter", False, False),
    ("bgppeers", "BGPPeer", False, False),
    ("blockaffinities", "BlockAffinity", False, False),
    ("caliconodestatuses", "CalicoNodeStatus", False, True),
    ("clusterinformations", "ClusterInformation", False, False),
    ("felixconfigurations", "FelixConfiguration", False, False),
    ("globalnetworkpolicies", "GlobalNetworkPolicy", False, False),
    ("globalnetworksets", "GlobalNetworkSet", False, False),
    ("hostendpoints", "HostEndpoint", False, False),
    ("ipamblocks", "IPAMBlock", False, False),
    ("ipamconfigs", "IPAMConfig", False, False),
    ("ipamhandles", "IPAMHandle", False, False),
    ("ippools", "IPPool", False, True),
    ("ipreservations", "IPReservation", False, False),
    ("kubecontrollersconfigurations", "KubeControllersConfiguration", False, True),
    ("networkpolicies", "NetworkPolicy", True, False),
    ("networksets", "NetworkSet", True, False),
    ("stagedglobalnetworkpolicies", "StagedGlobalNetworkPolicy", False, False),
    ("stagedkubernetesnetworkpolicies", "StagedKubernetesNetworkPolicy", True, False),
    ("stagednetworkpolicies", "StagedNetworkPolicy", True, False),
    ("tiers", "Tier", False, True),
)
_SHORT_V3 = {
    "bgpconfigurations": "bgpconfig bgpconfigs",
    "blockaffinities": "affinity affinities",
    "clusterinformations": "clusterinfo clusterinfos",
    "globalnetworkpolicies": "gnp cgnp",
    "globalnetworksets": "gns",
    "hostendpoints": "hep heps",
    "ipamconfigurations": "ipamconfig ipamconfigs",
    "kubecontrollersconfigurations": "kcc kccs",
    "networkpolicies": "cnp caliconetworkpolicy",
    "stagedglobalnetworkpolicies": "sgnp",
    "stagedkubernetesnetworkpolicies": "sknp",
    "stagednetworkpolicies": "scnp snp",
}
_COLUMNS_V3 = {
    "bgppeers": "Node Selector=.spec.nodeSelector; Node=.spec.node; Local ASN=.spec.localASNumber; "
    "Peer Selector=.spec.peerSelector; Peer IP=.spec.peerIP; Peer ASN=.spec.asNumber",
    "blockaffinities": "CIDR=.spec.cidr; Node=.spec.node; Type=.spec.type",
    "caliconodestatuses": "Node=.spec.node; Classes=.spec.classes",
    "clusterinformations": "Version=.spec.calicoVersion; Ready=.spec.datastoreReady:boolean; Types=.spec.clusterType",
    "globalnetworkpolicies": "Tier=.spec.tier; Order=.spec.order:number; Age=.metadata.creationTimestamp:date",
    "hostendpoints": "Node=.spec.node; Interface=.spec.interfaceName",
    "ipamblocks": "CIDR=.spec.cidr; Affinity=.spec.affinity; ClaimTime=.spec.affinityClaimTime:date",
    "ipamconfigurations": "StrictAffinity=.spec.strictAffinity:boolean; "
    "MaxBlocksPerHost=.spec.maxBlocksPerHost:integer; AutoAllocateBlocks=.spec.autoAllocateBlocks:boolean",
    "ipamhandles": "ID=.spec.handleID",
    "ippools": "CIDR=.spec.cidr; VXLAN=.spec.vxlanMode; IPIP=.spec.ipipMode; NAT=.spec.natOutgoing:boolean; "
    f"Allocatable={_condition('Allocatable')}; Age=.metadata.creationTimestamp:date",
    "networkpolicies": "Tier=.spec.tier; Order=.spec.order:number",
    "stagedglobalnetworkpolicies": "Tier=.spec.tier; Order=.spec.order:number",
    "stagednetworkpolicies": "Tier=.spec.tier; Order=.spec.order:number",
    "tiers": f"Order=.spec.order:integer; DefaultAction=.spec.defaultAction; Status={_condition('Ready', 'reason')}",
}
# Calico's own API server does not show these two.
_NOT_AGGREGATED = ("ipamblocks", "ipamhandles")
_TIGERA_STATUS_COLUMNS = (
    "; ".join(f"{name}={_condition(name)}" for name in ("Available", "Progressing", "Degraded"))
    + f"; Since={_condition('Available', 'lastTransitionTime')}:date; Message={_condition('Degraded', 'message')}"
)
_POLICY = _custom(
    "policy.networking.k8s.io",
    "v1alpha2",
    "clusternetworkpolicies",
    "ClusterNetworkPolicy",
    namespaced=False,
    short="cnp",
    subresources=("status",),
    columns="Tier=.spec.tier; Priority=.spec.priority; Age=.metadata.creationTimestamp:date",
)
OTHERS = (
    _POLICY,
    _custom(OPERATOR, "v1", "apiservers", "APIServer", namespaced=False, subresources=("status",)),
    _custom(OPERATOR, "v1", "gatewayapis", "GatewayAPI", namespaced=False),
    _custom(OPERATOR, "v1", "goldmanes", "Goldmane", namespaced=False, subresources=("status",)),
    _custom(OPERATOR, "v1", "imagesets", "ImageSet", namespaced=False, subresources=("status",)),
    _custom(OPERATOR, "v1", "installations", "Installation", namespaced=False, subresources=("status",)),
    _custom(OPERATOR, "v1", "istios", "Istio", namespaced=False, subresources=("status",)),
    _custom(
        OPERATOR,
        "v1",
        "managementclusterconnections",
        "ManagementClusterConnection",
        namespaced=False,
        subresources=("status",),
    ),
    _custom(
        OPERATOR,
        "v1",
        "tigerastatuses",
        "TigeraStatus",
        namespaced=False,
        subresources=("status",),
        columns=_TIGERA_STATUS_COLUMNS,
    ),
    _custom(OPERATOR, "v1", "whiskers", "Whisker", namespaced=False, subresources=("status",)),
)


def _calico(group: str, version: str, *, view: bool = False) -> Iterator[Kind]:
    v3 = group == CALICO_V3
    for plural, kind_name, namespaced, status in _CALICO:
        if view and plural in _NOT_AGGREGATED:
            continue
        name = "ipamconfigurations" if v3 and plural == "ipamconfigs" else plural
        yield _custom(
            group,
            version,
            name,
            "IPAMConfiguration" if name == "ipamconfigurations" else kind_name,
            namespaced=namespaced,
            short=_SHORT_V3.get(name, "") if v3 else "",
            columns=_COLUMNS_V3.get(name, "") if v3 and not view else "",
            subresources=("status",) if status else (),
            stored_as=f"{plural}.{CALICO_V1}" if view else "",
        )


def calico(shape: str) -> tuple[Kind, ...]:
    """Calico's kinds as `kinds.served` describes the shapes "crd", "aggregated" and "native"."""
    if shape == "native":
        return tuple(_calico(CALICO_V3, "v3"))
    view = _calico(CALICO_V3, "v3", view=True) if shape == "aggregated" else ()
    return (*_calico(CALICO_V1, "v1"), *view)
