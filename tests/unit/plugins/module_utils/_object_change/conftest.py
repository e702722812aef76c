# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API of a few kinds in memory, which conflicts, fails and loses answers when it is told to."""

from __future__ import annotations

import copy
import json
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import asking, problems
from ansible_collections.netmedic.calico.plugins.module_utils._object_change import fields, resources

V1 = "crd.projectcalico.org/v1"
KINDS = {
    "/apis/" + V1: [("ippools", "IPPool", False), ("bgppeers", "BGPPeer", False)],
    "/apis/apps/v1": [("daemonsets", "DaemonSet", True)],
    "/apis/rbac.authorization.k8s.io/v1": [("roles", "Role", True), ("rolebindings", "RoleBinding", True)],
    "/api/v1": [("nodes", "Node", False), ("pods", "Pod", True), ("secrets", "Secret", True)],
}


class Memory:
    """A way to the API. `script`: what happens to the next writes, a status, "lost", "silent", a function or None."""

    via = where = "the test"
    server = "https://api"
    workers = 1
    patches = True
    anonymous = False

    def __init__(self):
        self.objects, self.script, self.asked, self.version = {}, [], [], 100

    def put(self, path, **found):
        self.version += 1
        meta = {"name": path.rpartition("/")[2], "uid": f"uid-{self.version}", "resourceVersion": str(self.version)}
        if "/namespaces/" in path:
            meta["namespace"] = path.split("/namespaces/")[1].split("/")[0]
        self.objects[path] = {**found, "metadata": {**meta, **found.get("metadata", {})}}
        return self.objects[path]

    def request(self, method, path, query, accept, body, seconds):
        self.asked.append((method, path, dict(query), body))
        happens = self.script.pop(0) if self.script and method != "GET" and "dryRun" not in dict(query) else None
        if callable(happens):
            happens()
        elif happens == "silent":
            raise problems.of_connection("timeout", self.server, self.where)
        elif isinstance(happens, int):
            return self.answer(happens, {"kind": "Status", "message": "it was told to"})
        found = self.done(method, path, copy.deepcopy(body), "dryRun" in dict(query))
        if happens == "lost":
            raise problems.of_connection("reset", self.server, self.where)
        return found

    @staticmethod
    def answer(status, found):
        return asking.Answer(status, json.dumps(found).encode(), "Sat, 21 Nov 2026 00:00:00 GMT")

    def done(self, method, path, body, dry):
        if path == "/version":
            return self.answer(200, {"gitVersion": "v1"})
        if path in KINDS:
            listed = [{"name": plural, "kind": kind, "namespaced": spaced} for plural, kind, spaced in KINDS[path]]
            return self.answer(200, {"resources": [*listed, {"name": listed[0]["name"] + "/status", "kind": "X"}]})
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            return self.answer(409, {}) if path in self.objects else self.kept(path, body, dry, 201)
        there = self.objects.get(path)
        if there is None:
            return self.answer(404, {})
        if method == "GET":
            return self.answer(200, there)
        wanted = body.get("preconditions") or body["metadata"]
        if any(
            wanted.get(name, there["metadata"][name]) != there["metadata"][name] for name in ("uid", "resourceVersion")
        ):
            return self.answer(409, {})
        if method == "DELETE":
            if not dry:
                del self.objects[path]
            return self.answer(200, {"kind": "Status"})
        return self.kept(path, body if method == "PUT" else fields.merged(there, body), dry, 200)

    def kept(self, path, body, dry, status):
        before = dict(self.objects)
        made = self.put(path, **body)
        uid = before.get(path, made)["metadata"]["uid"]
        made["metadata"].update(uid=uid, resourceVersion=str(self.version))
        made["metadata"]["managedFields"] = [{"manager": "netmedic-calico", "operation": "Update"}]
        if dry:
            self.objects = before
        return self.answer(status, made)


@pytest.fixture
def memory():
    """An API with a pool."""
    made = Memory()
    made.put(
        f"/apis/{V1}/ippools/default", kind="IPPool", apiVersion=V1, spec={"cidr": "10.244.0.0/16", "ipipMode": "Never"}
    )
    return made


@pytest.fixture
def asker(memory):
    """Who asks it, without waiting."""
    made = asking.Asker(memory, 1.0, time.monotonic() + 60, sleep=lambda _seconds: None, patient=True)
    made.get("/version")
    return made


@pytest.fixture
def found(asker):
    """Where things are."""
    return resources.Resources(asker)
