# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods: made from a template, and the status that a kubelet gives them. Pure."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING

from .objects import Object, now, owner, set_condition

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the DaemonSet controller adds to every pod of its own.
_DAEMON_TOLERATIONS = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_HOST_TOLERATION = ("node.kubernetes.io/network-unavailable", "NoSchedule")


def made(controller: Object, template: Object, name: str) -> Object:
    """The pod that a controller makes of its template, not yet on a node."""
    metadata = copy.deepcopy(template.get("metadata") or {})
    metadata.pop("name", None)
    metadata.update(
        {
            "name": name,
            "generateName": f"{controller['metadata']['name']}-",
            "namespace": controller["metadata"]["namespace"],
            "ownerReferences": [owner(controller)],
        }
    )
    spec = copy.deepcopy(template["spec"])
    spec.setdefault("serviceAccountName", "default")
    for key, value in (
        ("restartPolicy", "Always"),
        ("dnsPolicy", "ClusterFirst"),
        ("schedulerName", "default-scheduler"),
        ("terminationGracePeriodSeconds", 30),
        ("enableServiceLinks", True),
    ):
        spec.setdefault(key, value)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}


def daemon(daemonset: Object, node: str, name: str, revision: str) -> Object:
    """The pod of a DaemonSet for a node, as its controller makes it."""
    pod = made(daemonset, daemonset["spec"]["template"], name)
    labels = pod["metadata"].setdefault("labels", {})
    labels["controller-revision-hash"] = revision
    labels["pod-template-generation"] = str(daemonset["metadata"].get("generation", 1))
    spec = pod["spec"]
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    spec.setdefault("affinity", {})["nodeAffinity"] = required
    more = [*_DAEMON_TOLERATIONS, *([_HOST_TOLERATION] if spec.get("hostNetwork") else [])]
    tolerations = spec.setdefault("tolerations", [])
    tolerations += [{"key": key, "operator": "Exists", "effect": effect} for key, effect in more]
    return bound(pod, node)


def bound(pod: Object, node: str) -> Object:
    """The pod as the scheduler leaves it: on a node."""
    pod["spec"]["nodeName"] = node
    set_condition(pod, "PodScheduled", "True")
    return pod


def started(pod: Object, host_address: str, address: str, *, ready: bool) -> None:
    """Set the status of a pod whose containers all run."""
    status = pod.setdefault("status", {})
    status["phase"] = "Running"
    status["qosClass"] = _quality(pod)
    status["hostIP"] = host_address
    status["hostIPs"] = [{"ip": host_address}]
    status["podIP"] = address
    status["podIPs"] = [{"ip": address}]
    status.setdefault("startTime", now())
    set_condition(pod, "Initialized", "True")
    restarts = {each["name"]: each.get("restartCount", 0) for each in status.get("containerStatuses") or []}
    status["containerStatuses"] = [
        {
            **_container(pod, each),
            "state": {"running": {"startedAt": now()}},
            "restartCount": restarts.get(each["name"], 0),
            "ready": ready,
            "started": True,
        }
        for each in pod["spec"]["containers"]
    ]
    done = {"exitCode": 0, "reason": "Completed", "startedAt": now(), "finishedAt": now()}
    finished = [
        {**_container(pod, each), "state": {"terminated": done}, "restartCount": 0, "ready": True, "started": False}
        for each in pod["spec"].get("initContainers") or []
    ]
    if finished:
        status["initContainerStatuses"] = finished
    set_ready(pod, ready)


def crashed(pod: Object, host_address: str, code: int, delay: int) -> None:
    """Set the status of a pod whose first container ended and is started again later."""
    started(pod, host_address, host_address, ready=False)
    ended = {"exitCode": code, "reason": "Error", "startedAt": now(), "finishedAt": now()}
    first = pod["status"]["containerStatuses"][0]
    name, space, uid = (pod["metadata"].get(key, "") for key in ("name", "namespace", "uid"))
    words = f"back-off {_spoken(delay)} restarting failed container={first['name']} pod={name}_{space}({uid})"
    first["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": words}}
    first["lastState"] = {"terminated": ended}
    first["restartCount"] += 1
    first["started"] = False
    first.pop("containerID", None)


def images(pod: Object) -> list[str]:
    """The images of a pod's containers in the order in which a kubelet wants them, those of init containers first."""
    spec = pod["spec"]
    return [each["image"] for each in [*(spec.get("initContainers") or []), *spec["containers"]]]


def not_pulled(image: str) -> str:
    """What containerd says of an image whose registry it does not find."""
    registry, _slash, rest = image.partition("/")
    repository, _colon, tag = rest.rpartition(":")
    words = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: '
    head = f'Head "https://{registry}/v2/{repository}/manifests/{tag}"'
    return f"rpc error: code = Unavailable desc = {words}{head}: dial tcp: lookup {registry}: no such host"


def unpulled(pod: Object, host_address: str, image: str, *, first: bool) -> None:
    """Set the status of a pod that waits for an image: of its first try, or of the pause after it."""
    started(pod, host_address, host_address, ready=False)
    status = pod["status"]
    status["phase"] = "Pending"
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
    if first:
        waiting = {"reason": "ErrImagePull", "message": not_pulled(image)}
    in_order = [*(status.get("initContainerStatuses") or []), *status["containerStatuses"]]
    found = next(number for number, each in enumerate(in_order) if each["image"] == image)
    for number, each in enumerate(in_order[found:]):
        each["state"] = {"waiting": {"reason": "PodInitializing"} if number else waiting}
        each.update({"ready": False, "started": False})
        each.pop("containerID", None)
    inits = len(status.get("initContainerStatuses") or [])
    if found < inits:
        names = " ".join(each["name"] for each in in_order[found:inits])
        set_condition(
            pod, "Initialized", "False", "ContainersNotInitialized", f"containers with incomplete status: [{names}]"
        )


def set_ready(pod: Object, ready: bool) -> None:
    """Make a pod ready or not, with its containers."""
    statuses: Sequence[Object] = pod["status"].get("containerStatuses") or []
    for each in statuses:
        each["ready"] = ready
    unready = " ".join(each["name"] for each in statuses)
    for kind in ("Ready", "ContainersReady"):
        if ready:
            set_condition(pod, kind, "True")
        else:
            message = f"containers with unready status: [{unready}]"
            set_condition(pod, kind, "False", "ContainersNotReady", message)


def _container(pod: Object, container: Object) -> Object:
    """What a container's status says however it does."""
    image = container["image"]
    seed = f"{pod['metadata'].get('namespace')}/{pod['metadata'].get('name')}/{container['name']}"
    digest = hashlib.sha256(image.encode()).hexdigest()
    repository = image.rpartition(":")[0] or image
    return {
        "name": container["name"],
        "image": image,
        "imageID": f"{repository}@sha256:{digest}",
        "containerID": f"containerd://{hashlib.sha256(seed.encode()).hexdigest()}",
        "lastState": {},
    }


def _quality(pod: Object) -> str:
    if any((each.get("resources") or {}).get("requests") for each in pod["spec"]["containers"]):
        return "Burstable"
    return "BestEffort"


def _spoken(seconds: int) -> str:
    """As Go writes a duration: 10s, 1m20s, 5m0s."""
    return f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
