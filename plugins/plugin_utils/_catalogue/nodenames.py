# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a node that runs under another name than its Node object, or under another host's."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from .._cluster import effective
from . import agent_pod, api, commands, stale_nodes, words
from .address_claims import agent_is_unwell
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

NODENAME = "NODENAME"
MULTIPLE = "multiple nodes with the same name"
NOT_FOUND = "not found"
INVALID = "error with field Metadata.Name ="
# Calico does not make Nodes in Kubernetes; it tries to where there is none of that name (errors.go in libcalico-go).
NOT_MADE = "Create is not supported on Node"
# Calico warns so at every change of an address; where two hosts take turns, it does again and again.
TURNS = 3
# What a host is called before it has a name.
_NO_NAME = re.compile(r"[('\" ](localhost(?:\.localdomain)?|localhost6|\(none\))[)'\" ]")
# What a host is called after its address: by it, as where --hostname-override is an address, or as clouds do.
_BY_ADDRESS = re.compile(r"(?:IPv[46]|IP) address (?P<address>[0-9a-fA-F.:]{2,45}?)[.:]?(?= |$)")
_CLOUDS_NAME = re.compile(r"ip-(\d{1,3}(?:-\d{1,3}){3})(?:\.|$)")


def names_apart(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that Calico calls otherwise than Kubernetes does, or that go by one name with another host."""
    shared: dict[str, list[Node]] = {}
    for node in evidence.nodes.values():
        if node.has_calico or _told_in_log(node):
            shared.setdefault(node.nodename, []).append(node)
    for name, nodes in shared.items():
        if len(nodes) > 1:
            names = tuple(one.name for one in sorted(nodes, key=lambda one: (_is_right(evidence, one), one.name)))
            where = {"node": names[0], "nodename": name, "nodes": list(names)}
            yield Subject(names, evidence.down_at(*names), where, evidence.nodes[names[0]], name)
        elif _is_apart(evidence, nodes[0]) or _told_in_log(nodes[0]):
            node = nodes[0]
            where = {"node": node.name, "nodename": name, "kubernetes": _kubernetes_name(evidence, node)}
            yield Subject((node.name,), evidence.down_at(node.name), where, node, name)
    yield from _records_apart(evidence)
    yield from _records_twice(evidence)


def _is_right(evidence: Evidence, node: Node) -> bool:
    """Of several hosts of one name this is the one that Kubernetes means by it."""
    name, cluster = node.nodename, evidence.cluster
    kube = cluster.nodes.get(name) if cluster else None
    if kube is not None and kube.internal_addresses:
        return any(node.holds(address) for address in kube.internal_addresses)
    return name in (node.own.kubelet_nodename, node.hostname.lower())


def _is_apart(evidence: Evidence, node: Node) -> bool:
    own = node.own
    if own.kubelet_nodename and own.kubelet_nodename not in (node.nodename, own.node_ref):
        return True
    cluster = evidence.cluster
    known = cluster.nodes if cluster and api.read(cluster, "nodes") else {}
    # A host's own name is what it is called where nothing tells what calico-node was told.
    told = own.nodename_source in ("file", "environment")
    return told and bool(known) and node.nodename not in known and own.node_ref not in known


def _told_in_log(node: Node) -> bool:
    return bool(_lines(node))


def _names_no_node(text: str) -> bool:
    """The API server has no Node of the name, or it is none that a Node may have (libcalico-go's validator)."""
    return (("Node" in text or 'nodes "' in text) and NOT_FOUND in text) or INVALID in text or NOT_MADE in text


def _lines(node: Node | None) -> list[Seen]:
    if node is None:
        return []
    lines = node.control.lines("node_missing")
    lines += [line for line in node.control.lines("datastore", "other") if _names_no_node(line.text)]
    lines += [line for line in node.control.lines("node_ip_conflict") if _NO_NAME.search(line.text)]
    lines += _after_its_address(node)
    changes = [line for line in node.control.lines("node_ip_changed") if MULTIPLE in line.text]
    lines += changes if sum(line.count for line in changes) >= TURNS else []
    return [Seen(node.name, f"{line.component or 'calico-node'} log", line.text, line.at) for line in lines[:2]]


def _after_its_address(node: Node) -> list[HostLine]:
    """The lines in which Calico says that the node's address is on record for a host that is called after this very
    address: where nobody else has the address, that is the node itself, under another name."""
    return [line for line in node.control.lines("node_ip_conflict") if _is_named_after_its_address(line.text)]


def _is_named_after_its_address(text: str) -> bool:
    told, name = _BY_ADDRESS.search(text), stale_nodes.holder_in(text)
    if told is None or not name:
        return False
    in_name = _CLOUDS_NAME.match(name)
    return told.group("address") in (name, in_name.group(1).replace("-", ".") if in_name else "")


def _former(node: Node | None) -> str:
    """What the host is on record as from a time when it had no name, or went by its address; '' if nothing says so."""
    lines = node.control.lines("node_ip_conflict") if node else []
    found = next((match for line in lines if (match := _NO_NAME.search(line.text))), None)
    if found is None and node is not None:
        return next((stale_nodes.holder_in(line.text) for line in _after_its_address(node)), "")
    return found.group(1) if found else ""


def _kubernetes_name(evidence: Evidence, node: Node) -> str:
    """What Kubernetes calls the host, '' if nothing tells."""
    if node.own.kubelet_nodename:
        return node.own.kubelet_nodename
    record = next((one for one in evidence.registered if one.node is node), None)
    return record.record if record and record.kube else node.own.hostname_override


def _records_apart(evidence: Evidence) -> Iterator[Subject]:
    """Calico's own Node objects for which Kubernetes has a Node of another name with the same address."""
    cluster = evidence.cluster
    if cluster is None or not cluster.nodes:
        return
    by_address = {address: name for name, kube in cluster.nodes.items() for address in kube.internal_addresses}
    for name, calico in cluster.calico_nodes.items():
        other = by_address.get(calico.address("ipv4")) or by_address.get(calico.address("ipv6"))
        read = any(node.nodename == name for node in evidence.nodes.values())
        if name not in cluster.nodes and other and not read and not _has_address(evidence, other):
            shown = api.names(evidence, [other])[0]
            where = api.where(f"node {name}", "metadata.name", node=shown, nodename=name, kubernetes=other)
            yield Subject((shown,), evidence.down_at(shown), where, evidence.nodes.get(shown), name)


def _records_twice(evidence: Evidence) -> Iterator[Subject]:
    """Hosts that Calico has on record by their short name and by the whole one: its programs on them disagree."""
    records = evidence.cluster.calico_nodes if evidence.cluster else {}
    for whole, calico in records.items():
        short = records.get(whole.partition(".")[0])
        if short is None or short.name == whole:
            continue
        if any(len({one.address(family) for one in (short, calico)} - {""}) > 1 for family in ("ipv4", "ipv6")):
            continue  # two hosts, for they have addresses of their own
        shown = api.names(evidence, [short.name])[0]
        where = api.where(f"node {short.name}", "metadata.name", node=shown, nodename=short.name, kubernetes=whole)
        yield Subject(
            (shown,), evidence.down_at(shown), {**where, "twice": True}, evidence.nodes.get(shown), short.name
        )


def _has_address(evidence: Evidence, name: str) -> bool:
    calico = evidence.cluster.calico_nodes.get(name) if evidence.cluster else None
    return calico is not None and bool(calico.ipv4 or calico.ipv6)


def kubelet_goes_by_another(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubelet on this host is another Node than Calico takes it for."""
    node = subject.node
    if node is None or not node.own.kubelet_nodename or node.own.kubelet_nodename in (node.nodename, node.own.node_ref):
        return []
    detail = f"kubelet's certificate is for {node.own.kubelet_nodename}, calico-node runs as {node.nodename}"
    return [Seen(node.name, "kubelet certificate", detail)]


def no_such_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes has no Node of the name under which calico-node runs."""
    cluster = evidence.cluster
    name = str(subject.where["nodename"])
    if not api.read(cluster, "nodes") or cluster is None or not cluster.nodes or name in cluster.nodes:
        return []
    if subject.node and (subject.node.own.node_ref in cluster.nodes or not _is_apart(evidence, subject.node)):
        return []
    other = subject.where.get("kubernetes")
    known = f"; it is Node {other}" if other else f"; it has {words.listed(cluster.nodes)}"
    return [Seen(subject.nodes[0], "nodes", f"no Node {name}{known}", "metadata.name")]


def two_hosts_of_one_name(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Two hosts run calico-node under one name."""
    if len(subject.nodes) < 2:
        return []
    return [
        Seen(name, _source(evidence.nodes[name]), f"runs as {subject.where['nodename']}")
        for name in subject.nodes
        if name in evidence.nodes
    ]


def _source(node: Node) -> str:
    files = {"file": "/var/lib/calico/nodename", "environment": "environment", "hostname": "host name"}
    return files.get(node.own.nodename_source, "nodename")


def host_is_on_record_twice(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico has the host on record by its short name and by the whole one."""
    if not subject.where.get("twice"):
        return []
    short, whole = subject.where["nodename"], subject.where["kubernetes"]
    return [Seen(subject.nodes[0], "nodes of Calico", f"there are {short} and {whole}", "metadata.name")]


def file_says_otherwise(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The name that calico-node left on the host is another than the one it is told now."""
    node = subject.node
    if node is None or not node.own.nodename_file or node.own.nodename_file == node.nodename:
        return []
    return [Seen(node.name, "/var/lib/calico/nodename", f"says {node.own.nodename_file}, told is {node.nodename}")]


def daemonset_does_not_tell(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The DaemonSet does not tell calico-node its node's name, so that it goes by what it finds on the host."""
    agent = api.agent(evidence)
    container = effective.container(agent)
    if agent is None or container is None or not container.env:
        return []
    told = NODENAME in container.env or NODENAME in container.env_from
    return [] if told else [api.seen(f"{agent.kind} {agent.name}", f"env/{NODENAME}", "is not set")]


def calico_does_not_find_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that it does not find its Node, that several nodes have its name, or that a host without a name, or
    called after this address, has its address: itself, under the name it had before."""
    return [seen for name in subject.nodes for seen in _lines(evidence.nodes.get(name))]


def the_other_name_is_a_nodes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The name under which its address is on record is another Node's of Kubernetes, or another host's."""
    name = _former(subject.node)
    known = evidence.cluster is not None and name in evidence.cluster.nodes
    there = known or any(name == node.name and node is not subject.node for node in evidence.nodes.values())
    return [Seen(name, "nodes", f"there is {name}", "metadata.name")] if name and there else []


def kubelet_agrees(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubelet on this host goes by the same name."""
    node = subject.node
    agrees = node is not None and node.own.kubelet_nodename == node.nodename and len(subject.nodes) == 1
    return (
        [Seen(subject.nodes[0], "kubelet certificate", f"kubelet is {subject.where['nodename']}, too")]
        if agrees
        else []
    )


def _summary(evidence: Evidence, subject: Subject) -> str:
    name = subject.where["nodename"]
    if len(subject.nodes) > 1:
        return f"{words.listed(subject.nodes)} both run calico-node as {name}: Calico takes them for one node."
    other = subject.where.get("kubernetes")
    if subject.where.get("twice"):
        return f"Calico has one host on record as {name} and as {other}: its programs there go by different names."
    if _former(subject.node):
        return f"Calico has {name} on record under another name, which it had before: {_former(subject.node)}."
    known = f"Kubernetes knows it as {other}" if other else "there is no Node of that name"
    return f"calico-node on {subject.nodes[0]} runs as {name}, and {known}."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    """Tell calico-node the name of its Node, take away what says another, and have it start again there."""
    name = subject.nodes[0]
    lines = [commands.on_node(name, "hostname; cat /var/lib/calico/nodename"), "kubectl get nodes -o wide"]
    if _former(subject.node):
        lines.append(f"calicoctl delete node {commands.word(_former(subject.node), 'NAME')}")
    agent = api.agent(evidence)
    if agent is None:
        lines.append("kubectl get daemonset -A -o yaml | grep -A4 'name: NODENAME'   # is it spec.nodeName? else:")
    if agent is None or daemonset_does_not_tell(evidence, subject) or _told_a_fixed_name(evidence):
        lines += api.at_owner(evidence, f"env/{NODENAME}", [_tell_node_name(evidence)], value="spec.nodeName")
    if len(subject.nodes) > 1:
        rename = commands.on_node(name, "sudo hostnamectl set-hostname NEW-NAME")
        lines.append(f"{rename}   # NEW-NAME: one that no other host has; then have it join the cluster anew")
    other = file_says_otherwise(evidence, subject) or len(subject.nodes) > 1
    remove = commands.on_node(name, "sudo rm /var/lib/calico/nodename")
    lines.append(remove if other else f"{remove}   # if it is another host's")
    return [*lines, agent_pod.delete(evidence, str(subject.where.get("kubernetes") or name))]


def _told_a_fixed_name(evidence: Evidence) -> bool:
    """The DaemonSet gives every host one and the same name."""
    container = effective.container(api.agent(evidence))
    return container is not None and bool(container.env.get(NODENAME))


def _tell_node_name(evidence: Evidence) -> str:
    """Have calico-node told the name of the Node that its pod is on."""
    told = {"name": NODENAME, "value": None, "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    pod = {"spec": {"containers": [{"name": agent_pod.AGENT, "env": [told]}]}}
    patch = shlex.quote(json.dumps({"spec": {"template": pod}}))
    return f"kubectl patch {api.daemonset(evidence)} --type strategic -p {patch}"


NODENAME_MISMATCH = Fault(
    id="nodename_mismatch",
    family="membership",
    title="The node runs under another name than its Node object",
    severity="major",
    role="cause",
    means=(
        "Calico keeps everything about a node under its name. Under a wrong one it finds no Node and does not start, "
        "or it writes over what belongs to another host: two hosts take turns in being one node."
    ),
    subjects=names_apart,
    signals=(
        Signal(kubelet_goes_by_another, STRONG + MODERATE, required=True),
        Signal(two_hosts_of_one_name, STRONG + MODERATE, required=True),
        Signal(no_such_node, STRONG, required=True),
        Signal(calico_does_not_find_it, STRONG, required=True),
        Signal(host_is_on_record_twice, STRONG, required=True),
        Signal(file_says_otherwise, MODERATE),
        Signal(daemonset_does_not_tell, MODERATE),
        Signal(agent_is_unwell, WEAK),
        Signal(kubelet_agrees, -MODERATE),
        Signal(the_other_name_is_a_nodes, -STRONG),
    ),
    summary=_summary,
    fix=Fix(
        action="align_node_name",
        text=(
            "Have calico-node run under the name of its Node: NODENAME from the pod's spec.nodeName does that. Remove "
            "a file /var/lib/calico/nodename that came with a cloned image, and give cloned hosts names of their own."
        ),
        risk="medium",
        disrupts="calico-node on this host is restarted",
        commands=_commands,
    ),
    verify="The name of calico-node is that of the host's Node, and no other host has it.",
    lookalikes=(
        Lookalike("duplicate_node_ip", "the names differ, and the addresses are one"),
        Lookalike("stale_node_in_mesh", "nobody runs under the name any more"),
        Lookalike("bird_not_running", "calico-node found its Node, and started"),
    ),
    explains=(
        "bird_not_running",
        "peer_bird_not_running",
        "duplicate_node_ip",
        "stale_node_in_mesh",
        "wrong_ip_autodetection",
        "stale_node_ip",
        "undetermined",
    ),
)

FAULTS = (NODENAME_MISMATCH,)
