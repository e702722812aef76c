# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes, pods, events and leases, of which there are many: of what is well only as much as tells that it is."""

from __future__ import annotations

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

_LONGEST_MESSAGE = 500
# Old names of labels that are there under new names, too.
_OLD_LABELS = ("beta.kubernetes.io/", "failure-domain.beta.kubernetes.io/")
_NEW_LABELS = {
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
}
# Annotations that others write on Nodes and that decide about Calico or flannel.
_NODE_ANNOTATIONS = (
    "flannel.alpha.coreos.com/",
    "alpha.kubernetes.io/provided-node-ip",
)
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
_PROBLEMS_ARE_TRUE = (*_PRESSURES, "NetworkUnavailable")
# A Lease's usual length, in seconds.
_LEASE_SECONDS = 40
_STATE = ("reason", "exitCode", "signal", "startedAt", "finishedAt")


def node(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a Node."""
    kept = metadata(found, "creationTimestamp", annotations=_wanted_of_node)
    meta = kept.get("metadata")
    labels = mapping(found.get("metadata")).get("labels")
    if isinstance(meta, dict) and labels is not None:
        put(meta, "labels", strings(labels, lambda name: not _is_double(name, mapping(labels))))
        if _is_silent(found):
            # By which this one is deleted, and not one of its name that has come in its place.
            meta.update(fields(mapping(found.get("metadata")), ("uid",)))
    part(kept, found, "spec", _node_spec)
    part(kept, found, "status", lambda status: _node_status(status, mapping(labels), _name(meta)))
    return kept


def _is_silent(found: dict[str, Any]) -> bool:
    """Say whether nothing is heard of a Node's kubelet."""
    told = sequence(mapping(found.get("status")).get("conditions"))
    return any(mapping(one).get("type") == "Ready" and mapping(one).get("status") == "Unknown" for one in told)


def _name(meta: Any) -> str:
    return word(mapping(meta).get("name"))


def _is_double(label: str, labels: dict[str, Any]) -> bool:
    return label.startswith(_OLD_LABELS) and labels.get(label) == labels.get(_NEW_LABELS.get(label, ""), label)


def _wanted_of_node(name: str) -> bool:
    return name != "projectcalico.org/kube-labels" and (is_of_calico(name) or name.startswith(_NODE_ANNOTATIONS))


def _node_spec(spec: dict[str, Any]) -> dict[str, Any]:
    kept = fields(spec, ("providerID", "unschedulable"))
    cidrs = spec.get("podCIDRs")
    if isinstance(cidrs, list) and cidrs:
        kept["podCIDRs"] = [scalar(one) for one in cidrs[:8]]
    elif spec.get("podCIDR") is not None:
        kept["podCIDR"] = scalar(spec["podCIDR"])
    parts(kept, spec, "taints", lambda one: fields(one, ("key", "value", "effect", "timeAdded")))
    return kept


def _node_status(status: dict[str, Any], labels: dict[str, Any], name: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    # A Hostname that is the Node's name tells nothing.
    parts(
        kept,
        status,
        "addresses",
        lambda one: None if one == {"type": "Hostname", "address": name} else fields(one, ("type", "address")),
    )
    put(kept, "conditions", [one for one in conditions(status, _is_usual) if not _is_no_pressure(one)])
    info = mapping(status.get("nodeInfo"))
    about = fields(info, ("osImage", "kernelVersion", "kubeletVersion"))
    for field, label in (("operatingSystem", "kubernetes.io/os"), ("architecture", "kubernetes.io/arch")):
        # Linux is what is read where nothing is said.
        if info.get(field) not in (None, labels.get(label), "linux"):
            about[field] = scalar(info[field])
    put(kept, "nodeInfo", about)
    return kept


def _is_usual(condition: dict[str, Any]) -> bool:
    return condition.get("type") == "Ready" and condition.get("status") == "True"


def _is_no_pressure(condition: Any) -> bool:
    if (
        isinstance(condition, dict)
        and condition.get("type") in _PROBLEMS_ARE_TRUE
        and condition.get("status") == "False"
    ):
        for field in ("message", "lastHeartbeatTime"):
            condition.pop(field, None)
        return condition["type"] in _PRESSURES
    return False


def lease(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a Lease of kube-node-lease: when it was renewed, and how long it is if that is unusual."""
    kept = metadata(found)
    meta = mapping(kept.get("metadata"))
    if meta.get("namespace") == "kube-node-lease":
        del meta["namespace"]
    part(kept, found, "spec", _lease_spec)
    return kept


def _lease_spec(spec: dict[str, Any]) -> dict[str, Any]:
    kept = fields(spec, ("renewTime",))
    if isinstance(kept.get("renewTime"), str) and kept["renewTime"].endswith("Z"):
        kept["renewTime"] = kept["renewTime"].partition(".")[0].rstrip("Z") + "Z"
    if spec.get("leaseDurationSeconds") not in (None, _LEASE_SECONDS):
        kept["leaseDurationSeconds"] = scalar(spec["leaseDurationSeconds"])
    return kept


def pod(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a pod of Calico's. Of one that is ready and was never restarted the states of containers are left out."""
    kept = metadata(found, "creationTimestamp", "ownerReferences")
    meta = kept.get("metadata")
    if isinstance(meta, dict):
        labels = mapping(found.get("metadata")).get("labels")
        put(meta, "labels", strings(labels, lambda name: name != "pod-template-generation"))
        if _is_daemons(found):
            # By which a restart hits this one, and not one that has come in its place.
            meta.update(fields(mapping(found.get("metadata")), ("uid",)))
    part(kept, found, "spec", _pod_spec)
    part(kept, found, "status", _pod_status)
    status = kept.get("status")
    if isinstance(status, dict) and not _is_daemons(found):
        # Typha's address is not the node's own matter: others dial it.
        status.update(fields(mapping(found.get("status")), ("podIP",)))
    return kept


def _is_daemons(found: dict[str, Any]) -> bool:
    owners = sequence(mapping(found.get("metadata")).get("ownerReferences"))
    return any(mapping(one).get("kind") == "DaemonSet" for one in owners)


def _pod_spec(spec: dict[str, Any]) -> dict[str, Any]:
    kept = fields(spec, ("nodeName",))
    parts(kept, spec, "containers", _container)
    return kept


def _container(one: dict[str, Any]) -> dict[str, Any]:
    kept = fields(one, ("name", "image"))
    limits = mapping(mapping(one.get("resources")).get("limits"))
    put(kept, "resources", {"limits": fields(limits, ("memory",))} if "memory" in limits else {})
    return kept


def _pod_status(status: dict[str, Any]) -> dict[str, Any]:
    kept = fields(status, ("phase", "reason"))
    kept.update(fields(status, ("message",), _LONGEST_MESSAGE))
    well = is_well(status)
    if status.get("podIP") != status.get("hostIP") or not well:
        kept.update(fields(status, ("podIP", "hostIP")))
    found = conditions(status, lambda one: one.get("status") == "True")
    put(kept, "conditions", [one for one in found if not (well and mapping(one).get("type") != "Ready")])
    if not well:
        kept.update(fields(status, ("startTime",)))
        for field in ("initContainerStatuses", "containerStatuses"):
            parts(kept, status, field, _container_status)
    return kept


def is_well(status: dict[str, Any]) -> bool:
    """Say whether a pod runs, is ready and none of its containers was ever restarted."""
    ready = any(
        isinstance(one, dict) and one.get("type") == "Ready" and one.get("status") == "True"
        for one in sequence(status.get("conditions"))
    )
    return (
        ready
        and status.get("phase") == "Running"
        and all(
            isinstance(one, dict) and one.get("restartCount") in (0, None)
            for field in ("initContainerStatuses", "containerStatuses")
            for one in sequence(status.get(field))
        )
    )


def _container_status(one: dict[str, Any]) -> dict[str, Any]:
    kept = fields(one, ("name", "image", "ready", "restartCount", "started"))
    for field in ("state", "lastState"):
        part(kept, one, field, _state)
    return kept


def _state(state: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in ("waiting", "running", "terminated"):
        found = state.get(name)
        if isinstance(found, dict):
            kept[name] = {**fields(found, _STATE), **fields(found, ("message",), _LONGEST_MESSAGE)}
    return kept


def event(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an event, of core/v1 or events.k8s.io/v1."""
    kept = metadata(found)
    part(kept, found, "involvedObject", lambda one: fields(one, ("kind", "namespace", "name", "fieldPath")))
    part(kept, found, "regarding", lambda one: fields(one, ("kind", "namespace", "name", "fieldPath")))
    times = ("firstTimestamp", "lastTimestamp", "eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp")
    kept.update(fields(found, ("type", "reason", "count", "deprecatedCount", *times)))
    kept.update(fields(found, ("message", "note"), _LONGEST_MESSAGE))
    for name in ("source", "deprecatedSource"):
        part(kept, found, name, lambda one: fields(one, ("component", "host")))
    if "source" not in kept and "deprecatedSource" not in kept:
        kept.update(fields(found, ("reportingController", "reportingComponent", "reportingInstance")))
    part(kept, found, "series", lambda one: fields(one, ("count", "lastObservedTime")))
    return kept
