# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a calico-node pod's own state tells: init containers, images, crashes, and why it is not ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import model
from .model import Wrong
from .nodes import short

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
MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedSync")


def look(pod: Pod, events: Sequence[Event], now: float | None) -> Iterator[Wrong]:
    """Everything that is wrong with a pod, in the gate's order; nothing where it is ready or on its way."""
    where = {"pod": f"{pod.namespace}/{pod.name}"}
    yield from _refused_by_kubelet(pod, where)
    first = [one for one in pod.containers if one.init]
    rest = [one for one in pod.containers if not one.init]
    yield from (wrong for one in first for wrong in _init(one, where, now))
    pulling = [one for one in pod.containers if one.reason in IMAGE_REASONS]
    for one in pulling:
        says = f"the image of container {one.name} cannot be had ({one.reason}: {short(one.message)})"
        yield Wrong(model.IMAGE, one.reason, says, "pod status", {**where, "container": one.name})
    yield from _not_starting(pod, events, where)
    yield from (wrong for one in rest for wrong in _crashing(one, where, events, now))
    if not pod.ready and pod.phase in ("Running", ""):
        yield from _not_ready(events, where)


def _refused_by_kubelet(pod: Pod, where: dict[str, str]) -> Iterator[Wrong]:
    if pod.phase == "Failed" and pod.reason:
        says = f"its calico-node pod was refused or ended by the kubelet ({pod.reason}: {short(pod.message)})"
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
    if code in (0, None) and one.reason != BACK_OFF:
        return ""
    told = [f"exit code {code}" if code is not None else "", reason if reason not in ("", "Error") else ""]
    told.append(short(message))
    return ", ".join(part for part in told if part) or one.reason


def _not_starting(pod: Pod, events: Iterable[Event], where: dict[str, str]) -> Iterator[Wrong]:
    refused = next((one for one in pod.containers if one.reason in CONFIG_REASONS), None)
    if refused is not None:
        says = f"container {refused.name} cannot be started ({refused.reason}: {short(refused.message)})"
        yield Wrong(model.NOT_STARTING, refused.reason, says, "pod status", {**where, "container": refused.name})
        return
    creating = pod.phase == "Pending" and any(one.reason == "ContainerCreating" for one in pod.containers)
    told = _latest(event for event in events if event.reason in MOUNT_EVENTS)
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
    stopped = one.state == "terminated" and one.exit_code not in (0, None)
    if not (one.reason == BACK_OFF or stopped or often):
        return
    kind = "oom" if "OOMKilled" in (one.last_reason, one.reason) else "crash"
    failed = _failure(one) or "it ends without a word"
    killed = _latest(event for event in events if event.reason == "Unhealthy" and "Liveness" in event.message)
    if kind == "crash" and killed is not None:
        kind, failed = "liveness", f"{failed}; the liveness probe failed: {_probe_message(killed)}"
    says = f"container {one.name} starts again and again ({one.restarts} restarts): {failed}"
    yield Wrong(model.CRASHING, kind, says, "pod status", {**where, "container": one.name})


def _not_ready(events: Iterable[Event], where: dict[str, str]) -> Iterator[Wrong]:
    told = readiness_event(events)
    if told is None:
        says = "calico-node runs and is not ready; no event tells why"
        yield Wrong(model.NOT_READY, "untold", says, "pod status", where)
        return
    says = f"calico-node runs and is not ready: {_probe_message(told)}"
    yield Wrong(model.NOT_READY, readiness_kind(told), says, "events", {**where, "message": short(told.message)})


def readiness_event(events: Iterable[Event]) -> Event | None:
    """The latest event that tells what the readiness probe said."""
    return _latest(event for event in events if "Readiness probe" in event.message)


def readiness_kind(event: Event) -> str:
    """What a probe's message is about: bgp, bird_socket, graceful_restart, startup, felix, bird, probe or other."""
    return next((kind for kind, words in NOT_READY_KINDS if any(word in event.message for word in words)), "other")


def _probe_message(event: Event) -> str:
    """What the probe itself said; confd's count of peers, which some releases print before it, is left out."""
    told = event.message.partition(PROBE_FAILED)[2] or event.message
    told = told[told.find("calico/node is not ready") :] if "calico/node is not ready" in told else told
    return short(told)


def _latest(events: Iterable[Event]) -> Event | None:
    return max(events, key=lambda event: event.last_at or 0.0, default=None)
