# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a host's addresses is the one that others reach it by, and which method of autodetection would find it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._address import autodetect, releases
from ...module_utils._host.calico_log_words import ODD_INTERFACES
from .._address import methods
from .._address.nodes import NodeAddresses
from .._evidence.address_facts import MAYBE_VIP, VIP
from . import address_claims

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.registered import Registered

MOST_METHODS = 3


class Truth(NamedTuple):
    """The address by which others reach a host, '' if nothing tells, and what tells."""

    address: str
    why: str


def is_odd(interface: str) -> bool:
    """An interface of containers, pods, services or tunnels, never one by which nodes know each other."""
    return interface.startswith(ODD_INTERFACES)


def is_alike_everywhere(evidence: Evidence, address: str) -> bool:
    """Container engines and hypervisors give every host this address, and no host here is known by one beside it: where
    others are in its subnet it is theirs, and its number says nothing."""
    return evidence.real.is_everywhere(address) and not _has_neighbours(evidence, address)


def _has_neighbours(evidence: Evidence, address: str) -> bool:
    subnet = address.rpartition(".")[0]
    others = evidence.once("subnets_of_hosts", lambda: _by_subnet(_of_hosts(evidence)))
    return any(other != address for other in others.get(subnet, ()))


def _by_subnet(addresses: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for address in addresses:
        if ":" not in address:
            found.setdefault(address.rpartition(".")[0], set()).add(address)
    return found


def _of_hosts(evidence: Evidence) -> Iterator[str]:
    """The addresses by which hosts are known: on record, in BGP, to Ansible, and on their own interfaces."""
    for record in evidence.registered:
        yield from (record.address("ipv4"), *record.internal_addresses)
    for node in evidence.nodes.values():
        yield node.inventory_address
        yield from (held.address for held in node.own.held if not is_odd(held.interface))
        for daemon in node.daemons.values():
            yield from daemon.established
    for session in evidence.table.down:
        yield from (side.address for side, _other in session.sides())


def truth(evidence: Evidence, node: Node, record: Registered | None, family: str) -> Truth:
    """The address by which others reach a host that was read. One that several hosts have is nobody's."""

    def fits(address: str) -> bool:
        held = node.own.of(address)
        if held is None or not held.own or is_odd(held.interface) or held.signs & {VIP, MAYBE_VIP}:
            return False
        alone = all(name == node.name for name in address_claims.holders(evidence, address))
        return alone and (":" in address) == (family == "ipv6")

    reached = {
        held.address
        for held in node.addresses
        if any(name != node.name for name in address_claims.partners(evidence, held.address))
    }
    detection = node.own.detection.get(family)
    sent_from = sorted(node.own.other_sources, key=lambda one: -len(node.own.other_sources[one]))
    candidates = (
        *((one, "other nodes have BGP sessions with it") for one in sorted(reached)),
        *((one, "Kubernetes knows the node by it") for one in (record.internal_addresses if record else ())),
        (node.inventory_address, "the inventory knows the node by it"),
        (node.own.kubelet_node_ip, "kubelet was told it"),
        *((one, "the kernel sends from it to the node's peers") for one in sent_from),
        (detection.outward if detection else "", "the kernel sends from it to far networks"),
    )
    return next((Truth(one, why) for one, why in candidates if one and fits(one)), Truth("", ""))


def fitting_methods(evidence: Evidence, family: str) -> list[str]:
    """The methods of autodetection that would pick right on every node that was read, the best one first."""
    return evidence.once(f"methods that fit {family}", lambda: _fitting_methods(evidence, family))


def _fitting_methods(evidence: Evidence, family: str) -> list[str]:
    read = {node.name for node in evidence.nodes.values() if node.own.complete and node.own.held}
    nodes = [one for one in all_addresses(evidence, family) if one.name in read]
    return [one.method for one in methods.methods_that_fit(nodes)][:MOST_METHODS] if nodes else []


def all_addresses(evidence: Evidence, family: str) -> list[NodeAddresses]:
    """All nodes that were read as the methods look at them."""
    records = {one.node.name: one for one in evidence.registered if one.node}
    return [_addresses(evidence, node, records.get(node.name), family) for node in evidence.nodes.values()]


def _addresses(evidence: Evidence, node: Node, record: Registered | None, family: str) -> NodeAddresses:
    """The node as the methods look at it."""
    true = truth(evidence, node, record, family)
    found: dict[str, list[autodetect.Held]] = {}
    positions: dict[str, int] = {}
    for held in node.own.held:
        if _is_network(held.address, held.prefix) and (":" in held.address) == (family == "ipv6"):
            positions.setdefault(held.interface, held.position)
            found.setdefault(held.interface, []).append(autodetect.Held(held.address, held.prefix or 0))
    detection = node.own.detection.get(family)
    return NodeAddresses(
        name=node.name,
        family=family,
        interfaces=tuple(autodetect.Interface(name, found[name]) for name in sorted(found, key=positions.__getitem__)),
        truth=true.address,
        truth_why=true.why or "nothing tells which of its addresses the others reach it by",
        outward=detection.outward if detection else "",
        version=releases.parse_version(node.calico_version),
        configured=detection.method if detection else "",
        moving=frozenset(held.address for held in node.own.held if held.signs & {VIP, MAYBE_VIP}),
        internal_ips=record.internal_addresses if record and record.kube else None,
    )


def _is_network(address: str, prefix: int | None) -> bool:
    try:
        ipaddress.ip_interface(f"{address}/{prefix}")
    except ValueError:
        return False
    return "%" not in address
