# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of Calico (or of what it stands on) a DaemonSet, Deployment or pod is.

Installers name and label them differently; what they all have in common are the containers, by which the module that
asks the API knows them, too. Where only names were printed, names have to do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._cluster import find

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

CALICO_NODE, CANAL, WINDOWS, FLANNEL = find.CALICO_NODE, find.CANAL, find.WINDOWS, find.FLANNEL
TYPHA, KUBE_CONTROLLERS, OPERATOR, APISERVER = find.TYPHA, find.KUBE_CONTROLLERS, find.OPERATOR, find.APISERVER
KUBE_PROXY = find.KUBE_PROXY
OTHER = "other"
OF_CALICO = frozenset((CALICO_NODE, CANAL, WINDOWS, TYPHA, KUBE_CONTROLLERS, OPERATOR, APISERVER, FLANNEL))

# Names of pods end with what their owner adds: one word (DaemonSet) or two (Deployment).
_TAIL = r"(?:-[a-z0-9]{1,10}){0,2}$"
_OF_CANAL = re.compile(r"(?:rke2-)?canal(?:-node)?" + _TAIL)
_BY_NAME = tuple(
    (re.compile(pattern + _TAIL), component)
    for pattern, component in (
        (r"calico-node-windows", WINDOWS),
        (r"calico-node", CALICO_NODE),
        (r"(?:rke2-)?canal(?:-node)?", CANAL),
        (r"calico-typha", TYPHA),
        (r"calico-kube-controllers", KUBE_CONTROLLERS),
        (r"tigera-operator", OPERATOR),
        (r"calico-apiserver", APISERVER),
        (r"kube-flannel(?:-ds)?(?:-(?:amd64|arm|arm64|ppc64le|s390x))?", FLANNEL),
        (r"kube-proxy", KUBE_PROXY),
    )
)


class Made(NamedTuple):
    """What tells a container: its name, its image, and the names of its variables."""

    name: str
    image: str = ""
    variables: Collection[str] = ()


def component(name: str, labels: Mapping[str, str], containers: Iterable[Made]) -> str:
    """Return the component (see Workload) by the containers, else by the labels, else by the name."""
    found = find.component({"metadata": {"labels": dict(labels)}, "spec": {"containers": _plain(containers)}})
    if found == CALICO_NODE and (labels.get("k8s-app") == CANAL or _OF_CANAL.match(name)):
        return CANAL  # where flannel's container beside it was not shown
    labelled = find.of_labels({"metadata": {"labels": dict(labels)}})
    return found or labelled or next((part for pattern, part in _BY_NAME if pattern.match(name)), OTHER)


def is_agent(container: Made) -> bool:
    """Say whether a container is calico-node, whatever it is called."""
    return find.component({"spec": {"containers": _plain([container])}}) == CALICO_NODE


def _plain(containers: Iterable[Made]) -> list[dict[str, object]]:
    return [
        {"name": one.name, "image": one.image, "env": [{"name": variable} for variable in one.variables]}
        for one in containers
    ]
