# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the operator's move from a manifest's calico-node to its own has come, what it waits for, and what of its own
next steps can be done in its place.

As in pkg/controller/migration/namespace_migration.go of tigera/operator (v1.20 to v1.40): it deletes the manifest's
kube-controllers, labels all nodes, keeps the manifest's DaemonSet to nodes with the label's first value and waits until
that is ready, waits for its own Typha, gives one node after the other the second value as long as no more pods than
maxUnavailable are not ready, waits for its own DaemonSet, deletes the manifest's, and takes the labels away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._gate import agents, placement
from .._gate import model as gate
from . import commands, gate_signals, password_repair, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster, KubeNode, Workload
    from .._evidence.evidence import Evidence
    from .._gate.model import Checked, Wrong

    Change = dict[str, Any]

OLD, NEW = "kube-system", "calico-system"
BEFORE, AFTER = "pre-operator", "migrated"
_NAME = "calico-node"
_ADDON_MANAGER = "addonmanager.kubernetes.io/mode"
_OPERATOR = "kubectl logs -n tigera-operator deployment/tigera-operator --tail=100"


class Hold(NamedTuple):
    """What the operator waits for, in a sentence, and what a person types for it. role: what repairs it by itself."""

    says: str
    lines: tuple[str, ...] = ()
    role: str = ""


class State(NamedTuple):
    """values: the label's value of each of Calico's nodes, '' without. old, new: the DaemonSets, None if not there."""

    values: dict[str, str]
    old: Workload | None
    new: Workload | None

    @property
    def begun(self) -> bool:
        """Something of the move is left: labels, or both DaemonSets."""
        return any(self.values.values()) or (self.old is not None and self.new is not None)

    def having(self, *values: str) -> list[str]:
        """The nodes with one of these values."""
        return [name for name, value in self.values.items() if value in values]


def state_of(cluster: Cluster) -> State:
    """How far it has come."""
    found = {one.namespace: one for one in cluster.node_agents if one.name == _NAME and not one.deleting}
    old, new = found.get(OLD), found.get(NEW)
    values = {
        name: node.labels.get(agents.MIGRATION_LABEL, "")
        for name, node in sorted(cluster.nodes.items())
        if _is_calicos(node, old, new)
    }
    return State(values, old, new)


def _is_calicos(node: KubeNode, old: Workload | None, new: Workload | None) -> bool:
    """The node bears the label, or would have calico-node if it bore the right one."""
    if agents.MIGRATION_LABEL in node.labels:
        return True
    wanted = f"{agents.MIGRATION_LABEL}="
    return placement.is_machine(node) and any(
        all(one.what.startswith(wanted) for one in placement.barriers(agent, node)) for agent in (old, new) if agent
    )


def told(state: State) -> list[str]:
    """The state in lines for a person."""
    lines = []
    for value, words_for_it in ((AFTER, "taken over"), (BEFORE, "still to come"), ("", "without the label")):
        names = state.having(value)
        if names:
            lines.append(f"{words.plural(len(names), 'node')} {words_for_it}: {words.listed(names)}")
    strange = [name for name, value in state.values.items() if value not in (AFTER, BEFORE, "")]
    if strange:
        lines.append(f"{words.plural(len(strange), 'node')} with a label of another value: {words.listed(strange)}")
    for one in (state.old, state.new):
        if one is not None:
            ready = f"{one.ready or 0} of {one.desired if one.desired is not None else '?'} pods ready"
            lines.append(f"DaemonSet {one.namespace}/{one.name}: {ready}")
    return lines


# --- what it waits for -------------------------------------------------------------------------------------------


def holds(evidence: Evidence, state: State) -> list[Hold]:
    """What the operator waits for, in the order in which it comes to it."""
    cluster = evidence.cluster
    if cluster is None or not state.begun:
        return []
    return [*_operator(cluster), *_daemonset(state), *_passwords(evidence), *_typha(cluster), *_nodes(evidence, state)]


def ahead(evidence: Evidence, state: State) -> list[Hold]:
    """What would hold the move of what a manifest installed, before anybody begins it."""
    if state.old is None or state.new is not None:
        return []
    return [*_daemonset(state), *_passwords(evidence)]


def _operator(cluster: Cluster) -> Iterator[Hold]:
    found = next((one for one in cluster.workloads if one.component == "operator"), None)
    if found is None and cluster.read("deployments"):
        yield Hold("The operator is not there, so nobody goes on.", ("kubectl get deployments -A | grep -i operator",))
    elif found is not None and found.ready == 0:
        where = f"-n {commands.word(found.namespace, 'NAMESPACE')}"
        yield Hold(
            "The operator itself is not ready, so nobody goes on.",
            (f"kubectl get pods {where}", f"kubectl describe {where} deployment/{commands.word(found.name, 'NAME')}"),
        )


def _daemonset(state: State) -> Iterator[Hold]:
    old = state.old
    if old is not None and _ADDON_MANAGER in old.meta.labels:
        yield Hold(
            f"The addon manager keeps {OLD}/{_NAME} as it is; the operator does not touch what it manages.",
            (f"kubectl label -n {OLD} daemonset/{_NAME} {_ADDON_MANAGER}-   # and take its manifest from the addons",),
        )
    for one in (state.old, state.new):
        if one is not None and one.strategy == "OnDelete":
            patch = '\'{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":1}}}}\''
            yield Hold(
                f"DaemonSet {one.namespace}/{one.name} has the update strategy OnDelete, and the operator, which reads "
                "its rollingUpdate.maxUnavailable, ends with an error there.",
                (f"kubectl patch -n {one.namespace} daemonset/{one.name} --type merge -p {patch}",),
            )


