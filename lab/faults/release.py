# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster runs as another release of Calico: by all that the API tells, ClusterInformation and images.

The pods' images are changed in place, as Kubernetes allows; the lab's programs are the same in every release, so no
container is started anew for it. Which settings a release knows is not looked at: the lab follows those that are set.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..api_client import JSON_PATCH, ApiError
from ..controller.names import CALICO_VERSION
from . import active, cluster, objects

if TYPE_CHECKING:
    from .model import Case

_INFORMATION = f"{objects.CALICO}/clusterinformations/default"


def run_as(case: Case, release: str) -> None:
    """Let the cluster run as a release, for instance "v3.32.0", until `back`."""
    case.undo["release"] = release
    case.undo["strategy"] = case.lab.api().get(cluster.CALICO_NODE)["spec"]["updateStrategy"]
    active.put(case.lab.state, case.record())
    case.lab.say(f"  API: Calico {release} in place of {CALICO_VERSION}")
    # What the template says now shall replace no pod.
    _change(case, CALICO_VERSION, release, {"type": "OnDelete"})


def back(case: Case) -> None:
    """Let the cluster run as the lab's own release again."""
    if case.undo.get("release"):
        _change(case, case.undo["release"], CALICO_VERSION, case.undo["strategy"])


def _change(case: Case, old: str, new: str, strategy: Any) -> None:
    client = case.lab.api()
    client.patch(_INFORMATION, {"spec": {"calicoVersion": new}})
    daemonset = client.get(cluster.CALICO_NODE)
    changes = _images(daemonset["spec"]["template"]["spec"], "/spec/template/spec", old, new)
    changes.append({"op": "replace", "path": "/spec/updateStrategy", "value": strategy})
    client.patch(cluster.CALICO_NODE, changes, JSON_PATCH)
    for pod in cluster.calico_pods(case.lab).values():
        changes = _images(pod["spec"], "/spec", old, new)
        if changes:
            with suppress(ApiError):  # it may have been replaced meanwhile, by the new template
                client.patch(f"{cluster.PODS}/{pod['metadata']['name']}", changes, JSON_PATCH)


def _images(spec: dict[str, Any], path: str, old: str, new: str) -> list[dict[str, Any]]:
    """The JSON patch that gives all containers the other tag."""
    return [
        {"op": "replace", "path": f"{path}/{kind}/{number}/image", "value": each["image"].replace(old, new)}
        for kind in ("initContainers", "containers")
        for number, each in enumerate(spec.get(kind) or [])
        if each["image"].endswith(f":{old}")
    ]
