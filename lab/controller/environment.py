# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a container as the kubelet makes it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .names import CALICO_NODE, KUBERNETES_SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .objects import Object

    ConfigMaps = Mapping[tuple[str, str], Object]


def resolved(container: Object, pod: Object, config_maps: ConfigMaps) -> dict[str, str]:
    """The variables of a container; those whose source is not there are left out.

    `config_maps`: by (namespace, name). Secrets are not looked at: calico-node has none in its environment.
    """
    namespace = pod["metadata"].get("namespace", "")
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        reference = source.get("configMapRef") or {}
        found.update((config_maps.get((namespace, reference.get("name", ""))) or {}).get("data") or {})
    for each in container.get("env") or []:
        value = each.get("value", "") if "valueFrom" not in each else _from(each["valueFrom"], pod, config_maps)
        if value is not None:
            found[each["name"]] = str(value)
    return found


def environment(pod: Object, config_maps: ConfigMaps) -> dict[str, str]:
    """The environment of the processes in calico-node's container of a pod."""
    name = pod["spec"].get("nodeName", "")
    container = next(each for each in pod["spec"]["containers"] if each["name"] == CALICO_NODE)
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME": name,
        **resolved(container, pod, config_maps),
        "KUBERNETES_SERVICE_HOST": KUBERNETES_SERVICE,
        "KUBERNETES_SERVICE_PORT": "443",
    }


def of_init(pod: Object, name: str, config_maps: ConfigMaps) -> dict[str, str]:
    """The variables of one of the pod's init containers; none if it has no such container."""
    containers = pod["spec"].get("initContainers") or []
    return next((resolved(each, pod, config_maps) for each in containers if each["name"] == name), {})


def _from(source: Object, pod: Object, config_maps: ConfigMaps) -> str | None:
    if "fieldRef" in source:
        return _field(source["fieldRef"].get("fieldPath", ""), pod)
    if "configMapKeyRef" in source:
        reference = source["configMapKeyRef"]
        found = config_maps.get((pod["metadata"].get("namespace", ""), reference.get("name", "")))
        value = ((found or {}).get("data") or {}).get(reference.get("key", ""))
        return None if value is None else str(value)
    return None


def _field(path: str, pod: Object) -> str:
    first, _dot, rest = path.partition(".")
    value = (pod.get(first) or {}).get(rest, "")
    return str(value)
