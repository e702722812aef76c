# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that an API server fills in where a client says nothing, for the built-in kinds in use. Pure.

Source: kubernetes, pkg/apis/*/v1/defaults.go. Every function changes the object that it is given. What is of the wrong
type is left as it is: the schemas judge it afterwards.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .entry import Object
    from .kinds import Kind

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_MODE = 0o644
_RBAC = "rbac.authorization.k8s.io"


def fill(kind: Kind, obj: Object) -> None:
    """Fill in the defaults of an object's kind."""
    known = _DEFAULTS.get(kind.resource)
    if known is not None:
        known(obj)


def _mapping(obj: Any, key: str) -> Object:
    """The mapping under a key, made if it is absent; an unconnected one if something else is there."""
    found = obj.get(key) if isinstance(obj, dict) else {}
    if found is None:
        found = obj[key] = {}
    return found if isinstance(found, dict) else {}


def _items(obj: Any, key: str) -> list[Object]:
    found = obj.get(key) if isinstance(obj, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _set(obj: Object, **values: Any) -> None:
    for key, value in values.items():
        if obj.get(key) is None:
            obj[key] = value


def pod_spec(spec: Object) -> None:
    """The defaults of a pod's specification, also within templates."""
    _set(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        securityContext={},
        terminationGracePeriodSeconds=30,
    )
    if spec.get("serviceAccountName"):
        _set(spec, serviceAccount=spec["serviceAccountName"])
    for key in ("initContainers", "containers"):
        for each in _items(spec, key):
            _container(each)
            if spec.get("hostNetwork"):
                for port in _items(each, "ports"):
                    _set(port, hostPort=port.get("containerPort"))
    for volume in _items(spec, "volumes"):
        _volume(volume)


def _container(container: Object) -> None:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    latest = tag in ("", "latest") and "@" not in image
    _set(
        container,
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy="Always" if latest else "IfNotPresent",
    )
    for port in _items(container, "ports"):
        _set(port, protocol="TCP")
    for variable in _items(container, "env"):
        reference = _mapping(variable, "valueFrom").get("fieldRef") if "valueFrom" in variable else None
        if isinstance(reference, dict):
            _set(reference, apiVersion="v1")
    for name in _PROBES:
        if isinstance(container.get(name), dict):
            _set(container[name], **_PROBE)
            if isinstance(container[name].get("httpGet"), dict):
                _set(container[name]["httpGet"], path="/", scheme="HTTP")


def _volume(volume: Object) -> None:
    for name in ("configMap", "secret", "projected", "downwardAPI"):
        if isinstance(volume.get(name), dict):
            _set(volume[name], defaultMode=_MODE)
    if isinstance(volume.get("hostPath"), dict):
        _set(volume["hostPath"], type="")


def _template(obj: Object) -> Object:
    spec = _mapping(obj, "spec")
    template = _mapping(spec, "template")
    if template:
        metadata = _mapping(template, "metadata") if template.get("metadata") else {}
        template["metadata"] = {"creationTimestamp": None, **metadata}
        pod_spec(_mapping(template, "spec"))
    return spec


def _pod(obj: Object) -> None:
    spec = _mapping(obj, "spec")
    _set(spec, serviceAccountName="default", enableServiceLinks=True)
    pod_spec(spec)
    _set(spec, preemptionPolicy="PreemptLowerPriority", priority=0)
    status = obj.setdefault("status", {})
    if isinstance(status, dict):
        _set(status, phase="Pending", qosClass="BestEffort")


def _daemon_set(obj: Object) -> None:
    spec = _template(obj)
    _set(spec, revisionHistoryLimit=10)
    strategy = _mapping(spec, "updateStrategy") if "updateStrategy" in spec else {}
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = dict(strategy.get("rollingUpdate") or {})
        _set(rolling, maxUnavailable=1, maxSurge=0)
        strategy["rollingUpdate"] = rolling
    spec["updateStrategy"] = strategy
    _set(_mapping(obj, "status") if "status" in obj else {}, numberReady=0)


def _deployment(obj: Object) -> None:
    spec = _template(obj)
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = _mapping(spec, "strategy") if "strategy" in spec else {}
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = dict(strategy.get("rollingUpdate") or {})
        _set(rolling, maxUnavailable="25%", maxSurge="25%")
        strategy["rollingUpdate"] = rolling
    spec["strategy"] = strategy


def _replica_set(obj: Object) -> None:
    _set(_template(obj), replicas=1)


def _stateful_set(obj: Object) -> None:
    spec = _template(obj)
    _set(spec, replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10)
    _set(spec, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})


def _service(obj: Object) -> None:
    spec = _mapping(obj, "spec")
    _set(spec, type="ClusterIP", sessionAffinity="None")
    for port in _items(spec, "ports"):
        _set(port, protocol="TCP", targetPort=port.get("port"))
    if spec["type"] != "ExternalName":
        _set(spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if spec.get("clusterIP"):
        _set(spec, clusterIPs=[spec["clusterIP"]])
    obj.setdefault("status", {"loadBalancer": {}})


def _namespace(obj: Object) -> None:
    metadata = obj["metadata"]
    if isinstance(metadata.get("labels") or {}, dict):
        metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    if "deletionTimestamp" not in metadata:
        _set(_mapping(obj, "spec") if "spec" in obj else obj.setdefault("spec", {}), finalizers=["kubernetes"])
        _set(_mapping(obj, "status") if "status" in obj else obj.setdefault("status", {}), phase="Active")


def _secret(obj: Object) -> None:
    _set(obj, type="Opaque")
    plain = obj.pop("stringData", None)
    if isinstance(plain, dict) and isinstance(obj.get("data") or {}, dict):
        coded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **coded}


def _webhooks(obj: Object) -> None:
    for webhook in _items(obj, "webhooks"):
        _set(
            webhook,
            failurePolicy="Fail",
            matchPolicy="Equivalent",
            namespaceSelector={},
            objectSelector={},
            timeoutSeconds=10,
        )
        if obj.get("kind") == "MutatingWebhookConfiguration":
            _set(webhook, reinvocationPolicy="Never")
        for rule in _items(webhook, "rules"):
            _set(rule, scope="*")
        client = webhook.get("clientConfig")
        if isinstance(client, dict) and isinstance(client.get("service"), dict):
            _set(client["service"], port=443)


def _binding(obj: Object) -> None:
    if isinstance(obj.get("roleRef"), dict):
        _set(obj["roleRef"], apiGroup=_RBAC)
    for subject in _items(obj, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            _set(subject, apiGroup=_RBAC)
        elif subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            subject["namespace"] = obj["metadata"].get("namespace", "")


def _definition(obj: Object) -> None:
    spec = _mapping(obj, "spec")
    names = _mapping(spec, "names")
    kind = str(names.get("kind", ""))
    _set(names, singular=kind.lower(), listKind=f"{kind}List")
    _set(spec, conversion={"strategy": "None"})


def _api_service(obj: Object) -> None:
    service = _mapping(obj, "spec").get("service")
    if isinstance(service, dict):
        _set(service, port=443)


_DEFAULTS: dict[str, Callable[[Object], None]] = {
    "namespaces": _namespace,
    "pods": _pod,
    "secrets": _secret,
    "services": _service,
    "daemonsets.apps": _daemon_set,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    f"clusterrolebindings.{_RBAC}": _binding,
    f"rolebindings.{_RBAC}": _binding,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "apiservices.apiregistration.k8s.io": _api_service,
}
