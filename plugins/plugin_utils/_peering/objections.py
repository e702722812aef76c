# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a BGPPeer by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import addresses, selector
from .model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import BGPPeer
    from .plan import Builder

    # The kind of problem, the nodes, a sentence.
    _Told = tuple[str, tuple[str, ...], str]

_WRITTEN = {"ipv4": "IPv4", "ipv6": "IPv6"}


def of_all(builder: Builder) -> Iterator[Problem]:
    """The problems of all BGPPeers, by name."""
    for one in sorted(builder.cluster.bgp_peers, key=lambda peer: peer.name):
        for kind, nodes, detail in _about(builder, one):
            yield Problem(kind, f"BGPPeer {one.name}", tuple(sorted(nodes)), detail)


def _about(builder: Builder, one: BGPPeer) -> Iterator[_Told]:
    if one.node and one.node_selector:
        yield "node_and_selector", (one.node,), "It has both node and nodeSelector; confd goes by nodeSelector."
    if one.peer_ip and one.peer_selector:
        yield "address_and_selector", (), "It has both peerIP and peerSelector; confd goes by peerSelector."
    yield from _selection(builder, one)
    if one.local_workload_selector or one.peer_selector:
        yield from _needless(one)
        return
    yield from _address(builder, one)


def _selection(builder: Builder, one: BGPPeer) -> Iterator[_Told]:
    for field_name, text, kind in (
        ("nodeSelector", one.node_selector, "selects_no_node"),
        ("peerSelector", one.peer_selector, "selects_no_peer"),
    ):
        if not text:
            continue
        nodes, wrong = builder.matching(text), _why_not(text)
        if wrong:
            yield (
                "selector_invalid",
                _meant(builder, one, field_name),
                f"Its {field_name} is no selector and selects nothing. {wrong}",
            )
        elif not nodes:
            yield (
                kind,
                _meant(builder, one, field_name),
                f"Its {field_name} selects none of {len(builder.plan.speakers)} nodes.",
            )
        elif builder.plan.owners and not any(builder.plan.speakers[name].addresses for name in nodes):
            yield kind, nodes, f"Its {field_name} selects only nodes that have no BGP address."
    if one.peer_selector and not one.local_workload_selector:
        nodes = builder.matching(one.peer_selector)
        if len(nodes) == 1 and builder.local_nodes(one) == nodes:
            yield "peer_is_itself", nodes, f"Its peerSelector selects only {nodes[0]}, the only node it is for."
    if one.node and not one.node_selector and one.node not in builder.plan.speakers:
        yield "node_unknown", (one.node,), f"It is for node {one.node}, and there is no such Calico node."


def _meant(builder: Builder, one: BGPPeer, field_name: str) -> tuple[str, ...]:
    """The nodes at the other end of sessions that a selector was to make; () where that is no node of the cluster.

    A BGPPeer that is for all nodes tells nothing by that.
    """
    if field_name == "peerSelector":
        local = one.node or (one.node_selector and one.node_selector.strip() != "all()")
        return tuple(name for name in builder.local_nodes(one) if name in builder.plan.speakers) if local else ()
    if one.peer_selector:
        return builder.matching(one.peer_selector)
    return builder.plan.owners.get(addresses.canonical(addresses.split_port(one.peer_ip)[0]), ())


def _address(builder: Builder, one: BGPPeer) -> Iterator[_Told]:
    host, port = addresses.split_port(one.peer_ip)
    address = addresses.canonical(host)
    if not address:
        told = f"is {one.peer_ip[:80]!a}, which is no address" if one.peer_ip else "is missing"
        yield "peer_address_malformed", (), f"Its peerIP {told}; confd leaves this BGPPeer out."
        return
    if not addresses.reachable(one.reachable_by, address):
        yield (
            "reachable_by_malformed",
            (),
            f"Its reachableBy {one.reachable_by[:80]!a} is no address of the peer's family; confd leaves it out.",
        )
        return
    yield from _peer_nodes(builder, one, address)
    owners = builder.plan.owners.get(address, ())
    if owners and host != address:
        yield (
            "peer_address_spelling",
            owners,
            f"Its peerIP {host} is {address}, the address of node {owners[0]}, in a spelling that confd does not know.",
        )
    elif port and owners and not builder.nodes_at(address, one.as_number, port):
        ports = sorted({builder.plan.speakers[name].listen_port for name in owners} - {port})
        if ports:
            yield "port_mismatch", owners, f"Its peerIP names port {port}, and the node listens on {ports[0]}."


def _peer_nodes(builder: Builder, one: BGPPeer, address: str) -> Iterator[_Told]:
    owners = builder.plan.owners.get(address, ())
    family = addresses.family_of(address)
    known = [name for name in builder.local_nodes(one) if name in builder.plan.speakers]
    speaking = [name for name in known if family in builder.plan.speakers[name].addresses]
    nodes = tuple(name for name in speaking if name not in owners)
    if known and not speaking:
        yield "family_missing", tuple(known), f"None of the nodes that it is for has an {_WRITTEN[family]} address."
    elif speaking and not nodes:
        yield "peer_is_itself", tuple(speaking), f"Its peerIP {address} is the address of the only node it is for."
    if not one.as_number and nodes:
        yield (
            "as_missing",
            nodes,
            "It has a peerIP and no asNumber: confd writes AS 0, and BIRD refuses the whole configuration.",
        )


def _why_not(text: str) -> str:
    try:
        selector.parse(text)
    except selector.SelectorError as error:
        return str(error)
    return ""


def _needless(one: BGPPeer) -> Iterator[_Told]:
    if one.as_number and one.peer_selector:
        yield (
            "as_with_selector",
            (),
            f"It has asNumber {one.as_number} beside a peerSelector; confd takes the number of each peer's node.",
        )
    if one.local_as_number and one.peer_selector:
        yield (
            "local_as_with_selector",
            (),
            f"It has localASNumber {one.local_as_number} beside a peerSelector, where confd does not use it.",
        )
