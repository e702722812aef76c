# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that several objects break together: sessions, selectors, passwords, and who makes routes."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from .._evidence import plain
from .._peering import selector as selectors
from .context import network
from .model import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .context import Context
    from .model import Document, Path

_SERVICES = ("serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs")
_REFLECTOR = "projectcalico.org/RouteReflectorClusterID"
LONGEST_PASSWORD = 80
_NAMESPACES = ("kube-system", "calico-system")
# Kinds from which Secrets are made in the cluster.
_SECRET_MAKERS = ("ExternalSecret", "SealedSecret", "SopsSecret", "VaultStaticSecret")
# By default Felix makes none of these before 3.33, and BIRD all of them; see felix/config/config_params.go.
_OWNERS = {"Enabled": {"ipip", "none"}, "Disabled": set(), "EnabledIPIPOnly": {"ipip"}, "EnabledNoEncapOnly": {"none"}}


def no_sessions(context: Context) -> Iterator[Problem]:
    """The mesh is off, and nothing stands in its place."""
    mesh = context.mesh
    if mesh is not None and mesh.spec.get("nodeToNodeMeshEnabled") is False and not context.peers:
        says = f"{mesh.about} turns the mesh off, and there is no BGPPeer among the objects."
        yield Problem(mesh, ("spec", "nodeToNodeMeshEnabled"), says)


def selections(context: Context) -> Iterator[Problem]:
    """Selectors that are none, or that select no Node among those that are given."""
    nodes = _nodes(context)
    for one in context.peers:
        for key in ("nodeSelector", "peerSelector", "localWorkloadSelector"):
            told = one.spec.get(key)
            try:
                chosen = selectors.parse(plain.text(told)) if told else None
            except selectors.SelectorError as error:
                says = f"{one.about}: {key} is no selector. {str(error).rstrip('.')}."
                yield Problem(one, ("spec", key), says, "major")
                continue
            by_labels = chosen is not None and key != "localWorkloadSelector" and bool(nodes)
            if by_labels and chosen and not any(chosen.matches(labels) for labels in nodes.values()):
                says = f"{one.about}: {key} selects none of the {len(nodes)} Nodes given."
                yield Problem(one, ("spec", key), says)
        name = plain.text(one.spec.get("node") or "")
        if name and nodes and name not in nodes:
            says = f"{one.about} is for the node {name[:80]}, which is not among those given."
            yield Problem(one, ("spec", "node"), says)


def _nodes(context: Context) -> Mapping[str, Mapping[str, str]]:
    return {one.name: one.labels for one in context.of("Node") if one.name}


def reflectors(context: Context) -> Iterator[Problem]:
    """Route reflectors that nobody peers with: a node with a cluster ID leaves the mesh."""
    nodes = _nodes(context)
    for one in context.of("Node"):
        cluster = one.annotations.get(_REFLECTOR, "")
        if cluster and not any(_concerns(peer, one.name, nodes) for peer in context.peers):
            says = (
                f"{one.about} is a route reflector and so out of the mesh, and no BGPPeer among the objects is for it."
            )
            yield Problem(one, ("metadata", "annotations", _REFLECTOR), says)


def _concerns(peer: Document, name: str, nodes: Mapping[str, Mapping[str, str]]) -> bool:
    """A BGPPeer gives the node a session: as its own end, or as the peer."""
    own = plain.text(peer.spec.get("node") or "")
    told = plain.text(peer.spec.get("nodeSelector") or "")
    try:
        ends = own == name if own else selectors.parse(told).matches(nodes[name])
        peers = plain.text(peer.spec.get("peerSelector") or "")
        return ends or bool(peers and selectors.parse(peers).matches(nodes[name]))
    except selectors.SelectorError:
        return True


def secrets(context: Context) -> Iterator[Problem]:
    """Passwords that calico-node will not find."""
    given = {(one.namespace, one.name): one for one in context.of("Secret")}
    made = {one.name for one in context.of(*_SECRET_MAKERS)}
    for document, path, name, key in _references(context):
        found = [one for (_namespace, secret), one in given.items() if secret == name]
        there = [one for one in found if one.namespace in ("", *_NAMESPACES)]
        if not found and name not in made:
            severity = "major" if given or made else "info"
            says = f"{document.about} takes a password of the Secret {name[:80]}, which is not among the objects."
            yield Problem(document, path, says, severity)
        elif found and not there:
            where = f"in the namespace {found[0].namespace}, where nobody reads it"
            says = f"{document.about}: the Secret {name[:80]} is {where}."
            yield Problem(document, path, says)
        elif there and not any(key in _keys(one) for one in there):
            yield Problem(document, path, f"{document.about}: the Secret {name[:80]} has no key {key[:80]}.")


