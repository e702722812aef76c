# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who peers with whom, for renderings that draw it: the field mesh of the report.

It grows with the nodes and with what is broken, not with the pairs of nodes: a healthy full mesh of a thousand nodes is
a thousand short rows. Nodes are told by their number in the list, which is ordered by zone, subnet and name.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from .._evidence.address_set import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._evidence.evidence import Evidence
    from .._evidence.model import Daemon, Node
    from .._evidence.registered import Registered

_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_NUMBERS = re.compile(r"(\d{1,9})")
_Masks = dict[str, int]


def picture(evidence: Evidence) -> dict[str, Any]:
    """The nodes, and of each node, by family and as '0-3,7': `up`, with whom it says that a session is established;
    `down`, whom it dials in vain (both ends, where both dial); `absent`, for whom it should have a protocol."""
    known = _known(evidence)
    names = sorted(known, key=lambda name: _place(known[name], name))
    number = {name: at for at, name in enumerate(names)}
    nodes = [{"name": name, **known[name]} for name in names]
    for what, masks in (
        ("up", _up(evidence, number)),
        ("down", _down(evidence, number)),
        ("absent", _absent(evidence, number)),
    ):
        for at, by_family in masks.items():
            told = {family: ranges(mask) for family, mask in by_family.items() if mask}
            nodes[at].update({what: told} if told else {})
    return {"nodes": nodes}


def ranges(mask: int) -> str:
    """The numbers of a mask's bits as text: '0-3,7'."""
    found = []
    at = 0
    while mask:
        skipped = (mask & -mask).bit_length() - 1
        mask >>= skipped
        at += skipped
        run = (~mask & mask + 1).bit_length() - 1
        found.append(f"{at}-{at + run - 1}" if run > 1 else str(at))
        mask >>= run
        at += run
    return ",".join(found)


def _place(told: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    words = _NUMBERS.split(name)
    natural = [(int(word), "") if at % 2 else (-1, word) for at, word in enumerate(words)]
    return (told.get("external", False), told.get("zone", ""), _as_network(told.get("subnet", "")), natural, name)


def _as_network(subnet: str) -> tuple[int, int, str]:
    try:
        network = ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return (0, 0, subnet)
    return (network.version, int(network.network_address), subnet)


def _known(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Everyone that the picture shows, by name."""
    records = {one.name: one for one in evidence.registered}
    expected = evidence.expected
    reflectors = {one.name for one in expected.reflectors} if expected else set()
    known = {name: _of_node(evidence, node, records.get(name)) for name, node in evidence.nodes.items()}
    for missing in evidence.missing:
        known.setdefault(missing.name, {**_at(missing.address), "read": False})
    for name, record in records.items():
        if name not in known and not record.windows:
            on_record = (record.address("ipv4"), record.address("ipv6"), *record.internal_addresses)
            known[name] = {**_at(next(filter(None, on_record), "")), "read": False}
        if name in known:
            known[name].update(_zone(record))
            known[name].update({"reflector": True} if record.record in reflectors else {})
    for label in _strangers(evidence):
        known.setdefault(label, {**_at(label), "external": True})
    return known


def _strangers(evidence: Evidence) -> Iterator[str]:
    """The names of those that sessions are held with, or dialled in vain."""
    for session in evidence.table.down:
        yield from (label for label in evidence.labels(session) if label)
    for addresses in _told(evidence).values():
        yield from (evidence.name_of(address) for address in addresses)


def _told(evidence: Evidence) -> dict[str, AddressSet]:
    """By family the addresses of all peers with whom somebody has a session."""
    found: dict[str, AddressSet] = {}
    for node in evidence.nodes.values():
        for family, daemon in node.daemons.items():
            found[family] = found.get(family, AddressSet()) | daemon.established
    return found


def _of_node(evidence: Evidence, node: Node, record: Registered | None) -> dict[str, Any]:
    address = evidence.address_of(node)
    if not address and record is not None:
        address = record.address("ipv4") or record.address("ipv6")
    address = address or node.inventory_address
    prefix = next((one.prefix for one in node.addresses if one.address == address), None)
    return {**_at(address, prefix), "read": True}


def _at(address: str, prefix: int | None = None) -> dict[str, str]:
    """An address and the subnet that it is in; where nobody tells its prefix, the 256 addresses around it."""
    length = prefix if prefix is not None else 64 if ":" in address else 24
    try:
        return {"address": address, "subnet": str(ipaddress.ip_network(f"{address}/{length}", strict=False))}
    except ValueError:
        return {}


def _zone(record: Registered) -> dict[str, str]:
    labels = record.kube.labels if record.kube else {}
    zone = next((labels[key] for key in _ZONES if labels.get(key)), "")
    return {"zone": zone} if zone else {}


def _up(evidence: Evidence, number: Mapping[str, int]) -> dict[int, _Masks]:
    told = _told(evidence)
    at = {family: _numbered(evidence, addresses, number) for family, addresses in told.items()}
    # Where no two addresses are one node's, a node that lacks few is told by what it lacks.
    whole = {
        family: _bits(found.values()) if len(set(found.values())) == len(found) else 0 for family, found in at.items()
    }
    masks: dict[int, _Masks] = {}
    for name, node in evidence.nodes.items():
        for family, daemon in node.daemons.items():
            mask = _mask(daemon, told[family], at[family], whole[family])
            masks.setdefault(number[name], {})[family] = mask & ~(1 << number[name])
    return masks


def _numbered(evidence: Evidence, addresses: Iterable[str], number: Mapping[str, int]) -> dict[str, int]:
    return {address: number[evidence.name_of(address)] for address in addresses}


def _mask(daemon: Daemon, told: AddressSet, at: Mapping[str, int], whole: int) -> int:
    if whole and len(daemon.established) > len(told) // 2:
        return whole & ~_bits(at[address] for address in told - daemon.established)
    return _bits(at[address] for address in daemon.established)


def _bits(numbers: Iterable[int]) -> int:
    mask = 0
    for one in numbers:
        mask |= 1 << one
    return mask


def _down(evidence: Evidence, number: Mapping[str, int]) -> dict[int, _Masks]:
    masks: dict[int, _Masks] = {}
    for session in evidence.table.down:
        dialler, listener = (number.get(label, -1) for label in evidence.labels(session))
        if min(dialler, listener) < 0:
            continue
        _add(masks, dialler, session.family, listener)
        if session.both_dial:
            _add(masks, listener, session.family, dialler)
    return masks


def _absent(evidence: Evidence, number: Mapping[str, int]) -> dict[int, _Masks]:
    masks: dict[int, _Masks] = {}
    comparison, expected = evidence.comparison, evidence.expected
    if comparison is None or expected is None:
        return masks
    shown = {one.record: one.name for one in evidence.registered}
    for one in comparison.of("missing", "one_sided"):
        for peer in one.peers:
            owner = expected.owner(peer)
            other = number.get(shown.get(owner, owner) or evidence.name_of(peer), -1)
            if one.inventory in number and other >= 0:
                _add(masks, number[one.inventory], one.family, other)
    return masks


def _add(masks: dict[int, _Masks], at: int, family: str, other: int) -> None:
    by_family = masks.setdefault(at, {})
    by_family[family] = by_family.get(family, 0) | 1 << other
