# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the machine's kubelet. BGP does not need it, but nothing on the node can be trusted or repaired without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._gate import model as gate
from .._gate import nodes as conditions
from . import commands, fix_lines, gate_signals, lost_hosts, session_signals, stale_nodes, words
from .gate_signals import HINT
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node


def nodes_with_bad_kubelets(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that are not Ready for another reason than CNI, by what their kubelet is like."""
    gone = lost_hosts.lost(evidence)
    told: set[str] = set()
    for subject in gate_signals.by_kind(evidence, gate.HOST):
        # A machine that is lost as a whole is another matter than a kubelet, though both look alike to Kubernetes.
        for is_lost in (False, True):
            found = [pair for pair in subject.about if (pair[0].name in gone) is is_lost]
            if found:
                names = [checked.name for checked, _wrong in found]
                told.update(names)
                yield gate_signals.at(evidence, names, found, kind=subject.where["kind"])

    distrusting = [node.name for node in evidence.nodes.values() if _distrust(node) and node.name not in told]
    if distrusting:
        yield gate_signals.at(evidence, distrusting, (), kind="log")


def _distrust(node: Node) -> list[HostLine]:
    """The lines in which kubelet, asking for what its pods mount, does not trust the API server's certificate."""
    return [
        line
        for line in node.control.lines("certificate")
        if line.component == "kubelet" and line.text.startswith('object-"') and "unknown authority" in line.text
    ]


def server_is_not_trusted(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet itself does not trust the API server's certificate, so that it cannot report to it."""
    nodes = gate_signals.nodes_of(evidence, subject)
    return [gate_signals.seen_line(node, line) for node in nodes for line in _distrust(node)][:2]


def kubelet_is_silent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet no longer reports to the API server, which does not go through Calico."""
    return gate_signals.seen_by_gate(subject, (conditions.SILENT,))


def kubelet_is_stopped(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet's process exists and does nothing."""
    return gate_signals.seen_by_gate(subject, (conditions.STOPPED,))


def kubelet_is_unwell(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet itself gives a reason that has nothing to do with the network plugin."""
    return gate_signals.seen_by_gate(subject, (conditions.UNWELL,))


def not_ready_for_no_told_reason(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node is NotReady, and the reason was not collected."""
    return gate_signals.seen_by_gate(subject, (conditions.UNTOLD,))


def kubelet_complains(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet's own log tells of it."""
    kinds = ("node_status", "apiserver", "certificate", "runtime", "start", "unauthorized")
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in node.control.lines(*kinds)
        if line.component == "kubelet"
    ]


def kubelet_is_gone(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No kubelet runs on the host."""
    return [
        Seen(node.name, "processes", node.control.kubelet.process or "no kubelet, and nothing that holds one")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.kubelet.running is False
    ]


def runtime_is_gone(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The container runtime does not run, or its socket is missing."""
    return [
        Seen(node.name, "processes", node.control.runtime.socket_missing or "no container runtime runs")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.kubelet.running
        and (node.control.runtime.running is False or node.control.runtime.socket_missing)
    ]


def kubelet_runs_and_is_connected(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet runs, and connections to the API server are established and acknowledged."""
    return [
        Seen(node.name, "sockets", f"{one.endpoint}: {words.plural(one.established, 'connection')}")
        for node in gate_signals.nodes_of(evidence, subject)
        for one in node.control.apiserver
        if "kubelet" in one.told and one.established > one.retransmitting and not node.control.kubelet.state
    ]


def machine_answers_nothing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The machine answers none of its peers at all: it is down as a whole, not its kubelet alone."""
    return [] if gate_signals.nodes_of(evidence, subject) else session_signals.peer_host_is_dead(evidence, subject)


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    name = subject.nodes[0]
    restart = fix_lines.restarted_unit(evidence, name)
    # Where it is not told which of a distribution's two runs, journalctl takes a pattern.
    unit = f"'{evidence.flavour.distribution}*'" if "try-restart" in restart else restart.rpartition(" ")[2]
    return [
        f"kubectl describe node {commands.kube_name(evidence, name)}",
        commands.on_node(name, f"sudo systemctl status {unit}; sudo journalctl -u {unit} -n 100 --no-pager"),
        restart,
    ]


def _summary(evidence: Evidence, subject: Subject) -> str:
    if not subject.about:
        where = gate_signals.show_nodes(subject)
        return f"The kubelet of {where} does not trust the API server: its authority is another one. Look there first."
    says = subject.about[0][1].says
    more = "" if len(subject.nodes) == 1 else f", and so with {len(subject.nodes) - 1} more"
    untold = subject.where.get("kind") == conditions.UNTOLD
    whose = "Whether Calico is the cause is not told" if untold else "Calico is not the cause"
    return f"{subject.nodes[0]}: {says}{more}. {whose}; look at {gate_signals.show_nodes(subject)} first."


KUBELET_NOT_READY = Fault(
    id="kubelet_not_ready",
    family="membership",
    title="The node is not Ready, and Calico is not the cause",
    severity="major",
    role="cause",
    means=(
        "The kubelet stopped reporting to the API server, or reports itself not ready for a reason of its own. Its way "
        "to the API server does not go through Calico, so Calico is not to be repaired before the machine is. "
        "Containers that run go on running meanwhile, and so does BIRD."
    ),
    subjects=nodes_with_bad_kubelets,
    signals=(
        Signal(kubelet_is_silent, DECISIVE, required=True),
        Signal(kubelet_is_stopped, DECISIVE, required=True),
        Signal(kubelet_is_unwell, STRONG + MODERATE, required=True),
        # Of itself it is a guess: nothing tells whether Calico is the reason.
        Signal(not_ready_for_no_told_reason, WEAK, required=True),
        Signal(server_is_not_trusted, MODERATE, required=True),
        Signal(kubelet_is_gone, MODERATE),
        Signal(runtime_is_gone, MODERATE),
        Signal(kubelet_complains, MODERATE),
        Signal(lost_hosts.lost_with_its_kubelet, -DECISIVE),
        Signal(lost_hosts.lost_to_its_peers, -STRONG),
        Signal(gate_signals.scope_tells, HINT),
        Signal(kubelet_runs_and_is_connected, -MODERATE),
        Signal(machine_answers_nothing, -STRONG - MODERATE),
        Signal(stale_nodes.only_it_is_in_no_inventory, -DECISIVE),
    ),
    summary=_summary,
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="repair_kubelet",
        text=(
            "Look at the machine and its kubelet: running, disk space, clock, certificate, and its way to the API "
            "server. Leave Calico alone until the node is Ready."
        ),
        risk="low",
        disrupts="nothing that works now; a restart of the kubelet leaves containers running",
        commands=_commands,
    ),
    verify="The node is Ready, and its lease is renewed every 10 s.",
    lookalikes=(
        Lookalike("peer_node_down", "the machine answers nobody, not even to ARP"),
        Lookalike("calico_node_not_scheduled", "the kubelet reports, and says cni plugin not initialized"),
        Lookalike("apiserver_unreachable", "calico-node on the node cannot reach the API server either"),
    ),
    explains=("bird_not_running", "peer_bird_not_running", "peer_node_down", "calico_node_not_scheduled"),
)


def flapping_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that toggle between Ready and NotReady."""
    yield from gate_signals.by_kind(evidence, gate.FLAPPING)


def ready_goes_to_and_fro(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's events tell of Ready and NotReady in turn."""
    return gate_signals.seen_by_gate(subject)


def kubelet_starts_often(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet itself is started again and again."""
    return gate_signals.seen_by_gate(subject, ("kubelet_restarts",))


def kubelet_is_young(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet started much later than the machine."""
    return [
        Seen(node.name, "processes", f"kubelet started {age} s ago, the machine {node.uptime_seconds} s ago")
        for node in gate_signals.nodes_of(evidence, subject)
        if (age := node.control.kubelet.started_seconds_ago) is not None
        and node.uptime_seconds is not None
        and age < conditions.FLAP_WINDOW < node.uptime_seconds - age
    ]


def is_ready_now(evidence: Evidence, subject: Subject) -> bool:
    """All the subject's nodes are Ready at this moment."""
    cluster = evidence.cluster
    ready = [
        cluster.nodes[checked.node].condition("Ready")
        for checked, _wrong in subject.about
        if cluster and checked.node in cluster.nodes
    ]
    return all(one is not None and one.status == "True" for one in ready)


def _flap_summary(evidence: Evidence, subject: Subject) -> str:
    now = "Ready at this moment" if is_ready_now(evidence, subject) else "not Ready at this moment"
    more = "" if len(subject.nodes) == 1 else f"; {len(subject.nodes) - 1} more do the same"
    return f"{subject.nodes[0]}: {subject.about[0][1].says}; {now}{more}. Calico is not the cause."


def _flapping_severity(evidence: Evidence, subject: Subject) -> str:
    """major where the node is not Ready now, else minor."""
    return "minor" if is_ready_now(evidence, subject) else "major"


NODE_READY_FLAPPING = Fault(
    id="node_ready_flapping",
    family="membership",
    title="The node toggles between Ready and NotReady",
    severity="major",
    role="cause",
    means=(
        "The kubelet loses and regains the API server, or is restarted again and again. Each time the node's pods are "
        "taken out of their Services. That way does not go through Calico: look at the machine, its load and its "
        "network to the API server."
    ),
    subjects=flapping_nodes,
    signals=(
        Signal(ready_goes_to_and_fro, DECISIVE, required=True),
        Signal(kubelet_starts_often, MODERATE),
        Signal(kubelet_is_young, WEAK),
        Signal(kubelet_complains, MODERATE),
        Signal(gate_signals.scope_tells, HINT),
    ),
    summary=_flap_summary,
    severity_rule=_flapping_severity,
    fix=Fix(
        action="steady_kubelet",
        text=(
            "Find out why the kubelet restarts or is late: memory and disk pressure, load, a supervisor that restarts "
            "it, packet loss to the API server."
        ),
        risk="low",
        disrupts="nothing",
        commands=lambda evidence, subject: [
            f"kubectl describe node {commands.kube_name(evidence, subject.nodes[0])}   # its Events, at the end",
            commands.on_node(subject.nodes[0], "sudo journalctl -u kubelet --since '-1 hour' --no-pager | tail -200"),
        ],
    ),
    verify="No NodeNotReady event for an hour.",
    lookalikes=(Lookalike("kubelet_not_ready", "the node stays NotReady"),),
    explains=("kubelet_not_ready",),
)

FAULTS = (KUBELET_NOT_READY, NODE_READY_FLAPPING)
