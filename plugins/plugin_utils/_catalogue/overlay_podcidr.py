# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a Node without podCIDR, where pods' addresses and flannel's routes come from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._cluster import flavour
from .._cluster.components import CANAL
from . import api, commands, words
from .model import DECISIVE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

LOG_KIND = "podcidr"
# Flannel, libcalico-go and the CNI plugin name the Node; whose log it is says nothing then.
_NAMED = re.compile(
    r'[Nn]ode "?(?P<before>[\w.-]{1,253})"? (?:pod cidr not|does not have podCIDR)|for node (?P<after>[\w.-]{1,253})'
)
USE_POD_CIDR = "usePodCidr"
# Felix says so again and again where nobody misses it, too.
_OF_SOME_NODE = "Failed to parse Node PodCIDR"


def nodes_without_pod_cidr(evidence: Evidence) -> Iterator[Subject]:
    """Each Node that has none; without the API each of which a log says so."""
    named: set[str] = set()
    for one in evidence.registered:
        if one.kube is not None and not one.windows and not one.kube.pod_cidrs:
            named.add(one.name)
            where = {"node": one.name, **api.where(f"Node {one.record}", "spec.podCIDR")}
            yield Subject((one.name,), (), where, one.node, one.record)
    if any(one.kube is not None for one in evidence.registered):
        return
    for node in evidence.nodes.values():
        for name in dict.fromkeys(_named(node, line.text) for line in node.control.lines(LOG_KIND)):
            where = {"node": name, **api.where(f"Node {name}", "spec.podCIDR")}
            yield Subject((name,), (), where, node, name)


def _named(node: Node, text: str) -> str:
    match = _NAMED.search(text)
    return (match.group("before") or match.group("after")) if match is not None else node.nodename


def addresses_come_from_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The Node has no podCIDR, and addresses come from it here: by flannel, or by CNI's host-local."""
    if evidence.cluster is None:
        return []
    kube = api.record_of(evidence, subject.nodes[0])
    if kube is None or kube.kube is None or kube.kube.pod_cidrs:
        return []
    return [
        api.seen(f"Node {subject.about}", "spec.podCIDR", f"none; {why}", subject.nodes[0]) for why in _why(evidence)
    ][:1]


def _why(evidence: Evidence) -> list[str]:
    found = []
    if evidence.flavour.kind in (CANAL, flavour.FLANNEL_ONLY):
        found.append("flannel gives each node the addresses of its podCIDR")
    if evidence.flavour.backend != flavour.BIRD and any(one.overlay.use_pod_cidr for one in evidence.nodes.values()):
        found.append("the CNI configuration says host-local with usePodCidr")
    elif any(one.overlay.use_pod_cidr for one in evidence.nodes.values()):
        found.append("the CNI configuration says usePodCidr")
    maps = evidence.cluster.config_maps if evidence.cluster else ()
    told = [one for one in maps if any(USE_POD_CIDR in text for text in one.data.values())]
    return [*found, *(f"ConfigMap {one.namespace}/{one.name} says {USE_POD_CIDR}" for one in told)]


