# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Symptoms of what is not BGP: Felix, Typha, pods' networks, and what goes between pods of different nodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._catalogue import gate_signals, host_words, observed
from .._catalogue.control_plane import NO_WAY
from .._catalogue.model import Seen
from .._evidence.control_plane import HostLine
from .._texts import readiness
from .model import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Event, Pod
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

FELIX_NOT_READY, FELIX_SILENT, FELIX_SLOW = "felix_not_ready", "felix_silent", "felix_slow"
PROBE_SAYS_NOTHING, CRASHES, INIT_FAILS = "probe_says_nothing", "calico_node_crashes", "init_fails"
# The first of them is one of symptoms.py, too.
NO_TYPHA, POD_WITHOUT_API = "no_typha", "pod_without_api"
NO_SANDBOX, NO_NODENAME = "no_sandbox", "no_nodename"
POD_WITHOUT_WORLD, KUBELET_UNWELL = "pod_without_world", "kubelet_unwell"
PODS_APART, LARGE_LOST, FELIX_FAILS = "pods_apart", "large_packets_lost", "felix_cannot_program"
SERVICES_LOST = "services_lost"
TUNNEL_FAILS, NO_DATASTORE = "tunnel_not_made", "datastore_without_reason"
CONTROLLERS_REFUSED = "kube_controllers_refused"

API_SILENT, API_CERTIFICATE, API_REFUSES = "api_server_silent", "api_server_certificate", "api_server_refuses"
NO_SUCH_KIND, API_NOT_YET = "kind_is_not_served", "api_server_certificate_not_yet_valid"

_SHOWN = 3
_API_SAYS = (
    (("refused", "timeout", "unreachable", "too_slow"), API_SILENT),
    (("certificate",), API_CERTIFICATE),
    (("certificate_of_the_future",), API_NOT_YET),
    (("unauthorized", "untrusted"), API_REFUSES),
    (("no_kind",), NO_SUCH_KIND),
)
# What kubelet writes of a probe's command that printed nothing: calico-node's own check always says what it found.
_EMPTY = ("Readiness probe failed:", "Liveness probe failed:")
# kubelet's words for a command that did not end in time (ExecSync in pkg/kubelet/cri/remote).
_NOT_IN_TIME = re.compile(r'probe (?:failed|errored): .{0,60}command "[^"]{0,60}calico-node[^"]{0,200}" timed out')
_CONTROLLERS = "kube-controllers"
_REASONS = {"reports_503": FELIX_NOT_READY, "refused": FELIX_SILENT, "timed_out": FELIX_SLOW}
_BACK_OFF = "CrashLoopBackOff"
# Nodes are rebooted and Calico is upgraded, but not that often in the life of one pod.
_OFTEN = 100
_LOGGED = {
    "nodename_missing": NO_NODENAME,
    "pod_setup": NO_SANDBOX,
    "certificate": NO_SANDBOX,
    "typha": NO_TYPHA,
    "tunnel": TUNNEL_FAILS,
    "tunnel_absent": TUNNEL_FAILS,
    "pod_api": POD_WITHOUT_API,
    "pod_upstream": POD_WITHOUT_WORLD,
    "datastore": NO_DATASTORE,
    "token": INIT_FAILS,
}
# Of what fails in these ways, words like these tell that the API server answered.
_ASKING = ("datastore", "token")
_REFUSED = ("nauthorized", " is forbidden")
_ANSWERED = ("nauthorized", "orbidden", "x509: ", "not found", "datastore is not ready")
# Why kubelet calls its node not ready, where that is not for the network plugin.
_OF_THE_MACHINE = ("PLEG is not healthy", "container runtime is down", "Kubelet stopped posting")
_PROGRAMMING = ("iptables", "nftables", "ipset")
_FAILS = ("Failed to", "failed")


def symptoms(evidence: Evidence) -> list[Symptom]:
    """What is wrong with anything but sessions, the most telling first."""
    if _all_ready(evidence):
        return [*_of_trials(evidence)]
    logged = list(_of_logs(evidence))
    return [*_of_trials(evidence), *logged] or [*_of_events(evidence)] or [*_of_pods(evidence)]


def _agents(evidence: Evidence) -> list[Pod]:
    return list(evidence.cluster.pods_of("calico-node", "canal")) if evidence.cluster else []


def _all_ready(evidence: Evidence) -> bool:
    """Every pod of calico-node is Ready: what probes and logs said before is of the past. One that ends again and again
    is Ready in between."""
    agents = _agents(evidence)
    return bool(agents) and all(pod.ready and not _ends_often(pod) for pod in agents)


def _ends_often(pod: Pod) -> bool:
    return any(one.restarts >= _OFTEN for one in pod.containers)


