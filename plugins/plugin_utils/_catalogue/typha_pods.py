# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of Typha itself: no node takes its pods, or none of them serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._gate import model as gate
from .._gate.gate import gate as gate_of
from . import commands, gate_signals, typha_words, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject
from .typha_words import NO_TYPHA

# A pod that waits and is not named is Typha's rather than another one's where Typha is missing.
_NAMELESS = 1.4

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Pod
    from .._evidence.evidence import Evidence


def unplaced_typhas(evidence: Evidence) -> Iterator[Subject]:
    """Typha's pods that no node was found for."""
    known = typha_words.cluster_typha(evidence)
    if known is not None and known.unscheduled:
        concerned = [] if known.ready else [node.name for node in typha_words.clients(evidence)]
        place = typha_words.deployment(evidence, "spec.template.spec")
        yield gate_signals.at(evidence, concerned, known, **place)
    elif known is None and (_complaints(evidence) or _nameless(evidence)):
        yield gate_signals.at(evidence, [node.name for node in typha_words.clients(evidence)])


def _complaints(evidence: Evidence) -> list[Seen]:
    """What the operator says of nodes for Typha. That there is none at all tells of its move (installation.py), unless
    the nodes are known."""
    known = evidence.cluster is not None and evidence.cluster.nodes
    return [
        gate_signals.seen_line(node, line)
        for node in evidence.nodes.values()
        for line in node.control.lines("typha_placing")
        if known or not typha_words.no_node_counts(line.text)
    ]


def operator_finds_too_few_nodes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The operator says that fewer nodes can take a Typha than there must be."""
    return _complaints(evidence)[:2] if subject.about is None else []


def _nameless(evidence: Evidence) -> list[Seen]:
    """The scheduler's events about a pod of which the name is not told, where nodes are refused by Typha. Typha's pods
    run on nodes that are not ready yet: one that waits for such a node is another one's."""
    refused = any(one.refused for one in typha_words.dialled(evidence)) or _searchers(evidence)
    events = evidence.cluster.events if evidence.cluster is not None and refused else ()
    return [
        Seen("", "events", one.message[:200])
        for one in events
        if one.reason == "FailedScheduling" and not one.about and "node.kubernetes.io/n" not in one.message
    ]


def a_pod_finds_no_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The scheduler finds no node for a pod whose name is not told, and no Typha takes connections."""
    return _nameless(evidence)[:2] if subject.about is None else []


def _waiting(subject: Subject) -> tuple[Pod, ...]:
    return subject.about.unscheduled if subject.about is not None else ()


def _at_work(subject: Subject) -> int:
    """How many Typhas are ready."""
    return len(subject.about.ready) if subject.about is not None else 0


def _scheduler_says(evidence: Evidence, pod: Pod) -> str:
    """Why the scheduler finds no node for a pod, by the pod's own condition, else by its last event; '' if untold."""
    placed = pod.condition("PodScheduled")
    events = evidence.cluster.events if evidence.cluster is not None else ()
    about = [one for one in events if one.reason == "FailedScheduling" and one.about == f"pod {pod.name}"]
    return " ".join((placed.message if placed and placed.message else about[-1].message if about else "").split())


def typha_waits_for_a_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The scheduler finds no node for a Typha pod."""
    found = []
    for pod in _waiting(subject)[:4]:
        name = f"{pod.namespace}/{pod.name}" if pod.namespace else pod.name
        found.append(Seen("", "pods", f"{name}: {_scheduler_says(evidence, pod) or 'Pending'}"))
    return found


def port_is_taken_on_every_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Typha uses its port of the host, so that there is room for one on each node, and every node has one already."""
    return [seen for seen in typha_waits_for_a_node(evidence, subject) if "free ports" in seen.detail]


def _replicas(evidence: Evidence, subject: Subject) -> list[str]:
    space, _service = typha_words.service_words(evidence)
    pods = _waiting(subject)
    name = commands.word(pods[0].name, "POD") if pods else "POD"
    if space == commands.NAMESPACE and pods and pods[0].namespace:
        space = commands.word(pods[0].namespace, commands.NAMESPACE)
    return [
        f"kubectl describe pod -n {space} {name}   # Events",
        f"kubectl get deployment -n {space} -l k8s-app=calico-typha -o yaml   # replicas, tolerations, affinity",
        *(f"kubectl get nodes -o custom-columns={column}" for column in ("NAME:.metadata.name,TAINTS:.spec.taints",)),
    ]


def _waiting_severity(evidence: Evidence, subject: Subject) -> str:
    """critical where no Typha is ready, minor where others are."""
    return "minor" if _at_work(subject) else "critical"


TYPHA_NOT_SCHEDULED = Fault(
    id="typha_not_scheduled",
    family="control_plane",
    title="Typha's pods find no node",
    severity="critical",
    role="cause",
    means="Typha's pods are Pending: taints, an affinity, no room, or more replicas than nodes. " + NO_TYPHA,
    subjects=unplaced_typhas,
    signals=(
        Signal(typha_waits_for_a_node, DECISIVE, required=True),
        Signal(operator_finds_too_few_nodes, STRONG, required=True),
        Signal(a_pod_finds_no_node, _NAMELESS, required=True),
        Signal(port_is_taken_on_every_node, WEAK),
    ),
    summary=lambda evidence, subject: (
        f"{words.plural(len(_waiting(subject)), 'Typha pod') if _waiting(subject) else 'Typha'} found no node"
        + (f"; {words.plural(_at_work(subject), 'other one')} still at work." if _at_work(subject) else ".")
    ),
    severity_rule=_waiting_severity,
    fix=Fix(
        action="make_room_for_typha",
        text="Give Typha the tolerations, room or number of replicas that let it run, at its owner (operator, Helm).",
        risk="low",
        disrupts="nothing",
        commands=_replicas,
    ),
    verify="No Typha pod is Pending, and Felix is connected to one.",
    prior=0.0,
    lookalikes=(Lookalike("typha_down", "the pods have a node and are not ready"),),
    explains=("typha_down", "typha_port_blocked", "typha_stale_endpoint", "typha_discovery_misconfigured"),
)


