# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who would put back what is changed in an object, as the object itself tells: its owners, its labels and who wrote
which of its fields. Pure.

Only programs that reconcile count. What a person wrote with kubectl stays as the next person leaves it.
"""

from __future__ import annotations

from .._cluster.shapes import mapping, sequence, word
from . import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .fields import Path

# Who writes the fields of a change.
MANAGER = "netmedic-calico"
# Managers of fields that reconcile with ordinary updates. Tigera's operator calls itself "operator".
_RECONCILERS = {
    "operator": "Tigera's operator",
    "tigera-operator": "Tigera's operator",
    "kube-addon-manager": "the addon manager",
    "helm": "Helm",
    "helm-controller": "the Helm controller",
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "rancher": "Rancher",
    "fleetagent": "Fleet",
}
_MANAGED_BY = "app.kubernetes.io/managed-by"
# Labels and annotations that reconcilers leave -> who that is. A value of None: whatever stands there.
_MARKS: tuple[tuple[str, str | None, str], ...] = (
    ("addonmanager.kubernetes.io/mode", "Reconcile", "the addon manager"),
    (_MANAGED_BY, "Helm", "Helm"),
    (_MANAGED_BY, "tigera-operator", "Tigera's operator"),
    ("meta.helm.sh/release-name", None, "Helm"),
    ("objectset.rio.cattle.io/owner-name", None, "the deploy controller of k3s or RKE2"),
    ("argocd.argoproj.io/tracking-id", None, "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", None, "Flux"),
    ("helm.toolkit.fluxcd.io/name", None, "Flux"),
)


def reverting(found: dict[str, Any], paths: Sequence[Path] | None) -> str:
    """Return who would put back changes of these fields (None: the object as a whole), '' if nobody is known to.

    What every kind of owner leaves alone (labels, annotations and taints that others set) is nobody's but its writer's.
    """
    meta = mapping(found.get("metadata"))
    whole = paths is None or any(path[0] != "metadata" for path in paths)
    if whole:
        for owner in sequence(meta.get("ownerReferences")):
            if mapping(owner).get("controller") is True:
                return f"{word(owner.get('kind'))} {word(owner.get('name'))}, its controller"
        for name, value, who in _MARKS:
            there = mapping(meta.get("labels")).get(name) or mapping(meta.get("annotations")).get(name)
            if there and value in (None, there):
                return who
    for path in paths or ():
        for who in _writers(meta, path):
            return f"{who}, which set {fields.shown(path)}"
    return ""


def _writers(meta: dict[str, Any], path: Path) -> Iterator[str]:
    """Yield the reconcilers that own a field by metadata.managedFields."""
    for entry in sequence(meta.get("managedFields")):
        manager = word(mapping(entry).get("manager"))
        if manager == MANAGER or not _covers(mapping(mapping(entry).get("fieldsV1")), path):
            continue
        if entry.get("operation") == "Apply" or manager in _RECONCILERS or manager.startswith(("deploy@", "helm-")):
            yield _RECONCILERS.get(manager, manager)


def _covers(owned: dict[str, Any], path: Path) -> bool:
    """Say whether a set of fields in the form FieldsV1 has this field, or one in it."""
    for step in path:
        if isinstance(step, str):
            if f"f:{step}" not in owned:
                # A list without keys is owned as a whole.
                return False
            owned = mapping(owned[f"f:{step}"])
            if not owned:
                return True
        else:
            chosen = [name for name in owned if name.startswith("k:") and _chooses(name[2:], step)]
            if not chosen:
                return False
            owned = mapping(owned[chosen[0]])
    return True


def _chooses(key: str, step: dict[str, Any]) -> bool:
    import json

    try:
        found = mapping(json.loads(key))
    except (ValueError, RecursionError):
        return False
    return bool(found) and all(found.get(name) == value for name, value in step.items())


def wrote(found: dict[str, Any]) -> bool:
    """Say whether an object has been written by us; True where it does not tell who wrote it."""
    managed = sequence(mapping(found.get("metadata")).get("managedFields"))
    return not managed or any(mapping(entry).get("manager") == MANAGER for entry in managed)


def wrote_last(found: dict[str, Any]) -> bool:
    """Say whether nobody has written an object since we did, as far as it tells who wrote it when."""
    times: dict[bool, str] = {}
    for entry in map(mapping, sequence(mapping(found.get("metadata")).get("managedFields"))):
        ours = entry.get("manager") == MANAGER
        times[ours] = max(times.get(ours, ""), word(entry.get("time")))
    return True in times and (False not in times or times[True] > times[False])
