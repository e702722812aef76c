# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of Calico's, Canal's and of what they depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import metadata
from .components import Made, component
from .model import ContainerState, Pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .given import Complaints, Given

_STATES = ("running", "waiting", "terminated")


def read(listed: Any, complaints: Complaints) -> Iterator[Pod]:
    """Yield the pods."""
    for given, name in metadata.objects(listed, "Pod", complaints):
        meta, spec, status = given.part("metadata"), given.part("spec"), given.part("status")
        images = {
            one.text("name"): one.text("image") for key in ("containers", "initContainers") for one in spec.parts(key)
        }
        conditions = metadata.conditions(status)
        ready = any(one.type == "Ready" and one.status == "True" for one in conditions)
        limits = {
            one.text("name"): one.part("resources").part("limits").text("memory") for one in spec.parts("containers")
        }
        states = tuple(_states(status, images, limits)) or tuple(_untold(spec, ready))
        labels = meta.strings("labels")
        own = {one.text("name"): one.text("image") for one in spec.parts("containers")}
        known = [Made(*one) for one in own.items()] or [Made(one.name, one.image) for one in states if not one.init]
        yield Pod(
            namespace=meta.text("namespace"),
            name=name,
            component=component(name, labels, known),
            node=spec.text("nodeName"),
            address=status.text("podIP") or status.text("hostIP"),
            addressless=_has_no_address(status),
            phase=status.text("phase"),
            reason=status.text("reason"),
            message=status.text("message"),
            ready=ready,
            conditions=conditions,
            containers=states,
            labels=labels,
            owner=metadata.controller(meta),
            created_at=meta.time("creationTimestamp"),
            started_at=status.time("startTime"),
            deleting=meta.has("deletionTimestamp"),
            uid=meta.text("uid"),
        )


def _has_no_address(status: Given) -> bool:
    """The pod has none, for certain: the fact leaves out the address of one that is well, but then its start, too."""
    told = status.has("podIP") or status.has("startTime")
    return told and not (status.text("podIP") or status.text("hostIP"))


def _states(status: Given, images: dict[str, str], limits: dict[str, str]) -> Iterator[ContainerState]:
    for key, init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for one in status.parts(key):
            name = one.text("name")
            state, now = _state(one.part("state"))
            _word, before = _state(one.part("lastState"))
            yield ContainerState(
                name=name,
                init=init,
                ready=one.flag("ready") is True,
                restarts=max(one.integer("restartCount") or 0, 0),
                state=state,
                reason=now.text("reason"),
                message=now.text("message"),
                exit_code=now.integer("exitCode"),
                last_reason=before.text("reason"),
                last_message=before.text("message"),
                last_exit_code=before.integer("exitCode"),
                started_at=now.time("startedAt"),
                finished_at=now.time("finishedAt"),
                image=images.get(name) or one.text("image"),
                memory_limit=limits.get(name, ""),
            )


def _untold(spec: Given, ready: bool) -> Iterator[ContainerState]:
    """The containers of a pod of which no states are told: those of one that is well are left out of the fact."""
    for one in spec.parts("containers"):
        yield ContainerState(one.text("name"), ready=ready, state="running" if ready else "", image=one.text("image"))


def _state(told: Given) -> tuple[str, Given]:
    """The one state that is told, and what is told of it."""
    for word in _STATES:
        if word in told.raw:
            return word, told.part(word)
    return "", told.part("")
