# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service accounts and RBAC: Kubernetes' own as far as they matter here, and Calico's.

calico-node may not read Secrets: neither Calico's manifest nor its operator allow it. Who wants BGP passwords has to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..names import CALICO_GROUP, CALICO_NODE, KUBE_SYSTEM, RBAC, RBAC_V1
from ..objects import Object, make

if TYPE_CHECKING:
    from ...topology import Plan

_ACCOUNTS = ("calico-kube-controllers", "calico-cni-plugin", "coredns", "kube-proxy")
_READ = ["get", "list", "watch"]
_WRITE = ["create", "update"]
_DELETE = ["delete"]


def objects(plan: Plan) -> list[Object]:
    """Accounts, roles and bindings."""
    made = [_account(name) for name in dict.fromkeys((CALICO_NODE, *_ACCOUNTS, plan.topology.agent))]
    made += [_account("default", each) for each in ("default", KUBE_SYSTEM, "shop")]
    made += [_role("view", _view()), _role(CALICO_NODE, _calico_node())]
    made += [_role("calico-kube-controllers", _kube_controllers()), _role("calico-cni-plugin", _cni_plugin())]
    for name in (CALICO_NODE, "calico-kube-controllers", "calico-cni-plugin"):
        made.append(_binding(name, name, [_subject(name)]))
    admins = [{"kind": "Group", "apiGroup": RBAC, "name": "kubeadm:cluster-admins"}]
    return [*made, _binding("kubeadm:cluster-admins", "cluster-admin", admins)]


def _account(name: str, namespace: str = KUBE_SYSTEM) -> Object:
    return make("v1", "ServiceAccount", name, namespace)


def _subject(name: str) -> Object:
    return {"kind": "ServiceAccount", "name": name, "namespace": KUBE_SYSTEM}


def _role(name: str, rules: list[Object]) -> Object:
    return make(RBAC_V1, "ClusterRole", name, rules=rules)


def _binding(name: str, role: str, subjects: list[Object]) -> Object:
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
    return make(RBAC_V1, "ClusterRoleBinding", name, roleRef=reference, subjects=subjects)


def _rule(group: str, resources: str, verbs: list[str] | str, **more: Any) -> Object:
    listed = [verbs] if isinstance(verbs, str) else list(verbs)
    return {"apiGroups": [group], "resources": resources.split(), "verbs": listed, **more}


def _view() -> list[Object]:
    return [
        _rule("", "configmaps endpoints events pods pods/log pods/status services serviceaccounts namespaces", _READ),
        _rule("apps", "controllerrevisions daemonsets deployments replicasets statefulsets", _READ),
        _rule("discovery.k8s.io", "endpointslices", _READ),
        _rule("networking.k8s.io", "networkpolicies", _READ),
    ]


def _calico_node() -> list[Object]:
    watched = (
        "felixconfigurations bgppeers bgpfilters bgpconfigurations ippools ipreservations ipamblocks "
        "globalnetworkpolicies stagedglobalnetworkpolicies networkpolicies stagednetworkpolicies "
        "stagedkubernetesnetworkpolicies globalnetworksets networksets clusterinformations hostendpoints "
        "blockaffinities caliconodestatuses tiers"
    )
    return [
        _rule("", "serviceaccounts/token", ["create"], resourceNames=["calico-cni-plugin"]),
        _rule("", "pods nodes namespaces configmaps", ["get"]),
        _rule("discovery.k8s.io", "endpointslices", ["watch", "list"]),
        _rule("", "endpoints services", _READ),
        _rule("", "nodes/status", ["patch", "update"]),
        _rule("networking.k8s.io", "networkpolicies", ["watch", "list"]),
        _rule("", "pods namespaces serviceaccounts", ["list", "watch"]),
        _rule("", "pods/status", ["patch"]),
        _rule(CALICO_GROUP, watched, _READ),
        _rule(CALICO_GROUP, "ippools felixconfigurations clusterinformations bgpconfigurations bgppeers", _WRITE),
        _rule(CALICO_GROUP, "tiers", ["create"]),
        _rule(CALICO_GROUP, "caliconodestatuses", ["update"]),
        _rule("", "nodes", _READ),
        _rule(CALICO_GROUP, "blockaffinities ipamblocks ipamhandles", [*_READ, *_WRITE, *_DELETE]),
        _rule(CALICO_GROUP, "ipamconfigs", ["get"]),
        _rule("apps", "daemonsets", ["get"]),
    ]


def _kube_controllers() -> list[Object]:
    return [
        _rule("", "nodes", _READ),
        _rule("", "pods", _READ),
        _rule(CALICO_GROUP, "ipreservations", ["list"]),
        _rule(CALICO_GROUP, "blockaffinities ipamblocks ipamhandles tiers", [*_READ, *_WRITE, *_DELETE]),
        _rule(CALICO_GROUP, "ippools", ["list", "watch"]),
        _rule(CALICO_GROUP, "hostendpoints", [*_READ, *_WRITE, *_DELETE]),
        _rule(CALICO_GROUP, "clusterinformations kubecontrollersconfigurations", [*_READ, *_WRITE]),
    ]


def _cni_plugin() -> list[Object]:
    used = "blockaffinities ipamblocks ipamhandles clusterinformations ippools ipreservations ipamconfigs"
    return [
        _rule("", "pods nodes namespaces", ["get"]),
        _rule("", "pods/status", ["patch"]),
        _rule(CALICO_GROUP, used, ["get", "list", *_WRITE, *_DELETE]),
    ]
