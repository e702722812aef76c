# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs before an upgrade, and what is planned: images that move, probes that fail for ever."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._catalogue import commands
from .._cluster import effective, versions
from .._evidence import plain
from .._gate import backend
from .._lint import context as lint
from . import release_steps, upgrade_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster, Container, Workload
    from .intent import Intent

_OLD_PROGRAM, _NEW_PROGRAM = "/bin/calico-node", "calico component"
_BIRD_PROBES = ("bird-ready", "bird-live")


def images(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """Images that are not what they were, should a pod start anew while the upgrade goes on."""
    for one in cluster.workloads:
        if one.component not in ("calico-node", "canal", "typha", "kube-controllers", "operator", "apiserver"):
            continue
        for container in one.containers:
            why, severity = _why_floating(container)
            if why:
                yield upgrade_words.obstacle(
                    severity,
                    f"{upgrade_words.shown(one)}, container {container.name}: the image {container.image} {why}.",
                    "Name the release in full (v3.30.3), better with its digest.",
                    fault="preflight.image_not_pinned",
                    title="An image is not pinned",
                    means="A pod that starts anew takes what the tag is at that moment: another release than its "
                    "neighbours, in the middle of an upgrade or long before it.",
                    where={"object": upgrade_words.shown(one), "field": f"image of {container.name}"},
                )


def _why_floating(container: Container) -> tuple[str, str]:
    """Why an image may be another one tomorrow, and how bad that is; '' and '' where it is pinned."""
    image = container.image
    name = image.partition("@")[0].rpartition("/")[2]
    tag = name.partition(":")[2]
    if not image or "@sha256:" in image:
        return "", ""
    if tag in ("", "latest", "master", "main"):
        return (f"has the tag {tag}, which moves" if tag else "has no tag, which means latest"), "major"
    if re.fullmatch(r"(?:release-)?v?\d+(?:\.\d+)?", tag):
        return f"has the tag {tag}, which moves with each patch release", "minor"
    return "", ""


def _agents(cluster: Cluster) -> Iterator[tuple[Workload, Container]]:
    for agent in cluster.node_agents:
        container = effective.container(agent)
        if container is not None and not agent.deleting:
            yield agent, container


def probes(cluster: Cluster, plan: Intent) -> Iterator[dict[str, Any]]:
    """Probes of what runs, against its backend and the program that the new image has."""
    for agent, container in _agents(cluster):
        asks = [
            probe for probe in (container.readiness, container.liveness) if any(one in probe for one in _BIRD_PROBES)
        ]
        told_backend, space = backend.of_agent(cluster, agent), commands.word(agent.namespace, "NAMESPACE")
        if asks and told_backend.backend in backend.WITHOUT_BIRD:
            yield upgrade_words.obstacle(
                "major",
                f"{upgrade_words.shown(agent)} has a probe that asks for BIRD ({asks[0]}), and {told_backend.why}: "
                "its pods never get "
                "ready, and the upgrade stops at the first node.",
                "Take -bird-ready and -bird-live out of the probes, or run BIRD.",
                (f"kubectl edit -n {space} daemonset/{commands.word(agent.name, 'NAME')}",),
                fault="bird_probe_without_bird",
                role="cause",
                where={"object": upgrade_words.shown(agent), "field": "readinessProbe"},
            )
        old = [probe for probe in (container.readiness, container.liveness) if _OLD_PROGRAM in probe]
        operated = agent.meta.owner.startswith("Installation/")
        if old and plan.target and plan.target >= release_steps.ONE_PROGRAM and not operated:
            yield upgrade_words.obstacle(
                "minor",
                f"The probes of {upgrade_words.shown(agent)} run {_OLD_PROGRAM}, which the image of "
                f"{plan.target_written} does not have: "
                "if only the image is changed, the kubelet restarts every pod again and again.",
                "Apply the whole manifest (or chart) of the new release, not only its image.",
                where={"object": upgrade_words.shown(agent), "field": "livenessProbe"},
            )


def planned_probes(plan: Intent) -> Iterator[dict[str, Any]]:
    """Probes of the planned DaemonSet, against the program that its own image has."""
    for agent in lint.Context(plan.loaded.documents, lint.Settings()).agents:
        release = versions.release(versions.of_image(agent.image) or plan.target_written)
        written = " ".join(
            " ".join(plain.texts(plain.mapping(plain.mapping(agent.raw.get(probe)).get("exec")).get("command")))
            for probe in ("livenessProbe", "readinessProbe")
        )
        wrong = _OLD_PROGRAM if release and release >= release_steps.ONE_PROGRAM else _NEW_PROGRAM
        if release and wrong in written:
            document = agent.document
            line = document.line_of(*agent.path, "livenessProbe")
            yield upgrade_words.obstacle(
                "major",
                f"{document.file}:{line}: the probes of {document.about} run {wrong}, which the image {agent.image} "
                "does not "
                "have: the kubelet restarts every pod again and again.",
                "Take manifest and image from one release.",
                where={"object": document.about, "field": "livenessProbe", "file": document.file, "line": line},
            )
