# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulated API with a few objects and no lab behind it, for clients that nobody here wrote.

What the lab's controller does with machines a thread does here with objects alone: pods that shall end are gone at
once, workloads are as they should be.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import ssl
import subprocess
import tempfile
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import asking
from lab.api import daemon
from lab.api.errors import ApiError

from .changing import POOL, Api, an_api
from .schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.api.shelf import Event
    from lab.api.store import Store

NODES = ("node-1", "node-2", "node-3")


class Cluster(NamedTuple):
    """A running API, its state directory, and the kubectl that talks to it."""

    daemon: daemon.Daemon
    directory: Path
    kubectl: str

    @property
    def store(self) -> Store:
        return self.daemon.api.store

    @property
    def kubeconfig(self) -> str:
        return str(self.directory / "kubeconfig")

    def environment(self, kubeconfig: str = "") -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": kubeconfig or self.kubeconfig, "HOME": str(self.directory)}

    def run(self, *arguments: str, text: str = "", fails: bool = False, kubeconfig: str = "") -> str:
        """What kubectl prints, on both streams."""
        done = subprocess.run(
            [self.kubectl, *arguments],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
            env=self.environment(kubeconfig),
        )
        assert (done.returncode != 0) == fails, f"kubectl {' '.join(arguments)}: {done.stdout}"
        return done.stdout

    def fetch(self, path: str, **headers: str) -> str:
        """The body of the answer to the administrator's GET."""
        access = json.loads((self.directory / "api.json").read_text())
        bearer = {"Authorization": f"Bearer {self.daemon.api.tokens.administrator}"}
        request = urllib.request.Request(  # noqa: S310 - it is our own
            access["server"] + path, headers={**bearer, **headers}
        )
        context = ssl.create_default_context(cafile=access["certificate_authority"])
        with urllib.request.urlopen(request, context=context, timeout=30) as reply:  # noqa: S310 - likewise
            body: bytes = reply.read()
        return body.decode()

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "-o", "json"))


