# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to Calico's workloads: their pods, ConfigMaps, Service, events, and webhooks asked about them."""

from __future__ import annotations

from .._record import NamedTuple
from . import find, happenings, kinds, webhooks
from .lists import Got, failed, together, unique
from .problems import ApiError
from .prune import prune
from .prune_nodes import is_well
from .shapes import mapping, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from .lists import Reader

TYPHA_VARIABLE = "FELIX_TYPHAK8SSERVICENAME"
_TYPHA = "calico-typha"
# Where Calico would be if nothing of it is found, perhaps because a webhook keeps it from being made.
_USUAL = ("kube-system", "calico-system")
_MOST_PLACES = 12
_MOST_SERVICES = 50
_CONFIGURED_BY_MAPS = (*find.AGENTS, find.TYPHA, find.OPERATOR, find.FLANNEL)


class Workload(NamedTuple):
    """A workload that was found: what it is, its namespace and name, and the pruned object."""

    component: str
    namespace: str
    name: str
    found: dict[str, Any]

    @property
    def labels(self) -> dict[str, Any]:
        """The labels of its pods."""
        template = mapping(mapping(self.found.get("spec")).get("template"))
        return mapping(mapping(template.get("metadata")).get("labels"))

    @property
    def account(self) -> str:
        """Its service account."""
        return word(self._pod.get("serviceAccountName"))

    @property
    def _pod(self) -> dict[str, Any]:
        return mapping(mapping(mapping(self.found.get("spec")).get("template")).get("spec"))

    def variables(self) -> Iterator[dict[str, Any]]:
        """Yield the variables of its containers."""
        for place in ("containers", "initContainers"):
            for container in sequence(self._pod.get(place)):
                yield from map(mapping, sequence(mapping(container).get("env")))

    def config_maps(self) -> Iterator[str]:
        """Yield the names of the ConfigMaps that its containers' variables come from."""
        for variable in self.variables():
            yield word(mapping(mapping(variable.get("valueFrom")).get("configMapKeyRef")).get("name"))
        for container in sequence(self._pod.get("containers")):
            for source in sequence(mapping(container).get("envFrom")):
                yield word(mapping(mapping(source).get("configMapRef")).get("name"))


def workloads(objects: Iterable[dict[str, Any]]) -> list[Workload]:
    """Return the pruned DaemonSets and Deployments as what they are."""
    found = []
    for one in objects:
        meta = mapping(one.get("metadata"))
        found.append(Workload(find.component(one), word(meta.get("namespace")), word(meta.get("name")), one))
    return found


def namespaces(found: Iterable[Workload], components: Sequence[str] = ()) -> list[str]:
    """Return the namespaces of workloads, of these components or of all that are Calico's own."""
    names = {
        one.namespace: None
        for one in found
        if one.namespace and (one.component in components if components else one.component not in find.FOREIGN)
    }
    return list(names)[:_MOST_PLACES]


def pods(reader: Reader, found: Sequence[Workload]) -> Got:
    """Read the workloads' pods; of what is not Calico's own only those that are not well. If there is no agent, pods
    with its labels are looked for everywhere."""
    parts = []
    for one in found:
        chosen = find.selector(one.found)
        if chosen:
            keep = _not_well if one.component in find.FOREIGN else None
            parts.append(reader.attempt(kinds.PODS, one.namespace, [("labelSelector", chosen)], keep))
    if not any(one.component in find.AGENTS for one in found):
        parts.append(reader.attempt(kinds.PODS, "", [("labelSelector", find.PODS_LABELLED)], _stray))
    got = together("pods", parts)
    objects = unique(got.objects)
    return got._replace(objects=objects, number=len(objects))


def _not_well(pod: dict[str, Any]) -> bool:
    return not is_well(mapping(pod.get("status")))


def _stray(pod: dict[str, Any]) -> bool:
    part = find.component(pod)
    return bool(part) and (part not in find.FOREIGN or _not_well(pod))


def config_maps(reader: Reader, found: Sequence[Workload]) -> Got:
    """Read the ConfigMaps with settings of Calico, by their names."""
    wanted: dict[tuple[str, str], None] = {}
    for one in found:
        if one.component in _CONFIGURED_BY_MAPS:
            for name in (*kinds.CONFIG_MAP_NAMES, *(name for name in one.config_maps() if name)):
                wanted[one.namespace, name] = None
    return _by_name(reader, kinds.CONFIG_MAPS, wanted)


