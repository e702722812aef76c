# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments and ReplicaSets, simply: the new ReplicaSet is filled, then the old ones are emptied."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING

from ..api.errors import ApiError
from . import pods
from .cluster.workloads import replicaset
from .objects import Object, is_owned_by, is_true, set_condition, suffix

if TYPE_CHECKING:
    from .context import Context

MANAGER = "kube-controller-manager"
_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


class Deployments:
    """All Deployments and ReplicaSets of the cluster."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def work(self) -> float | None:
        """Bring everything further; seconds until what was refused is tried again."""
        everything = self._context.list("replicasets")
        for deployment in self._context.list("deployments"):
            if "deletionTimestamp" not in deployment["metadata"]:
                uid = deployment["metadata"]["uid"]
                self._deploy(deployment, [each for each in everything if is_owned_by(each, uid)])
        living = [pod for pod in self._context.list("pods") if "deletionTimestamp" not in pod["metadata"]]
        refused = [
            self._fill(each, [pod for pod in living if is_owned_by(pod, each["metadata"]["uid"])])
            for each in self._context.list("replicasets")
            if "deletionTimestamp" not in each["metadata"]
        ]
        return 5.0 if any(refused) else None

    def _deploy(self, deployment: Object, mine: list[Object]) -> None:
        wanted = deployment["spec"].get("replicas", 1)
        new = next((each for each in mine if _same_template(each, deployment)), None)
        if new is None:
            revision = (
                max((int(each["metadata"].get("annotations", {}).get(_REVISION, 0)) for each in mine), default=0) + 1
            )
            made = replicaset(deployment)
            made["metadata"]["annotations"] = {_REVISION: str(revision)}
            made["status"] = {"replicas": 0}
            try:
                new = self._context.create("replicasets", made, MANAGER)
            except ApiError as error:
                self._context.say(f"no ReplicaSet for {deployment['metadata']['name']}: {error}")
                return
            mine = [*mine, new]
        old = [each for each in mine if each["metadata"]["uid"] != new["metadata"]["uid"]]
        if new["spec"].get("replicas") != wanted:
            self._scale(deployment, new, wanted)
        recreate = (deployment["spec"].get("strategy") or {}).get("type") == "Recreate"
        if recreate or (new.get("status") or {}).get("readyReplicas", 0) >= wanted:
            for each in old:
                if each["spec"].get("replicas"):
                    self._scale(deployment, each, 0)
        self._count(deployment, new, old)

    def _scale(self, deployment: Object, replicas: Object, count: int) -> None:
        before = replicas["spec"].get("replicas", 0)
        replicas["spec"]["replicas"] = count
        self._context.change("replicasets", replicas, lambda obj: obj["spec"].update(replicas=count), MANAGER)
        direction = "up" if count > before else "down"
        words = f"Scaled {direction} replica set {replicas['metadata']['name']} from {before} to {count}"
        self._context.event(deployment, "Normal", "ScalingReplicaSet", words, "deployment-controller")

    def _count(self, deployment: Object, new: Object, old: list[Object]) -> None:
        def total(key: str, *sets: Object) -> int:
            return sum((each.get("status") or {}).get(key, 0) for each in sets)

        wanted = deployment["spec"].get("replicas", 1)
        ready = total("readyReplicas", new, *old)
        status = copy.deepcopy(deployment.get("status") or {})
        for key, count in (
            ("replicas", total("replicas", new, *old)),
            ("updatedReplicas", total("replicas", new)),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
            ("unavailableReplicas", max(0, wanted - ready)),
        ):
            status[key] = count
            if not count:
                del status[key]
        status["observedGeneration"] = deployment["metadata"].get("generation", 1)
        holder = {"status": status}
        if ready >= wanted:
            set_condition(
                holder, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."
            )
            words = f'ReplicaSet "{new["metadata"]["name"]}" has successfully progressed.'
            set_condition(holder, "Progressing", "True", "NewReplicaSetAvailable", words)
        else:
            words = "Deployment does not have minimum availability."
            set_condition(holder, "Available", "False", "MinimumReplicasUnavailable", words)
        if status != deployment.get("status"):
            self._context.update("deployments", deployment, {"status": status}, MANAGER, True)

    def _fill(self, replicas: Object, mine: list[Object]) -> bool:
        """As many pods as wanted, and the count of them; whether one was refused."""
        wanted = replicas["spec"].get("replicas", 1)
        refused = False
        for _number in range(wanted - len(mine)):
            name = f"{replicas['metadata']['name']}-{suffix(secrets.token_hex(8))}"
            try:
                made = self._context.create("pods", pods.made(replicas, replicas["spec"]["template"], name), MANAGER)
            except ApiError as error:
                self._event(replicas, "Warning", "FailedCreate", f"Error creating: {error}")
                refused = True
                break
            self._event(replicas, "Normal", "SuccessfulCreate", f"Created pod: {name}")
            mine = [*mine, made]
        for pod in sorted(mine, key=lambda pod: is_true(pod, "Ready"))[: max(0, len(mine) - wanted)]:
            self._context.delete("pods", pod)
            self._event(replicas, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
            mine = [each for each in mine if each is not pod]
        self._count_pods(replicas, mine)
        return refused

    def _count_pods(self, replicas: Object, mine: list[Object]) -> None:
        ready = sum(is_true(pod, "Ready") for pod in mine)
        status: Object = {"replicas": len(mine), "observedGeneration": replicas["metadata"].get("generation", 1)}
        if mine:
            status["fullyLabeledReplicas"] = len(mine)
        if ready:
            status.update({"readyReplicas": ready, "availableReplicas": ready})
        if status != replicas.get("status"):
            self._context.update("replicasets", replicas, {"status": status}, MANAGER, True)

    def _event(self, replicas: Object, kind: str, reason: str, message: str) -> None:
        self._context.event(replicas, kind, reason, message, "replicaset-controller")


def _same_template(replicas: Object, deployment: Object) -> bool:
    """Whether they have the same template, but for the label that tells ReplicaSets apart and a restart's mark."""

    def bare(template: Object) -> Object:
        found = copy.deepcopy(template)
        (found.get("metadata") or {}).get("labels", {}).pop(_HASH, None)
        (found.get("metadata") or {}).pop("creationTimestamp", None)
        return found

    return bare(replicas["spec"]["template"]) == bare(deployment["spec"]["template"])
