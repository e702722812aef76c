# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the way to the API server, and of what Calico keeps there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._gate import agents, backend
from .._gate import model as gate
from . import commands, fix_lines, gate_signals, words
from .gate_signals import HINT
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster
    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

# What Go's net package says of a way that is closed, kube-apiserver's proxies of a server that is away, and etcd's
# client (client.go of its version 2) of one that does not answer.
NO_WAY = (
    *("i/o timeout", "connection refused", "no route to host", "network is unreachable", "Service Unavailable"),
    *("context deadline exceeded", "Client.Timeout exceeded", "no such host", "connection reset by peer"),
    *("connection timed out", "TLS handshake timeout", "exceeded header timeout"),
)
ASKING_KINDS = ("datastore", "apiserver", "pod_setup", "node_status", "terminated", "other")
TYPHA_PORT = ":5473"
# As Go's net package and its HTTP client call the address that they dialled.
_DIALLED = re.compile(r"(?:dial tcp |https?://)(\[?[0-9A-Fa-f:.]*[0-9A-Fa-f]\]?:\d{2,5})\b")
# Where Calico keeps its data in etcd, that is what it cannot reach.
_SCHEMES = ("http", "https")
_OF_ETCD = "etcd cluster is unavailable"
REFUSED_WORDS = ("x509: ", "nauthorized", "orbidden")

# --- the API server -----------------------------------------------------------------------------------------------


def nodes_without_api(evidence: Evidence) -> Iterator[Subject]:
    """The nodes whose calico-node, or CNI plugin, gets no answer from the API server."""
    names = [checked.name for checked, _wrong in gate_signals.stopped_at(evidence, gate.API)]
    names += [node.name for node in gate_signals.readers(evidence) if _lines_of_no_way(node)]
    if names:
        yield gate_signals.at(evidence, names)


def _lines_of_no_way(node: Node) -> list[HostLine]:
    """Lines that tell of the API server's silence; those about Typha are another matter."""
    return [
        line
        for line in node.control.lines(*ASKING_KINDS)
        if any(word in line.text for word in NO_WAY)
        and not any(word in line.text for word in (*REFUSED_WORDS, TYPHA_PORT))
        # It runs in a pod, whose way to the API server is another one than calico-node's.
        and "kube-controllers" not in line.component
        and (line.kind != "other" or "https://" in line.text)
    ]