def _by_name(reader: Reader, kind: kinds.Kind, wanted: Iterable[tuple[str, str]]) -> Got:
    parts = []
    for namespace, name in wanted:
        try:
            one = reader.one(kind, namespace, name)
        except ApiError as problem:
            parts.append(failed(kind.plural, problem))
            continue
        parts.append(Got(kind.plural, "ok", "", 1, [prune(kind.plural, one)]) if one is not None else Got(kind.plural))
    return together(kind.plural, parts)


def typha_services(found: Sequence[Workload], maps: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return namespace and name of the Services by which agents look for Typha, and the usual one beside a Typha."""
    named = {word(mapping(one.get("data")).get("typha_service_name")): one for one in maps}
    wanted: dict[tuple[str, str], None] = {}
    for one in found:
        names = [_TYPHA] if one.component == find.TYPHA else []
        if one.component in find.AGENTS:
            for variable in one.variables():
                if variable.get("name") == TYPHA_VARIABLE:
                    names += [word(variable.get("value"))] if "value" in variable else list(named)
        wanted.update(dict.fromkeys((one.namespace, name) for name in names if name not in ("", "none")))
    return list(wanted)


def services(reader: Reader, wanted: Sequence[tuple[str, str]]) -> Got:
    """Read Services by namespace and name."""
    return _by_name(reader, kinds.SERVICES, wanted)


def slices(reader: Reader, wanted: Sequence[tuple[str, str]]) -> Got:
    """Read the EndpointSlices of Services."""
    parts = []
    for namespace, name in wanted[:_MOST_SERVICES]:
        query = [("labelSelector", f"kubernetes.io/service-name={name}")]
        parts.append(reader.attempt(kinds.ENDPOINT_SLICES, namespace, query))
    return together("endpointslices", parts)


def labels_of_namespaces(reader: Reader, wanted: Sequence[str]) -> tuple[Got, dict[str, dict[str, Any]]]:
    """Read the namespaces' labels, which webhooks select by."""
    parts, found = [], {}
    for name in wanted:
        try:
            one = reader.one(kinds.NAMESPACES, "", name)
        except ApiError as problem:
            parts.append(failed("namespaces", problem))
            continue
        parts.append(Got("namespaces", number=int(one is not None)))
        found[name] = mapping(mapping(mapping(one).get("metadata")).get("labels"))
    return together("namespaces", parts), found


def places(found: Sequence[Workload], labels: dict[str, dict[str, Any]]) -> list[webhooks.Place]:
    """Return where pods of Calico's are made, or would be."""
    own: list[webhooks.Place] = [
        (one.namespace, labels.get(one.namespace, {}), one.labels) for one in found if _is_own(one)
    ]
    if any(one.component in find.AGENTS for one in found):
        return own
    return own + [(name, labels.get(name, {}), {"k8s-app": find.CALICO_NODE}) for name in _USUAL]


def _is_own(one: Workload) -> bool:
    return one.component not in find.FOREIGN


def wanted_namespaces(found: Sequence[Workload]) -> list[str]:
    """Return the namespaces whose labels are needed for places()."""
    return list(dict.fromkeys(place[0] for place in places(found, {}) if place[0]))


def events(reader: Reader, found: Sequence[Workload]) -> Got:
    """Read the newest events about Nodes and about the workloads and their pods."""
    parts = [_events(reader, "", [happenings.OF_NODES], happenings.Newest())]
    for namespace in namespaces(found) or list(_USUAL):
        names = {one.name for one in found if one.namespace == namespace} or set(find.AGENTS)
        parts.append(_events(reader, namespace, [], happenings.Newest(names)))
    got = together("events", parts)
    objects = happenings.newest(got.objects)
    return got._replace(objects=objects, number=len(objects))


def _events(reader: Reader, namespace: str, query: list[tuple[str, str]], keep: happenings.Newest) -> Got:
    kind = kinds.EVENTS
    try:
        reader.asker.walk(kind.path(namespace), keep.take, keep.begin, reader.page(kind), query=query)
    except ApiError as problem:
        if not keep.seen:
            return failed("events", problem)
        return Got("events", "partial", problem.sentence, keep.seen, keep.found())
    return Got("events", "ok", "", keep.seen, keep.found())
