# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the cluster/ files of an evidence bundle to the fact C(calico_cluster), in the shape that the module returns.

Objects are cut down as the module does; of secrets only the names of their keys stay. What is said twice counts once:
objects before descriptions, descriptions before tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._cluster import redact
from ...module_utils._cluster.prune import prune
from .._evidence import plain
from .._texts import calicoctl_ipam, recognise
from . import documents, tables
from .components import KUBE_PROXY, OF_CALICO, Made, component
from .nodes import is_calico_node
from .objects import NODES_OF_CALICO

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
_PLURALS = {
    "Node": "nodes",
    "DaemonSet": "daemonsets",
    "Deployment": "deployments",
    "Pod": "pods",
    "Event": "events",
    "Lease": "leases",
    "Service": "services",
    "EndpointSlice": "endpointslices",
    "ConfigMap": "configmaps",
    "IPPool": "ippools",
    "BGPConfiguration": "bgpconfigurations",
    "BGPPeer": "bgppeers",
    "BGPFilter": "bgpfilters",
    "FelixConfiguration": "felixconfigurations",
    "HostEndpoint": "hostendpoints",
    "GlobalNetworkPolicy": "globalnetworkpolicies",
    "CalicoNodeStatus": "caliconodestatuses",
    "BlockAffinity": "blockaffinities",
    "IPAMBlock": "ipamblocks",
    "KubeControllersConfiguration": "kubecontrollersconfigurations",
    "ClusterInformation": "clusterinformations",
    "Installation": "installations",
    "TigeraStatus": "tigerastatuses",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    "APIService": "apiservices",
    "CustomResourceDefinition": "customresourcedefinitions",
}
# Objects that a run wrote down are cut down and do not say their kind: the file's name does.
_WRITTEN = frozenset((*_PLURALS.values(), NODES_OF_CALICO))
# Kinds that others use as well, under other groups.
_GROUPS = {"Service": ("v1",), "Installation": ("operator.tigera.io",), "Event": ("v1", "events.k8s.io")}
_SETTINGS = frozenset(
    (
        *("calico-config", "canal-config", "rke2-canal-config", "rke2-canal", "kube-flannel-cfg"),
        *("kubernetes-services-endpoint", "bird-templates", "tigera-operator-env"),
    )
)
# Words of Calico's CNI plugin, which kubelet puts into the events of whatever pod it was to give a network.
_OF_THE_PLUGIN = (
    *('plugin type="calico"', "ClusterInformation", "/var/lib/calico/", "calico-kubeconfig"),
    # What libcalico-go and Calico's IPAM say of it in the words of the CNI plugin.
    *("connection is unauthorized: ", "no podCidr for node", "IPAM allocated only 0", "cannot find a qualified ippool"),
    *("No IPs available in pools", "no configured Calico pools", "resource does not exist: Node("),
)
_LARGEST_ENVIRONMENT = 1024 * 1024
_ENVIRONMENT = ("provider", "distribution", "calico_version", "backend", "encapsulation", "datastore")


def fact(texts: Mapping[str, str], environment: str = "") -> dict[str, Any]:
    """Return the fact of a bundle: texts by their paths, and the text of environment.yml ('' if there is none)."""
    collected = _Collected()
    for path in sorted(texts, key=lambda path: (_rank(texts[path], path), path)):
        collected.take(path, texts[path])
    return collected.fact(_told(environment))


def _rank(text: str, path: str) -> int:
    kind = recognise.recognise(text, path)
    return {"objects": 0, "describe": 1}.get(kind, 2)


def _told(environment: str) -> dict[str, str]:
    """What the operator says about the cluster, from environment.yml."""
    if not environment.strip() or len(environment) > _LARGEST_ENVIRONMENT:
        return {}
    found = documents.read(environment).objects
    said = found[0] if found else {}
    return {name: plain.text(said[name])[:200] for name in _ENVIRONMENT if plain.text(said.get(name))}


