# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a node that is gone and still has a record, so that everybody peers with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import api, commands, stale_proof, words
from .address_claims import agent_is_unwell
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject
from .unread_peers import affected, answers_nobody, answers_somebody, observers, record_at, unknown_machines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.registered import Registered

NODE_COLUMNS = "custom-columns=NAME:.metadata.name,BGP:.metadata.annotations.projectcalico\\.org/IPv4Address"
LONG = 3600.0
# What a host is called before it has a name: the record is this machine's own then.
NO_NAMES = ("localhost", "localhost.localdomain", "localhost6", "(none)")
# Calico 1.1 to 3.x, and calicoctl before.
_TAKEN = re.compile(r"(?:Calico node ?[('\"]+|is already in use by host )([^'\") ]+?)\.?(?=['\") ]|$)")


def left_over_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Peers that nobody knows, records without a Node of Kubernetes, and records that keep a node from starting."""
    told: set[str] = set()
    for subject in unknown_machines(evidence):
        told.update(subject.nodes)
        # Windows' firewall answers no echo, and nobody reads such a node: its silence tells nothing.
        if not _is_a_windows_node(evidence, str(subject.where.get("address", ""))):
            yield subject
    cluster = evidence.cluster
    for record in evidence.registered if cluster and cluster.nodes else ():
        calico = record.calico
        if calico and record.kube is None and record.node is None and record.name not in told and calico.kubernetes:
            addresses = [one for one in (calico.address("ipv4"), calico.address("ipv6")) if one]
            where = api.where(f"node {record.record}", "metadata.name", address=addresses[0] if addresses else "")
            yield Subject((record.name,), api.sessions_with(evidence, addresses), where, None, record)
    for node in evidence.nodes.values():
        other = taken_by(evidence, node.name)
        if other is not None and other not in NO_NAMES and not _was_read(evidence, other):
            where = {"node": node.name, "object": f"Node/{other}" if other else "Node"}
            yield Subject((node.name,), (), where, node, other)


def _is_a_windows_node(evidence: Evidence, address: str) -> bool:
    """Kubernetes has a Node with Windows of this address."""
    nodes = (one for one in evidence.registered if one.kube is not None and one.windows)
    return any(address in (one.address("ipv4"), one.address("ipv6"), *one.internal_addresses) for one in nodes)


def holder_in(text: str) -> str:
    """The node that has an address already, in Calico's words; '' if they do not name it."""
    found = _TAKEN.search(text)
    return found.group(1) if found else ""


def taken_by(evidence: Evidence, name: str) -> str | None:
    """The node that has this node's address by Calico's own word; '' if it is not named, None if nothing is said."""
    for line in evidence.nodes[name].control.lines("node_ip_conflict"):
        if holder_in(line.text) or "already " in line.text:
            return holder_in(line.text)
    return None


def _was_read(evidence: Evidence, name: str) -> bool:
    return any(name in (node.name, node.nodename) for node in evidence.nodes.values())


def _record(evidence: Evidence, subject: Subject) -> Registered | None:
    found = record_at(evidence, str(subject.where.get("address", "")))
    return found or api.record_of(evidence, subject.nodes[0])