def _of_trials(evidence: Evidence) -> Iterator[Symptom]:
    """What somebody tried by hand: between pods of different nodes, and with packets of different sizes."""
    lost, sizes = observed.fails_across(evidence), observed.thresholds(evidence)
    names = tuple(sorted(evidence.nodes))
    if not lost:
        lost = observed.lost_by_pods(evidence)
    services = [] if lost else observed.lost_to_services(evidence)
    if lost:
        yield Symptom(PODS_APART, names, (), (), tuple(lost[:_SHOWN]))
    if services:
        yield Symptom(SERVICES_LOST, names, (), (), tuple(observed.seen(one) for one in services[:_SHOWN]))
    for kind, one in observed.of_control_plane(evidence):
        yield Symptom({"typha": NO_TYPHA}.get(kind, POD_WITHOUT_API), names, (), (), (observed.seen(one),))
    if sizes:
        yield Symptom(LARGE_LOST, names, (), (), tuple(observed.seen(least) for _largest, least in sizes[:_SHOWN]))


def of_the_api(evidence: Evidence) -> Iterator[Symptom]:
    """What kubectl was told, or was not, by the API server: that is of the server and of the way to it."""
    for results, kind in _API_SAYS:
        told = [one for one in observed.tried(evidence) if one.check == "api" and one.result in results]
        if told:
            yield Symptom(kind, (), (), (), tuple(Seen("", "kubectl", one.said or one.result) for one in told[:_SHOWN]))


def _of_logs(evidence: Evidence) -> Iterator[Symptom]:
    """What logs complain of without a reason."""
    for node in evidence.nodes.values():
        if node.control.felix.state == "ready":
            continue  # what it complained of is over
        found: dict[str, list[HostLine]] = {}
        for line in node.control.log:
            kind = _kind(node, line)
            if kind:
                found.setdefault(kind, []).append(line)
        for kind, lines in found.items():
            seen = tuple(gate_signals.seen_line(node, line) for line in lines[:_SHOWN])
            yield Symptom(kind, (node.name,), (), (), seen)


def _kind(node: Node, line: HostLine) -> str:
    if line.kind in _ASKING and line.quiet:
        return ""  # who asks goes on asking until it is answered
    if _CONTROLLERS in line.component:
        return _of_controllers(line)
    if line.kind in _ASKING and any(word in line.text for word in _ANSWERED):
        return ""
    if line.kind == "typha" and node.control.typha.connected:
        return ""
    if line.kind == "node_status":
        return KUBELET_UNWELL if any(word in line.text for word in _OF_THE_MACHINE) else ""
    if line.kind in ("calico_not_ready", "calico_not_live"):
        return _of_readiness(line)
    if line.kind in _PROGRAMMING and host_words.is_felix(line):
        return FELIX_FAILS if any(word in line.text for word in _FAILS) else ""
    return _LOGGED.get(line.kind, "")


def _of_controllers(line: HostLine) -> str:
    if any(word in line.text for word in _REFUSED):
        return CONTROLLERS_REFUSED
    unanswered = line.kind == "datastore" and not any(word in line.text for word in _ANSWERED)
    return POD_WITHOUT_API if unanswered or any(word in line.text for word in NO_WAY) else ""


def _of_readiness(said: Event | HostLine) -> str:
    message = said.text if isinstance(said, HostLine) else said.message
    told = [_REASONS.get(one.reason, "") for one in readiness.read(message) if one.component == "felix"]
    return next(filter(None, told), "")


def _of_events(evidence: Evidence) -> Iterator[Symptom]:
    """What calico-node's probes say of Felix, each kind once for a node."""
    found: dict[tuple[str, str], list[Event]] = {}
    for event in evidence.cluster.events if evidence.cluster else ():
        kind = _of_readiness(event) or _of_silence(evidence, event)
        if kind:
            found.setdefault((kind, event.node), []).append(event)
    for (kind, node), events in found.items():
        seen = tuple(Seen(node, "events", one.message[:200]) for one in events[:_SHOWN])
        yield Symptom(kind, (node,) if node else (), (), (), seen)


def _of_silence(evidence: Evidence, event: Event) -> str:
    """A probe's command printed nothing, or did not end. An event that does not say whose it is, somebody shows for a
    pod of ours."""
    ours = not event.about or "calico-node" in event.about or "canal" in event.about
    silent = event.message.strip() in _EMPTY or _NOT_IN_TIME.search(event.message) is not None
    return PROBE_SAYS_NOTHING if ours and silent else ""


def _of_pods(evidence: Evidence) -> Iterator[Symptom]:
    """Pods of calico-node that end again and again, in their init containers or later."""
    for pod in _agents(evidence):
        state = next((one for one in pod.containers if one.reason == _BACK_OFF), None)
        if state is not None and not pod.deleting:
            what = f"{pod.name}: {'Init:' if state.init else ''}{state.reason}, {state.restarts} restarts"
            kind = INIT_FAILS if state.init else CRASHES
            yield Symptom(kind, (pod.node,) if pod.node else (), (), (), (Seen(pod.node, "pods", what),))
