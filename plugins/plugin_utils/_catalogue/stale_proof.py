# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a machine is proven to be gone: by the API, and by what other nodes heard of its addresses.

A proof wants both. Silence alone is no proof where a router is between, as it may drop what it does not know; so one
node on the same link must have found that nobody answers for the address (ARP, neighbour discovery).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import api, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster, KubeNode
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

LONG = 3600
# Providers in providerID that are no cloud: nobody there would know that a machine is gone.
_NO_CLOUD = ("k3s", "rke2", "kind", "k0s", "microk8s", "baremetal")
_DEAD = ("failed", "incomplete")
_ALIVE = ("reachable",)


class Proof(NamedTuple):
    """name: on record. addresses: that it had. why_not: why it does not count as gone, '' if it is proven. seen: what
    proves it, a clause each."""

    name: str
    addresses: tuple[str, ...]
    why_not: str
    seen: tuple[str, ...] = ()


def proof(evidence: Evidence, name: str, silent_for: int = LONG, with_pods: bool = False) -> Proof:
    """The proof for a name on record. silent_for: seconds that its kubelet must have been silent."""
    cluster = evidence.cluster
    addresses = tuple(_addresses(cluster, name)) if cluster else ()
    if cluster is None or not api.read(cluster, "nodes") or not cluster.nodes:
        return Proof(name, addresses, "the API's Nodes are not known")
    kube = cluster.nodes.get(name)
    seen: list[str] = []
    checks = (
        _expected(evidence, name, addresses),
        _another_has_it(cluster, name, addresses),
        _kubernetes(cluster, kube, silent_for, seen),
        "" if with_pods else _pods(cluster, name),
        _partition(cluster),
        _network(evidence, addresses, seen) if addresses or kube else "",
    )
    return Proof(name, addresses, next(filter(None, checks), ""), tuple(seen))


def _addresses(cluster: Cluster, name: str) -> Iterator[str]:
    """Each once: Calico's on record, then Kubernetes'."""
    calico, kube = cluster.calico_nodes.get(name), cluster.nodes.get(name)
    told = [calico.address("ipv4"), calico.address("ipv6")] if calico else []
    told += kube.internal_addresses if kube else ()
    yield from dict.fromkeys(one for one in told if one)


def _expected(evidence: Evidence, name: str, addresses: tuple[str, ...]) -> str:
    """It was read, or it is a host of the inventory."""
    for node in evidence.nodes.values():
        if name in (node.name, node.nodename, node.own.kubelet_nodename, node.own.node_ref):
            return f"{node.name}, which was read, is this node"
        held = next((one for one in addresses if node.holds(one) or one == node.inventory_address), "")
        if held:
            return f"{node.name}, which was read, has its address {held}"
    record = api.record_of(evidence, name)
    for missing in evidence.missing:
        if missing.name in (name, record.name if record else name) or (
            missing.address and missing.address in addresses
        ):
            return f"{missing.name} is a host of the inventory and could not be read; take it out if it is really gone"
    for other in evidence.ignored:
        if other.name in (name, record.name if record else name) or (other.address and other.address in addresses):
            return f"{other.name} is a host of the inventory, and {other.why}"
    if name in evidence.aliases:
        return f"{name} is a host of the inventory"
    return ""


def _another_has_it(cluster: Cluster, name: str, addresses: tuple[str, ...]) -> str:
    for address in addresses:
        for other, kube in cluster.nodes.items():
            if other != name and address in kube.internal_addresses:
                return f"the Node {other} has its address {address}"
        for other, calico in cluster.calico_nodes.items():
            if other != name and address in (calico.address("ipv4"), calico.address("ipv6")):
                return f"{other} is on record with its address {address}"
    return ""