def _passwords(evidence: Evidence) -> Iterator[Hold]:
    """Nodes that are taken over would have sessions without a password."""
    cluster = evidence.cluster
    names = {one.name for one in password_repair.references(cluster).values()} if cluster else set()
    known = {one.name: one for one in cluster.secrets if one.namespace == NEW} if cluster else {}
    lacking = sorted(
        name for name in names if (there := known.get(name)) is None or there.exists is False or there.readable is False
    )
    found = password_repair.find(evidence, password_repair.Wishes(tuple(lacking), namespace=NEW))
    if lacking:
        yield Hold(
            f"The BGP password {words.listed(lacking)} is not readable in {NEW}: nodes that were taken over have "
            "no session with the others.",
            tuple(found.lines),
            "" if found.left or not found.changes else "bgp_password",
        )


def _typha(cluster: Cluster) -> Iterator[Hold]:
    for one in cluster.workloads:
        theirs = one.component == "typha" and one.namespace == NEW
        if theirs and one.available is not None and one.available < (one.desired or 0):
            yield Hold(
                f"{one.namespace}/{one.name} has {one.available} of {one.desired} pods available, for which the "
                "operator waits before each node.",
                (f"kubectl describe pods -n {NEW} -l k8s-app=calico-typha",),
            )


def _nodes(evidence: Evidence, state: State) -> Iterator[Hold]:
    """calico-node is not ready on so many nodes that no further one is taken over."""
    both = [one for one in (state.old, state.new) if one is not None]
    counted = all(one.desired is not None and one.ready is not None for one in both)
    lacking = sum((one.desired or 0) - (one.ready or 0) for one in both)
    if counted and lacking <= 0:
        return
    for checked, wrong in troubled(evidence):
        space = NEW if state.values.get(checked.node) == AFTER else OLD
        name = commands.word(checked.node, "NODE")
        yield Hold(
            f"On {checked.name} {wrong.says}; the operator goes on when it is ready.",
            (f"kubectl describe pod -n {space} -l k8s-app=calico-node --field-selector spec.nodeName={name}",),
        )


def troubled(evidence: Evidence) -> list[tuple[Checked, Wrong]]:
    """The nodes whose calico-node is not well, which is what the move waits for; each once."""
    steps = (gate.HOST, gate.INIT, gate.IMAGE, gate.NOT_STARTING, gate.CRASHING, gate.NOT_READY)
    found = [pair for step in steps for pair in gate_signals.stopped_at(evidence, step)]
    return list({checked.node: (checked, wrong) for checked, wrong in reversed(found)}.values())[::-1]


# --- what can be done in its place -------------------------------------------------------------------------------


def steps(cluster: Cluster, state: State) -> list[tuple[Change, str]]:
    """The operator's own next steps that it does not come to, each with a sentence; none where nothing is begun."""
    old, new = state.old, state.new
    if not any(state.values.values()) or not cluster.read("nodes") or not cluster.read("daemonsets"):
        return []
    if old is not None and old.node_selector.get(agents.MIGRATION_LABEL) == BEFORE:
        lost = [name for name, value in state.values.items() if value not in (BEFORE, AFTER)]
        if lost:
            why = f"bears no label, so that neither DaemonSet has a pod there; {BEFORE} gives it the manifest's again"
            return [_labelled(cluster, name, BEFORE, why) for name in lost]
        if new is not None and not state.having(BEFORE) and _is_everywhere(new, state) and old.desired == 0:
            return [_left_over(old)]
        return []
    if old is None and new is not None and new.node_selector.get(agents.MIGRATION_LABEL) == AFTER:
        lost = [name for name, value in state.values.items() if value != AFTER]
        why = f"is kept from the operator's DaemonSet, and the manifest's is gone; {AFTER} gives it a pod"
        return [_labelled(cluster, name, AFTER, why) for name in lost]
    if (
        old is None
        and new is not None
        and agents.MIGRATION_LABEL not in new.node_selector
        and _is_everywhere(new, state)
    ):
        why = "bears a label that nothing selects by any more; it goes"
        return [_labelled(cluster, name, None, why) for name, value in state.values.items() if value]
    return []


def _is_everywhere(one: Workload, state: State) -> bool:
    """The operator's own test of its DaemonSet, and a pod is wanted on every node."""
    counts = (one.desired, one.updated, one.ready, one.available)
    observed = one.generation is None or one.generation == one.observed_generation
    return observed and all(count == len(state.values) for count in counts)


def _labelled(cluster: Cluster, name: str, value: str | None, why: str) -> tuple[Change, str]:
    now = cluster.nodes[name].labels.get(agents.MIGRATION_LABEL)
    path = ["metadata", "labels", agents.MIGRATION_LABEL]
    change = {"action": "patch", "api_version": "v1", "kind": "Node", "name": name}
    return {**change, "set": [{"path": path, "value": value, "was": [now]}]}, f"{name} {why}."


def _left_over(old: Workload) -> tuple[Change, str]:
    selector = {"spec": {"template": {"spec": {"nodeSelector": {agents.MIGRATION_LABEL: BEFORE}}}}}
    expected = {**selector, "status": {"desiredNumberScheduled": 0, "currentNumberScheduled": 0}}
    change = {"action": "delete", "api_version": "apps/v1", "kind": "DaemonSet", "namespace": old.namespace}
    says = f"DaemonSet {old.namespace}/{old.name} is for no node any more, and the operator's is ready on all; it goes."
    return {**change, "name": old.name, "expect": expected}, says


def look() -> str:
    """Where the operator says what it waits for."""
    return _OPERATOR
