# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the faults of Typha share: who dials which Typha, what answers, and what is known of Typha in the cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._gate import typha
from . import commands, words
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

NO_TYPHA = (
    "Felix and confd get what they know from Typha. Without it they go on with what they knew: routes and sessions "
    "stay, new nodes, pods and policies are not learnt, and a calico-node that restarts is not Ready."
)
PORT = 5473
SILENCE = ("i/o timeout", "no route to host", "deadline exceeded", "network is unreachable")
_NO_NODE_COUNTS = re.compile(r"schedule typha pods on, require \d+ and have 0\b")
_ENDPOINT = re.compile(r"(\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:.]+\]):5473\b")


class Dialled(NamedTuple):
    """A node that dials a Typha in vain: its address ('' if not told), the socket's and the log's account of it."""

    node: Node
    address: str
    silent: bool
    refused: bool
    source: str
    says: str


def no_node_counts(text: str) -> bool:
    """Say whether the operator tells that it found no Linux node at all on which a Typha could run."""
    return _NO_NODE_COUNTS.search(text) is not None


def clients(evidence: Evidence) -> Iterator[Node]:
    """The nodes whose Felix is told to use a Typha, or whose log speaks of one."""
    for node in evidence.nodes.values():
        if (
            node.control.typha.wanted
            or node.control.typha.connections
            or node.control.lines("typha", "typha_discovery")
        ):
            yield node


def cluster_typha(evidence: Evidence) -> typha.Typha | None:
    """Typha as the API tells of it; None where the API was not read, or tells nothing of Typha."""
    found = typha.of(evidence.cluster) if evidence.cluster and evidence.cluster.reached else None
    return found if found and found.known else None


def dialled(evidence: Evidence) -> list[Dialled]:
    """Who dials a Typha and gets nowhere, by the sockets and by the logs. Worked out once."""
    return evidence.once(
        "typha_dialled",
        lambda: [one for node in clients(evidence) if not node.control.typha.connected for one in _of_node(node)],
    )


def _of_node(node: Node) -> Iterator[Dialled]:
    for one in node.control.typha.connections:
        if one.unanswered:
            says = f"{one.endpoint}: asked for a connection, no answer"
            yield Dialled(node, one.address, silent=True, refused=False, source="sockets", says=says)
    for line in node.control.lines("typha"):
        silent = any(word in line.text for word in SILENCE)
        refused = "connection refused" in line.text
        if silent or refused:
            yield Dialled(node, address_in(line), silent, refused, f"log of {line.component or 'felix'}", line.text)


def nobody_ready(line: HostLine) -> bool:
    """The Service was found, and no Typha behind it is ready (typha/pkg/discovery: ErrServiceNotReady)."""
    return any(words_ in line.text for words_ in ("find any ready Typha", "service IP or port", "missing IP or port"))


def address_in(line: HostLine) -> str:
    """The address of Typha's that a log line names, or ''."""
    match = _ENDPOINT.search(line.text)
    return match.group(1).strip("[]") if match else ""


def is_a_typha(evidence: Evidence, address: str) -> bool | None:
    """Whether a Typha, or its Service, has this address; None where that is not known. Worked out once for each."""
    return evidence.once(f"is_a_typha {address}", lambda: _is_a_typha(evidence, address))


def _is_a_typha(evidence: Evidence, address: str) -> bool | None:
    if any(node.control.typha_here is not None and node.holds(address) for node in evidence.nodes.values()):
        return True
    known = cluster_typha(evidence)
    if known is None or not (known.addresses or known.pods):
        return None
    services = {one for service in known.services for one in service.cluster_ips}
    pods = {pod.address for pod in known.pods if pod.address and not pod.deleting}
    return address in (pods | services)


def of_subject(evidence: Evidence, subject: Subject) -> list[Dialled]:
    """The attempts that a subject is about."""
    return [one for one in dialled(evidence) if one.address == subject.where.get("typha", "")]


def connected_clients(evidence: Evidence, address: str = "") -> list[Seen]:
    """Nodes whose Felix has a connection to a Typha, of this address if one is given."""
    return [
        Seen(node.name, "sockets", f"connected to Typha at {one.endpoint}")
        for node in evidence.nodes.values()
        for one in node.control.typha.connections
        if one.established > one.retransmitting and address in ("", one.address)
    ][:4]


def felix_waits(evidence: Evidence, names: Iterable[str]) -> list[Seen]:
    """What Felix says of itself where it is not ready."""
    found = []
    for node in (evidence.nodes[name] for name in names if name in evidence.nodes):
        if node.control.felix.state in ("not_ready", "not_live"):
            parts = words.listed(f"{part}: {told}" for part, told in node.control.felix.parts.items())
            found.append(Seen(node.name, "Felix' health", f"{node.control.felix.state.replace('_', ' ')} ({parts})"))
    return found


def deployment(evidence: Evidence, field: str) -> dict[str, str]:
    """Typha's own Deployment as a finding's where; {} if it is not known, or there are several."""
    known = cluster_typha(evidence)
    workloads = known.workloads if known is not None else ()
    return {"object": f"{workloads[0].kind}/{workloads[0].name}", "field": field} if len(workloads) == 1 else {}


def told_by(evidence: Evidence) -> dict[str, str]:
    """Where calico-node is told of Typha's Service, as a finding's where: in its DaemonSet, or the ConfigMap behind."""
    for agent in evidence.cluster.node_agents if evidence.cluster else ():
        container = agent.container("calico-node")
        if container is None:
            continue
        source = container.env_from.get(typha.SERVICE_NAME, "").rpartition(" ")[2]
        if not container.env.get(typha.SERVICE_NAME) and source:
            name, _slash, key = source.partition("/")
            return {"object": f"ConfigMap/{name}", "field": f"data.{key}"}
        if container.env.get(typha.SERVICE_NAME):
            return {"object": f"{agent.kind}/{agent.name}", "field": f"env {typha.SERVICE_NAME} of {container.name}"}
    return {}


def service_words(evidence: Evidence) -> tuple[str, str]:
    """Namespace and name of Typha's Service, as words of a command line."""
    known = cluster_typha(evidence)
    told = next((node.control.typha.service for node in evidence.nodes.values() if node.control.typha.service), "")
    if known is not None and known.services:
        told = f"{known.services[0].namespace}/{known.services[0].name}"
    space, _slash, name = (told or (known.service if known else "")).partition("/")
    return commands.word(space, "NAMESPACE"), commands.word(name, "calico-typha")


def deployment_words(evidence: Evidence) -> str:
    """The words by which kubectl finds Typha's Deployment; a search for it where nobody told its namespace."""
    space, _name = service_words(evidence)
    if space == commands.NAMESPACE:
        found = "'jsonpath=-n {.items[0].metadata.namespace} deployment/{.items[0].metadata.name}'"
        return f"$(kubectl get deployment -A -l k8s-app=calico-typha -o {found})"
    return f"-n {space} deployment/calico-typha"


def show_typha(evidence: Evidence) -> list[str]:
    """Show Typha's pods and what its Service leads to."""
    space, name = service_words(evidence)
    if space == commands.NAMESPACE:
        return [
            "kubectl get deployment,pods -A -l k8s-app=calico-typha -o wide",
            f"kubectl get service,endpointslices -A -l kubernetes.io/service-name={name} -o wide",
        ]
    return [
        f"kubectl get deployment,pods -n {space} -l k8s-app=calico-typha -o wide",
        f"kubectl get service,endpointslices -n {space} -l kubernetes.io/service-name={name} -o wide",
    ]
