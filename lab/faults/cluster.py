# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What injections do to Kubernetes' own objects (Nodes, calico-node's DaemonSet and pods), so that it can be undone.

Each object is kept as it was before, in the case's `undo["before"]`, a list of [path, object or None] that is written
down before anything is changed. A path that ends in /status is about an object's status, any other about all the rest.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .. import waiting
from ..api_client import JSON_PATCH, MERGE, ApiError
from . import active

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..api_client import Client
    from ..lab import Lab
    from .model import Case

Object = dict[str, Any]

APPS = "/apis/apps/v1/namespaces/kube-system"
CORE = "/api/v1/namespaces/kube-system"
DAEMONSETS, DEPLOYMENTS = f"{APPS}/daemonsets", f"{APPS}/deployments"
CALICO_NODE = f"{DAEMONSETS}/calico-node"
PODS, SERVICES, CONFIG_MAPS = f"{CORE}/pods", f"{CORE}/services", f"{CORE}/configmaps"
CALICO_CONFIG = f"{CONFIG_MAPS}/calico-config"
NODES = "/api/v1/nodes"
_STATUS = "/status"
_TRIES = 5
_LIMIT = 20.0
# What the API sets itself.
_SERVERS_OWN = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")


def node(name: str) -> str:
    """The path of a Node."""
    return f"{NODES}/{name}"


def find(api: Client, path: str) -> Object | None:
    """An object, None if there is none."""
    try:
        return api.get(path.removesuffix(_STATUS))
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def patch(case: Case, path: str, change: Any, kind: str = MERGE) -> None:
    """Patch an object."""
    _keep(case, path)
    case.lab.say(f"  api: patch {path}")
    case.lab.api().patch(path, change, kind)


def create(case: Case, collection: str, obj: Mapping[str, Any]) -> None:
    """Create an object in a collection."""
    _keep(case, f"{collection}/{obj['metadata']['name']}")
    case.lab.say(f"  api: create {collection}/{obj['metadata']['name']}")
    case.lab.api().create(collection, dict(obj))


def delete(case: Case, path: str) -> None:
    """Delete an object that `undo` will make anew."""
    _keep(case, path)
    case.lab.say(f"  api: delete {path}")
    case.lab.api().delete(path)


