# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DaemonSets and Deployments, Services and their endpoints, ConfigMaps: what they say about Calico, without secrets."""

from __future__ import annotations

import json

from . import redact
from .managed import reduced
from .shapes import (
    conditions,
    fields,
    is_of_calico,
    mapping,
    metadata,
    part,
    parts,
    put,
    scalar,
    sequence,
    strings,
    word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COUNTS = (
    *("replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "unavailableReplicas", "observedGeneration"),
    *("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "numberAvailable", "numberUnavailable"),
    *("numberMisscheduled", "updatedNumberScheduled"),
)
_POD_SPEC = (
    *("hostNetwork", "serviceAccountName", "priorityClassName", "dnsPolicy", "schedulerName", "restartPolicy"),
    "terminationGracePeriodSeconds",
)
_TIMING = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold")
_LONGEST_SETTING = 16 * 1024
# What ConfigMaps of Calico, Canal and flannel carry. Of other keys only the names are kept.
_SETTINGS = frozenset(
    (
        *("calico_backend", "cluster_type", "veth_mtu", "mtu", "typha_service_name", "cni_network_config"),
        *("canal_iface", "canal_iface_regex", "masquerade", "net-conf.json", "cni-conf.json", "iface"),
        *("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "vxlan_vni", "datastore_type", "clusterType"),
    )
)
_FROM = ("configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef")


def workload(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a DaemonSet or Deployment."""
    kept = metadata(found, "labels", "creationTimestamp", "generation", "ownerReferences", annotations=is_of_calico)
    if isinstance(kept.get("metadata"), dict):
        put(kept["metadata"], "managedFields", reduced(found))
    part(kept, found, "spec", _spec)
    part(kept, found, "status", _status)
    return kept


def _spec(spec: dict[str, Any]) -> dict[str, Any]:
    kept = fields(spec, ("replicas", "minReadySeconds", "paused"))
    for name in ("selector", "updateStrategy", "strategy"):
        part(kept, spec, name, redact.value)
    part(kept, spec, "template", _template)
    return kept


def _status(status: dict[str, Any]) -> dict[str, Any]:
    kept = fields(status, _COUNTS)
    put(kept, "conditions", conditions(status))
    return kept


def _template(template: dict[str, Any]) -> dict[str, Any]:
    kept = metadata(template, "labels", annotations=is_of_calico)
    part(kept, template, "spec", _pod_spec)
    return kept


def _pod_spec(spec: dict[str, Any]) -> dict[str, Any]:
    kept = fields(spec, _POD_SPEC)
    put(kept, "nodeSelector", strings(spec.get("nodeSelector")))
    part(kept, spec, "affinity", redact.value)
    parts(kept, spec, "tolerations", redact.value)
    for name in ("initContainers", "containers"):
        parts(kept, spec, name, _container)
    parts(kept, spec, "volumes", _volume)
    return kept


def _volume(volume: dict[str, Any]) -> dict[str, Any]:
    """Return where a volume comes from: which ConfigMap, which secret (its name), which path of the host."""
    kept: dict[str, Any] = {}
    for name, field in (("configMap", "name"), ("secret", "secretName"), ("hostPath", "path")):
        found = volume.get(name)
        if isinstance(found, dict):
            kept[name] = fields(found, (field,))
    return {**fields(volume, ("name",)), **kept} if kept else {}


def _container(container: dict[str, Any]) -> dict[str, Any]:
    kept = fields(container, ("name", "image"))
    for name in ("command", "args"):
        if isinstance(container.get(name), list):
            kept[name] = _arguments(container[name])
    parts(kept, container, "env", _variable)
    parts(kept, container, "envFrom", _source)
    for name in ("readinessProbe", "livenessProbe", "startupProbe"):
        part(kept, container, name, _probe)
    part(kept, container, "lifecycle", redact.value)
    part(kept, container, "resources", redact.value)
    context = mapping(container.get("securityContext"))
    put(kept, "securityContext", fields(context, ("privileged",)))
    return kept


def _arguments(found: list[Any]) -> list[Any]:
    """Return a command's arguments; one that follows an option with a secret's name is cut."""
    kept: list[Any] = []
    hide = False
    for argument in found[:100]:
        shown = scalar(argument, 2000)
        kept.append("…" if hide else shown)
        option = word(argument)
        hide = option.startswith("-") and "=" not in option and redact.is_secret(option.lstrip("-"))
    return kept


def _variable(variable: dict[str, Any]) -> dict[str, Any]:
    """Return an environment variable. One with a secret's name keeps its name only."""
    kept = fields(variable, ("name",))
    if "value" in variable and not redact.is_secret(word(variable.get("name"))):
        kept.update(fields(variable, ("value",), 2000))
    part(kept, variable, "valueFrom", _from)
    return kept


def _from(found: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in _FROM:
        if isinstance(found.get(name), dict):
            kept[name] = fields(found[name], ("name", "key", "optional", "fieldPath", "resource"))
    return kept


def _source(found: dict[str, Any]) -> dict[str, Any]:
    kept = fields(found, ("prefix",))
    for name in ("configMapRef", "secretRef"):
        if isinstance(found.get(name), dict):
            kept[name] = fields(found[name], ("name", "optional"))
    return kept


def _probe(probe: dict[str, Any]) -> dict[str, Any]:
    kept = fields(probe, _TIMING)
    ran = mapping(probe.get("exec")).get("command")
    if isinstance(ran, list):
        kept["exec"] = {"command": _arguments(ran)}
    for name in ("httpGet", "tcpSocket", "grpc"):
        if isinstance(probe.get(name), dict):
            kept[name] = fields(probe[name], ("path", "port", "host", "scheme", "service"))
    return kept


def service(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a Service."""
    kept = metadata(found, "labels")
    part(kept, found, "spec", _service_spec)
    return kept


def _service_spec(spec: dict[str, Any]) -> dict[str, Any]:
    kept = fields(spec, ("type", "clusterIP"))
    if isinstance(spec.get("clusterIPs"), list):
        kept["clusterIPs"] = [scalar(one) for one in spec["clusterIPs"][:4]]
    parts(kept, spec, "ports", lambda one: fields(one, ("name", "port", "targetPort", "protocol")))
    put(kept, "selector", strings(spec.get("selector")))
    return kept


def endpoint_slice(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an EndpointSlice."""
    kept = metadata(found)
    labels = mapping(mapping(found.get("metadata")).get("labels"))
    if "metadata" in kept and isinstance(kept["metadata"], dict):
        put(kept["metadata"], "labels", strings(labels, lambda name: name == "kubernetes.io/service-name"))
    kept.update(fields(found, ("addressType",)))
    parts(kept, found, "ports", lambda one: fields(one, ("name", "port", "protocol")))
    parts(kept, found, "endpoints", _endpoint)
    return kept


def _endpoint(found: dict[str, Any]) -> dict[str, Any]:
    kept = fields(found, ("nodeName",))
    put(kept, "addresses", [scalar(one) for one in sequence(found.get("addresses"))[:4]])
    part(kept, found, "conditions", lambda one: fields(one, ("ready", "serving", "terminating")))
    part(kept, found, "targetRef", lambda one: fields(one, ("kind", "namespace", "name")))
    return kept


def config_map(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a ConfigMap: the settings of Calico, Canal and flannel; of other keys the names, with an empty value."""
    kept = metadata(found, "labels", "ownerReferences", annotations=is_of_calico)
    if isinstance(kept.get("metadata"), dict):
        put(kept["metadata"], "managedFields", reduced(found))
    data = found.get("data")
    if isinstance(data, dict):
        kept["data"] = {redact.text(name): _setting(name, item) for name, item in data.items() if isinstance(name, str)}
    elif data is not None:
        kept["data"] = scalar(data)
    return kept


def _setting(name: str, found: Any) -> Any:
    if name not in _SETTINGS or redact.is_secret(name):
        return ""
    if not isinstance(found, str):
        return scalar(found)
    if len(found) > _LONGEST_SETTING:
        return ""
    if found.lstrip().startswith("{"):
        try:
            return json.dumps(redact.value(json.loads(found)))
        except (ValueError, RecursionError):
            pass  # a template, with words where JSON has values
    return redact.text(found, _LONGEST_SETTING)
