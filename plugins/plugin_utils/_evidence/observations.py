# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tried by hand, as environment.yml of a bundle tells it.

What was tried between nodes is what the collection's own probes try, and is put with these, where they told nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.packing import canonical
from .._cluster import documents
from . import plain
from .model import Probe, Reachability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .evidence import Evidence
    from .model import Node

MOST = 1000
# Of a paste of what was tried, as much is read.
LARGEST_TRIED = 1024 * 1024
BGP_PORT = 179
TOLD = "tried by the operator"
_LARGEST = 1024 * 1024
_LONGEST = 200
_SAME = {
    "open": ("ok", "success", "succeeded", "connected", "answered", "works", "reply"),
    "refused": ("reset", "rejected", "connection refused"),
    "timeout": ("timed out", "timedout", "silent", "silence", "filtered", "lost", "no answer", "no reply"),
    "unreachable": ("no route", "no route to host", "network unreachable", "host unreachable"),
}
_RESULTS = {word: result for result, words in _SAME.items() for word in (result, *words)}
_PROBED = {"open": "open", "refused": "reset", "timeout": "silent", "unreachable": "rejected"}
_NOT_TRIED = "not_tried"
_ECHOED = {"open": "answered", "timeout": "silent", "unreachable": "unreachable"}


@dataclass(frozen=True)
class Observation:
    """One thing that was tried.

    check: tcp, udp, ping, works-only … result: open, refused, timeout, unreachable, or as it was written. source and
    target: nodes, addresses, or what lies on a node ("pod-on-node-1"). scope: same-subnet, same-zone or same-node. size
    in bytes. What is not told is '' or None. outside: an end is none that is known to be a node or a pod here. said:
    the words of the program that tried it.
    """

    check: str
    source: str = ""
    target: str = ""
    result: str = ""
    port: int | None = None
    size: int | None = None
    scope: str = ""
    outside: bool = False
    said: str = ""


def read(environment: str) -> tuple[Observation, ...]:
    """Return what the text of environment.yml tells of, in its order; what cannot be understood is left out."""
    if not environment.strip() or len(environment) > _LARGEST:
        return ()
    found = documents.read(environment).objects
    return tuple(_observations(found[0].get("observations") if found else None))


def _observations(told: Any) -> Iterator[Observation]:
    for one in plain.mappings(told)[:MOST]:
        check = _word(one.get("check"))
        if check:
            result = _word(one.get("result"))
            yield Observation(
                check,
                plain.text(one.get("from"))[:_LONGEST].strip(),
                plain.text(one.get("to"))[:_LONGEST].strip(),
                _RESULTS.get(result, result),
                _number(one.get("port")),
                _number(one.get("size")),
                _word(one.get("scope")),
            )


def _word(value: Any) -> str:
    return " ".join(plain.text(value)[:_LONGEST].lower().split())


def _number(value: Any) -> int | None:
    """A whole number, also one that stands in quotation marks."""
    text = value.strip() if isinstance(value, str) else ""
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else plain.integer(value)
    return found if found is not None and 0 < found < 1 << 31 else None


def with_what_was_tried(evidence: Evidence, tried: tuple[Observation, ...]) -> Evidence:
    """The evidence with what was tried, and with what was tried between nodes among the probes of these nodes."""
    if not tried:
        return evidence
    nodes = dict(evidence.nodes)
    by_name = {name: node for node in nodes.values() for name in names_of(node)}
    for one in tried:
        node = by_name.get(one.source.lower())
        address = _address(evidence, by_name, one.target)
        if node is not None and address and not one.size:
            nodes[node.name] = _with(nodes[node.name], one, address)
    return replace(evidence, nodes=nodes, observations=tried)


def names_of(node: Node) -> set[str]:
    """All that somebody may call a node, in small letters."""
    held = [held.address for held in node.addresses]
    names = (node.name, node.nodename, node.hostname, node.inventory_address, *node.bgp_addresses.values(), *held)
    return {name.lower() for name in names if name}


def _address(evidence: Evidence, by_name: Mapping[str, Node], name: str) -> str:
    """The address by which a node that is called so is known in BGP, or an address as it stands; '' if neither."""
    node = by_name.get(name.lower())
    if node is not None and node.bgp_addresses:
        return next(iter(node.bgp_addresses.values()), "")
    if "." in name or ":" in name:
        written = canonical(name)
        if any(written in (side.address, other.address) for one in evidence.table.down for side, other in one.sides()):
            return written
    record = next((one for one in evidence.registered if name in (one.record, one.name)), None)
    stored = record.address("ipv4") if record else ""
    return stored or next((one.address for one in evidence.missing if one.name == name), "")


def _with(node: Node, one: Observation, address: str) -> Node:
    """The node with one more probe or echo; its own ones count before what was tried by hand."""
    if one.check == "tcp" and one.port and one.result in _PROBED:
        speaks_there = {BGP_PORT, *(daemon.troubled[address].port for daemon in _towards(node, address))}
        known = node.probes.get(address)
        if one.port in speaks_there and (known is None or known.result == _NOT_TRIED):
            probe = Probe(address, "", _PROBED[one.result], detail=TOLD, port=one.port)
            return replace(node, probes={**node.probes, address: probe})
    before = node.reachability.get(address) or Reachability(address, "", None, "", "", _NOT_TRIED)
    if one.check == "ping" and one.result in _ECHOED and before.echo == _NOT_TRIED:
        reach = replace(before, echo=_ECHOED[one.result])
        return replace(node, reachability={**node.reachability, address: reach})
    return node


def _towards(node: Node, address: str) -> Iterator[Any]:
    return (daemon for daemon in node.daemons.values() if address in daemon.troubled)
