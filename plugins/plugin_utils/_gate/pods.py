# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a calico-node pod's own state tells: init containers, images, crashes, and why it is not ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import model
from .model import Wrong
from .nodes import SHOWN, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .._cluster.model import ContainerState, Event, Pod

# Kubelet's reasons (pkg/kubelet/images, pkg/kubelet/kuberuntime).
IMAGE_REASONS = (
    *("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"),
    *("RegistryUnavailable", "SignatureValidationFailed"),
)
CONFIG_REASONS = (
    *("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "ContainerCannotRun"),
    *("StartError", "PreCreateHookError", "PreStartHookError", "PostStartHookError", "ContainerStatusUnknown"),
)
BACK_OFF = "CrashLoopBackOff"
DONE = "Completed"
HANGS_AFTER = 600
OFTEN = 3
RECENT = 900
PROBE_FAILED = "probe failed: "
# What the readiness probe says, by what it means; the first that fits counts. Messages of 3.20 to 3.33.
NOT_READY_KINDS = (
    ("bgp", ("BGP not established",)),
    ("bird_socket", ("unable to connect to BIRD", "error querying BIRD", "Error querying BIRD")),
    ("graceful_restart", ("graceful restart in progress",)),
    ("startup", ("stat() nodename file",)),
    ("felix", ("elix is not ready", "elix is not live", "statuscode: 503")),
    ("bird", ("bird/confd is not live", "bird is not live", "BIRD is not ready")),
    ("probe", ("context deadline exceeded", "timed out", "rpc error", "OCI runtime", "command error", "ExecSync")),
)
# Before these a pod's volumes and its sandbox are made.
NOT_MADE = ("ContainerCreating", "PodInitializing")
# What kubelet's events of the reason Failed begin with (pkg/kubelet/images, pkg/kubelet/kuberuntime).
PULL_EVENTS = ("Failed to pull image", "Failed to inspect image", "Failed to apply default image tag")
FAILED_EVENTS = ("Error: ",)
TOO_LONG = "timed out waiting for the condition"
MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedSync")


def look(pod: Pod, events: Sequence[Event], now: float | None) -> Iterator[Wrong]:
    """Everything that is wrong with a pod, in the gate's order; nothing where it is ready or on its way."""
    where = {"pod": f"{pod.namespace}/{pod.name}"}
    yield from refused_by_kubelet(pod)
    first = [one for one in pod.containers if one.init]
    rest = [one for one in pod.containers if not one.init]
    yield from (wrong for one in first for wrong in _init(one, where, now))
    pulling = [one for one in pod.containers if one.reason in IMAGE_REASONS]
    for one in pulling:
        why = _told(one, events, PULL_EVENTS)
        says = f"the image of {_container(one)} cannot be had ({one.reason}{why})"
        yield Wrong(model.IMAGE, one.reason, says, "pod status", {**where, **_place(one), **_image(one)})
    yield from _not_starting(pod, events, where)
    yield from (wrong for one in rest for wrong in _crashing(one, where, events, now))
    if not pod.ready and pod.phase in ("Running", ""):
        yield from _not_ready(events, where)


def refused_by_kubelet(pod: Pod) -> Iterator[Wrong]:
    """The kubelet did not take the pod, or ended it to make room."""
    where = {"pod": f"{pod.namespace}/{pod.name}"}
    if pod.phase == "Failed" and pod.reason:
        told = f": {short(pod.message)}" if pod.message else ""
        says = f"its calico-node pod was refused or ended by the kubelet ({pod.reason}{told})"
        yield Wrong(model.NOT_SCHEDULED, "refused_by_kubelet", says, "pod status", {**where, "reason": pod.reason})


def _init(one: ContainerState, where: dict[str, str], now: float | None) -> Iterator[Wrong]:
    if one.ready or one.reason in (*IMAGE_REASONS, *CONFIG_REASONS):
        return
    place = {**where, "container": one.name}
    failed = _failure(one)
    if failed:
        yield Wrong(model.INIT, one.name, f"its init container {one.name} fails: {failed}", "pod status", place)
    elif one.state == "running" and now is not None and one.started_at and now - one.started_at > HANGS_AFTER:
        says = f"its init container {one.name} has run for {int(now - one.started_at) // 60} min and does not end"
        yield Wrong(model.INIT, f"{one.name}_hangs", says, "pod status", place)


def _failure(one: ContainerState) -> str:
    """How a container failed last, in a clause; '' where it did not."""
    if one.state == "terminated":
        code, reason, message = one.exit_code, one.reason, one.message
    else:
        code, reason, message = one.last_exit_code, one.last_reason, one.last_message
    if code in (0, None) and one.reason != BACK_OFF and not _ended_badly(one):
        return ""
    told = [f"exit code {code}" if code is not None else "", reason if reason not in ("", "Error") else ""]
    told.append(short(message))
    return ", ".join(part for part in told if part) or one.reason


def _not_starting(pod: Pod, events: Sequence[Event], where: dict[str, str]) -> Iterator[Wrong]:
    refused = next((one for one in pod.containers if one.reason in CONFIG_REASONS), None)
    if refused is not None:
        why = _told(refused, events, FAILED_EVENTS)
        says = f"{_container(refused)} cannot be started ({refused.reason}{why})"
        yield Wrong(model.NOT_STARTING, refused.reason, says, "pod status", {**where, **_place(refused)})
        return
    begun = any(one.state in ("running", "terminated") for one in pod.containers)
    creating = pod.phase == "Pending" and not begun and any(one.reason in NOT_MADE for one in pod.containers)
    told = _most_telling(events)
    if creating and told is not None:
        yield Wrong(
            model.NOT_STARTING, told.reason, f"its pod cannot be set up: {short(told.message)}", "events", where
        )


def _crashing(
    one: ContainerState, where: dict[str, str], events: Iterable[Event], now: float | None
) -> Iterator[Wrong]:
    begun = one.started_at or one.finished_at
    lately = now is None or begun is None or now - begun <= RECENT
    often = one.restarts >= OFTEN and lately and not one.ready and one.last_exit_code is not None
    if not (one.reason == BACK_OFF or _ended_badly(one) or often):
        return
    kind = "oom" if "OOMKilled" in (one.last_reason, one.reason) else "crash"
    failed = _failure(one) or "it ends without a word"
    killed = _latest(event for event in events if event.reason == "Unhealthy" and "Liveness" in event.message)
    if kind == "crash" and killed is not None:
        kind, failed = "liveness", f"{failed}; the liveness probe failed: {probe_message(killed)}"
    says = f"container {one.name} starts again and again ({one.restarts} restarts): {failed}"
    yield Wrong(model.CRASHING, kind, says, "pod status", {**where, "container": one.name})


def _ended_badly(one: ContainerState) -> bool:
    """It has ended, and not because it was done; a table tells the reason without the exit code."""
    if one.state != "terminated":
        return False
    return one.reason not in ("", DONE) if one.exit_code is None else one.exit_code != 0


def _not_ready(events: Iterable[Event], where: dict[str, str]) -> Iterator[Wrong]:
    told = readiness_event(events)
    if told is None:
        says = "calico-node runs and is not ready; no event tells why"
        yield Wrong(model.NOT_READY, "untold", says, "pod status", where)
        return
    says = f"calico-node runs and is not ready: {probe_message(told)}"
    yield Wrong(model.NOT_READY, readiness_kind(told), says, "events", {**where, "message": short(told.message)})


def readiness_event(events: Iterable[Event]) -> Event | None:
    """The latest event that tells what the readiness probe said."""
    return _latest(event for event in events if "Readiness probe" in event.message)


def readiness_kind(event: Event) -> str:
    """What a probe's message is about: bgp, bird_socket, graceful_restart, startup, felix, bird, probe or other."""
    return next((kind for kind, words in NOT_READY_KINDS if any(word in event.message for word in words)), "other")


def probe_message(event: Event) -> str:
    """What the probe itself said; confd's count of peers, which some releases print before it, is left out."""
    told = event.message.partition(PROBE_FAILED)[2] or event.message
    told = told[told.find("calico/node is not ready") :] if "calico/node is not ready" in told else told
    return short(told)


def _container(one: ContainerState) -> str:
    """A container in a sentence; a table does not tell of which it speaks."""
    return f"container {one.name}" if one.name else "a container"


def _place(one: ContainerState) -> dict[str, str]:
    return {"container": one.name} if one.name else {}


def _image(one: ContainerState) -> dict[str, str]:
    return {"image": one.image} if one.image else {}


def _told(one: ContainerState, events: Sequence[Event], words: Sequence[str]) -> str:
    """Why a container does not start: its own message, else the latest event's; a description has the latter only."""
    told = one.message
    if not told:
        found = _latest(event for event in events if event.message.startswith(tuple(words)))
        told = found.message if found is not None else ""
    # Of a long one the end, as each layer puts its own words before those of the next.
    line = " ".join(told.split())
    line = line if len(line) <= SHOWN else f"... {line[4 - SHOWN :].partition(' ')[2]}"
    return f": {line}" if line else ""


def _most_telling(events: Iterable[Event]) -> Event | None:
    """The latest event of a pod that cannot be set up; that its volumes took too long only follows from another."""
    found = [event for event in events if event.reason in MOUNT_EVENTS]
    return _latest(event for event in found if TOO_LONG not in event.message) or _latest(found)


def _latest(events: Iterable[Event]) -> Event | None:
    return max(events, key=lambda event: event.last_at or 0.0, default=None)