def named(api_version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    """An object with a name."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _keep(case: Case, path: str) -> None:
    kept: list[Any] = case.undo.setdefault("before", [])
    if all(each[0] != path for each in kept):
        kept.append([path, find(case.lab.api(), path)])
        active.put(case.lab.state, case.record())


def undo(case: Case) -> None:
    """Bring all objects that the case has touched back to what they were, the last one first; the nodes follow."""
    api = case.lab.api()
    for path, before in reversed(case.undo.get("before", [])):
        case.lab.say(f"  api: restore {path}")
        _restore(api, path, before)
    waiting.until(lambda: "" if _followed(case.lab) else "the addresses differ", "confd to follow", _LIMIT)


def _followed(lab: Lab) -> bool:
    """Whether what confd works with has the addresses that the Nodes have."""
    known = lab.state.read("datastore.json", {}).get("nodes") or {}
    return all(
        _address(each).partition("/")[0] == known.get(each["metadata"]["name"], {}).get("address", "")
        for each in lab.api().get(NODES)["items"]
    )


def _address(obj: Object) -> str:
    return str((obj["metadata"].get("annotations") or {}).get("projectcalico.org/IPv4Address", ""))


def _restore(api: Client, path: str, before: Object | None) -> None:
    """Bring one object back; again if somebody (a controller that writes its status) was quicker."""
    for left in reversed(range(_TRIES)):
        try:
            _restore_once(api, path, before)
        except ApiError as error:
            if error.code != 409 or not left:
                raise
        else:
            return


def _restore_once(api: Client, path: str, before: Object | None) -> None:
    present = find(api, path)
    if before is None:
        if present is not None:
            api.delete(path)
    elif present is None:
        api.create(path.removesuffix(_STATUS).rpartition("/")[0], fresh(before))
    else:
        api.replace(path, restored(before, present, status=path.endswith(_STATUS)))


def fresh(obj: Mapping[str, Any]) -> Object:
    """An object as it can be created anew: without what the API sets itself."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVERS_OWN}
    return {**obj, "metadata": metadata}


def restored(before: Mapping[str, Any], present: Mapping[str, Any], *, status: bool) -> Object:
    """The present object with what it was before: its status, or else labels, annotations and all but the status."""
    if status:
        return {**present, "status": before.get("status") or {}}
    metadata = {**present["metadata"]}
    for key in ("labels", "annotations"):
        metadata.pop(key, None)
        if before["metadata"].get(key):
            metadata[key] = before["metadata"][key]
    rest = {key: value for key, value in before.items() if key not in ("metadata", "status")}
    same = {key: present[key] for key in ("status",) if key in present}
    return {**rest, **same, "metadata": metadata}


def annotate(case: Case, name: str, **annotations: str | None) -> None:
    """Set Calico's annotations of a Node, None takes one away."""
    values = {f"projectcalico.org/{key}": value for key, value in annotations.items()}
    patch(case, node(name), {"metadata": {"annotations": values}})


# --- calico-node ---


def calico_pods(lab: Lab) -> dict[str, Object]:
    """The calico-node pods that are not being deleted, by node."""
    found = lab.api().get(f"{PODS}?labelSelector=k8s-app%3D{lab.plan.topology.agent}")["items"]
    return {each["spec"]["nodeName"]: each for each in found if "deletionTimestamp" not in each["metadata"]}


def set_template(case: Case, change: Callable[[Object], None]) -> None:
    """Change the spec of calico-node's pods in the DaemonSet. Pods that run are not replaced (OnDelete)."""
    spec = case.lab.api().get(CALICO_NODE)["spec"]["template"]["spec"]
    change(spec)
    changes = [
        {"op": "replace", "path": "/spec/updateStrategy", "value": {"type": "OnDelete"}},
        {"op": "replace", "path": "/spec/template/spec", "value": spec},
    ]
    patch(case, CALICO_NODE, changes, JSON_PATCH)


def set_variables(case: Case, **variables: str) -> None:
    """Set variables of calico-node's container for pods that are made from now on; "" takes one away."""

    def change(spec: Object) -> None:
        container = spec["containers"][0]
        kept = [each for each in container["env"] if each["name"] not in variables]
        container["env"] = kept + [{"name": name, "value": value} for name, value in variables.items() if value]

    set_template(case, change)


def restart_pod(case: Case, name: str = "") -> None:
    """Delete a node's calico-node pod, so that the DaemonSet makes a new one."""
    pod = calico_pods(case.lab).get(name or case.target)
    if pod is not None:
        case.lab.say(f"  api: delete pod {pod['metadata']['name']}")
        with suppress(ApiError):  # the DaemonSet's own rolling may have been faster
            case.lab.api().delete(f"{PODS}/{pod['metadata']['name']}")


def pod_missing(case: Case, name: str = "") -> str:
    """Words while no calico-node container runs on a node, by what the API tells."""
    pod = calico_pods(case.lab).get(name or case.target)
    if pod is None:
        return f"{name or case.target} has no calico-node pod"
    states = (pod.get("status") or {}).get("containerStatuses") or []
    if not states or not all("running" in each.get("state", {}) for each in states):
        return f"calico-node does not run on {name or case.target}"
    return ""


# --- the cluster as a whole ---


def forget_events(lab: Lab) -> None:
    """Delete all events, as the API server does after an hour: of what is healed nothing shall be told any more."""
    api = lab.api()
    for event in api.get("/api/v1/events")["items"]:
        metadata = event["metadata"]
        try:
            api.delete(f"/api/v1/namespaces/{metadata['namespace']}/events/{metadata['name']}")
        except ApiError as error:
            if error.code != 404:
                raise


def not_well(lab: Lab) -> str:
    """Words for what keeps the API from showing a cluster that is well; "" once all Nodes and calico-node are Ready."""
    api = lab.api()
    for each in api.get(NODES)["items"]:
        if not _is(each, "Ready", "True") or not _is(each, "NetworkUnavailable", "False"):
            return f"Node {each['metadata']['name']} is not Ready"
        if (each.get("spec") or {}).get("taints"):
            return f"Node {each['metadata']['name']} is still tainted"
    pods = calico_pods(lab)
    for planned in lab.nodes:
        if planned.name not in pods or not _is(pods[planned.name], "Ready", "True"):
            return f"calico-node is not Ready on {planned.name}"
    status = (find(api, f"{DAEMONSETS}/{lab.plan.topology.agent}") or {}).get("status") or {}
    wanted = len(lab.nodes)
    counts = [status.get(key, 0) for key in ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady")]
    return "" if counts == [wanted] * 3 else f"DaemonSet calico-node has {counts[2]} of {wanted} pods ready"


def _is(obj: Object, kind: str, status: str) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or []
    return any(each["type"] == kind and each["status"] == status for each in conditions)
