# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of how Calico was installed: a move to the operator that stands still, a probe for the wrong thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._gate import agents, backend
from .._gate import model as gate
from . import commands, gate_signals, migration_state, scheduling, typha_words, words
from .model import DECISIVE, MODERATE, STRONG, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster, Workload
    from .._evidence.evidence import Evidence

OPERATORS_NAMESPACE = migration_state.NEW
AFTER = migration_state.AFTER
PATIENCE = 1800
# As core_controller.go of the operator reports why it takes nothing over: the reasons of its releases from 1.28 on, and
# the words of all.
_REASONS = ("MigrationError", "ResourceMigrationError")
_REFUSALS = ("can not be managed by Tigera Operator", "error migrating resources to")
PROBES_OF_BIRD = ("-bird-ready", "-bird-live")

# --- the move to the operator -------------------------------------------------------------------------------------


def migrations(evidence: Evidence) -> Iterator[Subject]:
    """A move from a manifest to the operator that has begun and has not ended."""
    cluster = evidence.cluster
    if cluster is None or not (_labelled(cluster) or _two_sets(cluster)):
        if _complaints(evidence) or _reported(evidence) or _no_node_counts(evidence):
            yield gate_signals.at(evidence, (), [])
        return
    waiting = [name for name, value in _labelled(cluster).items() if value != AFTER]
    known = {checked.node: checked.name for checked, _wrong in _troubled(evidence)}
    held = [known[name] for name in known if known[name]] or waiting
    theirs = [one for one in cluster.node_agents if one.namespace == OPERATORS_NAMESPACE]
    yield gate_signals.at(evidence, held, waiting, **({"daemonset": agents.shown(theirs[0])} if theirs else {}))


def _complaints(evidence: Evidence) -> list[Seen]:
    """What the operator logs again and again while its move cannot go on."""
    return _logged(evidence, "migration")


def _logged(evidence: Evidence, kind: str) -> list[Seen]:
    return [gate_signals.seen_line(node, line) for node in evidence.nodes.values() for line in node.control.lines(kind)]


def it_counts_no_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The operator, which runs on a Linux node itself, finds none for Typha: releases up to early 2024 do not
    count nodes that bear its own label for the move (pre-operator), and it gives that to all of them."""
    return _no_node_counts(evidence)[:2]


def _no_node_counts(evidence: Evidence) -> list[Seen]:
    cluster, reported = evidence.cluster, []
    if cluster is not None:
        if cluster.nodes and not _labelled(cluster):
            return []
        reported = [
            Seen("", "tigerastatus", f"{one.name}: {' '.join(condition.message.split())[:400]}")
            for one in cluster.tigera_statuses
            for condition in one.conditions
        ]
    return [one for one in (*_logged(evidence, "typha_placing"), *reported) if typha_words.no_node_counts(one.detail)]


def _reported(evidence: Evidence) -> list[Seen]:
    """What the operator reports of a move that cannot go on, or not even begin."""
    return [
        Seen("", "tigerastatus", f"{one.name}: {' '.join(f'{condition.reason}: {condition.message}'.split())[:400]}")
        for one in (evidence.cluster.tigera_statuses if evidence.cluster else ())
        for condition in one.conditions
        if condition.type == "Degraded"
        and condition.status == "True"
        and (
            condition.reason in _REASONS or any(told in f"{condition.reason} {condition.message}" for told in _REFUSALS)
        )
    ]


def _labelled(cluster: Cluster) -> dict[str, str]:
    """By node the operator's label for the move, which it takes away when all is done."""
    return {
        name: node.labels[agents.MIGRATION_LABEL]
        for name, node in cluster.nodes.items()
        if agents.MIGRATION_LABEL in node.labels
    }


def _two_sets(cluster: Cluster) -> bool:
    spaces = {agent.namespace for agent in cluster.node_agents}
    return len(spaces) > 1 and OPERATORS_NAMESPACE in spaces


def _troubled(evidence: Evidence) -> list[tuple[gate.Checked, gate.Wrong]]:
    """The nodes whose calico-node is not well, which is what the move waits for."""
    steps = (gate.INIT, gate.IMAGE, gate.NOT_STARTING, gate.CRASHING, gate.NOT_READY)
    found = [pair for step in steps for pair in gate_signals.stopped_at(evidence, step)]
    return found + list(gate_signals.stopped_at(evidence, gate.NOT_SCHEDULED, ("migration",)))


def two_daemonsets_exist(evidence: Evidence, subject: Subject) -> list[Seen]:
    """There are two DaemonSets of calico-node: the manifest's and the operator's."""
    cluster = evidence.cluster
    if cluster is None or not _two_sets(cluster):
        return []
    return [Seen("", "daemonsets", f"{agents.shown(one)}: {one.ready or 0} ready") for one in cluster.node_agents]


