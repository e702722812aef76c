# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One pass through everything that is asked of the API, at once as far as one thing does not need the other."""

from __future__ import annotations

from . import calico_pods, counting, discover, find, kinds, leases, lists, packing, problems, secrets, webhooks
from .jobs import Jobs
from .lists import Got, Reader
from .problems import ApiError
from .prune import prune
from .shapes import mapping, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .asking import Asker

# For what is under way when the time is up to say so itself.
_GRACE = 2.0
_MOST_POLICIES = 500
_WORKLOADS = ("daemonsets", "deployments")
_ADMISSION = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
_OF_INTEREST = ("projectcalico.org", "tigera.io")
# What serves other sources: it is told about only if it went wrong.
_INNER = frozenset(("plan", "settings", "webhooks", "secrets"))


class Reading:
    """One pass: the jobs, what they brought, and what follows from it."""

    def __init__(self, asker: Asker, page_size: int, count_others: bool) -> None:
        self._asker, self._reader = asker, Reader(asker, page_size)
        self._count_others = count_others
        self._jobs = Jobs(asker.transport.workers, self._take)
        self._got: dict[str, Got] = {"api": Got("api", "ok", "", 1)}
        self._served = discover.Served({}, False, {}, {})
        self._found: list[calico_pods.Workload] = []
        self._pods = counting.Pods(())
        self._endpoints = counting.Endpoints()
        self._groups: list[str] = []

    def run(self, until: float) -> None:
        """Ask for everything."""
        add, reader = self._jobs.add, self._reader
        add("nodes", lambda: reader.read(kinds.NODES))
        for kind in (kinds.DAEMON_SETS, kinds.DEPLOYMENTS):
            add(kind.plural, lambda kind=kind: reader.read(kind, keep=lambda one: bool(find.component(one))))  # type: ignore[misc]
        add("discovery", lambda: discover.ask(self._asker))
        if self._count_others:
            add("workload_pods", self._count_pods, ["nodes"])
        add("plan", self._plan, _WORKLOADS)
        add("settings", self._plan_settings, ["discovery", "daemonsets"])
        if self._count_others:
            add("service_endpoints", lambda: reader.count("service_endpoints", kinds.ENDPOINT_SLICES, self._endpoints))
        add("leases", lambda: leases.without_fresh(reader.read(kinds.LEASES), self._asker.date))
        for kind in (kinds.MUTATING, kinds.VALIDATING):
            add(kind.plural, lambda kind=kind: reader.read(kind, keep=_has_webhooks))  # type: ignore[misc]
        add("customresourcedefinitions", lambda: reader.read(kinds.DEFINITIONS, keep=_is_of_interest))
        for name in self._jobs.run(until + _GRACE):
            self._got[name] = Got(name, "failed", "This was not done when the time was up; a longer timeout helps.")

    def _take(self, name: str, result: Any, error: BaseException | None) -> None:
        """Take over what a job brought."""
        if error is not None:
            self._got[name] = lists.failed(name, error)
        elif isinstance(result, Got):
            self._got[result.source] = result
        elif isinstance(result, list):
            self._got.update((one.source, one) for one in result)
        elif isinstance(result, discover.Served):
            self._served = result
            self._note_served()

    def _note_served(self) -> None:
        served, plural = self._served, kinds.API_SERVICES.plural
        detail = " ".join(problem.sentence for name, problem in sorted(served.broken.items()) if name != plural)
        self._got["discovery"] = Got("discovery", "partial" if detail else "ok", detail, len(served.plurals))
        service = served.api_service
        if plural in served.broken:
            self._got[plural] = lists.failed(plural, served.broken[plural])
        elif service:
            self._got[plural] = Got(plural, "ok", "", 1, [prune(plural, service)])
        else:
            self._got[plural] = Got(plural, "absent", f"There is no {plural[:-1]} {kinds.V3_SERVICE}.")

    def _objects(self, name: str) -> list[dict[str, Any]]:
        got = self._got.get(name)
        return list(got.objects) if got is not None else []

    def _count_pods(self) -> Got:
        """Count the pods by node, with what fields the server can select by."""
        addresses = [
            word(mapping(one).get("address"))
            for node in self._objects("nodes")
            for one in sequence(mapping(node.get("status")).get("addresses"))
        ]
        self._pods = pods = counting.Pods(addresses)
        kind = kinds.PODS._replace(accept=kinds.TABLE)
        try:
            got = self._reader.count("workload_pods", kind, pods, [counting.RUNNING])
        except ApiError as problem:
            if problem.kind != problems.REFUSED:
                raise
            got = self._reader.count("workload_pods", kind, pods)
        if not addresses and got.status == "ok":
            return got._replace(
                status="partial", detail="The Nodes are not known, so pods on the hosts' network count, too."
            )
        return got

    def _plan(self) -> None:
        """Ask for what belongs to the workloads that were found."""
        add, reader = self._jobs.add, self._reader
        self._found = found = calico_pods.workloads([one for name in _WORKLOADS for one in self._objects(name)])
        add("pods", lambda: calico_pods.pods(reader, found))
        add("configmaps", lambda: calico_pods.config_maps(reader, found))
        add("events", lambda: calico_pods.events(reader, found))
        add("services", self._read_services, ["configmaps"])
        add("webhooks", self._look_at_webhooks, [*_ADMISSION, "services"])

    def _read_services(self) -> list[Got]:
        wanted = calico_pods.typha_services(self._found, self._objects("configmaps"))
        got = calico_pods.services(self._reader, wanted)
        there = [(word(_meta(one).get("namespace")), word(_meta(one).get("name"))) for one in got.objects]
        return [got, calico_pods.slices(self._reader, there)]

    def _look_at_webhooks(self) -> list[Got]:
        """Keep the webhooks that are asked about Calico's pods, and see who answers them."""
        spaces, labels = calico_pods.labels_of_namespaces(self._reader, calico_pods.wanted_namespaces(self._found))
        where = calico_pods.places(self._found, labels)
        kept = {
            name: [one for one in (webhooks.matching(found, where) for found in self._objects(name)) if one]
            for name in _ADMISSION
        }
        asked = webhooks.services(one for found in kept.values() for one in found)
        ready, more = {}, []
        for service in asked:
            got = calico_pods.slices(self._reader, [service])
            more.append(got)
            if got.status == "ok":
                ready[service] = webhooks.count_ready(got.objects)
        before = self._got.get("endpointslices")
        slices = lists.together("endpointslices", [*([before] if before else []), *more])
        result = [spaces, slices._replace(objects=lists.unique(slices.objects))]
        for name, found in kept.items():
            webhooks.note_ready(found, ready)
            result.append(self._got[name]._replace(objects=found, number=len(found)))
        return result

    def _plan_settings(self) -> None:
        """Ask for Calico's own objects and the operator's."""
        served = self._served
        wanted = _wanted_group(self._objects("daemonsets"))
        self._groups = discover.groups(served, wanted)
        if "discovery" in self._got and self._got["discovery"].status in ("failed", "forbidden"):
            # Which kinds there are could not be asked; the classic group is where they nearly always are.
            self._groups = [kinds.V1]
        for kind in kinds.CALICO:
            ways = discover.ways(kind, served, wanted)
            if not ways and not served.plurals:
                ways = [kinds.of_group(kind, group) for group in self._groups]
            self._jobs.add(kind.plural, lambda kind=kind, ways=ways: self._read_setting(kind, ways))  # type: ignore[misc]
        for kind in kinds.OF_OPERATOR:
            self._jobs.add(kind.plural, lambda kind=kind: self._read_operators(kind))  # type: ignore[misc]
        self._jobs.add("secrets", self._look_at_secrets, ["bgpconfigurations", "bgppeers", "plan"])

    def _read_operators(self, kind: kinds.Kind) -> Got:
        served = self._served.plurals
        if served and kind.plural not in served.get(kinds.OPERATOR, ()):
            return self._not_served(kind, kinds.OPERATOR)
        return self._reader.read(kind)

    def _read_setting(self, kind: kinds.Kind, ways: list[kinds.Kind]) -> Got:
        """Read a kind in the first group that lets us."""
        if not ways:
            return self._not_served(kind, kinds.V1)
        got = Got(kind.plural)
        for way in ways:
            got = self._reader.attempt(way, "", ())
            if got.status not in ("forbidden", "absent"):
                break
        return got

    def _not_served(self, kind: kinds.Kind, group: str) -> Got:
        broken = self._served.broken.get(group)
        if broken is not None:
            return lists.failed(kind.plural, broken)
        return Got(kind.plural, "absent", f"The cluster has no kind {kind.plural} of {group}.")

    def _look_at_secrets(self) -> Got:
        names = secrets.named(self._objects("bgpconfigurations"), self._objects("bgppeers"))
        agents = [one for one in self._found if one.component in find.AGENTS]
        found = [secrets.look(self._asker, one.namespace, name, one.account) for one in agents for name in names]
        if names and not agents:
            found = [_unknown_place(name) for name in names]
        return Got("secrets", objects=found + secrets.left_behind(self._asker, found))

    def fact(self) -> dict[str, Any]:
        """Return what was read."""
        got = self._got
        _drop_policies_of_nobody(got)
        objects = {name: list(one.objects) for name, one in sorted(got.items()) if one.objects and name not in _INNER}
        group = self._groups[0] if self._groups else ""
        return {
            "group": f"{group}/{kinds.VERSIONS[group]}" if group and _any_read(got) else "",
            "native_v3": self._served.native,
            "sources": [one.entry() for name, one in sorted(got.items()) if name not in _INNER or one.status != "ok"],
            "objects": packing.packed(objects.items()),
            "secrets": self._objects("secrets"),
            "workload_pods": self._pods.others(objects.get("pods", ())),
            "service_endpoints": dict(sorted(self._endpoints.by_node.items())),
        }