def calico_says_it_is_taken(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico does not start, because another node, which was not read, is on record with this node's address."""
    node = subject.node
    lines = node.control.lines("node_ip_conflict") if node else []
    return [Seen(subject.nodes[0], f"{line.component or 'calico-node'} log", line.text, line.at) for line in lines[:2]]


def the_other_is_no_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes has no Node of the name that is on record with the address."""
    other, cluster = _named(subject), evidence.cluster
    if not other or cluster is None or not api.read(cluster, "nodes") or not cluster.nodes or other in cluster.nodes:
        return []
    return [Seen(other, f"Node/{other}", f"not among the {len(cluster.nodes)} Nodes", "metadata.name")]


def the_other_is_silent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes hears nothing of the node on record with the address, which this machine has now."""
    other = _named(subject)
    kube = evidence.cluster.nodes.get(other) if evidence.cluster and other else None
    ready = kube.condition("Ready") if kube else None
    if ready is None or ready.status != "Unknown":
        return []
    return [Seen(other, f"Node/{other}", f"Ready is Unknown: {ready.reason}", "status.conditions")]


def nobody_of_that_name(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Every node of the inventory was read, and none has the name that is on record with the address."""
    other = _named(subject)
    if not other or evidence.missing or evidence.ignored or len(evidence.nodes) < 2:
        return []
    return [Seen("", "inventory", f"{words.plural(len(evidence.nodes), 'node')} read, none is {other}")]


def _named(subject: Subject) -> str:
    """The node that Calico names as the one that has the address, '' where it is not Calico's log that tells."""
    return subject.about if subject.node is not None and isinstance(subject.about, str) else ""


def the_other_is_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node on record with the address is one of Kubernetes' Nodes, and Ready: it is not left over."""
    other = subject.about if isinstance(subject.about, str) else ""
    kube = evidence.cluster.nodes.get(other) if evidence.cluster and other else None
    ready = kube.condition("Ready") if kube else None
    return [Seen(other, f"Node/{other}", "Ready", "status.conditions")] if ready and ready.status == "True" else []


def no_kubernetes_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico has a record of a node of which Kubernetes has no Node."""
    record, cluster = _record(evidence, subject), evidence.cluster
    if cluster is None or not cluster.nodes or record is None or record.kube is not None or subject.node is not None:
        return []
    return [Seen(record.name, f"Node/{record.record}", f"not among the {len(cluster.nodes)} Nodes", "metadata.name")]


def its_address_is_another_nodes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes has a Node of another name with the same address: the machine is there."""
    address = str(subject.where.get("address", ""))
    cluster = evidence.cluster
    return [
        Seen(name, f"Node/{name}", f"InternalIP {address}", "status.addresses")
        for name, kube in (cluster.nodes.items() if cluster else ())
        if address and address in kube.internal_addresses and name not in subject.nodes
    ]


def kubelet_is_silent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes hears nothing of the node's kubelet."""
    record = _record(evidence, subject)
    ready = record.kube.condition("Ready") if record and record.kube else None
    if ready is None or ready.status != "Unknown":
        return []
    return [
        Seen(
            subject.nodes[0],
            f"Node/{record.record if record else ''}",
            f"Ready is Unknown: {ready.reason}",
            "status.conditions",
        )
    ]


def silent_for_long(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes has heard nothing of the node's kubelet for more than an hour."""
    record, cluster = _record(evidence, subject), evidence.cluster
    ready = record.kube.condition("Ready") if record and record.kube else None
    since = ready.changed_at if ready and ready.status == "Unknown" else None
    if cluster is None or cluster.taken_at is None or since is None or cluster.taken_at - since < LONG:
        return []
    return [
        Seen(
            subject.nodes[0],
            "Node",
            f"Ready is Unknown for {words.span(int(cluster.taken_at - since))}",
            "status.conditions",
        )
    ]


def only_it_is_in_no_inventory(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Every other Node is a host of the inventory and was read; this one is in no inventory, and silent for more than
    an hour."""
    record, cluster = _record(evidence, subject), evidence.cluster
    # What others have collected holds those nodes that could be reached; that says nothing of an inventory.
    live = cluster is not None and cluster.via not in ("", "bundle") and not evidence.missing
    if not live or record is None or record.kube is None or record.node is not None:
        return []
    others = [one for one in evidence.registered if one.kube is not None and one.record != record.record]
    if len(others) < 2 or any(one.node is None for one in others) or not silent_for_long(evidence, subject):
        return []
    return [Seen("", "inventory", f"all {len(others)} others were read, and none is {record.record}")]


def kubernetes_counts_on_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes has a Node with this address, of which it heard within the hour."""
    record = _record(evidence, subject)
    if record is None or record.kube is None or silent_for_long(evidence, subject) or subject.node is not None:
        return []
    ready = record.kube.condition("Ready")
    return (
        [Seen(record.name, f"Node/{record.record}", f"Ready is {ready.status}", "status.conditions")] if ready else []
    )


def comes_from_bgppeer(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The sessions come from a BGPPeer, not from the mesh: the peer need not be a node."""
    return [
        Seen(side.label, "bird", side.protocol.name)
        for side, _other in observers(subject)
        if side.protocol and side.protocol.kind in ("Node", "Global")
    ][:2]


def every_observer_peers_with_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Every node that was read still has a session configured towards the address."""
    looking = {side.label for side, _other in observers(subject)}
    if len(looking) < 2 or len(looking) < len([node for node in evidence.nodes.values() if node.daemons]):
        return []
    return [Seen(name, "bird", f"a session towards {subject.nodes[0]}") for name in sorted(looking)][:4]


def all_expected_nodes_are_known(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address belongs to none of the nodes of the inventory, and all of those are accounted for."""
    unread = (*evidence.missing, *evidence.ignored)
    if any(not one.address for one in unread) or subject.node is not None or not subject.sessions:
        return []
    known = words.plural(len(evidence.nodes) + len(unread), "node")
    return [Seen("", "inventory", f"{known} known, none has {subject.nodes[0]}")]


def an_unread_node_may_have_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A node of the inventory could not be read and its address is not known: the address may be its own."""
    unread = (*evidence.missing, *evidence.ignored)
    return [Seen(one.name, "ansible", one.why) for one in unread if not one.address]


def _summary(evidence: Evidence, subject: Subject) -> str:
    if subject.node is not None:
        other = f"a node {subject.about}" if subject.about else "another node"
        taken = f"{other}, of which nothing was seen, is on record with its address"
        return f"{subject.nodes[0]} does not start, because {taken}."
    if no_kubernetes_node(evidence, subject):
        dialled = f"; {affected(evidence, subject)} keep dialling it" if subject.sessions else ""
        return f"Calico has {subject.nodes[0]} on record, and Kubernetes has no such Node{dialled}."
    return (
        f"The mesh still contains {subject.nodes[0]}, which belongs to no node of the inventory and answers "
        f"nobody; {affected(evidence, subject)} keep dialling it."
    )


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    look = f"kubectl get nodes -o '{NODE_COLUMNS}'"
    name = str(subject.where.get("object", "")).partition("/")[2]
    if no_kubernetes_node(evidence, subject):
        return [look, f"calicoctl delete node {commands.word(name, 'NAME')}   # once its machine is known to be gone"]
    if name:
        return [look, f"kubectl delete node {commands.word(name, 'NAME')}   # once its machine is known to be gone"]
    shown = commands.word(subject.where.get("address") or "ADDRESS", "ADDRESS")
    cluster = evidence.cluster
    if cluster is not None and api.read(cluster, "nodes") and cluster.nodes:
        peers = f"{api.show(evidence, 'BGPPeer')} | grep -B12 -F {shown}"
        return [
            f"{peers}   # no Node has the address; a BGPPeer may",
            f"calicoctl get nodes -o wide | grep -F {shown}   # a record of Calico's own, where it has etcd",
        ]
    return [f"{look}   # which Node has {shown}; before it is deleted, its machine must be known to be gone"]


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """Where API and network prove that the machine of a Node is gone."""
    name = str(subject.where.get("object", "")).partition("/")[2]
    cluster = evidence.cluster
    if subject.node is not None or cluster is None or name not in cluster.nodes:
        return None
    if stale_proof.proof(evidence, name).why_not:
        return None
    return Remedy("stale_nodes", {"stale_nodes_names": [name]})


def _severity(evidence: Evidence, subject: Subject) -> str:
    """major where another node does not start because of it, else minor."""
    return "major" if calico_says_it_is_taken(evidence, subject) else "minor"


STALE_NODE_IN_MESH = Fault(
    id="stale_node_in_mesh",
    family="membership",
    title="A node that no longer exists is still in the mesh",
    severity="minor",
    role="cause",
    means=(
        "Calico still has a record of a machine that is gone, so every node keeps dialling its address. "
        "The living sessions are "
        "not harmed, but readiness messages name the dead address, and every restarted calico-node waits for it"
        " in vain."
    ),
    subjects=left_over_nodes,
    signals=(
        Signal(answers_nobody, STRONG, required=True),
        Signal(no_kubernetes_node, STRONG + WEAK, required=True),
        # Calico writes the same where both machines run: by itself the line is a guess.
        Signal(calico_says_it_is_taken, MODERATE - WEAK, required=True),
        Signal(the_other_is_no_node, STRONG),
        Signal(the_other_is_silent, MODERATE),
        Signal(nobody_of_that_name, WEAK),
        Signal(every_observer_peers_with_it, MODERATE),
        Signal(all_expected_nodes_are_known, WEAK),
        Signal(silent_for_long, WEAK),
        Signal(only_it_is_in_no_inventory, STRONG),
        Signal(agent_is_unwell, WEAK),
        Signal(an_unread_node_may_have_it, -STRONG),
        Signal(its_address_is_another_nodes, -STRONG),
        Signal(the_other_is_there, -STRONG - MODERATE),
        Signal(kubernetes_counts_on_it, -STRONG - MODERATE),
        Signal(comes_from_bgppeer, -STRONG - MODERATE),
        Signal(answers_somebody, -DECISIVE - STRONG),
    ),
    summary=_summary,
    severity_rule=_severity,
    fix=Fix(
        action="remove_stale_node",
        text=(
            "Either your inventory lacks a node (then add it), or a record is left over: a Node of Kubernetes, one of "
            "Calico's own in etcd, or a BGPPeer. Find it, make sure that the machine is really gone, and delete it. "
            "Deleting a Node releases its pod addresses."
        ),
        risk="medium",
        disrupts="nothing, if the machine is really gone",
        commands=_commands,
        remedy=_remedy,
    ),
    verify="No node has a session towards the address any more.",
    lookalikes=(
        Lookalike("peer_node_down", "the address belongs to a node of the inventory that cannot be reached"),
        Lookalike("stale_node_ip", "a living node is registered with the address"),
        Lookalike("duplicate_node_ip", "both nodes are there"),
        Lookalike("nodename_mismatch", "the machine is there, under another name"),
    ),
    explains=("undetermined", "duplicate_node_ip", "hold_timer_expired"),
)


FAULTS = (STALE_NODE_IN_MESH,)
