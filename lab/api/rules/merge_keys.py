# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How lists and maps of Kubernetes' own kinds are merged: what Kubernetes says in struct tags and markers.

Source: k8s.io/api and k8s.io/apimachinery/pkg/apis/meta/v1, types.go: `patchStrategy`, `patchMergeKey` (strategic merge
patch); `+listType`, `+listMapKey`, `+structType`, `+mapType` (server-side apply). Only what the kinds in use reach.
What is not named here is replaced as a whole, if it is a list, and merged by key, if it is a map.
"""

from __future__ import annotations

from typing import NamedTuple


class Merging(NamedTuple):
    """How a field is merged.

    `strategies`, `merge_key`: of the strategic merge patch. `list_type` ("atomic", "set", "map") and `keys`: of
    server-side apply. `defaults`: values of keys that may be left out.
    """

    strategies: tuple[str, ...] = ()
    merge_key: str = ""
    list_type: str = "atomic"
    keys: tuple[str, ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()


def _by(key: str, *more: str, retain: bool = False, defaults: tuple[tuple[str, str], ...] = ()) -> Merging:
    strategies = ("merge", "retainKeys") if retain else ("merge",)
    return Merging(strategies, key, "map", (key, *more), defaults)


_TCP = (("protocol", "TCP"),)
_PORTS = _by("containerPort", "protocol", defaults=_TCP)
_CONTAINER = {
    "ports": _PORTS,
    "env": _by("name"),
    "volumeMounts": _by("mountPath"),
    "volumeDevices": _by("devicePath"),
}
_CONDITIONS = {"conditions": _by("type")}
_SET = Merging(("merge",), "", "set")

# Model -> field -> how it is merged.
FIELDS: dict[str, dict[str, Merging]] = {
    "V1ObjectMeta": {"ownerReferences": _by("uid"), "finalizers": _SET},
    "V1Container": _CONTAINER,
    "V1EphemeralContainer": _CONTAINER,
    "V1PodSpec": {
        "volumes": _by("name", retain=True),
        "initContainers": _by("name"),
        "containers": _by("name"),
        "ephemeralContainers": _by("name"),
        "imagePullSecrets": _by("name"),
        "hostAliases": _by("ip"),
        "topologySpreadConstraints": _by("topologyKey", "whenUnsatisfiable"),
        "schedulingGates": _by("name"),
        "resourceClaims": _by("name", retain=True),
    },
    "V1PodStatus": {
        **_CONDITIONS,
        "podIPs": _by("ip"),
        "hostIPs": Merging(("merge",), "ip"),
        "resourceClaimStatuses": _by("name", retain=True),
    },
    "V1ContainerStatus": {"volumeMounts": _by("mountPath"), "allocatedResourcesStatus": _by("name")},
    "V1ResourceRequirements": {"claims": Merging(list_type="map", keys=("name",))},
    "V1ServiceSpec": {"ports": _by("port", "protocol", defaults=_TCP)},
    "V1ServiceStatus": _CONDITIONS,
    "V1ServiceAccount": {"secrets": _by("name")},
    "V1NodeSpec": {"podCIDRs": _SET},
    "V1NodeStatus": {**_CONDITIONS, "addresses": _by("type")},
    "V1NamespaceStatus": _CONDITIONS,
    "V1DaemonSetStatus": _CONDITIONS,
    "V1DeploymentSpec": {"strategy": Merging(("retainKeys",))},
    "V1DeploymentStatus": _CONDITIONS,
    "V1ReplicaSetStatus": _CONDITIONS,
    "V1StatefulSetStatus": _CONDITIONS,
    "V1Endpoint": {"addresses": Merging(list_type="set")},
    "V1PodDisruptionBudgetSpec": {"selector": Merging(("replace",))},
    "V1PodDisruptionBudgetStatus": _CONDITIONS,
    "V1MutatingWebhookConfiguration": {"webhooks": _by("name")},
    "V1ValidatingWebhookConfiguration": {"webhooks": _by("name")},
    "V1MutatingWebhook": {"matchConditions": _by("name")},
    "V1ValidatingWebhook": {"matchConditions": _by("name")},
    "V1CustomResourceDefinitionStatus": {"conditions": Merging(list_type="map", keys=("type",))},
    "V1APIServiceStatus": _CONDITIONS,
}

# Models which server-side apply treats as one value (+structType=atomic).
ATOMIC_MODELS = frozenset(
    (
        "V1LabelSelector",
        "V1OwnerReference",
        "V1RoleRef",
        "RbacV1Subject",
        "V1ObjectReference",
        "V1LocalObjectReference",
        "V1TypedLocalObjectReference",
        "V1SecretReference",
        "V1ConfigMapKeySelector",
        "V1SecretKeySelector",
        "V1ObjectFieldSelector",
        "V1ResourceFieldSelector",
        "V1NodeSelector",
        "V1NodeSelectorTerm",
        "V1ScopeSelector",
        "V1TopologySelectorTerm",
        "CoreV1EndpointPort",
        "DiscoveryV1EndpointPort",
        "V1EndpointAddress",
    )
)

# Maps which server-side apply treats as one value (+mapType=atomic): model, field.
ATOMIC_MAPS = frozenset((("V1PodSpec", "nodeSelector"), ("V1ServiceSpec", "selector")))

# Fields whose Go struct is no pointer, and lists that are written even if empty: always there, so nobody owns them as
# a whole.
ALWAYS_THERE = frozenset(
    (
        "metadata",
        "containers",
        "spec",
        "status",
        "template",
        "strategy",
        "updateStrategy",
        "resources",
        "nodeInfo",
        "clientConfig",
        "daemonEndpoints",
        "involvedObject",
        "source",
        "roleRef",
        "names",
        "loadBalancer",
        "state",
        "lastState",
    )
)
