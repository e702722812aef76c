# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab's API with the objects of a cluster that has no machines, and tasks of object_change that change it."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import lock, run
from lab import controller
from lab.api import control, daemon
from lab.state import State

from .schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

V1 = "crd.projectcalico.org/v1"
CANARY = "canary-4711-of-a-password"
POOL = {"api_version": V1, "kind": "IPPool", "name": "default-ipv4-ippool"}
SYSTEM = "kube-system"
PEER = {
    "apiVersion": V1,
    "kind": "BGPPeer",
    "metadata": {"name": "outside"},
    "spec": {"peerIP": "10.200.0.77", "asNumber": 64999},
}


class Api:
    """A lab's API with the objects of a cluster that has no machines, and tasks that change it."""

    def __init__(self, directory: Path, calico: str) -> None:
        self.directory = directory
        (directory / "lab.json").write_text(json.dumps({"topology": "one_subnet", "nodes": 3, "image": "none"}))
        # Its controller would find out that there are no machines.
        self.daemon = daemon.start(str(directory), calico=calico, controlled=False)
        self.store = self.daemon.api.store
        controller.seed(State(str(directory)), self.store)
        self.via = "client"
        self.account = "netmedic-remediate"

    def params(self, **changes: Any) -> dict[str, Any]:
        names = ("kubeconfig", "context", "host", "api_key", "ca_cert", "validate_certs", "proxy")
        config = str(self.directory / (f"kubeconfig-{self.account}" if self.account else "kubeconfig"))
        common = {"kubeconfig": config, "via": self.via, "kubectl": "auto", "timeout": 5.0, "state": "done"}
        return {**dict.fromkeys(names), **common, **changes}

    def change(self, *changes: dict[str, Any], check: bool = False, **more: Any) -> run.Outcome:
        """Run a task; nothing of a secret comes out."""
        return _clean(run.run(self.params(changes=list(changes), **more), check, {}, "/nonexistent"))

    def undo(self, record: list[dict[str, Any]], check: bool = False) -> run.Outcome:
        # As it comes back from a variable or a file.
        kept = json.loads(json.dumps(record))
        return _clean(run.run(self.params(state="undone", record=kept), check, {}, "/nonexistent"))

    def lock(self, state: str, holder: str, check: bool = False) -> lock.Standing:
        return lock.hold(self.params(state=state, holder=holder, namespace=SYSTEM), check, {}, "/nonexistent")

    def disturb(self, *settings: dict[str, Any]) -> None:
        control.call(self.directory / "api" / "control", "PUT", "/disturbances", list(settings))

    def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        return self.store.get(self.store.kinds.find(kind), namespace, name)

    def edit(self, kind: str, name: str, change: Callable[[dict[str, Any]], None], namespace: str = "") -> None:
        self.store.mutate(self.store.kinds.find(kind), namespace, name, change, manager="somebody")

    def make(self, kind: str, obj: dict[str, Any], namespace: str = "") -> dict[str, Any]:
        return self.store.create(self.store.kinds.find(kind), namespace, obj, manager="somebody")

    def is_there(self, kind: str, name: str, namespace: str = "") -> bool:
        return self.store.peek(self.store.kinds.find(kind), namespace, name) is not None

    def pool(self) -> dict[str, Any]:
        return self.get("ippools.crd.projectcalico.org", "default-ipv4-ippool")

    def everything(self) -> dict[str, Any]:
        """All objects but those that the controller keeps changing, without what the server counts."""
        found = {}
        for kind in self.store.kinds:
            if kind.stored_as or kind.plural in ("events", "leases", "pods", "endpoints", "endpointslices"):
                continue
            for each in self.store.list(kind):
                meta = each["metadata"]
                bare = {key: meta[key] for key in ("labels", "annotations", "ownerReferences") if key in meta}
                key = f"{kind.resource} {meta.get('namespace', '')}/{meta['name']}"
                found[key] = {**each, "metadata": bare, "status": None}
        return found


def _clean(outcome: run.Outcome) -> run.Outcome:
    told = json.dumps([outcome.results, outcome.differences, outcome.record, outcome.refusals, outcome.why])
    assert CANARY not in told
    assert base64.b64encode(CANARY.encode()).decode() not in told
    return outcome


def an_api(calico: str) -> Iterator[Api]:
    with pytest.MonkeyPatch.context() as patch:
        if SCHEMAS.is_dir():
            patch.setenv(daemon.SCHEMAS, str(SCHEMAS))
        directory = Path(tempfile.mkdtemp(prefix="nm-oc-", dir="/tmp"))
        made = Api(directory, calico)
        patch.setenv("HOME", str(directory))
        yield made
        made.daemon.stop()
        shutil.rmtree(directory, ignore_errors=True)


def set_pool(mode: str, **more: Any) -> dict[str, Any]:
    return {"action": "patch", **POOL, "patch": {"spec": {"ipipMode": mode}}, **more}