def flannel_says_so(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Flannel, Felix or the CNI plugin says that the node has no podCIDR, or flannel one that is not in its network."""
    lines = [line for line in _lines(subject) if _OF_SOME_NODE not in line.text]
    found = [Seen(subject.nodes[0], f"{line.component or 'flannel'}.log", line.text) for line in lines[:2]]
    for pod in evidence.cluster.pods if evidence.cluster else ():
        if pod.node == subject.about:
            said = [state.last_message or state.message for state in pod.containers]
            found += [
                Seen(subject.nodes[0], f"pod {pod.name}", text) for text in said if "pod cidr not assigned" in text
            ]
    return found[:2]


def _lines(subject: Subject) -> list[HostLine]:
    return subject.node.control.lines(LOG_KIND) if subject.node else []


def felix_reads_an_empty_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix meets some Node with an empty podCIDR; which one, and whether anybody needs it, it does not say."""
    lines = [line for line in _lines(subject) if _OF_SOME_NODE in line.text]
    return [Seen(subject.nodes[0], f"{line.component or 'felix'}.log", line.text) for line in lines[:1]]


def flannel_does_not_run(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Flannel's container on this node does not run."""
    return [
        Seen(subject.nodes[0], f"pod {pod.name}", f"{state.name}: {state.reason or state.state}")
        for pod in (evidence.cluster.pods if evidence.cluster else ())
        if pod.node == subject.about
        for state in pod.containers
        if "flannel" in state.name and not state.init and not state.ready and state.state in ("waiting", "terminated")
    ]


def nobody_has_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No Node has one at all: these may be objects that somebody shortened."""
    kube = [one for one in evidence.registered if one.kube is not None]
    some = not kube or any(one.kube and one.kube.pod_cidrs for one in kube)
    return [] if some else [Seen("", "Nodes", f"{len(kube)} Nodes")]


def others_have_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Other Nodes have one."""
    have = [one for one in evidence.registered if one.kube is not None and one.kube.pod_cidrs]
    return [
        api.seen(f"Node {one.record}", "spec.podCIDR", ", ".join(one.kube.pod_cidrs if one.kube else ()))
        for one in have[:1]
    ]


def _summary(evidence: Evidence, subject: Subject) -> str:
    name = subject.nodes[0]
    return (
        f"Node {subject.about} has no podCIDR: pods on {name} get no addresses, and no other node gets a route to it."
    )


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    record = commands.kube_name(evidence, subject.nodes[0])
    taken = [cidr for one in evidence.registered if one.kube for cidr in one.kube.pod_cidrs]
    manager = "kubectl -n kube-system get pods -l component=kube-controller-manager -o yaml"
    spec = '{"spec":{"podCIDR":"CIDR","podCIDRs":["CIDR"]}}'
    return [
        "kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDR:.spec.podCIDR",
        f"{manager} | grep -E 'allocate-node|cluster-cidr'",
        f"kubectl patch node {record} --type merge -p '{spec}'   # CIDR: free, not {words.listed(taken)}",
    ]


NODE_PODCIDR_MISSING = Fault(
    id="node_podcidr_missing",
    family="bird_confd",
    title="A Node has no podCIDR",
    severity="critical",
    role="cause",
    means=(
        "With Canal, flannel or host-local's usePodCidr pods get their addresses from their Node's podCIDR, which the "
        "kube-controller-manager deals out. Without one no pod on the node gets an address, flannel does not start "
        "there, and the other nodes get no route to it."
    ),
    subjects=nodes_without_pod_cidr,
    signals=(
        Signal(addresses_come_from_it, DECISIVE, required=True),
        Signal(flannel_says_so, STRONG, required=True),
        Signal(felix_reads_an_empty_one, WEAK, required=True),
        Signal(flannel_does_not_run, STRONG),
        Signal(others_have_one, WEAK),
        Signal(nobody_has_one, -DECISIVE),
    ),
    summary=_summary,
    fix=Fix(
        action="assign_pod_cidr",
        text=(
            "Let the kube-controller-manager deal podCIDRs out (--allocate-node-cidrs=true, and a --cluster-cidr with "
            "room for one more node), or give the Node a free one; it can be set once. Then restart flannel there."
        ),
        risk="low",
        disrupts="nothing",
        commands=_commands,
    ),
    verify="Each Node has a podCIDR of its own, and new pods on the node get addresses.",
    lookalikes=(
        Lookalike("cni_token_expired", "pods get no addresses for a token that is no longer accepted"),
        Lookalike("routes_missing", "the Node has a podCIDR, and others have no route to it"),
    ),
    explains=("routes_missing", "tunnel_device_missing"),
)

FAULTS = (NODE_PODCIDR_MISSING,)
