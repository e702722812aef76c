# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects go with a machine that is gone, in which order, and what Calico's own controllers do of that.

What refers to the Node goes first and the Node last: if the API falls silent in between, the next run still finds the
rest by it. Addresses of pods (blocks, affinities, handles) are calico-kube-controllers', which frees them only after
it has seen that no pod has them; here they are listed and never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import commands, stale_proof, words
from .._evidence import plain
from .._peering import addresses, selector
from . import api_facts
from .model import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._catalogue.stale_proof import Proof
    from .._cluster.model import BGPPeer, Cluster
    from .model import Given

    Change = dict[str, Any]

# Less is a reboot that takes its time.
LEAST_SILENCE = 600
_MOST_LISTED = 20


def changes(given: Given) -> Decision:
    """The deletions for the Nodes that are named and proven to be gone; without names only who might be.

    Options: names, silent_seconds, with_pods. `more` has ask: the API is to be asked first.
    """
    why = api_facts.missing(given, "nodes", "bgppeers", "bgpconfigurations", "felixconfigurations")
    cluster = given.evidence.cluster
    if why or cluster is None:
        return Decision(refused=why, more={"ask": True})
    silent = plain.integer(given.options.get("silent_seconds"))
    silent = stale_proof.LONG if silent is None else silent
    if silent < LEAST_SILENCE:
        raise ValueError(
            f"stale_nodes_silent_seconds is at least {LEAST_SILENCE}, as a machine may take its time to boot"
        )
    names = plain.texts(given.options.get("names"))
    with_pods = bool(given.options.get("with_pods"))
    asked = names or tuple(candidates(cluster))
    proofs = [stale_proof.proof(given.evidence, name, silent, with_pods) for name in asked]
    more = {"ask": False}
    if not names:
        return Decision(says=[line for one in proofs for line in _candidate(cluster, one)], more=more)
    refused = [f"{one.name} is not removed: {one.why_not}." for one in proofs if one.why_not]
    gone = {one.name for one in proofs}
    made: list[Change] = []
    says: list[str] = []
    for one in proofs:
        found = list(_objects(cluster, one, gone))
        there = one.name in cluster.nodes or one.name in cluster.calico_nodes or bool(found)
        says += _says(cluster, one, found) if there else [f"Nothing is left of {one.name} but what is listed."]
        says += _addresses_of_pods(cluster, one.name)
        says += _others(cluster, one.name, gone)
        made += found
    if refused:
        return Decision(says=says, refused=" ".join(refused), more=more)
    return Decision(made, says, more=more)


def candidates(cluster: Cluster) -> Iterator[str]:
    """Nodes of which Kubernetes hears nothing, and names that Calico's objects have and Kubernetes has not."""
    for name, kube in cluster.nodes.items():
        ready = kube.condition("Ready")
        if ready is not None and ready.status == "Unknown":
            yield name
    told = [*cluster.calico_nodes, *(one.node for one in cluster.blocks), *(one.node for one in cluster.bgp_peers)]
    yield from dict.fromkeys(one for one in told if one and one not in cluster.nodes)


def _candidate(cluster: Cluster, one: Proof) -> list[str]:
    if one.why_not:
        return [f"{one.name} is left: {one.why_not}."]
    gone = f"{one.name} is gone: {words.listed(one.seen)}. Name it in stale_nodes_names to have it removed."
    return [gone, *_addresses_of_pods(cluster, one.name)]


def _objects(cluster: Cluster, one: Proof, gone: set[str]) -> Iterator[Change]:
    name = one.name
    for peer in cluster.bgp_peers:
        if _only_for(peer, cluster, one, gone):
            told = {"node": peer.node, "nodeSelector": peer.node_selector, "peerIP": peer.peer_ip}
            told["peerSelector"] = peer.peer_selector
            yield _delete("BGPPeer", peer.name, expect={"spec": {key: value for key, value in told.items() if value}})
    for kind, known in (
        ("BGPConfiguration", cluster.bgp_configurations),
        ("FelixConfiguration", cluster.felix_configurations),
    ):
        if f"node.{name}" in known:
            yield _delete(kind, f"node.{name}")
    kube = cluster.nodes.get(name)
    if kube is not None:
        yield {**_delete("Node", name), "api_version": "v1", **({"uid": kube.uid} if kube.uid else {})}


