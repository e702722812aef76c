# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Symptoms in what Kubernetes and calicoctl say of nodes, which count where the sessions themselves look well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue import tool_artifacts
from .._catalogue.bird_confd import seen_by_no_tool
from .._catalogue.model import Seen
from .._gate import model as gate
from .._gate import names, pods
from .._gate import nodes as conditions
from .._gate.gate import gate as gate_of
from . import dataplane_symptoms
from .model import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Event, Pod
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._gate.model import Wrong

NODE_NOT_READY, AGENT_NOT_WELL, NO_PROCESS = "node_not_ready", "calico_node_not_well", "no_process_of_calico"
NO_CNI = "no_cni_configuration"
# What the gate finds at a node, by the symptom that it is.
_STEPS = {
    gate.HOST: NODE_NOT_READY,
    gate.CNI: NO_CNI,
    gate.CALICO_IS_DOWN: AGENT_NOT_WELL,
    gate.NOT_CREATED: AGENT_NOT_WELL,
    gate.NOT_SCHEDULED: AGENT_NOT_WELL,
    gate.INIT: dataplane_symptoms.INIT_FAILS,
    gate.IMAGE: AGENT_NOT_WELL,
    gate.NOT_STARTING: AGENT_NOT_WELL,
    gate.CRASHING: dataplane_symptoms.CRASHES,
    gate.NOT_READY: AGENT_NOT_WELL,
}
_PAST = "left_over"
_UNTOLD = {gate.HOST: "Kubernetes has it as NotReady", gate.NOT_READY: "calico-node runs there and is not ready"}
# A pod is not ready before its probe has been asked, every 10 s, a few times.
_STARTING_SECONDS = 120


def of_kubernetes(evidence: Evidence) -> list[Symptom]:
    """What the API's objects say is wrong with nodes and with calico-node on them, each kind once."""
    found: dict[str, list[tuple[str, Seen]]] = {}
    for name, wrong in _told(evidence):
        kind = _STEPS.get(wrong.step, "") if wrong.kind != _PAST else ""
        if kind:
            says = _UNTOLD.get(wrong.step, wrong.says) if wrong.kind == conditions.UNTOLD else wrong.says
            found.setdefault(kind, []).append((name, Seen(name, wrong.source, f"{name}: {says}")))
    return [
        Symptom(kind, tuple(dict.fromkeys(name for name, _seen in told)), (), (), tuple(seen for _name, seen in told))
        for kind, told in found.items()
    ]


def _told(evidence: Evidence) -> Iterator[tuple[str, Wrong]]:
    """What is wrong at nodes, by the inventory's names; of pods also where their Node was not read."""
    cluster = evidence.cluster
    if cluster is None:
        return
    agents = [pod for pod in cluster.pods_of("calico-node", "canal") if pod.node and not pod.deleting]
    starting = {pod.node for pod in agents if _is_starting(pod, cluster.taken_at)}
    for checked in gate_of(evidence).nodes.values():
        for wrong in checked.wrong:
            if wrong.step != gate.NOT_READY or checked.node not in starting:
                yield checked.name, wrong
    known_as = names.inventory_names(evidence)
    events: dict[str, list[Event]] = {}
    for event in cluster.events:
        events.setdefault(event.about, []).append(event)
    for pod in agents:
        if pod.node not in cluster.nodes and pod.node not in starting:
            for wrong in pods.look(pod, events.get(f"pod {pod.name}", []), cluster.taken_at):
                yield known_as.get(pod.node, pod.node), wrong


def _is_starting(pod: Pod, now: float | None) -> bool:
    """It began so little before the API was asked that it cannot be ready yet."""
    begun = [one.started_at for one in pod.containers if not one.init and one.started_at is not None]
    return now is not None and any(now - at < _STARTING_SECONDS for at in begun)


def of_calicoctl(evidence: Evidence) -> Iterator[Symptom]:
    """Nodes on which calicoctl finds no process of Calico's, and nobody heard BIRD there."""
    for node in silent_nodes(evidence):
        said = node.tools.no_calico
        seen = Seen(node.name, "calicoctl", f"{node.name}: calicoctl says: {said.rstrip('.')}{_peers(evidence, node)}")
        yield Symptom(NO_PROCESS, (node.name,), (), (), (seen,))


def silent_nodes(evidence: Evidence) -> list[Node]:
    """The nodes of which calicoctl says that Calico does not run, and of which nothing shows that it does."""
    return [
        node
        for node in evidence.nodes.values()
        if seen_by_no_tool(node) and not tool_artifacts.ready_pods(evidence, node)
    ]


def _peers(evidence: Evidence, node: Node) -> str:
    """That its peers have sessions with it all the same, and what this may mean."""
    own = {held.address for held in node.addresses} | set(node.bgp_addresses.values())
    peers = [
        other.name
        for other in evidence.nodes.values()
        if any(own & daemon.established for daemon in other.daemons.values())
    ]
    if not peers:
        return ""
    return (
        f" (yet {len(peers)} of its peers have a session with it: Calico ended since they were asked, or calicoctl was "
        "run where it does not see the host's processes)"
    )
