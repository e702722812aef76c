# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd in the plan of sessions and told by no finding: no cause of what was seen, and said all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import api, words
from .._gate import names, pods
from .._gate.gate import gate
from .._gate.model import HOST
from .._gate.nodes import UNTOLD
from .ranking import UNDETERMINED
from .seen import without_sessions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._cluster.model import Event
    from .._evidence.evidence import Evidence
    from .._peering.model import Problem
    from .ranking import Candidate

MOST = 50
# Faults that tell that a node is NotReady.
_OF_NODES = ("kubelet_not_ready", "peer_node_down", "node_ready_flapping")
# What a probe may say of sessions, of BIRD or of Felix; that it could not be run is of no matter here.
_PROBED = ("bgp", "bird_socket", "bird", "felix")
_MAY_BE_OVER = "None of its sessions was seen down, so that this may be over"
_NOT_SEEN = "The node was not read, so that nothing was seen of its sessions there"
# Faults that tell of these kinds in words of their own.
_IN_OTHER_WORDS = {
    "duplicate_address": ("duplicate_node_ip",),
    "mesh_off_no_peers": ("mesh_disabled_no_peers",),
    "node_without_peers": ("bgppeer_selects_nothing", "mesh_disabled_no_peers"),
    "password_differs": ("bgp_password_mismatch", "bgp_password_secret_unreadable"),
    "secret_missing": ("bgp_password_secret_unreadable",),
    "secret_elsewhere": ("bgp_password_secret_unreadable",),
    "secret_key_missing": ("bgp_password_secret_unreadable",),
    "secret_unreadable": ("bgp_password_secret_unreadable",),
}


def notes(
    evidence: Evidence, candidates: Iterable[Candidate], findings: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The problems of the plan that no finding tells of, as object, kind, nodes and says; each sentence once."""
    alone = without_sessions(evidence)
    problems = evidence.expected.problems if evidence.expected else ()
    believed = list(candidates)
    said_besides = [*_not_ready(evidence, believed), *_said_by_probes(evidence, _troubled(believed, findings))]
    if not problems:
        return [*([_no_session(alone)] if alone else []), *said_besides]
    said = {seen.detail for item in believed for _signal, found in item.speaks_for for seen in found}
    said.update(item.fault.summary(evidence, item.subject) for item in believed)
    faults = {item.fault.id for item in believed}
    left: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        elsewhere = faults & set(_IN_OTHER_WORDS.get(problem.kind, ()))
        if not elsewhere and not any(problem.detail in one for one in said):
            left.setdefault((problem.object, problem.detail), problem)
    return [
        {
            "object": api.spot(one.object),
            "kind": one.kind,
            "nodes": list(api.names(evidence, one.nodes)),
            "says": one.detail,
        }
        for one in list(left.values())[:MOST]
    ] + said_besides


def _not_ready(evidence: Evidence, believed: Iterable[Candidate]) -> list[dict[str, Any]]:
    """The nodes that Kubernetes has as NotReady for a reason that was not read, beside a cause of another kind."""
    causes = [item for item in believed if item.role == "cause" and item.fault.id != UNDETERMINED]
    told = {name for item in causes if item.fault.id in _OF_NODES for name in item.subject.nodes}
    untold = [
        checked.name
        for checked in gate(evidence).nodes.values()
        if any(wrong.step == HOST and wrong.kind == UNTOLD for wrong in checked.wrong) and checked.name not in told
    ]
    if not causes or not untold:
        return []
    says = f"Kubernetes has {words.listed(untold)} as NotReady, and what was collected does not tell why"
    return [{"object": "nodes", "kind": "not_ready", "nodes": untold, "says": says}]


def _troubled(believed: Iterable[Candidate], findings: Iterable[Mapping[str, Any]]) -> set[str]:
    """The nodes of all causes, and those of which a finding says that something is wrong and that it is open what."""
    undecided = {name for one in findings if one["fault"] == UNDETERMINED for name in one["nodes"]}
    return undecided.union(*(item.subject.nodes for item in believed))


def _said_by_probes(evidence: Evidence, troubled: set[str]) -> list[dict[str, Any]]:
    """What readiness probes said of calico-node on nodes at which nothing is wrong that could have made them say so."""
    cluster = evidence.cluster
    if cluster is None:
        return []
    known_as = names.inventory_names(evidence)
    placed = {f"pod {pod.name}": pod.node for pod in cluster.pods_of("calico-node", "canal")}
    unread = {one.name for one in evidence.missing}
    told: dict[str, Event] = {}
    for event in cluster.events:
        if _is_of_agent(event) and _is_recent(event, cluster.taken_at):
            kube = event.node or placed.get(event.about, "")
            name = known_as.get(kube, kube)
            if name not in troubled and not evidence.down_at(name):
                told[name or event.about] = event
    return [
        {
            "object": f"calico-node on {name}" if name in evidence.nodes else name,
            "kind": "said_not_ready",
            "nodes": [name] if name in evidence.nodes else [],
            "says": (
                f"an event has its probe say: {pods.probe_message(event).rstrip('.')}. "
                f"{_NOT_SEEN if name in unread else _MAY_BE_OVER}: see whether the event is repeated"
            ),
        }
        for name, event in sorted(told.items())[:MOST]
    ]


def _is_of_agent(event: Event) -> bool:
    """It has the words of calico-node's readiness probe on BIRD or Felix."""
    return "Readiness probe" in event.message and pods.readiness_kind(event) in _PROBED


def _is_recent(event: Event, now: float | None) -> bool:
    """It is no older than a probe's word may be worth anything; tables do not tell when they were printed."""
    return now is None or event.last_at is None or now - event.last_at <= pods.RECENT


def _no_session(names: list[str]) -> dict[str, Any]:
    """A note on nodes whose BIRD has no session, where the API was not read that would tell whether it shall."""
    says = (
        f"BIRD on {words.listed(names)} has no BGP session at all; only the Kubernetes API, which was not read, knows "
        "whether that is meant"
    )
    return {"object": "BIRD", "kind": "no_session", "nodes": names, "says": says}
