# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster stands still enough for an upgrade: rollouts, the operator, the datastore, nodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._catalogue import commands, migration_state, words
from .._cluster import installers
from .._lint import context as lint
from . import release_steps, told, upgrade_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster
    from .intent import Intent
    from .model import Scene

_OPERATOR_TAG = re.compile(r":v?1\.(\d{1,3})(?:\.|$|@)")


def rollout(cluster: Cluster) -> Iterator[dict[str, Any]]:
    for one in cluster.workloads:
        if one.component not in ("calico-node", "canal", "typha", "operator") or one.deleting:
            continue
        space = commands.word(one.namespace, "NAMESPACE")
        look = f"kubectl describe -n {space} {one.kind.lower()}/{commands.word(one.name, 'NAME')}"
        if one.desired and (one.ready or 0) < one.desired:
            yield upgrade_words.obstacle(
                "major",
                f"{upgrade_words.shown(one)} has {one.ready or 0} of {one.desired} pods ready: an upgrade waits for "
                "them, or makes it worse.",
                "Have all pods ready first: diagnose tells what is wrong.",
                ("ansible-playbook netmedic.calico.diagnose -i INVENTORY", look),
                where={"object": upgrade_words.shown(one), "field": "status"},
            )
        elif one.desired and one.updated is not None and one.updated < one.desired and one.kind == "DaemonSet":
            yield upgrade_words.obstacle(
                "major",
                f"{upgrade_words.shown(one)} has only {one.updated} of {one.desired} pods of its latest form: an "
                "earlier change is not "
                "rolled out yet.",
                "Wait for it, or find what holds it.",
                (f"kubectl rollout status -n {space} daemonset/{commands.word(one.name, 'NAME')}",),
                where={"object": upgrade_words.shown(one), "field": "status"},
            )
        if one.kind == "DaemonSet" and one.strategy == "OnDelete":
            yield upgrade_words.obstacle(
                "minor",
                f"{upgrade_words.shown(one)} has the update strategy OnDelete: its pods stay of the old release "
                "until somebody deletes them.",
                "Restart them node by node after the upgrade (role netmedic.calico.rolling_restart), or set "
                "RollingUpdate.",
                where={"object": upgrade_words.shown(one), "field": "spec.updateStrategy"},
            )


def operator(cluster: Cluster, plan: Intent) -> Iterator[dict[str, Any]]:
    """The operator installs the release that it was made for, whatever is wished for."""
    wanted = release_steps.OPERATORS.get(plan.target[:2]) if plan.target else None
    for one in cluster.workloads:
        tags = [_OPERATOR_TAG.search(container.image) for container in one.containers]
        minor = next((int(tag[1]) for tag in tags if tag), None)
        if one.component != "operator" or wanted is None or minor is None or minor in wanted:
            continue
        needed = words.listed(f"1.{number}" for number in wanted)
        yield upgrade_words.obstacle(
            "info" if minor < min(wanted) else "major",
            f"{upgrade_words.shown(one)} is of release 1.{minor}; {plan.target_written} is installed by {needed}.",
            "The upgrade of an operator's cluster is that of the operator: apply tigera-operator.yaml of the new "
            "release.",
            ("kubectl apply --server-side --force-conflicts -f tigera-operator.yaml   # of the new release",),
            title="The operator decides the release",
            where={"object": upgrade_words.shown(one), "field": "image"},
        )
    for status in cluster.tigera_statuses:
        bad = next((each for each in status.conditions if each.type == "Degraded" and each.status == "True"), None)
        if bad is not None:
            yield upgrade_words.obstacle(
                "major",
                f"The operator says that {status.name} is degraded: {bad.message or bad.reason}.",
                "Put that right first: a degraded operator does not go on.",
                ("kubectl get tigerastatus", "kubectl logs -n tigera-operator deployment/tigera-operator --tail=100"),
                where={"object": f"TigeraStatus {status.name}"},
            )


def owners(cluster: Cluster, plan: Intent) -> Iterator[dict[str, Any]]:
    """A manifest's DaemonSet over an operator's cluster: two that undo each other's work."""
    planned = lint.Context(plan.loaded.documents, lint.Settings()).agents
    if cluster.installations and planned:
        document = planned[0].document
        yield upgrade_words.obstacle(
            "major",
            f"{document.file}:{document.line}: {document.about} is a manifest's calico-node, and the cluster is the "
            "operator's: both would run one on each node.",
            "Change the Installation instead, and upgrade the operator.",
            where={"object": document.about, "file": document.file, "line": document.line},
        )


def migration(scene: Scene, cluster: Cluster, plan: Intent) -> Iterator[dict[str, Any]]:
    """The move from a manifest to the operator: under way, or planned and held up."""
    state = migration_state.state_of(cluster)
    if state.begun:
        yield upgrade_words.obstacle(
            "major",
            "A move from the manifest to the operator is under way: " + "; ".join(migration_state.told(state)) + ".",
            "Let it end first (role netmedic.calico.operator_migration tells what holds it).",
            fault="operator_migration_stuck",
            role="cause",
        )
        return
    planned = lint.Context(plan.loaded.documents, lint.Settings()).installations
    by = installers.read(cluster).installer
    if not planned or cluster.installations:
        return
    if by not in (installers.MANIFEST, installers.UNKNOWN):
        yield upgrade_words.obstacle(
            "minor",
            f"The planned Installation is for the operator, and this Calico came with {by}, which goes on managing "
            "its own.",
            f"Change it in {by}; the operator takes over only what Calico's own manifest installed.",
            where={"object": planned[0].about, "file": planned[0].file, "line": planned[0].line},
        )
    for hold in migration_state.ahead(scene.evidence, state):
        yield upgrade_words.obstacle(
            "major",
            f"The move to the operator would be held up: {hold.says}",
            f"The role netmedic.calico.{hold.role} repairs that." if hold.role else "Put that right before the move.",
            hold.lines,
            fault="operator_migration_stuck",
            role="latent",
        )


def datastore(cluster: Cluster) -> Iterator[dict[str, Any]]:
    if cluster.datastore_ready is False:
        yield upgrade_words.obstacle(
            "critical",
            "The datastore is locked (ClusterInformation default, datastoreReady: false): every part of Calico that "
            "starts "
            "anew waits for it, for ever.",
            "Finish or abort the migration of the datastore that locked it.",
            ("calicoctl datastore migrate unlock",),
            where={"object": "ClusterInformation default", "field": "spec.datastoreReady"},
        )


def nodes(scene: Scene, cluster: Cluster) -> Iterator[dict[str, Any]]:
    known_as = {one.record: one.name for one in scene.evidence.registered if one.kube is not None}
    silent = {}
    for name, node in cluster.nodes.items():
        ready = node.condition("Ready")
        if ready is not None and ready.status != "True" and node.operating_system != "windows":
            silent[known_as.get(name, name)] = ready.message or ready.reason or ready.status
    yield from told.together(
        "preflight.upgrade_nodes_not_ready",
        "major",
        silent,
        "{hosts} is NotReady: the upgrade cannot be proven there, and a rolling update may stop at it.",
        "Bring the nodes back or take them out of the cluster first.",
        source="Node",
        typed=["ansible-playbook netmedic.calico.diagnose -i INVENTORY"],
        title="Nodes are not ready for the upgrade",
        means="A DaemonSet's rolling update counts pods that are not available, and stops at maxUnavailable of them.",
    )