def nodes_bear_the_label(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nodes still bear the operator's label for the move."""
    found = _labelled(evidence.cluster) if evidence.cluster else {}
    values = sorted(set(found.values()))
    return [
        Seen("", "nodes", f"{agents.MIGRATION_LABEL}={value}: {sum(one == value for one in found.values())} of them")
        for value in values
    ]


def its_log_tells(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The operator's log says that it cannot move Calico to its namespace, and what it waits for."""
    return _complaints(evidence)[:2]


def its_status_tells(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The operator reports that it does not take over what a manifest installed, and why."""
    return _reported(evidence)[:2]


def a_pod_is_not_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """On a node calico-node is not well, and the operator goes on only when it is."""
    return [Seen(checked.name, wrong.source, wrong.says) for checked, wrong in _troubled(evidence)][:4]


def password_was_not_moved(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The secret with the BGP password is not in the operator's namespace, or calico-node may not read it there."""
    cluster = evidence.cluster
    return [
        Seen("", "secrets", f"{one.namespace}/{one.name}: {one.why or 'missing, or not readable'}")
        for one in (cluster.secrets if cluster else ())
        if one.namespace == OPERATORS_NAMESPACE and (one.exists is False or one.readable is False)
    ]


def it_began_long_ago(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The operator's DaemonSet was made more than half an hour ago."""
    age = _age(evidence.cluster) if evidence.cluster else None
    return [Seen("", "daemonset", f"made {words.span(int(age))} ago")] if age is not None and age > PATIENCE else []


def it_has_only_begun(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The move began less than half an hour ago, and nothing is in its way."""
    age = _age(evidence.cluster) if evidence.cluster else None
    young = age is not None and age <= PATIENCE and not _troubled(evidence)
    return [Seen("", "daemonset", f"made {words.span(int(age or 0))} ago")] if young else []


def _age(cluster: Cluster) -> float | None:
    made = [one.created_at for one in cluster.node_agents if one.namespace == OPERATORS_NAMESPACE]
    begun = next((one for one in made if one is not None), None)
    return cluster.taken_at - begun if begun is not None and cluster.taken_at is not None else None


def _migration_commands(evidence: Evidence, subject: Subject) -> list[str]:
    cluster = evidence.cluster
    holds = migration_state.holds(evidence, migration_state.state_of(cluster)) if cluster else []
    told = [
        f"kubectl get nodes -L {agents.MIGRATION_LABEL}",
        "kubectl get daemonsets -A -o wide | grep -i calico-node; kubectl get tigerastatus",
        migration_state.look(),
        *(line for hold in holds for line in hold.lines),
        "kubectl get secrets,roles,rolebindings -n calico-system",
    ]
    return list(dict.fromkeys(told))


def _migration_remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """Where the operator's own next step can be done in its place, or a password is all that it waits for."""
    cluster = evidence.cluster
    if cluster is None:
        return None
    state = migration_state.state_of(cluster)
    if migration_state.steps(cluster, state):
        return Remedy("operator_migration")
    roles = {hold.role for hold in migration_state.holds(evidence, state)}
    return (
        Remedy("bgp_password", {"bgp_password_namespace": migration_state.NEW}) if roles == {"bgp_password"} else None
    )


OPERATOR_MIGRATION_STUCK = Fault(
    id="operator_migration_stuck",
    family="control_plane",
    title="The move to the operator does not finish",
    severity="major",
    role="cause",
    means=(
        "The operator takes calico-node over node by node, by a label, and waits for each to be Ready. It stands "
        "still: part of the nodes run the old pods, part the new ones, and both kinds must be looked at."
    ),
    subjects=migrations,
    signals=(
        Signal(two_daemonsets_exist, STRONG, required=True),
        Signal(nodes_bear_the_label, STRONG, required=True),
        Signal(its_log_tells, STRONG, required=True),
        Signal(its_status_tells, STRONG, required=True),
        Signal(it_counts_no_node, MODERATE, required=True),
        Signal(a_pod_is_not_well, MODERATE),
        Signal(password_was_not_moved, MODERATE),
        Signal(scheduling.operator_complains, MODERATE),
        Signal(it_began_long_ago, MODERATE),
        Signal(it_has_only_begun, -DECISIVE - MODERATE),
    ),
    summary=lambda evidence, subject: (
        "The move from the manifest's calico-node to the operator's has not finished"
        + (f"; {words.plural(len(subject.about), 'node')} still to come" if subject.about else "")
        + (f"; it is held by {gate_signals.show_nodes(subject)}." if a_pod_is_not_well(evidence, subject) else ".")
    ),
    fix=Fix(
        action="finish_migration",
        text=(
            "Repair what holds it: the pod that is not Ready, or the BGP password's secret with its Role and "
            "RoleBinding, which must be in calico-system, too. Then the operator goes on by itself. Labels are set by "
            "hand only where it left some behind."
        ),
        risk="medium",
        disrupts="each node's sessions restart once as it is taken over",
        commands=_migration_commands,
        remedy=_migration_remedy,
    ),
    verify="One DaemonSet is left, in calico-system, Ready on every node, and no node bears the label.",
    lookalikes=(
        Lookalike("bgp_password_mismatch", "the moved nodes have sessions with each other, and none with the others"),
        Lookalike("calico_node_not_scheduled", "there is one DaemonSet only"),
    ),
    explains=(*scheduling.CONSEQUENCES, "calico_node_not_scheduled", "bgp_password_secret_unreadable"),
)

# --- a probe for BIRD without BIRD --------------------------------------------------------------------------------


def sets_with_wrong_probes(evidence: Evidence) -> Iterator[Subject]:
    """DaemonSets that tell calico-node to run no BIRD and ask for it in a probe."""
    cluster = evidence.cluster
    for agent in cluster.node_agents if cluster else ():
        told = backend.of_agent(cluster, agent) if cluster else backend.Told("", "")
        if told.backend in backend.WITHOUT_BIRD and _probes(agent):
            failing = [
                checked.name
                for checked, _wrong in gate_signals.stopped_at(evidence, gate.NOT_READY, ("bird_socket", "bird"))
            ]
            failing = failing or _not_ready(evidence, agent)
            yield gate_signals.at(evidence, failing, (agent, told), daemonset=agents.shown(agent))


def _not_ready(evidence: Evidence, agent: Workload) -> list[str]:
    """The nodes with a pod of the DaemonSet that is not Ready, where no Node is on record."""
    cluster = evidence.cluster
    if cluster is None or cluster.nodes:
        return []
    pods = (pod for pod in cluster.pods_of(agent.component) if pod.node and not pod.ready)
    return sorted({pod.node for pod in pods if pod.namespace in (agent.namespace, "")})


def _probes(agent: Workload) -> dict[str, str]:
    """The probes of calico-node that ask for BIRD."""
    container = agent.container("calico-node")
    found = {"readinessProbe": container.readiness, "livenessProbe": container.liveness} if container else {}
    return {name: told for name, told in found.items() if any(word in told for word in PROBES_OF_BIRD)}


def probe_asks_for_bird(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A probe asks whether BIRD is well, and BIRD is off by design."""
    agent, told = subject.about
    return [Seen("", "daemonset", f"{name}: {probe}; {told.why}") for name, probe in _probes(agent).items()]


def probe_fails(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The probe fails, for there is no BIRD that could answer."""
    pairs = gate_signals.stopped_at(evidence, gate.NOT_READY, ("bird_socket", "bird"))
    return [Seen(checked.name, wrong.source, wrong.says) for checked, wrong in pairs][:4]


def bird_runs_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD runs on nodes: the setting is not in force there yet."""
    return [
        Seen(node.name, "processes", "BIRD answers")
        for node in evidence.nodes.values()
        if any(daemon.socket_state == "answers" for daemon in node.daemons.values())
    ][:4]


def _probe_summary(evidence: Evidence, subject: Subject) -> str:
    names = gate_signals.show_nodes(subject)
    ends = f"calico-node is not Ready on {names}" if subject.nodes else "such pods never become Ready"
    told = subject.about[1].why
    return f"The probes of {subject.where['daemonset']} ask for BIRD, which is off by design ({told}); {ends}."


def _probe_commands(evidence: Evidence, subject: Subject) -> list[str]:
    agent, _told = subject.about
    kept = " ".join(
        word for word in " ".join(_probes(agent).values()).split() if not any(part in word for part in PROBES_OF_BIRD)
    )
    where = f"-n {commands.word(agent.namespace, 'NAMESPACE')} {commands.word(agent.name, 'NAME')}"
    return [
        f"kubectl get daemonset {where} -o yaml | grep -B3 -A12 'nessProbe:'",
        f"kubectl edit daemonset {where}   # leave of the probes: {kept}",
    ]


BIRD_PROBE_WITHOUT_BIRD = Fault(
    id="bird_probe_without_bird",
    family="not_a_fault",
    title="A probe asks for BIRD where BIRD is off by design",
    severity="minor",
    role="contributing",
    means=(
        "The DaemonSet runs calico-node without BIRD, and its probe still asks for it: the pod never becomes Ready, "
        "although nothing of the network is broken. Rollouts stand still at it, and alerts are false."
    ),
    subjects=sets_with_wrong_probes,
    signals=(
        Signal(probe_asks_for_bird, DECISIVE, required=True),
        Signal(probe_fails, MODERATE),
        Signal(bird_runs_there, -STRONG),
    ),
    summary=_probe_summary,
    fix=Fix(
        action="correct_probe",
        text="Take -bird-ready and -bird-live out of the probes, at whoever owns the DaemonSet; keep Felix' probes.",
        risk="low",
        disrupts="calico-node restarts on all nodes, one by one",
        commands=_probe_commands,
    ),
    verify="The pods of calico-node are Ready.",
    lookalikes=(Lookalike("bird_not_running", "the backend is bird"),),
    explains=("undetermined",),
)

FAULTS = (OPERATOR_MIGRATION_STUCK,)
NOT_FAULTS = (BIRD_PROBE_WITHOUT_BIRD,)
