# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which DaemonSets, Deployments and pods are Calico's, or of what it stands on: told by their containers.

Namespace, name and labels differ between installers and users; images, the containers' names and the variables that
Calico's programs read do not, or not all of them at once.
"""

from __future__ import annotations

from .shapes import mapping, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

CALICO_NODE, CANAL, WINDOWS = "calico-node", "canal", "calico-node-windows"
TYPHA, KUBE_CONTROLLERS, OPERATOR, APISERVER = "typha", "kube-controllers", "operator", "apiserver"
FLANNEL, KUBE_PROXY = "flannel", "kube-proxy"
AGENTS = (CALICO_NODE, CANAL, WINDOWS)
# What is not Calico's own and only of interest where something is wrong with it.
FOREIGN = (KUBE_PROXY,)

_BY_NAME = {
    "calico-node": CALICO_NODE,
    "calico-typha": TYPHA,
    "calico-kube-controllers": KUBE_CONTROLLERS,
    "tigera-operator": OPERATOR,
    "calico-apiserver": APISERVER,
    "kube-flannel": FLANNEL,
    "kube-proxy": KUBE_PROXY,
}
# The last parts of images' names, without registry and tag.
_BY_IMAGE = (
    ("calico/node", CALICO_NODE),
    ("calico-node", CALICO_NODE),
    ("cnx-node", CALICO_NODE),
    ("calico/node-windows", WINDOWS),
    ("calico/windows", WINDOWS),
    ("calico/typha", TYPHA),
    ("calico-typha", TYPHA),
    ("calico/kube-controllers", KUBE_CONTROLLERS),
    ("calico-kube-controllers", KUBE_CONTROLLERS),
    ("tigera/operator", OPERATOR),
    ("calico-operator", OPERATOR),
    ("calico/apiserver", APISERVER),
    ("calico-apiserver", APISERVER),
    ("flannel", FLANNEL),
    ("kube-proxy", KUBE_PROXY),
)
_BY_VARIABLE = {
    "CALICO_NETWORKING_BACKEND": CALICO_NODE,
    "IP_AUTODETECTION_METHOD": CALICO_NODE,
    "FELIX_IPINIPMTU": CALICO_NODE,
    "TYPHA_LOGSEVERITYSCREEN": TYPHA,
    "TYPHA_PROMETHEUSMETRICSENABLED": TYPHA,
    "FLANNEL_MTU": FLANNEL,
}
_BY_LABEL = {
    "calico-node": CALICO_NODE,
    "calico-node-windows": WINDOWS,
    "canal": CANAL,
    "calico-typha": TYPHA,
    "calico-kube-controllers": KUBE_CONTROLLERS,
    "tigera-operator": OPERATOR,
    "calico-apiserver": APISERVER,
    "flannel": FLANNEL,
    "kube-proxy": KUBE_PROXY,
}
_LABELS = ("k8s-app", "app", "app.kubernetes.io/name")
# Which one names a workload that runs several: the agent before what stands beside it.
_FIRST = (WINDOWS, CALICO_NODE, TYPHA, KUBE_CONTROLLERS, OPERATOR, APISERVER, FLANNEL, KUBE_PROXY)
PODS_LABELLED = f"k8s-app in ({','.join(sorted(_BY_LABEL))})"


def component(found: Any) -> str:
    """Return what a DaemonSet, Deployment or pod is (one of the words above), '' if it is none of them."""
    spec = mapping(mapping(found).get("spec"))
    template = mapping(spec.get("template"))
    meta, pod = (mapping(template.get("metadata")), mapping(template.get("spec"))) if template else (None, spec)
    if meta is None:
        meta = mapping(mapping(found).get("metadata"))
    parts = {part for container in _containers(pod) for part in _of_container(container)}
    if not parts:
        return ""
    labels = mapping(meta.get("labels"))
    if CALICO_NODE in parts:
        if WINDOWS in parts or _of_labels(labels) == WINDOWS:
            return WINDOWS
        # A policy-only agent beside flannel, in one pod.
        return CANAL if FLANNEL in parts else CALICO_NODE
    return next((one for one in _FIRST if one in parts), "")


def of_labels(found: Any) -> str:
    """Return what an object is by its labels alone, '' if they do not tell."""
    return _of_labels(mapping(mapping(mapping(found).get("metadata")).get("labels")))


def _of_labels(labels: dict[str, Any]) -> str:
    return next((_BY_LABEL[value] for value in map(labels.get, _LABELS) if value in _BY_LABEL), "")


def _containers(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for container in sequence(pod.get("containers")):
        if isinstance(container, dict):
            yield container


def _of_container(container: dict[str, Any]) -> Iterator[str]:
    """Yield what a container may be. One with a name of Calico's is that; else its image counts, else its variables."""
    named = _BY_NAME.get(word(container.get("name")), "") or _of_image(word(container.get("image")))
    if named:
        yield named
        return
    for variable in sequence(container.get("env")):
        found = _BY_VARIABLE.get(word(mapping(variable).get("name")), "")
        if found:
            yield found
            return


def _of_image(image: str) -> str:
    name = image.partition("@")[0]
    last = name.rpartition("/")[2]
    if ":" in last:
        name = name[: -len(last)] + last.partition(":")[0]
    return next(
        (part for ending, part in _BY_IMAGE if name == ending or name.endswith((f"/{ending}", f"-{ending}"))), ""
    )


def selector(found: Any) -> str:
    """Return a workload's selector as a query has it ("k8s-app=calico-node,tier in (a,b)"), '' if there is none."""
    chosen = mapping(mapping(mapping(found).get("spec")).get("selector"))
    terms = [f"{key}={value}" for key, value in mapping(chosen.get("matchLabels")).items() if isinstance(value, str)]
    for one in sequence(chosen.get("matchExpressions")):
        term = _term(mapping(one))
        if term:
            terms.append(term)
    return ",".join(terms)


def _term(expression: dict[str, Any]) -> str:
    key, operator = word(expression.get("key")), expression.get("operator")
    values = ",".join(one for one in sequence(expression.get("values")) if isinstance(one, str))
    forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}
    return forms.get(operator, "") if key and isinstance(operator, str) else ""