class Controllers:
    """Lets pods end and workloads be as they should be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._unsubscribe = store.subscribe(self._events.put)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._unsubscribe()
        self._events.put(None)
        self._thread.join(10)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            with suppress(ApiError):
                self._see(event)

    def _see(self, event: Event) -> None:
        entry = event.entry
        if event.type == "DELETED":
            return
        if entry.kind.plural == "pods" and entry.terminating:
            self._store.delete(entry.kind, entry.namespace, entry.name, grace_seconds=0)
        status = {"daemonsets": _daemon_set_status, "deployments": _deployment_status}.get(entry.kind.plural)
        if status is not None:

            def change(obj: dict[str, Any]) -> None:
                obj["status"] = status(obj)

            self._store.mutate(entry.kind, entry.namespace, entry.name, change, subresource="status")


def _daemon_set_status(obj: dict[str, Any]) -> dict[str, Any]:
    names = ("currentNumberScheduled", "desiredNumberScheduled", "numberReady", "numberAvailable")
    counts = dict.fromkeys((*names, "updatedNumberScheduled"), len(NODES))
    return {**counts, "numberMisscheduled": 0, "observedGeneration": obj["metadata"]["generation"]}


def _deployment_status(obj: dict[str, Any]) -> dict[str, Any]:
    names = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")
    return {
        **dict.fromkeys(names, obj["spec"]["replicas"]),
        "observedGeneration": obj["metadata"]["generation"],
        "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": ""}],
    }


def fill(store: Store) -> None:
    """Three nodes, a DaemonSet with a pod on each, a Deployment with one pod, a pool."""
    for number, name in enumerate(NODES, 1):
        store.create(store.kinds.find("nodes"), "", node(name, f"10.200.0.{number}"))
    daemon_set = store.create(store.kinds.find("daemonsets"), "kube-system", workload("DaemonSet", "calico-node"))
    for name in NODES:
        store.create(store.kinds.find("pods"), "kube-system", pod(f"calico-node-{name}", name, daemon_set))
    deployment = workload("Deployment", "typha")
    store.create(store.kinds.find("deployments"), "kube-system", deployment)
    replica_set = store.create(
        store.kinds.find("replicasets"), "kube-system", workload("ReplicaSet", "typha-1", "typha")
    )
    store.create(store.kinds.find("pods"), "kube-system", pod("typha-1-x", "node-2", replica_set))
    pool = {"metadata": {"name": "default"}, "spec": {"cidr": "10.244.0.0/16", "ipipMode": "Never"}}
    store.create(store.kinds.find("ippools.crd.projectcalico.org"), "", pool)


def node(name: str, address: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    stamps = {"lastHeartbeatTime": "2026-11-21T00:00:00Z", "lastTransitionTime": "2026-11-21T00:00:00Z"}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {"podCIDR": "10.244.1.0/24"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "capacity": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "conditions": [{**ready, **stamps}],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "b",
                "containerRuntimeVersion": "containerd://1.7.2",
                "kernelVersion": "6.1.0",
                "kubeProxyVersion": "v1.29.3",
                "kubeletVersion": "v1.29.3",
                "machineID": "m",
                "operatingSystem": "linux",
                "osImage": "Debian 12",
                "systemUUID": "s",
            },
        },
    }


def workload(kind: str, name: str, app: str = "") -> dict[str, Any]:
    labels = {"k8s-app": app or name}
    spec: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "registry.invalid/main:v1"}]},
        },
    }
    if kind != "DaemonSet":
        spec["replicas"] = 1
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def pod(name: str, on: str, owner: dict[str, Any]) -> dict[str, Any]:
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    running = {
        "name": "main",
        "image": "registry.invalid/main:v1",
        "imageID": "",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-11-21T00:00:00Z"}},
    }
    return {
        "metadata": {
            "name": name,
            "labels": owner["spec"]["template"]["metadata"]["labels"],
            "ownerReferences": [reference],
        },
        "spec": {"nodeName": on, "containers": [{"name": "main", "image": "registry.invalid/main:v1"}]},
        "status": {
            "phase": "Running",
            "podIP": "10.244.1.2",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [running],
        },
    }


@pytest.fixture(scope="session")
def kubectls() -> list[str]:
    """Every kubectl to test with: $NETMEDIC_KUBECTL (several with colons between), else the one that is installed."""
    found = [path for path in os.environ.get("NETMEDIC_KUBECTL", "").split(":") if path]
    return found or [path for path in [shutil.which("kubectl")] if path]


@pytest.fixture
def cluster(kubectls: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A fresh API with the objects of `fill`; the directory is short because a lab's must be."""
    directory = Path(tempfile.mkdtemp(prefix="nm-api-", dir="/tmp"))
    if SCHEMAS.is_dir():
        monkeypatch.setenv(daemon.SCHEMAS, str(SCHEMAS))
    running = daemon.start(str(directory), controlled=False)
    controllers = Controllers(running.api.store)
    fill(running.api.store)
    yield Cluster(running, directory, kubectls[0] if kubectls else "")
    controllers.stop()
    running.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def started() -> Iterator[Api]:
    yield from an_api("crd")


@pytest.fixture
def api(started: Api, request: pytest.FixtureRequest) -> Iterator[Api]:
    """The API, undisturbed; whatever a test leaves behind is told. Reached by the parameter `via`, else by library."""
    callspec = getattr(request.node, "callspec", None)
    started.via = callspec.params.get("via", "client") if callspec else "client"
    if started.via == "kubectl" and shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl on this host")
    before, pool = started.everything(), started.pool()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "_FIRST_WAIT", 0.02)
        yield started
    started.disturb()
    started.account = "netmedic-remediate"
    after = started.everything()
    started.edit("ippools", POOL["name"], lambda found: found.update(spec=pool["spec"]))
    assert after == before