def connections_are_not_answered(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Connections of calico-node to the API server are asked for and not answered."""
    return [
        Seen(checked.name, wrong.source, wrong.says)
        for checked, wrong in gate_signals.stopped_at(evidence, gate.API)
        if checked.name in subject.nodes
    ]


def log_tells_of_silence(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A log on the node tells that the API server could not be reached."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _lines_of_no_way(node)[:2]
    ]


def silence_is_over(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The log goes on for minutes without such a line, and who waits for the API server asks again and again."""
    found = [(node, _lines_of_no_way(node)) for node in gate_signals.nodes_of(evidence, subject)]
    told = [(node, line) for node, lines in found for line in lines]
    if not told or not all(line.quiet for _node, line in told):
        return []
    return [Seen(node.name, f"log of {line.component}", f"{line.quiet // 60} min", line.at) for node, line in told[:2]]


def pod_is_ready(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A log alone tells of silence, and the node's calico-node pod is Ready, which its kubelet told the API server."""
    if connections_are_not_answered(evidence, subject):
        return []
    pods = evidence.cluster.pods_of(*agents.COMPONENTS) if evidence.cluster else ()
    by_node = {pod.node: pod for pod in pods if pod.ready}
    names = {name: commands.kube_name(evidence, name) for name in subject.nodes}
    found = [Seen(name, "pods", f"{by_node[kube].name} is Ready") for name, kube in names.items() if kube in by_node]
    return found if len(found) == len(names) else []


def controller_cannot_reach_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server did not answer the controller either."""
    cluster = evidence.cluster
    return [Seen("", cluster.via or "api", cluster.why)] if cluster and not cluster.reached and cluster.via else []


def only_the_service_is_silent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Only the Service's address is silent, the one that the kubelet uses answers: kube-proxy does not do its work."""
    found = []
    for node in gate_signals.nodes_of(evidence, subject):
        silent = [one for one in node.control.apiserver if "calico" in one.told and one.unanswered]
        well = [one for one in node.control.apiserver if "kubelet" in one.told and one.established > one.retransmitting]
        if silent and well:
            found.append(Seen(node.name, "sockets", f"{silent[0].endpoint} silent, {well[0].endpoint} connected"))
    return found


def calico_is_connected(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Connections of calico-node to the API server are established and acknowledged."""
    return [
        Seen(node.name, "sockets", f"{one.endpoint}: {words.plural(one.established, 'connection')}")
        for node in gate_signals.nodes_of(evidence, subject)
        for one in node.control.apiserver
        if "calico" in one.told and one.established > one.retransmitting
    ]


def server_refuses(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server answers and refuses (certificate or rights): the way to it is open."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in node.control.lines("tls", "unauthorized", "certificate")
    ][:3]


def _only_etcd_is_silent(evidence: Evidence, subject: Subject) -> bool:
    """All that is told is that etcd does not answer."""
    lines = [line for node in gate_signals.nodes_of(evidence, subject) for line in _lines_of_no_way(node)]
    asked = connections_are_not_answered(evidence, subject)
    return not asked and bool(lines) and all(_OF_ETCD in line.text for line in lines)


def _api_summary(evidence: Evidence, subject: Subject) -> str:
    if _only_etcd_is_silent(evidence, subject):
        return f"{gate_signals.show_nodes(subject)}: etcd, in which Calico keeps its data here, does not answer."
    service = only_the_service_is_silent(evidence, subject)
    why = "; only the Service's address is silent, so look at kube-proxy" if service else ""
    return f"calico-node on {gate_signals.show_nodes(subject)} cannot reach the Kubernetes API{why}."


def _api_commands(evidence: Evidence, subject: Subject) -> list[str]:
    node = evidence.nodes.get(subject.nodes[0])
    told = [one.endpoint for one in node.control.apiserver if "calico" in one.told] if node else []
    endpoint = commands.word(told[0], "") if told else ""
    endpoint = endpoint or _dialled(subject.node) or fix_lines.service_of_api(evidence)
    name = subject.nodes[0]
    if _only_etcd_is_silent(evidence, subject):
        return [commands.on_node(name, f"curl -sk --max-time 5 {scheme}://{endpoint}/health") for scheme in _SCHEMES]
    # Not quoted for the node: what looks for the Service is run where kubectl is.
    ask = f"ssh {commands.node_word(name)} curl -sk --max-time 5 https://{endpoint}/livez"
    only_service = bool(only_the_service_is_silent(evidence, subject))
    anew = fix_lines.kube_proxy_anew(evidence, name)
    when = "" if only_service else "   # where only the Service's address is silent"
    route = [] if "$" in endpoint else [commands.on_node(name, f"ip route get {_host(endpoint)}")]
    return [ask, *route, "kubectl get endpoints kubernetes", f"{anew}{when}"]


def _host(endpoint: str) -> str:
    return endpoint.rpartition(":")[0].strip("[]")


def _dialled(node: Node | None) -> str:
    """The address and port of the API server of which a log on the node says that it does not answer."""
    found = (_DIALLED.search(line.text) for line in (_lines_of_no_way(node) if node else ()))
    return next((commands.word(match.group(1), "") for match in found if match), "")


APISERVER_UNREACHABLE = Fault(
    id="apiserver_unreachable",
    family="control_plane",
    title="calico-node cannot reach the Kubernetes API",
    severity="major",
    role="cause",
    means=(
        "The API server does not answer calico-node and the CNI plugin: kube-proxy does not serve its Service, the "
        "load balancer or the route to it is broken, or the server is down. The same holds for etcd, where Calico has "
        "its data there. Sessions and routes that exist go on working; nothing new is learnt, new pods get no network, "
        "and a calico-node that restarts does not come up."
    ),
    subjects=nodes_without_api,
    signals=(
        Signal(connections_are_not_answered, STRONG + MODERATE, required=True),
        Signal(log_tells_of_silence, STRONG, required=True),
        Signal(controller_cannot_reach_it, MODERATE),
        Signal(only_the_service_is_silent, WEAK),
        Signal(gate_signals.scope_tells, HINT),
        Signal(calico_is_connected, -STRONG - MODERATE),
        Signal(silence_is_over, -STRONG - MODERATE),
        Signal(pod_is_ready, -MODERATE - WEAK),
        Signal(server_refuses, -MODERATE),
    ),
    summary=_api_summary,
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="open_way_to_apiserver",
        text=(
            "Open the way: kube-proxy and its rules where only the Service's address is silent, else the load "
            "balancer, route or firewall between the node and the API server, or the server itself."
        ),
        risk="low",
        disrupts="nothing",
        commands=_api_commands,
    ),
    verify="The node gets an answer at /livez, and calico-node becomes Ready.",
    lookalikes=(
        Lookalike("certificate_expired", "the server answers, and the log says x509"),
        Lookalike("cni_token_expired", "the server answers Unauthorized"),
        Lookalike("typha_port_blocked", "the address in the log is Typha's, port 5473"),
    ),
    explains=(
        *("kubelet_not_ready", "confd_cannot_render", "bird_not_running", "peer_bird_not_running", "routes_missing"),
        *("typha_down", "typha_discovery_misconfigured"),
    ),
    missing=lambda evidence, subject: [
        Missing(
            subject.nodes[0],
            "way to the API server",
            _api_commands(evidence, subject)[0],
            "whether the API server answers on this node, by its Service and by its own address",
        )
    ],
)

# --- what was kept there ------------------------------------------------------------------------------------------


def datastores_with_gaps(evidence: Evidence) -> Iterator[Subject]:
    """A cluster in which Calico runs and Calico's own objects are not there."""
    cluster = evidence.cluster
    if cluster is None or not cluster.reached or not (cluster.node_agents or cluster.pods_of(*agents.COMPONENTS)):
        return
    forgotten = _forgotten_nodes(cluster)
    if forgotten or _pools_are_gone(cluster) or _kinds_are_gone(cluster) or _blocks_are_gone(cluster):
        yield gate_signals.at(evidence, forgotten, forgotten)


def _forgotten_nodes(cluster: Cluster) -> list[str]:
    """Nodes with a ready calico-node pod on which Calico has no address on record."""
    if backend.told(cluster).backend == "none":
        return []
    running = {pod.node for pod in cluster.pods_of("calico-node") if pod.ready}
    known = {name for name, node in cluster.calico_nodes.items() if node.ipv4 or node.ipv6}
    # A table of nodes without their labels tells nothing of their annotations either.
    told = {name for name in running if name in cluster.nodes and cluster.nodes[name].is_whole}
    return sorted(told - known)


def _pools_are_gone(cluster: Cluster) -> bool:
    return cluster.read("ippools") and not cluster.pools and bool(cluster.blocks or cluster.ipam_used)


def _kinds_are_gone(cluster: Cluster) -> list[str]:
    """The kinds of Calico's without which it cannot run, and which the API server does not know."""
    wanted = ("ippools", "felixconfigurations", "clusterinformations", "blockaffinities")
    return [name for name in wanted if (found := cluster.source(name)) is not None and found.status == "absent"]


def _blocks_are_gone(cluster: Cluster) -> bool:
    """Pods run with addresses of Calico's, and no block is on record."""
    tunnels = any(node.ipip_tunnel or node.vxlan_tunnel for node in cluster.calico_nodes.values())
    return tunnels and cluster.read("blockaffinities") and not cluster.blocks


def pools_vanished(evidence: Evidence) -> str:
    """A sentence on what of the pools is missing, '' if nothing is."""
    cluster = evidence.cluster
    if cluster is None or not _pools_are_gone(cluster):
        return ""
    return f"no IPPool, yet {words.plural(len(cluster.blocks) or len(cluster.ipam_used), 'block')} of addresses in use"


def pools_are_missing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Blocks of addresses are in use, and there is no pool that they could be of."""
    told = pools_vanished(evidence)
    return [Seen("", "ippools", told)] if told else []


def kinds_are_missing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server does not even know kinds that Calico needs: their definitions (CRDs) were deleted."""
    missing = _kinds_are_gone(evidence.cluster) if evidence.cluster else []
    return [Seen("", "customresourcedefinitions", words.listed(missing))] if missing else []


def nodes_are_forgotten(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A ready calico-node runs there, and Calico has no address of the node on record."""
    return [Seen(name, "nodes", "no projectcalico.org/IPv4Address or IPv6Address") for name in subject.about[:4]]


def blocks_are_missing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Tunnels have addresses of Calico's, and no block of addresses is on record."""
    gone = evidence.cluster is not None and _blocks_are_gone(evidence.cluster)
    return [Seen("", "blockaffinities", "none")] if gone else []


def calico_does_not_hand_out_addresses(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico runs without a network of its own here (backend none), and needs neither pools nor addresses."""
    told = backend.told(evidence.cluster) if evidence.cluster else None
    return [Seen("", "daemonset", told.why)] if told and told.backend == "none" else []


def _lost_summary(evidence: Evidence, subject: Subject) -> str:
    cluster = evidence.cluster
    gone = [pools_vanished(evidence)] if pools_vanished(evidence) else []
    if cluster and _kinds_are_gone(cluster):
        gone.append(f"the API server no longer knows {words.listed(_kinds_are_gone(cluster))}")
    if subject.about:
        gone.append(f"no address on record for {words.listed(subject.about)}")
    if cluster and _blocks_are_gone(cluster):
        gone.append("no block of addresses on record")
    return f"Calico's objects vanished from the datastore: {'; '.join(gone)}."


def _lost_severity(evidence: Evidence, subject: Subject) -> str:
    """major where only nodes' records are gone, critical where pools or kinds of objects are."""
    return (
        "major"
        if subject.about and not (pools_vanished(evidence) or kinds_are_missing(evidence, subject))
        else "critical"
    )


DATASTORE_LOST_DATA = Fault(
    id="datastore_lost_data",
    family="membership",
    title="Calico's objects vanished from the datastore",
    severity="critical",
    role="cause",
    means=(
        "Calico runs, and what it keeps in the API is gone in part: its definitions, pools, blocks, or its data on "
        "nodes. What runs goes on until it restarts; then nodes forget each other, or give out addresses in use."
    ),
    subjects=datastores_with_gaps,
    signals=(
        Signal(kinds_are_missing, DECISIVE, required=True),
        Signal(pools_are_missing, DECISIVE, required=True),
        Signal(blocks_are_missing, STRONG, required=True),
        Signal(nodes_are_forgotten, STRONG, required=True),
        Signal(calico_does_not_hand_out_addresses, -DECISIVE),
    ),
    summary=_lost_summary,
    severity_rule=_lost_severity,
    fix=Fix(
        action="restore_datastore",
        text=(
            "Restart nothing. Restore the objects from a backup (etcd snapshot, saved YAML, or this collection's "
            "bundle), the same pools and block sizes as before; only then restart calico-node where a node's own data "
            "is missing, one at a time."
        ),
        risk="high",
        disrupts="a wrong restore gives out addresses twice; save what is there first",
        commands=lambda evidence, subject: [
            "kubectl get crd | grep projectcalico",
            "kubectl get ippools.crd.projectcalico.org,blockaffinities.crd.projectcalico.org -o yaml > left.yaml",
            *([commands.show_annotation(evidence, subject.nodes[0], "IPv4Address")] if subject.nodes else []),
        ],
    ),
    verify="Pools, blocks and every node's address are on record again, and all sessions are Established.",
    lookalikes=(
        Lookalike("autodetection_found_nothing", "only the node's own address is missing, and its log tells why"),
        Lookalike("bird_not_expected", "Calico does no networking here and needs no pools"),
    ),
    explains=("undetermined", "routes_missing", "bird_config_rejected"),
)

FAULTS = (APISERVER_UNREACHABLE,)
DATA_FAULTS = (DATASTORE_LOST_DATA,)