def _references(context: Context) -> Iterator[tuple[Document, Path, str, str]]:
    told = [(one, "password") for one in context.peers]
    told += [(one, "nodeMeshPassword") for one in context.calico("BGPConfiguration")]
    for one, key in told:
        reference = plain.mapping(plain.mapping(one.spec.get(key)).get("secretKeyRef"))
        name = plain.text(reference.get("name") or "")
        if name:
            yield one, ("spec", key, "secretKeyRef", "name"), name, plain.text(reference.get("key") or "")


def _keys(secret: Document) -> set[str]:
    return {*plain.mapping(secret.raw.get("data")), *plain.mapping(secret.raw.get("stringData"))}


def passwords(context: Context) -> Iterator[Problem]:
    """Passwords that the kernel or BIRD refuses. The value is only measured, never told."""
    wanted = {(name, key) for _document, _path, name, key in _references(context)}
    for one in context.of("Secret"):
        for key in _keys(one):
            value = _value(one, key) if (one.name, key) in wanted else None
            if value is not None:
                part = "stringData" if key in plain.mapping(one.raw.get("stringData")) else "data"
                says = _unfit(value)
                if says:
                    yield Problem(one, (part, key), f"{one.about}: the password under {key[:80]} {says}.")


def _value(secret: Document, key: str) -> bytes | None:
    told = plain.mapping(secret.raw.get("stringData")).get(key)
    if told is not None:
        return str(told).encode("utf-8", "replace")
    try:
        return base64.b64decode(str(plain.mapping(secret.raw.get("data")).get(key)), validate=True)
    except (binascii.Error, ValueError):
        return None


def _unfit(value: bytes) -> str:
    if len(value) > LONGEST_PASSWORD:
        return f"has {len(value)} bytes, and the kernel takes at most {LONGEST_PASSWORD}"
    if b"\n" in value or b'"' in value:
        return "has a line break or a quotation mark in it, on which BIRD refuses its whole configuration"
    return "is empty" if not value else ""


def ranges(context: Context) -> Iterator[Problem]:
    """Ranges of Services in which pods are."""
    for one in context.calico("BGPConfiguration"):
        for key in _SERVICES:
            for index, told in enumerate(plain.sequence(one.spec.get(key))):
                written = plain.text(plain.mapping(told).get("cidr") or "")
                known = network(written)
                for pool in context.pools:
                    other = pool.network
                    if known is None or other is None or known.version != other.version or not pool.for_pods:
                        continue
                    if known.overlaps(other):
                        says = f"{one.about}: {key} has {written}, and pods are in {pool.cidr} ({pool.document.about})."
                        yield Problem(one, ("spec", key, index, "cidr"), says)


def route_owners(context: Context) -> Iterator[Problem]:
    """Felix and BIRD both make the same routes, or neither does."""
    felix = next((one for one in context.calico("FelixConfiguration") if one.name == "default"), None)
    mesh = context.mesh
    by_felix = plain.text(felix.spec.get("programClusterRoutes") or "") if felix else ""
    by_bird = plain.text(mesh.spec.get("programClusterRoutes") or "") if mesh else ""
    if felix is None or by_felix not in _OWNERS or by_bird not in _OWNERS:
        return
    for what, called in (("ipip", "IPIP pools"), ("none", "pools without encapsulation")):
        makers = (what in _OWNERS[by_felix]) + (what in _OWNERS[by_bird])
        if makers != 1:
            who = "both Felix and BIRD make" if makers else "neither Felix nor BIRD makes"
            says = f"programClusterRoutes of Felix ({by_felix}) and of BGP ({by_bird}): {who} the routes of {called}."
            yield Problem(felix, ("spec", "programClusterRoutes"), says)


def metallb(context: Context) -> Iterator[Problem]:
    """Another speaker of BGP on the same nodes."""
    others = [one for one in context.of("BGPPeer", "BGPAdvertisement") if one.group == "metallb.io"]
    ours = context.mesh or next(iter(context.peers), None)
    if others and ours is not None:
        says = f"{others[0].about} has MetalLB speak BGP on nodes where Calico's BIRD does ({ours.about})."
        yield Problem(others[0], ("spec",), says)