def _kubernetes(cluster: Cluster, kube: KubeNode | None, silent_for: int, seen: list[str]) -> str:
    """Kubernetes counts on it, or somebody else deletes Nodes here."""
    if kube is None:
        seen.append(f"none of the {len(cluster.nodes)} Nodes of Kubernetes")
        return ""
    scheme = kube.provider_id.partition("://")[0]
    if scheme and scheme not in _NO_CLOUD:
        return (
            f"its machine is of {scheme}, whose cloud controller deletes the Node by itself once the machine is gone; "
            "look there, and whether the cloud controller manager runs"
        )
    ready = kube.condition("Ready")
    if ready is None or ready.status != "Unknown":
        return f"Kubernetes hears of its kubelet: Ready is {ready.status}" if ready else "nothing tells of its kubelet"
    heard = [one for one in (ready.changed_at, kube.lease_renewed_at) if one is not None]
    if cluster.taken_at is None or not heard:
        return "it is not known since when its kubelet is silent"
    silent = int(cluster.taken_at - max(heard))
    if silent < silent_for:
        return f"its kubelet is silent for {words.span(max(silent, 0))} only, and not yet for {words.span(silent_for)}"
    seen.append(f"its kubelet is silent for {words.span(silent)}")
    return ""


def _pods(cluster: Cluster, name: str) -> str:
    """Pods with addresses of their own are bound to it, or Services send to it."""
    if cluster.service_endpoints.get(name):
        return f"ready pods of {words.plural(cluster.service_endpoints[name], 'Service')} are on it"
    count = cluster.workload_pods.get(name, 0)
    if count:
        return (
            f"{words.plural(count, 'pod')} are still bound to it (kubectl get pods -A --field-selector "
            f"spec.nodeName={name}); let Kubernetes take them elsewhere (kubectl taint node {name} "
            "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute), or set stale_nodes_with_pods=true"
        )
    return "" if cluster.read("pods") else "the API's pods are not known"


def _partition(cluster: Cluster) -> str:
    """So many are silent that it may be this side which is cut off."""
    silent = [one for one in cluster.nodes.values() if (ready := one.condition("Ready")) and ready.status == "Unknown"]
    if 2 * len(silent) < len(cluster.nodes):
        return ""
    return f"{len(silent)} of {len(cluster.nodes)} Nodes are silent, which looks like a network that is cut in two"


def _network(evidence: Evidence, addresses: tuple[str, ...], seen: list[str]) -> str:
    """Somebody hears of one of its addresses, or nobody can tell."""
    if not addresses:
        return "no address of it is on record, so that nobody can have looked for it"
    for address in addresses:
        on_link = []
        for node in evidence.nodes.values():
            answer = _answer(node, address)
            if answer:
                return answer
            reach = node.reachability.get(address)
            if reach is not None and reach.neighbour in _DEAD:
                on_link.append(node.name)
        if on_link:
            seen.append(f"nobody answers for {address} on the link of {words.listed(on_link)}")
        elif _is_bgp(evidence, address):
            return f"no node that was read is on the link of {address} and has looked for it"
    return "" if any(one.startswith("nobody answers") for one in seen) else "no node has looked for its addresses"


def _is_bgp(evidence: Evidence, address: str) -> bool:
    """The address is one that the nodes peer with, so that they would have looked for it."""
    return bool(evidence.sessions_by_address.get(address)) or any(
        address in (record.address("ipv4"), record.address("ipv6")) for record in evidence.registered
    )


def _answer(node: Node, address: str) -> str:
    """What this node heard from the address, '' if nothing."""
    if any(address in daemon.established for daemon in node.daemons.values()):
        return f"{node.name} has a BGP session with {address}"
    reach, probe = node.reachability.get(address), node.probes.get(address)
    if reach is not None and (reach.echo == "answered" or reach.neighbour in _ALIVE):
        return f"{address} answers {node.name}"
    if probe is not None and (probe.result in ("open", "reset") or probe.answered_by == address):
        return f"{address} answers a SYN of {node.name}"
    return ""
