# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DaemonSets, Deployments and their containers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import metadata
from .components import Made, component
from .model import Container, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .given import Complaints, Given

# Values of variables that are called so never get into a record.
_SECRET = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|PRIVATE|PSK|APIKEY|API_KEY", re.IGNORECASE)


def daemon_sets(listed: Any, complaints: Complaints) -> Iterator[Workload]:
    """Yield the DaemonSets."""
    for given, name in metadata.objects(listed, "DaemonSet", complaints):
        strategy = given.part("spec").part("updateStrategy")
        status = given.part("status")
        told = status.has("desiredNumberScheduled")
        yield _workload(
            given,
            name,
            "DaemonSet",
            strategy,
            {
                "desired": status.integer("desiredNumberScheduled"),
                "current": _counted(status, "currentNumberScheduled", told),
                "ready": _counted(status, "numberReady", told),
                "available": _counted(status, "numberAvailable", told),
                "updated": _counted(status, "updatedNumberScheduled", told),
                "misscheduled": _counted(status, "numberMisscheduled", told),
            },
        )


def deployments(listed: Any, complaints: Complaints) -> Iterator[Workload]:
    """Yield the Deployments."""
    for given, name in metadata.objects(listed, "Deployment", complaints):
        spec, status = given.part("spec"), given.part("status")
        told = status.has("observedGeneration") or status.has("replicas")
        wanted = spec.integer("replicas")
        yield _workload(
            given,
            name,
            "Deployment",
            spec.part("strategy"),
            {
                "desired": 1 if wanted is None and told else wanted,
                "current": _counted(status, "replicas", told),
                "ready": _counted(status, "readyReplicas", told),
                "available": _counted(status, "availableReplicas", told),
                "updated": _counted(status, "updatedReplicas", told),
                "misscheduled": None,
            },
        )


def _counted(status: Given, key: str, told: bool) -> int | None:
    """A count of the status: the API leaves zeros out."""
    return status.integer(key) if status.has(key) or not told else 0


def _workload(given: Given, name: str, kind: str, strategy: Given, counts: dict[str, int | None]) -> Workload:
    meta, pod = given.part("metadata"), given.part("spec").part("template").part("spec")
    found = tuple(containers(pod))
    owned = metadata.owned(given)
    return Workload(
        kind=kind,
        namespace=meta.text("namespace"),
        name=name,
        component=component(name, _labels(given, owned.labels), [made(one) for one in found if not one.init]),
        meta=owned,
        containers=found,
        node_selector=pod.strings("nodeSelector"),
        affinity=pod.written("affinity"),
        tolerations=tuple(plain.mapping(one) for one in pod.items("tolerations") if isinstance(one, dict)),
        host_network=pod.flag("hostNetwork") is True,
        service_account=pod.text("serviceAccountName") or pod.text("serviceAccount"),
        strategy=strategy.text("type"),
        max_unavailable=strategy.part("rollingUpdate").text("maxUnavailable"),
        generation=meta.integer("generation"),
        observed_generation=given.part("status").integer("observedGeneration"),
        created_at=meta.time("creationTimestamp"),
        deleting=meta.has("deletionTimestamp"),
        **counts,
    )


def _labels(given: Given, own: Any) -> dict[str, str]:
    """The labels that say what a workload is: its pods', and its own."""
    template = given.part("spec").part("template").part("metadata").strings("labels")
    return {**own, **template}


def made(container: Container) -> Made:
    """Return what tells a container."""
    return Made(container.name, container.image, (*container.env, *container.env_from))


def containers(pod: Given) -> Iterator[Container]:
    """Yield the containers of a pod's specification, those that run first among them."""
    for key, init in (("initContainers", True), ("containers", False)):
        for one in pod.parts(key):
            name = one.text("name")
            if not name:
                one.complain("name", "is missing")
                continue
            plain_values, sources = _environment(one)
            yield Container(
                name=name,
                image=one.text("image"),
                init=init,
                env=plain_values,
                env_from=sources,
                readiness=_probe(one.part("readinessProbe")),
                liveness=_probe(one.part("livenessProbe")),
                limits=one.part("resources").strings("limits"),
            )


def _environment(container: Given) -> tuple[dict[str, str], dict[str, str]]:
    """The variables with values, and where the others come from. The last one of a name is the one that counts."""
    plain_values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for one in container.parts("env"):
        name = one.text("name")
        if not name:
            continue
        plain_values.pop(name, None)
        sources.pop(name, None)
        origin = _origin(one.part("valueFrom")) if one.has("valueFrom") else ""
        if origin:
            sources[name] = origin
        elif not _SECRET.search(name):
            value = one.raw.get("value")
            plain_values[name] = str(value).lower() if isinstance(value, bool) else one.text("value")
    return plain_values, sources


def _origin(source: Given) -> str:
    for key, word in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
        reference = source.part(key)
        if reference.raw:
            return f"{word} {reference.text('name')}/{reference.text('key')}"
    path = source.part("fieldRef").text("fieldPath")
    if path:
        return f"field {path}"
    resource = source.part("resourceFieldRef").text("resource")
    return f"resource {resource}" if resource else ""


def _probe(probe: Given) -> str:
    command = probe.part("exec").items("command")
    if command:
        return " ".join(plain.text(word) for word in command)
    http = probe.part("httpGet")
    return f"http {http.text('port')} {http.text('path')}".strip() if http.raw else ""
