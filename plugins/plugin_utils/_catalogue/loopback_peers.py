# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGPPeers at an address of the host itself: they are meant for another speaker there, and BIRD calls itself."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from .._cluster import values
from . import api, words
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

_NO_SESSION = re.compile(r"not established with ([0-9a-fA-F.:, ]+)")
METALLB_PODS = ("speaker", "metallb-speaker")


def subjects(evidence: Evidence) -> Iterator[Subject]:
    """Loopback addresses that nodes are to peer with; one subject for each address, none where a session is up."""
    named = _named(evidence)
    trouble: dict[str, list[Node]] = {address: [] for address in (*named, *_told(evidence))}
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            for address in daemon.troubled:
                if is_loopback(address):
                    trouble.setdefault(address, []).append(node)
    for address, found in trouble.items():
        nodes = found or list(evidence.nodes.values())
        if not any(address in daemon.established for node in nodes for daemon in node.daemons.values()):
            name = named.get(address, "")
            where = api.where(f"BGPPeer {name}", "spec.peerIP", value=address) if name else {"object": "BGPPeer"}
            names = tuple(node.name for node in nodes)
            yield Subject(names, api.sessions_with(evidence, (address,)), {**where, "address": address}, None, [])


def _named(evidence: Evidence) -> dict[str, str]:
    """Loopback address -> the BGPPeer that names it."""
    found: dict[str, str] = {}
    for peer in evidence.cluster.bgp_peers if evidence.cluster else ():
        told = values.address_and_port(peer.peer_ip) if peer.peer_ip else None
        if told and is_loopback(told[0]):
            found.setdefault(told[0], peer.name)
    return found


def _told(evidence: Evidence) -> dict[str, str]:
    """Loopback address -> the event in which calico-node says that it has no session with it."""
    found: dict[str, str] = {}
    for event in evidence.cluster.events if evidence.cluster else ():
        told = _NO_SESSION.search(event.message)
        for address in told.group(1).split(",") if told else ():
            if is_loopback(address.strip()):
                found.setdefault(address.strip(), f"{event.about}: {event.message.strip()[-120:]}")
    return found


def is_loopback(address: str) -> bool:
    """Whether an address never leaves the host."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_one(subject: Subject) -> bool:
    """Whether a subject is one of these."""
    return is_loopback(str(subject.where.get("address", "")))


def host_peers_with_itself(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico is to peer with a loopback address, where its own BIRD listens."""
    if not is_one(subject):
        return []
    address = str(subject.where["address"])
    found = [api.seen(str(subject.where["object"]), "spec.peerIP", address)] if "field" in subject.where else []
    event = _told(evidence).get(address)
    found += [Seen("", "events", event)] if event else []
    return (
        found
        + [
            Seen(node.name, "bird", f"{protocol.name} is {words.state(protocol)}")
            for node in evidence.nodes.values()
            for daemon in node.daemons.values()
            if (protocol := daemon.troubled.get(address)) is not None
        ][:2]
    )


def metallb_is_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """MetalLB runs in the cluster."""
    if not is_one(subject) or evidence.cluster is None:
        return []
    return [
        Seen(pod.node, "pods", f"{pod.namespace}/{pod.name}")
        for pod in evidence.cluster.pods
        if pod.namespace.startswith("metallb") or pod.name.startswith(METALLB_PODS)
    ][:1]


def summary(subject: Subject) -> str:
    """What a loopback peer comes to."""
    return (
        f"Calico is to peer with {subject.where['address']}, the host itself: that is for another speaker there "
        f"(MetalLB), which BIRD cannot wait for. It calls itself, and is not ready as long as nobody answers."
    )