class _Collected:
    """What was found so far: objects by plural kind and name, secrets, sources."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self._events: list[dict[str, Any]] = []
        self._secrets: dict[tuple[str, str], dict[str, Any]] = {}
        self._complete: dict[str, bool] = {}
        self._files: list[dict[str, Any]] = []
        self._others: dict[str, int] = {}
        self._counted: set[tuple[str, str]] = set()
        self._groups: set[str] = set()
        self._extra: dict[str, str] = {}
        self._pool_use: dict[str, tuple[int, int]] = {}

    def take(self, path: str, text: str) -> None:
        """Take the objects out of a text; what is no text about objects is left alone."""
        kind = recognise.recognise(text, path)
        if kind == "objects":
            found = documents.read(text)
            for one in found.objects:
                self._object(one, found.listed, path)
            if found.problem:
                status = "partial" if found.objects else "failed"
                detail = f"Not all could be read: {found.problem}."
                self._files.append({"source": path, "status": status, "detail": detail})
        elif kind == "calicoctl-ipam-show":
            rows = (row for row in calicoctl_ipam.parse(text).value if row.is_pool)
            # Where a number is not printed whole there is no end of addresses.
            self._pool_use.update((row.cidr, (row.used or 0, row.total or 0)) for row in rows)
        elif kind in tables.READERS:
            for plural, one in tables.READERS[kind](text):
                self._add(plural, one, False)

    def _object(self, one: dict[str, Any], listed: bool, path: str) -> None:
        kind, version = plain.text(one.get("kind")), plain.text(one.get("apiVersion"))
        stem = path.rpartition("/")[2].partition(".")[0]
        if not kind and listed and stem in _WRITTEN:
            self._add(stem, one, listed, chosen=True)
        elif kind == "Secret":
            self._secret(one)
        elif kind == "KubeProxyConfiguration":
            self._extra["kube_proxy_mode"] = plain.text(one.get("mode"))
        elif kind == "Node" and is_calico_node(one):
            self._add(NODES_OF_CALICO, one, listed)
        elif kind in _PLURALS and _is_ours(kind, version):
            group = version.partition("/")[0]
            if group.endswith("projectcalico.org"):
                self._groups.add(version)
            self._add(_PLURALS[kind], one, listed)

    def _secret(self, one: dict[str, Any]) -> None:
        metadata = plain.mapping(one.get("metadata"))
        name, namespace = plain.text(metadata.get("name")), plain.text(metadata.get("namespace"))
        keys = {*plain.mapping(one.get("data")), *plain.mapping(one.get("stringData"))}
        if name:
            self._secrets[(namespace, name)] = {
                "namespace": namespace,
                "name": name,
                "exists": True,
                "keys": sorted(keys),
                "readable": None,
                "why": "",
            }

    def _add(self, plural: str, one: dict[str, Any], listed: bool, chosen: bool = False) -> None:
        """Add an object. chosen: a run has told already that it matters."""
        # A list is all there is; a single object, or a table that somebody cut, need not be.
        self._complete[plural] = self._complete.get(plural, False) or listed
        if plural == "events":
            if chosen or _is_telling(one):
                self._events.append(prune(plural, one))
            return
        metadata = plain.mapping(one.get("metadata"))
        key = (plain.text(metadata.get("namespace")), plain.text(metadata.get("name")))
        if plural == "pods" and not chosen and not _is_of_calico(one, key[1]):
            self._count(one, key)
        elif chosen or _is_wanted(plural, one, key[1]):
            kept = redact.value(one) if plural == NODES_OF_CALICO else prune(plural, one)
            known = self._objects.setdefault(plural, {})
            # Without a name it is malformed: the reader says so.
            place = key if key[1] else ("", f" {len(known)}")
            known[place] = _merged(known[place], kept) if place in known else kept

    def _count(self, pod: dict[str, Any], key: tuple[str, str]) -> None:
        """Count a pod that is not Calico's by its node, if it runs in the pod network."""
        spec, status = plain.mapping(pod.get("spec")), plain.mapping(pod.get("status"))
        node = plain.text(spec.get("nodeName"))
        over = status.get("phase") in ("Succeeded", "Failed")
        if node and not over and spec.get("hostNetwork") is not True and key not in self._counted:
            self._counted.add(key)
            self._others[node] = self._others.get(node, 0) + 1

    def fact(self, environment: dict[str, str]) -> dict[str, Any]:
        """Return what was collected."""
        objects: dict[str, list[dict[str, Any]]] = {
            plural: list(found.values()) for plural, found in self._objects.items()
        }
        if self._events:
            objects["events"] = self._events
        reached = bool(objects or self._secrets or self._pool_use)
        group = max(self._groups, default="")
        return {
            "schema": SCHEMA,
            "taken_at": "",
            "reached": reached,
            "via": "bundle",
            "why": "" if reached else "The bundle has no objects of the API.",
            "server": "",
            "version": "",
            "group": group,
            "native_v3": False,
            "sources": [*self._sources(objects), *self._files],
            "objects": objects,
            "secrets": list(self._secrets.values()),
            "workload_pods": self._others,
            "service_endpoints": {},
            **({"pool_use": {cidr: list(pair) for cidr, pair in self._pool_use.items()}} if self._pool_use else {}),
            "environment": {**environment, **self._extra},
        }

    def _sources(self, objects: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
        return [
            {
                "source": plural,
                "status": "ok" if complete else "partial",
                "detail": "" if complete else "The bundle has some of them; whether these are all is not known.",
                "count": len(objects.get(plural, ())),
            }
            for plural, complete in sorted(self._complete.items())
        ]


def _is_ours(kind: str, version: str) -> bool:
    groups = _GROUPS.get(kind)
    return groups is None or not version or version.partition("/")[0] in groups


def _is_of_calico(pod: dict[str, Any], name: str) -> bool:
    labels = plain.mapping(plain.mapping(pod.get("metadata")).get("labels"))
    containers = [
        Made(
            plain.text(one.get("name")),
            plain.text(one.get("image")),
            tuple(plain.text(variable.get("name")) for variable in plain.mappings(one.get("env"))),
        )
        for one in plain.mappings(plain.mapping(pod.get("spec")).get("containers"))
    ]
    what = component(name, {key: plain.text(value) for key, value in labels.items()}, containers)
    return not name or what in OF_CALICO or what == KUBE_PROXY


def _is_wanted(plural: str, one: dict[str, Any], name: str) -> bool:
    """Say whether an object of a kind that everybody uses is about Calico."""
    if plural in ("daemonsets", "deployments"):
        template = plain.mapping(plain.mapping(one.get("spec")).get("template"))
        return _is_of_calico({"metadata": template.get("metadata"), "spec": template.get("spec")}, name)
    if plural == "configmaps":
        return name in _SETTINGS or not name
    if plural in ("services", "endpointslices"):
        return "typha" in name or not name
    return True


def _is_telling(event: dict[str, Any]) -> bool:
    """Say whether an event is about a node or about what is Calico's, or passes on what Calico's CNI plugin said; one
    that does not say what about is kept."""
    about = plain.mapping(event.get("involvedObject")) or plain.mapping(event.get("regarding"))
    name = plain.text(about.get("name"))
    if any(words in plain.text(event.get("message")) for words in _OF_THE_PLUGIN):
        return True
    return not name or about.get("kind") == "Node" or component(name, {}, ()) in OF_CALICO


def _merged(first: Any, second: Any) -> Any:
    """What the first says, and what only the second says."""
    if isinstance(first, dict) and isinstance(second, dict):
        added = {key: value for key, value in second.items() if key not in first}
        return {**{key: _merged(value, second.get(key)) for key, value in first.items()}, **added}
    return first