def _any_read(got: dict[str, Got]) -> bool:
    """Say whether any of Calico's kinds could be asked for."""
    return any(kind.plural in got and got[kind.plural].status in ("ok", "partial") for kind in kinds.CALICO)


def _unknown_place(name: str) -> dict[str, Any]:
    why = "calico-node was not found, so the namespace in which it would look is not known"
    return {"namespace": "", "name": name, "exists": None, "keys": [], "readable": None, "why": why}


def _meta(found: dict[str, Any]) -> dict[str, Any]:
    return mapping(found.get("metadata"))


def _wanted_group(daemon_sets: list[dict[str, Any]]) -> str:
    """Return what a calico-node's variable says about the group, '' if nothing."""
    for one in calico_pods.workloads(daemon_sets):
        for variable in one.variables():
            if variable.get("name") == discover.VARIABLE:
                return word(variable.get("value"))
    return ""


def _has_webhooks(found: dict[str, Any]) -> bool:
    return any(webhooks.is_about_pods(mapping(one)) for one in sequence(found.get("webhooks")))


def _is_of_interest(found: dict[str, Any]) -> bool:
    return word(_meta(found).get("name")).endswith(_OF_INTEREST)


def _drop_policies_of_nobody(got: dict[str, Got]) -> None:
    """Policies count here for the HostEndpoints that they select; without any, none of them does."""
    policies, endpoints = got.get("globalnetworkpolicies"), got.get("hostendpoints")
    if policies is None or endpoints is None or not policies.objects:
        return
    if endpoints.status in ("ok", "absent") and not endpoints.objects:
        detail = f"There is no HostEndpoint, so none of {policies.number} is kept."
        got["globalnetworkpolicies"] = Got("globalnetworkpolicies", policies.status, detail, policies.number)
    elif len(policies.objects) > _MOST_POLICIES:
        detail = f"Only the first {_MOST_POLICIES} of {policies.number} are kept."
        kept = policies.objects[:_MOST_POLICIES]
        got["globalnetworkpolicies"] = Got("globalnetworkpolicies", "partial", detail, policies.number, kept)
