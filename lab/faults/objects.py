# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that are made by objects of the lab's API: what was changed is on record first, so that healing finds it.

A step of the way back, kept in the case's `undo`: {"path", "patch"} lays a patch over the object, {"path"} deletes it,
{"collection", "object"} creates it again.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .. import api_client, api_process, waiting
from ..controller import registered
from ..errors import UsageError
from . import active

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..lab import Lab
    from ..topology import Node
    from .model import Case

CALICO = api_client.CALICO
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CONFIGURATIONS = f"{CALICO}/bgpconfigurations"
PEERS = f"{CALICO}/bgppeers"
FELIX = f"{CALICO}/felixconfigurations"
PREFIX = "projectcalico.org/"
# The controller takes up a change within tenths of a second.
_LIMIT = 20.0
_GROUPS = {
    "nodes": "/api/v1",
    "secrets": "/api/v1",
    "roles": RBAC,
    "rolebindings": RBAC,
    "clusterroles": RBAC,
    "clusterrolebindings": RBAC,
}
# What a node's entry has from calico-node's environment there and not from objects.
_FROM_ENVIRONMENT = ("router_id", "backend")


def must_have_api(case: Case) -> None:
    """UsageError unless the lab has an API: for `Fault.check`."""
    if api_process.described(case.lab.state) is None:
        raise UsageError(f"{case.fault.id} is made through the lab's API, which does not run")


def calico(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """An object of Calico's, as `create` takes it."""
    group, version = CALICO.split("/")[-2:]
    return {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def node_path(node: Node) -> str:
    """Where a Node is."""
    return f"/api/v1/nodes/{node.name}"


def create(case: Case, collection: str, obj: dict[str, Any]) -> None:
    """Create an object."""
    _note(case, {"path": f"{collection}/{obj['metadata']['name']}"})
    case.lab.say(f"  API: create {obj['kind']} {obj['metadata']['name']}")
    case.lab.api().create(collection, obj)


def edit(case: Case, path: str, patch: Mapping[str, Any]) -> None:
    """Lay a patch over an object (a JSON merge patch: null takes away)."""
    client = case.lab.api()
    _note(case, {"path": path, "patch": inverse(client.get(path), patch)})
    case.lab.say(f"  API: patch {path.rpartition('/v1/')[2]} {patch}")
    client.patch(path, patch)


def remove(case: Case, path: str) -> None:
    """Delete an object."""
    client = case.lab.api()
    found = client.get(path)
    kept = {
        key: found["metadata"][key]
        for key in ("name", "namespace", "labels", "annotations")
        if key in found["metadata"]
    }
    obj = {key: value for key, value in found.items() if key != "status"}
    _note(case, {"collection": path.rpartition("/")[0], "object": {**obj, "metadata": kept}})
    case.lab.say(f"  API: delete {path.rpartition('/v1/')[2]}")
    client.delete(path)


def configure(case: Case, kind: str, name: str, spec: Mapping[str, Any]) -> None:
    """Set fields of a BGPConfiguration or FelixConfiguration, which is made if it is not there."""
    collection = {"BGPConfiguration": CONFIGURATIONS, "FelixConfiguration": FELIX}[kind]
    try:
        edit(case, f"{collection}/{name}", {"spec": dict(spec)})
    except api_client.ApiError as error:
        if error.code != 404:
            raise
        create(case, collection, calico(kind, name, spec))


def restore(case: Case) -> None:
    """Undo what was done to objects, the last first, and let the nodes follow: for `Fault.heal`."""
    steps = case.undo.get("objects", [])
    client = case.lab.api() if steps else None
    for step in reversed(steps):
        if client is not None:
            _undo(client, step)
    follow(case.lab)


def _undo(client: api_client.Client, step: Mapping[str, Any]) -> None:
    try:
        if "object" in step:
            client.apply(step["collection"], step["object"])
        elif "patch" in step:
            client.patch(step["path"], step["patch"])
        else:
            client.delete(step["path"])
    except api_client.ApiError as error:
        if error.code != 404:
            raise


def _note(case: Case, step: dict[str, Any]) -> None:
    case.undo.setdefault("objects", []).append(step)
    active.put(case.lab.state, case.record())


def inverse(original: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that gives an object back what a patch of it changes."""
    back: dict[str, Any] = {}
    for key, value in patch.items():
        before = original.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            back[key] = inverse(before, value)
        else:
            back[key] = copy.deepcopy(before)
    return back


def follow(lab: Lab) -> None:
    """Return once the nodes' configuration is that of the API's objects as they are now."""
    if api_process.described(lab.state) is not None:
        waiting.until(lambda: _not_followed(lab), "the controller to follow", _LIMIT)
    lab.render_all()


def _not_followed(lab: Lab) -> str:
    client = lab.api()
    found = {kind: client.get(f"{_GROUPS.get(kind, CALICO)}/{kind}").get("items") or [] for kind in registered.KINDS}
    wanted = registered.derive(found, {}).data
    return "" if _of_objects(wanted) == _of_objects(lab.state.read("datastore.json", {})) else "it has not yet"


def _of_objects(data: Mapping[str, Any]) -> dict[str, Any]:
    nodes = {
        name: {key: value for key, value in node.items() if key not in _FROM_ENVIRONMENT}
        for name, node in (data.get("nodes") or {}).items()
    }
    return {**data, "nodes": nodes}