def _delete(kind: str, name: str, **more: Any) -> Change:
    return {"action": "delete", "kind": kind, "name": name, **more}


def _only_for(peer: BGPPeer, cluster: Cluster, one: Proof, gone: set[str]) -> bool:
    """A BGPPeer is for this machine alone, as its own end or as the other one, and says so by name or address."""
    if peer.node:
        return peer.node == one.name
    if addresses.canonical(addresses.split_port(peer.peer_ip)[0]) in one.addresses:
        return True
    return any(
        f"'{one.name}'" in text.replace('"', "'")
        and one.name in (chosen := _selected(cluster, text))
        and chosen <= gone
        for text in (peer.node_selector, peer.peer_selector)
        if text
    )


def _selected(cluster: Cluster, text: str) -> set[str]:
    """The nodes that a selector selects; one that does not parse selects none."""
    try:
        parsed = selector.parse(text)
    except selector.SelectorError:
        return set()
    return {name for name, node in cluster.calico_nodes.items() if parsed.matches(node.labels)}


def _says(cluster: Cluster, one: Proof, found: list[Change]) -> list[str]:
    if not one.why_not and one.seen:
        proven = f"{one.name} is gone: {words.listed(one.seen)}."
        gone = words.listed([f"{change['kind']} {change['name']}" for change in found])
        lines = [proven, f"Deleted, in this order: {gone}."] if found else [proven]
        if one.name in cluster.calico_nodes and one.name not in cluster.nodes:
            where = "Its record is none of the API's (etcd)"
            lines.append(f"{where}: calicoctl delete node {commands.word(one.name, 'NAME')}")
        return lines
    return []


def _others(cluster: Cluster, name: str, gone: set[str]) -> list[str]:
    """BGPPeers that select only machines that are gone, and not by name: they may be meant for others to come."""
    lines = []
    for peer in cluster.bgp_peers:
        for text in (peer.node_selector, peer.peer_selector):
            chosen = _selected(cluster, text) if text else set()
            if name in chosen and chosen <= gone and f"'{name}'" not in text.replace('"', "'"):
                lines.append(f"BGPPeer {peer.name} then selects no node by {text}; it stays.")
    endpoints = [one.name for one in cluster.host_endpoints if one.node == name]
    if endpoints:
        lines.append(f"HostEndpoints of {name} stay if nobody else deletes them: {words.listed(endpoints)}.")
    return lines


def _addresses_of_pods(cluster: Cluster, name: str) -> list[str]:
    """The blocks that the node holds, and who frees them."""
    blocks = [one.cidr for one in cluster.blocks if one.node == name]
    if not blocks:
        return []
    shown = [f"{cidr} ({cluster.ipam_used.get(cidr, 0)} in use)" for cidr in blocks[:_MOST_LISTED]]
    more = f" and {len(blocks) - _MOST_LISTED} more" if len(blocks) > _MOST_LISTED else ""
    handles = words.listed([f"{kind}-tunnel-addr-{name}" for kind in ("ipip", "vxlan", "wireguard")])
    held = f"Blocks with affinity to {name}: {', '.join(shown)}{more}; its tunnel addresses have the handles {handles}."
    return [held, _who_frees_them(cluster)]


def _who_frees_them(cluster: Cluster) -> str:
    controllers = [one for one in cluster.workloads if one.component == "kube-controllers"]
    look = "calicoctl ipam check --show-problem-ips tells which are left"
    if not controllers:
        return f"calico-kube-controllers, which would free them, is not there; {look}."
    one = controllers[0]
    where = f"-n {commands.word(one.namespace, 'NAMESPACE')} deployment/{commands.word(one.name, 'NAME')}"
    if one.ready == 0:
        waits = [
            state.reason for pod in cluster.pods_of("kube-controllers") for state in pod.containers if state.reason
        ]
        why = f" ({words.listed(sorted(set(waits)))})" if waits else ""
        return f"calico-kube-controllers, which would free them, is not ready{why}: kubectl describe {where}"
    return (
        "calico-kube-controllers frees them within minutes after the Node is gone (leaked ones after its "
        f"leakGracePeriod, 15 minutes). If it does not, its log says why: kubectl logs {where}; {look}."
    )
