# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the cluster's objects into the store, as those who made them in a real cluster would have."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.errors import AlreadyExists, NotFound
from ..topology import plan
from . import cluster
from .cluster.daemons import revision, revision_hash
from .names import CALICO_GROUP, RBAC, RBAC_V1
from .objects import Object, make, now

if TYPE_CHECKING:
    from ..api.store import Store
    from ..state import State

ACCOUNT = NAMESPACE = "netmedic"
_ROLES = Path(__file__).resolve().parents[2] / "roles"
SHIPPED = _ROLES / "collect" / "files" / "rbac.yml"
# Of another account, and bound in namespaces that not every cluster has.
OF_REPAIRS = tuple(
    _ROLES / "remediate" / "files" / name
    for name in ("rbac.yml", "rbac-bgp-passwords.yml", "rbac-operator-migration.yml")
)
_HASH = "controller-revision-hash"
_AGE = 7 * 24 * 3600.0
_MANAGERS = {
    "Pod": "kubelet",
    "Node": "kubelet",
    "Lease": "kubelet",
    "EndpointSlice": "kube-controller-manager",
    "ReplicaSet": "kube-controller-manager",
    "ControllerRevision": "kube-controller-manager",
    "BlockAffinity": "calico-node",
    "IPAMBlock": "calico-node",
    "IPAMHandle": "calico-node",
    "IPPool": "calico-node",
    "ClusterInformation": "calico-node",
    "FelixConfiguration": "calico-node",
    "KubeControllersConfiguration": "kube-controllers",
}
_CLIENT = "kubectl-client-side-apply"


def seed(state: State, store: Store) -> None:
    """Fill the store for the lab of a state directory; what is there already stays."""
    shape = state.read("lab.json")
    hashes: dict[str, str] = {}
    daemonsets: dict[str, Object] = {}
    for obj in cluster.objects(plan(shape["topology"], shape["nodes"])):
        made = _of_stored_template(obj, daemonsets, hashes)
        if made["kind"] != "Pod":
            # The cluster is older than the lab: what is brand-new, diagnosis leaves alone.
            made["metadata"].setdefault("creationTimestamp", now(time.time() - _AGE))
        stored = ensure(store, made, _MANAGERS.get(made["kind"], _CLIENT))
        if stored is not None and stored["kind"] == "DaemonSet":
            daemonsets[stored["metadata"]["uid"]] = stored
            hashes[revision_hash(obj)] = revision_hash(stored)
    subject = [make("v1", "Namespace", NAMESPACE), make("v1", "ServiceAccount", ACCOUNT, NAMESPACE)]
    for obj in [*bound(shipped()), *subject]:
        ensure(store, obj, _CLIENT)
    for obj in [each for path in OF_REPAIRS for each in shipped(path)]:
        with suppress(NotFound):
            ensure(store, obj, _CLIENT)


def _of_stored_template(obj: Object, daemonsets: dict[str, Object], hashes: dict[str, str]) -> Object:
    """The API completes templates with defaults, which changes what tells them apart."""
    if obj["kind"] == "ControllerRevision":
        owner = obj["metadata"]["ownerReferences"][0]["uid"]
        return revision(daemonsets[owner], obj["revision"]) if owner in daemonsets else obj
    labels = obj["metadata"].get("labels") or {}
    if obj["kind"] == "Pod" and labels.get(_HASH) in hashes:
        labels[_HASH] = hashes[labels[_HASH]]
    return obj


def ensure(store: Store, obj: Object, manager: str) -> Object | None:
    """Create an object unless it is there or its kind is not served."""
    made: Object = dict(obj)
    if made["apiVersion"].startswith(CALICO_GROUP) and store.kinds.by_kind(made["apiVersion"], made["kind"]) is None:
        made["apiVersion"] = "projectcalico.org/v3"  # the mode with native v3 CRDs
        made["kind"] = "IPAMConfiguration" if made["kind"] == "IPAMConfig" else made["kind"]
        spec = made.get("spec", {})
        if isinstance(spec.get("deleted"), str):  # a boolean since
            made["spec"] = {**spec, "deleted": spec["deleted"] == "true"}
    kind = store.kinds.by_kind(made["apiVersion"], made["kind"])
    if kind is None:
        return None
    try:
        return store.create(kind, made["metadata"].get("namespace", ""), made, manager=manager)
    except AlreadyExists:
        return None


def shipped(path: Path = SHIPPED) -> list[Object]:
    """The objects of the RBAC that the project ships, as they can be created one after the other; none if absent."""
    if not path.is_file():
        return []
    import yaml

    found: list[Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["items"]
    return sorted(found, key=_order)


def bound(objects: list[Object]) -> list[Object]:
    """The same, with the cluster roles among them bound to the lab's own subject where nothing binds them."""
    roles = {each["metadata"]["name"] for each in objects if each["kind"] == "ClusterRole"}
    done = {each["roleRef"]["name"] for each in objects if each["kind"] == "ClusterRoleBinding"}
    subjects = [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}]
    missing = [
        make(
            RBAC_V1,
            "ClusterRoleBinding",
            name,
            roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
            subjects=subjects,
        )
        for name in sorted(roles - done)
    ]
    return [*objects, *missing]


def _order(obj: Object) -> int:
    order = ("Namespace", "ServiceAccount", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding")
    return order.index(obj["kind"]) if obj.get("kind") in order else len(order)
