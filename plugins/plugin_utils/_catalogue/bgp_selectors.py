# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of BGPPeers whose selectors select nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._evidence.plain import UNNAMED
from . import api, commands, words
from .model import DECISIVE, MODERATE, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._peering.model import Problem

SELECTS_NOTHING = ("selector_invalid", "selects_no_node", "selects_no_peer", "node_unknown")
# A selector that asks for one label: KEY == 'VALUE', or has(KEY).
_ONE_LABEL = re.compile(r"([\w./-]+) *==? *['\"]([\w.-]*)['\"]|has\(([\w./-]+)\)")
FIELDS = {
    "selects_no_node": "spec.nodeSelector",
    "selects_no_peer": "spec.peerSelector",
    "node_unknown": "spec.node",
}


def selecting_nothing(evidence: Evidence) -> Iterator[Subject]:
    """BGPPeers whose selectors, or node, select nothing."""
    grouped: dict[str, list[Problem]] = {}
    for problem in api.problems(evidence, *SELECTS_NOTHING):
        grouped.setdefault(problem.object, []).append(problem)
    for what, problems in grouped.items():
        nodes = _concerned(evidence, problems)
        where = api.where(what, _field(problems[0]))
        yield Subject(nodes, evidence.down_at(*nodes), where, evidence.nodes.get(nodes[0]) if nodes else None, problems)


def _concerned(evidence: Evidence, problems: list[Problem]) -> tuple[str, ...]:
    named = api.names(evidence, [name for problem in problems for name in problem.nodes])
    lonely = [name for one in api.problems(evidence, "mesh_off_no_peers", "node_without_peers") for name in one.nodes]
    return named or api.names(evidence, lonely)


def _field(problem: Problem) -> str:
    if problem.kind == "selector_invalid":
        return "spec.peerSelector" if "peerSelector" in problem.detail else "spec.nodeSelector"
    return FIELDS[problem.kind]


def selects_nothing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What the BGPPeer selects by is on none of the nodes."""
    return [api.seen(problem.object, _field(problem), problem.detail) for problem in subject.about]


def nodes_have_no_session(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nodes are left without a BGP session."""
    found = api.problems(evidence, "mesh_off_no_peers", "node_without_peers")
    return [api.seen(problem.object, "", problem.detail) for problem in found[:2]]


def labels_are_near(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nodes have a label of the same name, or of nearly the same, with another value."""
    cluster = evidence.cluster
    name = str(subject.where["object"]).partition("/")[2]
    peer = next((one for one in cluster.bgp_peers if one.name == name), None) if cluster else None
    text = f"{peer.node_selector} {peer.peer_selector}" if peer else ""
    found = []
    for node, record in cluster.calico_nodes.items() if cluster else ():
        near = [f"{key}={value}" for key, value in record.labels.items() if key in text and len(key) > 3]
        found.extend([Seen(node, f"Node/{node}", words.listed(near), "metadata.labels")] if near else [])
    return found[:3]


def not_all_nodes_are_known(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Not all Nodes may have been read: there are hosts, or pods of Calico's, on others."""
    cluster = evidence.cluster
    if cluster is None:
        return []
    known = {one.node.name for one in evidence.registered if one.node}
    hosts = [name for name in evidence.nodes if name not in known and not name.startswith(UNNAMED)]
    pods = {pod.node for pod in cluster.pods if pod.node} - set(cluster.nodes) - set(cluster.calico_nodes)
    return [Seen(name, "nodes", "it is not among the Nodes that were read") for name in (*hosts, *sorted(pods))][:3]


def _severity(evidence: Evidence, subject: Subject) -> str:
    """major where nodes are left without a session, else minor."""
    return "major" if nodes_have_no_session(evidence, subject) else "minor"


BGPPEER_SELECTS_NOTHING = Fault(
    id="bgppeer_selects_nothing",
    family="bgp_config",
    title="A BGPPeer selects nothing",
    severity="minor",
    role="cause",
    means=(
        "Selectors of BGPPeers match labels of Kubernetes' Nodes. This one matches none, which Calico passes over in "
        "silence: the sessions that the BGPPeer was made for do not exist."
    ),
    subjects=selecting_nothing,
    signals=(
        Signal(selects_nothing, DECISIVE, required=True),
        Signal(nodes_have_no_session, MODERATE),
        Signal(labels_are_near, WEAK),
        Signal(not_all_nodes_are_known, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"{str(subject.where['object']).replace('/', ' ')} makes no session: {subject.about[0].detail}"
    ),
    severity_rule=_severity,
    fix=Fix(
        action="correct_selector",
        text=("Label the Nodes that are meant, or correct the selector. Delete a BGPPeer that is no longer wanted."),
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: [
            "kubectl get nodes --show-labels",
            *_correct_selector(evidence, subject),
            *_label(evidence, subject),
        ],
    ),
    verify="The BGPPeer selects the nodes that are meant, and its sessions are Established.",
    lookalikes=(
        Lookalike("route_reflector_misconfigured", "the selectors select nodes, and these do not fit together"),
        Lookalike("mesh_disabled_no_peers", "there is no BGPPeer at all"),
    ),
    explains=("mesh_disabled_no_peers", "route_reflector_misconfigured", "undetermined"),
)


def _label(evidence: Evidence, subject: Subject) -> list[str]:
    """Label the Nodes that are meant so that the selector takes them, as far as it says how."""
    cluster, name = evidence.cluster, str(subject.where["object"]).partition("/")[2]
    peer = next((one for one in cluster.bgp_peers if one.name == name), None) if cluster else None
    field = str(subject.where["field"])
    if field == FIELDS["node_unknown"]:
        return []
    selectors = (peer.node_selector, peer.peer_selector) if peer else ("", "")
    told = _ONE_LABEL.fullmatch(selectors[field == FIELDS["selects_no_peer"]].strip())
    label = f"{told.group(1) or told.group(3)}={told.group(2) or ''}" if told else ""
    near = [seen.node for seen in labels_are_near(evidence, subject)] if told else []
    return [
        f"kubectl label node {commands.kube_name(evidence, node)} --overwrite {commands.word(label, 'KEY=VALUE')}"
        "   # or label the Nodes that are meant"
        for node in near or ["NODE"]
    ]


def _correct_selector(evidence: Evidence, subject: Subject) -> list[str]:
    name = str(subject.where["object"]).partition("/")[2]
    field = str(subject.where["field"]).partition(".")[2]
    change = api.patch(evidence, "BGPPeer", name, {field: "NODE" if field == "node" else "SELECTOR"})
    return [api.show(evidence, "BGPPeer", name), *api.at_owner(evidence, f"bgp_peer/{name}", [change])]


FAULTS = (BGPPEER_SELECTS_NOTHING,)
