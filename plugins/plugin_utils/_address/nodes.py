# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the methods of autodetection need to know of each node, read from its facts, and which of a node's addresses the
others really reach it by."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...module_utils._address import autodetect, releases
from ...module_utils._facts.packing import unpack
from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FAMILIES = ("ipv4", "ipv6")


@dataclass(frozen=True)
class NodeAddresses:
    """One node, for one family.

    truth is the address the others reach it by ('' if nothing tells), truth_why what tells. outward is the address the
    kernel sends from to far networks. Moving are its addresses that look as if they moved from host to host.
    internal_ips is None where the Kubernetes API was not asked.
    """

    name: str
    family: str
    interfaces: tuple[autodetect.Interface, ...]
    truth: str
    truth_why: str
    outward: str = ""
    version: tuple[int, int, int] | None = None
    configured: str = ""
    moving: frozenset[str] = frozenset()
    internal_ips: tuple[str, ...] | None = None

    def interface_of(self, address: str) -> str:
        """The interface that holds an address, '' if none does."""
        return next((each.name for each in self.interfaces for held in each.addresses if held.address == address), "")

    def prefix_of(self, address: str) -> int | None:
        """The prefix length of an address that the node holds."""
        return next(
            (held.prefix for each in self.interfaces for held in each.addresses if held.address == address), None
        )

    def source_of(self, destination: str) -> str | None:
        """The address the kernel would send from: that of the destination's own subnet, else the outward one."""
        try:
            wanted = ipaddress.ip_address(destination)
        except ValueError:
            return None
        best = (-1, "")
        for each in self.interfaces:
            for held in each.addresses:
                network = ipaddress.ip_network(f"{held.address}/{held.prefix}", strict=False)
                if held.address == destination:
                    return destination
                if wanted in network and network.prefixlen > best[0]:
                    best = (network.prefixlen, held.address)
        return best[1] or self.outward or None


@dataclass
class _Told:
    """What one node's facts say, before it is known which address is the true one."""

    name: str
    facts: Mapping[str, Any]
    inventory_address: str
    held: dict[str, str] = field(default_factory=dict)


def read(
    facts: Mapping[str, Mapping[str, Any]],
    family: str,
    inventory: Mapping[str, str] | None = None,
    internal_ips: Mapping[str, Sequence[str]] | None = None,
) -> list[NodeAddresses]:
    """Read all nodes' facts, as node_facts returns them by node.

    `inventory` gives the address each node is managed by, `internal_ips` the InternalIP addresses of the API.
    """
    told = [_Told(name, plain.mapping(node), (inventory or {}).get(name, "")) for name, node in facts.items()]
    for each in told:
        each.held = {held.address: entry.name for entry in _interfaces(each.facts, "") for held in entry.addresses}
    holders = Counter(address for each in told for address in each.held)
    proven = _proven(told)
    nodes = []
    for each in told:
        truth, why = _truth(each, family, holders, proven.get(each.name, ""))
        nodes.append(_node(each, family, (truth, why), internal_ips))
    return nodes


def _node(
    told: _Told, family: str, truth: tuple[str, str], internal_ips: Mapping[str, Sequence[str]] | None
) -> NodeAddresses:
    node = plain.mapping(told.facts.get("calico_node"))
    detection = plain.mapping(plain.mapping(node.get("autodetection")).get(family))
    moving = {
        plain.text(item.get("address"))
        for item in plain.mappings(node.get("addresses"))
        if {"vip", "maybe_vip"} & set(plain.texts(item.get("signs")))
    }
    known = None if internal_ips is None else tuple(internal_ips.get(told.name, ()))
    return NodeAddresses(
        name=told.name,
        family=family,
        interfaces=tuple(_interfaces(told.facts, family)),
        truth=truth[0],
        truth_why=truth[1],
        outward=plain.text(detection.get("outward")),
        version=releases.parse_version(plain.text(plain.mapping(node.get("calico")).get("version"))),
        configured=plain.text(detection.get("method")),
        moving=frozenset(moving),
        internal_ips=known,
    )


def _interfaces(facts: Mapping[str, Any], family: str) -> Iterator[autodetect.Interface]:
    """Yield the interfaces that hold addresses, in the kernel's order; of one family if it is given."""
    node = plain.mapping(facts.get("calico_node"))
    entries = plain.mappings(node.get("addresses")) + plain.mappings(node.get("other_addresses"))
    missing = set(plain.mapping(node.get("other_addresses_left_out")))
    all_missing = bool(plain.integer(node.get("addresses_left_out")))
    positions: dict[str, int] = {}
    held: dict[str, list[autodetect.Held]] = {}
    for item in entries:
        name, address = plain.text(item.get("interface")), plain.text(item.get("address"))
        prefix = plain.integer(item.get("prefix"))
        if not _is_address(address, prefix) or (family and (":" in address) != (family == "ipv6")):
            continue
        positions.setdefault(name, plain.integer(item.get("position")) or 0)
        held.setdefault(name, []).append(autodetect.Held(address, prefix or 0, plain.text(item.get("peer"))))
    for name in sorted(held, key=lambda name: positions[name]):
        yield autodetect.Interface(name, held[name], not all_missing and name not in missing)


def _is_address(address: str, prefix: int | None) -> bool:
    try:
        ipaddress.ip_interface(f"{address}/{prefix}")
    except ValueError:
        return False
    return "/" not in address and "%" not in address


def _proven(told: Sequence[_Told]) -> dict[str, str]:
    """Return by node the address with which most others have an established session, which is proof of both ends."""
    reached = Counter(address for each in told for address in _established(each.facts))
    return {
        each.name: max(
            (address for address in each.held if reached[address]), key=lambda a: (reached[a], a), default=""
        )
        for each in told
    }


def _established(facts: Mapping[str, Any]) -> Iterator[str]:
    for daemon in plain.mapping(plain.mapping(facts.get("calico_bgp")).get("daemons")).values():
        packed = plain.mapping(plain.mapping(plain.mapping(daemon).get("peers")).get("packed"))
        for group in packed.values():
            yield from _unpacked(plain.mapping(group))


def _unpacked(group: dict[str, Any]) -> list[str]:
    try:
        return list(unpack(group))
    except (ValueError, TypeError, AttributeError, OSError):
        return []


def _truth(told: _Told, family: str, holders: Counter[str], proven: str) -> tuple[str, str]:
    """Return a node's true address and what tells. An address that several nodes hold is nobody's."""

    def fits(address: str) -> bool:
        return (
            bool(address) and address in told.held and holders[address] == 1 and (":" in address) == (family == "ipv6")
        )

    if fits(proven):
        return proven, "other nodes have BGP sessions with it"
    if fits(told.inventory_address):
        return told.inventory_address, "the node is managed by it"
    node = plain.mapping(told.facts.get("calico_node"))
    outward = plain.text(plain.mapping(plain.mapping(node.get("autodetection")).get(family)).get("outward"))
    towards = Counter(
        plain.text(item.get("source"))
        for item in plain.mappings(plain.mapping(told.facts.get("calico_bgp")).get("peer_reachability"))
    )
    for source, _count in towards.most_common():
        if fits(source):
            return source, "the kernel sends from it to the node's peers"
    if fits(outward):
        return outward, "the kernel sends from it to far networks"
    return "", "nothing tells which of its addresses the others reach it by"