def masks(context: Context) -> Iterator[Problem]:
    """Addresses on record without their subnet."""
    for one in context.of("Node"):
        for key, end in (("IPv4Address", "/32"), ("IPv6Address", "/128")):
            if one.annotations.get(f"projectcalico.org/{key}", "").endswith(end):
                says = f"{one.about} is registered with an address without its subnet ({end})."
                yield Problem(one, ("metadata", "annotations", f"projectcalico.org/{key}"), says)


def masquerade(context: Context) -> Iterator[Problem]:
    """kube-proxy that hides every sender."""
    for one in context.of("KubeProxyConfiguration"):
        for key in ("iptables", "nftables"):
            if plain.mapping(one.raw.get(key)).get("masqueradeAll") is True:
                says = f"KubeProxyConfiguration: {key}.masqueradeAll hides the senders of packets between nodes."
                yield Problem(one, (key, "masqueradeAll"), says)


RULES = (
    Rule(
        "mesh_disabled_no_peers",
        "critical",
        "The mesh is off and nothing replaces it",
        "No node has a BGP session; the pods stay Ready, and those on other nodes are not reached.",
        "Create the BGPPeers first, see them Established, and only then turn the mesh off.",
        ("BGPConfiguration", "BGPPeer"),
        no_sessions,
    ),
    Rule(
        "bgppeer_selects_nothing",
        "minor",
        "A BGPPeer selects nothing",
        "It makes no session, and nothing tells so.",
        "Correct the selector, or label the Nodes that are meant.",
        ("BGPPeer", "Node"),
        selections,
    ),
    Rule(
        "route_reflector_misconfigured",
        "major",
        "A route reflector has no peers",
        "A node with a cluster ID leaves the mesh at once, and without a BGPPeer for it, it has no session at all.",
        "Create a BGPPeer with a peerSelector for the reflectors before their Nodes get the cluster ID.",
        ("Node", "BGPPeer"),
        reflectors,
    ),
    Rule(
        "bgp_password_secret_unreadable",
        "major",
        "A BGP password will not be found",
        "The session is made without a password, which the peer refuses.",
        "Put the Secret with that key into calico-node's namespace, and let its service account read it.",
        ("BGPPeer", "BGPConfiguration", "Secret"),
        secrets,
    ),
    Rule(
        "md5_kernel_limit",
        "major",
        "A BGP password cannot be used",
        "The session stays down, or BIRD refuses its whole configuration, that of all other peers as well.",
        "Make the Secret anew with printf %s of at most 80 bytes, without line breaks and quotation marks.",
        ("Secret",),
        passwords,
    ),
    Rule(
        "bgpconfig_service_cidr_contains_pods",
        "critical",
        "Advertised ranges of Services contain pods",
        "BIRD keeps these ranges out of the routes, and pods in them are not reached from other nodes.",
        "Give the ranges of Services only, as the API server and the load balancer have them.",
        ("BGPConfiguration", "IPPool", "Installation"),
        ranges,
    ),
    Rule(
        "route_owner_conflict",
        "major",
        "Felix and BIRD disagree about who makes routes",
        "Routes to other nodes' pods are missing, or are made twice and flap.",
        "Give both fields programClusterRoutes values that complete each other, or leave both out.",
        ("FelixConfiguration", "BGPConfiguration"),
        route_owners,
    ),
    Rule(
        "metallb_conflict",
        "minor",
        "MetalLB and Calico both speak BGP",
        "The second of two speakers on a node gets neither port 179 nor a session with the same router.",
        "Have Calico announce the addresses (serviceLoadBalancerIPs), or use MetalLB for layer 2 only.",
        ("BGPPeer", "BGPAdvertisement", "BGPConfiguration"),
        metallb,
    ),
    Rule(
        "node_ip_mask_32",
        "minor",
        "A node's address has no subnet",
        "CrossSubnet takes every other node for one of another subnet, and encapsulates always.",
        "Register the address with the prefix length that its interface has.",
        ("Node",),
        masks,
    ),
    Rule(
        "kube_proxy_masquerade_all",
        "minor",
        "kube-proxy hides the senders of packets",
        "BGP's peers and policies see the node's address in the place of the sender's.",
        "Set masqueradeAll to false.",
        ("KubeProxyConfiguration",),
        masquerade,
    ),
)