def missing_typhas(evidence: Evidence) -> Iterator[Subject]:
    """Typha is needed and none serves, by the API, or by the nodes that it refuses."""
    wrong = gate_of(evidence).cluster_wide(gate.TYPHA)
    refused = [one.node.name for one in typha_words.dialled(evidence) if one.refused]
    if wrong is not None and wrong.kind != "not_scheduled":
        concerned = [node.name for node in typha_words.clients(evidence) if not node.control.typha.connected]
        place = typha_words.deployment(evidence, "spec.replicas") if wrong.kind == "scaled_to_zero" else {}
        yield gate_signals.at(evidence, concerned, wrong, **place, kind=wrong.kind)
    elif (refused or _searchers(evidence)) and wrong is None:
        yield gate_signals.at(evidence, [*refused, *_searchers(evidence)], None)


def _searchers(evidence: Evidence) -> list[str]:
    """The nodes that look for a ready Typha behind its Service, and find none."""
    return [
        node.name
        for node in typha_words.clients(evidence)
        if not node.control.typha.connected
        and any(map(typha_words.nobody_ready, node.control.lines("typha_discovery")))
    ]


def none_serves(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By the API calico-node is told to use Typha, and none serves."""
    return [Seen("", subject.about.source, subject.about.says)] if subject.about else []


def connections_are_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Connections to Typha are refused: its host is there, and nothing listens."""
    return [
        Seen(one.node.name, one.source, one.says)
        for one in typha_words.dialled(evidence)
        if one.refused and one.node.name in subject.nodes
    ][:4]


def no_endpoint_is_ready(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By its log calico-node finds Typha's Service, and no ready Typha behind it."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in node.control.lines("typha_discovery")
        if typha_words.nobody_ready(line)
    ][:4]


def felix_is_waiting(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix says that it is not ready."""
    return typha_words.felix_waits(evidence, subject.nodes)


def typha_says_so_itself(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A Typha that runs says itself that it is not ready, or does not listen."""
    return [
        Seen(node.name, "Typha's health", f"{here.health.state.replace('_', ' ')}, listens: {bool(here.listens)}")
        for node in evidence.nodes.values()
        if (here := node.control.typha_here) is not None
        and (here.listens is False or here.health.state in ("not_ready", "not_live"))
    ]


def a_typha_is_ready(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By the API a Typha is ready."""
    known = typha_words.cluster_typha(evidence)
    return [Seen(pod.node, "pods", f"{pod.namespace}/{pod.name}") for pod in (known.ready if known else ())][:2]


def somebody_is_connected(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A node is connected to a Typha."""
    return typha_words.connected_clients(evidence)


def _down_commands(evidence: Evidence, subject: Subject) -> list[str]:
    deployment = typha_words.deployment_words(evidence)
    more = [f"kubectl logs {deployment} --tail=100"]
    if subject.about and subject.about.kind == "scaled_to_zero":
        more = [f"kubectl scale {deployment} --replicas=3   # one per 200 nodes, three at least"]
    return [*typha_words.show_typha(evidence), *more]


def _down_severity(evidence: Evidence, subject: Subject) -> str:
    """critical where the API shows that none serves, major where only nodes say so."""
    return "critical" if subject.about else "major"


TYPHA_DOWN = Fault(
    id="typha_down",
    family="control_plane",
    title="Typha is needed and none is running",
    severity="critical",
    role="cause",
    means="The DaemonSet tells calico-node to use Typha, and none serves. " + NO_TYPHA,
    subjects=missing_typhas,
    signals=(
        Signal(none_serves, DECISIVE, required=True),
        Signal(connections_are_refused, STRONG, required=True),
        Signal(no_endpoint_is_ready, STRONG, required=True),
        Signal(felix_is_waiting, WEAK),
        Signal(typha_says_so_itself, MODERATE),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(a_typha_is_ready, -STRONG),
        Signal(somebody_is_connected, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"{subject.about.says[0].upper()}{subject.about.says[1:]}."
        if subject.about
        else f"Typha refuses the connections of {gate_signals.show_nodes(subject)}: none is running."
        if connections_are_refused(evidence, subject)
        else f"{gate_signals.show_nodes(subject)} finds Typha's Service, and no ready Typha behind it."
    ),
    severity_rule=_down_severity,
    fix=Fix(
        action="start_typha",
        text="Find out why Typha does not serve (its pods' state and log), repair that, or make its Deployment anew.",
        risk="low",
        disrupts="nothing that works now",
        commands=_down_commands,
    ),
    verify="A Typha is Ready, and Felix on every node is connected to one.",
    lookalikes=(
        Lookalike("typha_not_scheduled", "the pods are Pending"),
        Lookalike("typha_port_blocked", "a Typha is ready, and nothing answers"),
    ),
    explains=(
        *("routes_missing", "bird_reload_stuck", "typha_port_blocked", "typha_stale_endpoint"),
        "typha_discovery_misconfigured",
    ),
)

FAULTS = (TYPHA_DOWN, TYPHA_NOT_SCHEDULED)
