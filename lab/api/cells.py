# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cells of `kubectl get` for the built-in kinds, in the order of their columns in `kinds`. Pure.

Source: kubernetes, pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cell_parts import NONE, UNKNOWN, age, items, number, part, since
from .pod_cells import pod

if TYPE_CHECKING:
    from collections.abc import Callable

    from .entry import Object

_ROLE = "node-role.kubernetes.io/"
_LISTED = 3


def _pairs(labels: Any) -> str:
    """Labels as a selector shows them."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else NONE


def _selector(selector: Any) -> str:
    """A LabelSelector (metav1.FormatLabelSelector)."""
    parts = [f"{key}={value}" for key, value in sorted((part(selector, "matchLabels") or {}).items())]
    for each in items(selector, "matchExpressions"):
        values = ",".join(sorted(each.get("values") or ()))
        shapes = {"In": "{} in ({})", "NotIn": "{} notin ({})", "Exists": "{}", "DoesNotExist": "!{}"}
        parts.append(shapes.get(each.get("operator"), "{}").format(each.get("key"), values))
    return ",".join(parts) or NONE


def _listed(values: list[str]) -> str:
    """At most three, then how many more."""
    shown = ",".join(values[:_LISTED])
    return f"{shown} + {len(values) - _LISTED} more..." if len(values) > _LISTED else shown


def _images(obj: Object) -> list[Any]:
    containers = items(obj, "spec", "template", "spec", "containers")
    return [",".join(str(each.get(key, "")) for each in containers) for key in ("name", "image")]


def _config_map(obj: Object, now: float) -> list[Any]:
    return [len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def _endpoints(obj: Object, now: float) -> list[Any]:
    found = []
    for subset in items(obj, "subsets"):
        addresses = [each.get("ip", "") for each in items(subset, "addresses")]
        ports = [each.get("port") for each in items(subset, "ports")]
        found += [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for port in ports for ip in addresses]
        found += [] if ports else addresses
    return [_listed(found) or NONE, age(obj, now)]


def _event(obj: Object, now: float) -> list[Any]:
    involved = obj.get("involvedObject") or {}
    kind = str(involved.get("kind", "")).lower()
    component, host = part(obj, "source", "component") or "", part(obj, "source", "host")
    source = component or obj.get("reportingComponent") or ""
    series = obj.get("series") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    return [
        since(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{involved['name']}" if involved.get("name") else kind,
        involved.get("fieldPath", ""),
        f"{source}, {host}" if host else source,
        str(obj.get("message", "")).strip(),
        since(first, now),
        series.get("count") or obj.get("count") or 1,
        obj["metadata"]["name"],
    ]


def _namespace(obj: Object, now: float) -> list[Any]:
    return [part(obj, "status", "phase") or "", age(obj, now)]


def _node(obj: Object, now: float) -> list[Any]:
    ready = [each.get("status") for each in items(obj, "status", "conditions") if each.get("type") == "Ready"]
    states = [{"True": "Ready"}.get(ready[0], "NotReady") if ready else "Unknown"]
    if part(obj, "spec", "unschedulable"):
        states.append("SchedulingDisabled")
    labels = obj["metadata"].get("labels") or {}
    roles = {key[len(_ROLE) :] for key in labels if key.startswith(_ROLE) and key != _ROLE}
    roles |= {value for key, value in labels.items() if key == "kubernetes.io/role" and value}
    info = part(obj, "status", "nodeInfo") or {}
    addresses: dict[str, str] = {}
    for each in items(obj, "status", "addresses"):
        addresses.setdefault(each.get("type", ""), each.get("address", ""))
    return [
        ",".join(states),
        ",".join(sorted(roles)) or NONE,
        age(obj, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _secret(obj: Object, now: float) -> list[Any]:
    return [obj.get("type", "Opaque"), len(obj.get("data") or ()), age(obj, now)]


def _service_account(obj: Object, now: float) -> list[Any]:
    return [len(items(obj, "secrets")), age(obj, now)]


def _service(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    ports = []
    for each in items(spec, "ports"):
        node_port = f":{each['nodePort']}" if each.get("nodePort") else ""
        ports.append(f"{each.get('port')}{node_port}/{each.get('protocol', 'TCP')}")
    addresses = items(obj, "status", "loadBalancer", "ingress")
    external = ",".join(
        [*(each.get("ip") or each.get("hostname", "") for each in addresses), *items(spec, "externalIPs")]
    )
    kind = spec.get("type", "ClusterIP")
    if kind == "ExternalName":
        external = spec.get("externalName", "")
    cluster = spec.get("clusterIP") or NONE
    pending = "<pending>" if kind == "LoadBalancer" else NONE
    return [kind, cluster, external or pending, ",".join(ports) or NONE, age(obj, now), _pairs(spec.get("selector"))]


def _revision(obj: Object, now: float) -> list[Any]:
    owners = [each for each in items(obj, "metadata", "ownerReferences") if each.get("controller")]
    name = NONE
    if owners:
        group = owners[0].get("apiVersion", "").rpartition("/")[0]
        kind = owners[0].get("kind", "").lower()
        name = f"{kind}.{group}/{owners[0].get('name')}" if group else f"{kind}/{owners[0].get('name')}"
    return [name, obj.get("revision", 0), age(obj, now)]


def _daemon_set(obj: Object, now: float) -> list[Any]:
    names = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        *(number(obj, "status", name) for name in names),
        _pairs(part(obj, "spec", "template", "spec", "nodeSelector")),
        age(obj, now),
        *_images(obj),
        _selector(part(obj, "spec", "selector")),
    ]


def _deployment(obj: Object, now: float) -> list[Any]:
    wanted = part(obj, "spec", "replicas")
    return [
        f"{number(obj, 'status', 'readyReplicas')}/{1 if wanted is None else wanted}",
        number(obj, "status", "updatedReplicas"),
        number(obj, "status", "availableReplicas"),
        age(obj, now),
        *_images(obj),
        _selector(part(obj, "spec", "selector")),
    ]


def _replica_set(obj: Object, now: float) -> list[Any]:
    counts = [number(obj, "spec", "replicas"), *(number(obj, "status", n) for n in ("replicas", "readyReplicas"))]
    return [*counts, age(obj, now), *_images(obj), _selector(part(obj, "spec", "selector"))]


def _stateful_set(obj: Object, now: float) -> list[Any]:
    ready = f"{number(obj, 'status', 'readyReplicas')}/{number(obj, 'spec', 'replicas')}"
    return [ready, age(obj, now), *_images(obj)]


def _lease(obj: Object, now: float) -> list[Any]:
    return [part(obj, "spec", "holderIdentity") or "", age(obj, now)]


def _endpoint_slice(obj: Object, now: float) -> list[Any]:
    ports = [str(each.get("port", "*")) for each in items(obj, "ports")]
    addresses = [address for each in items(obj, "endpoints") for address in items(each, "addresses")]
    return [obj.get("addressType", ""), _listed(ports) or "<unset>", _listed(addresses) or "<unset>", age(obj, now)]


def _created(obj: Object, _now: float) -> list[Any]:
    return [obj["metadata"].get("creationTimestamp", "")]


def _binding(obj: Object, now: float) -> list[Any]:
    reference = obj.get("roleRef") or {}
    subjects = items(obj, "subjects")
    of = {kind: [each for each in subjects if each.get("kind") == kind] for kind in ("User", "Group", "ServiceAccount")}
    return [
        f"{reference.get('kind')}/{reference.get('name')}",
        age(obj, now),
        ", ".join(each.get("name", "") for each in of["User"]),
        ", ".join(each.get("name", "") for each in of["Group"]),
        ", ".join(f"{each.get('namespace')}/{each.get('name')}" for each in of["ServiceAccount"]),
    ]


def _webhooks(obj: Object, now: float) -> list[Any]:
    return [len(items(obj, "webhooks")), age(obj, now)]


def _api_service(obj: Object, now: float) -> list[Any]:
    service = part(obj, "spec", "service")
    name = f"{service.get('namespace')}/{service.get('name')}" if service else "Local"
    found = [each for each in items(obj, "status", "conditions") if each.get("type") == "Available"]
    state = "Unknown"
    if found:
        good = found[0].get("status") == "True"
        state = "True" if good else f"{found[0].get('status')} ({found[0].get('reason', '')})"
    return [name, state, age(obj, now)]


def _network_policy(obj: Object, now: float) -> list[Any]:
    return [_selector(part(obj, "spec", "podSelector")), age(obj, now)]


def _budget(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    bounds = [str(spec[key]) if key in spec else "N/A" for key in ("minAvailable", "maxUnavailable")]
    return [*bounds, number(obj, "status", "disruptionsAllowed"), age(obj, now)]


def _priority(obj: Object, now: float) -> list[Any]:
    return [obj.get("value", 0), bool(obj.get("globalDefault")), age(obj, now)]


CELLS: dict[str, Callable[[Object, float], list[Any]]] = {
    "configmaps": _config_map,
    "endpoints": _endpoints,
    "limitranges": _created,
    "namespaces": _namespace,
    "nodes": _node,
    "pods": pod,
    "resourcequotas": lambda obj, now: [age(obj, now)],
    "secrets": _secret,
    "serviceaccounts": _service_account,
    "services": _service,
    "controllerrevisions.apps": _revision,
    "daemonsets.apps": _daemon_set,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "leases.coordination.k8s.io": _lease,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "clusterroles.rbac.authorization.k8s.io": _created,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "roles.rbac.authorization.k8s.io": _created,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "apiservices.apiregistration.k8s.io": _api_service,
    "customresourcedefinitions.apiextensions.k8s.io": _created,
    "networkpolicies.networking.k8s.io": _network_policy,
    "poddisruptionbudgets.policy": _budget,
    "priorityclasses.scheduling.k8s.io": _priority,
}
# The first column of these is not the name.
WHOLE_ROWS: dict[str, Callable[[Object, float], list[Any]]] = {"events": _event}
