# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address each node claims in BGP: what Calico has on record, and what the node's own bird.cfg says."""

from __future__ import annotations

import ipaddress
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._inet import is_address
from .._evidence.model import FAMILIES
from . import api
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import HostAddress, Node
    from .._evidence.registered import Registered
    from .._evidence.sessions import Session


PARTNERS_SHOWN = 3
_ADDRESS = re.compile(r"(?<![\w.:/])([0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f])(?:/(\d{1,3}))?(?![\w/])")


class Claim(NamedTuple):
    """An address that a node claims. stored: as Calico has it on record ('' if that is not known), else by bird.cfg, or
    by what Calico's log says (logged) where there is neither."""

    name: str
    family: str
    address: str
    stored: str
    node: Node | None
    record: Registered | None
    logged: bool = False

    @property
    def length(self) -> int | None:
        """The prefix length on record; None if there is none."""
        length = self.stored.partition("/")[2]
        return int(length) if length.isdecimal() and len(length) <= len("128") else None

    @property
    def place(self) -> tuple[str, str]:
        """The object or file where it stands, and the field."""
        if self.stored and self.record is not None:
            return f"Node/{self.record.record}", api.annotation(self.family)
        return "calico-node log" if self.logged else "bird.cfg", ""

    @property
    def where(self) -> dict[str, object]:
        """The claim as a finding's where."""
        found: dict[str, object] = {"node": self.name, "address": self.address}
        if self.stored:
            found["object"], found["field"] = self.place
        return found

    def is_of_family(self, address: str) -> bool:
        """Whether another address is of the same family."""
        return (":" in address) == (self.family == "ipv6")

    def seen(self, detail: str) -> Seen:
        """An observation where the claim stands."""
        place, field = self.place
        return Seen(self.name, place, detail, field)


def claims(evidence: Evidence) -> list[Claim]:
    """Every address that a node claims: first those on record, then those that only the node's bird.cfg says."""
    return evidence.once("claims", lambda: list(_claims(evidence)))


def _claims(evidence: Evidence) -> Iterator[Claim]:
    known: set[tuple[str, str]] = set()
    for record in evidence.registered:
        for family in FAMILIES:
            if record.stored(family) and not record.windows:
                known.add((record.name, record.address(family)))
                yield Claim(record.name, family, record.address(family), record.stored(family), record.node, record)
    for node in evidence.nodes.values():
        for family, address in node.bgp_addresses.items():
            if (node.name, address) not in known:
                yield Claim(node.name, family, address, "", node, api.record_of(evidence, node.name))
        told = logged_address(node)
        if told and not node.bgp_addresses and not any(name == node.name for name, _address in known):
            family = "ipv6" if ":" in told else "ipv4"
            yield Claim(node.name, family, told, "", node, api.record_of(evidence, node.name), logged=True)


def logged_address(node: Node) -> str:
    """The address that Calico found for a node last, by its log; or the one that it says another node has already."""
    for kind in ("autodetected", "node_ip_conflict"):
        for line in node.control.lines(kind):
            found = [match.group(1) for match in _ADDRESS.finditer(line.text) if is_address(match.group(1))]
            if found:
                return found[0]
    return ""


def claim_of(subject: Subject) -> Claim:
    """The claim that a subject is about."""
    claim = subject.about
    if isinstance(claim, Claim):
        return claim
    return Claim(subject.nodes[0], "ipv4", str(subject.where.get("address", "")), "", subject.node, None)


def holders(evidence: Evidence, address: str) -> list[str]:
    """The nodes whose hosts have an address."""
    return evidence.once("holders", lambda: _holders(evidence)).get(address, [])


def _holders(evidence: Evidence) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in evidence.nodes.values():
        for held in dict.fromkeys(one.address for one in node.addresses):
            found.setdefault(held, []).append(node.name)
    return found


def claimants(evidence: Evidence) -> dict[tuple[str, str], list[str]]:
    """(family, address) to the names of the nodes that claim it."""
    found: dict[tuple[str, str], list[str]] = {}
    for claim in claims(evidence):
        names = found.setdefault((claim.family, claim.address), [])
        if claim.name not in names:
            names.append(claim.name)
    return found


def neighbouring(address: str, held: HostAddress) -> bool:
    """The address is of the subnet of one that a host has."""
    if held.prefix is None or not 0 < held.prefix < 128:
        return False
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(f"{held.address}/{held.prefix}", strict=False)
    except ValueError:
        return False


def network_of(stored: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The subnet of an address with its prefix length; None for one that tells none, or is of its own."""
    try:
        network = ipaddress.ip_interface(stored).network
    except ValueError:
        return None
    return network if "/" in stored and network.num_addresses > 1 else None


def within(address: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """The address is of this subnet."""
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False


def works_in_bgp(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Sessions with this address are Established."""
    claim = claim_of(subject)
    node = claim.node
    if node is not None and node.addresses_complete and not node.has_at_all(claim.address):
        # What was made before it went lasts for a while, and elsewhere it may be another host's.
        return []
    if any(name != claim.name for name in holders(evidence, claim.address)):
        return []
    found = [Seen(name, "bird", f"Established with {claim.address}") for name in partners(evidence, claim.address)]
    daemon = node.daemons.get(claim.family) if node else None
    if node and daemon and daemon.established and node.bgp_addresses.get(claim.family) == claim.address:
        found.append(Seen(claim.name, "bird", f"{len(daemon.established)} sessions Established from it"))
    return found[:PARTNERS_SHOWN]


def partners(evidence: Evidence, address: str) -> list[str]:
    """The first few nodes that have a session Established with an address."""
    known = evidence.once("partners", dict[str, list[str]])
    if address not in known:
        known[address] = list(itertools.islice(_partners(evidence, address), PARTNERS_SHOWN))
    return known[address]


def _partners(evidence: Evidence, address: str) -> Iterator[str]:
    for node in evidence.nodes.values():
        if any(address in daemon.established for daemon in node.daemons.values()):
            yield node.name


def sessions_of(evidence: Evidence, claim: Claim) -> tuple[Session, ...]:
    """The sessions in trouble of a claim: those at the node, and those with the address."""
    at = {session.key: session for session in evidence.down_at(claim.name)}
    at.update({session.key: session for session in api.sessions_with(evidence, (claim.address,))})
    return tuple(at.values())


def agent_is_unwell(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's calico-node is not ready."""
    cluster = evidence.cluster
    record = api.record_of(evidence, subject.nodes[0])
    name = record.record if record else subject.nodes[0]
    return [
        Seen(subject.nodes[0], f"Pod/{pod.name}", _how(pod.phase, [one.reason for one in pod.containers]))
        for pod in (cluster.pods_of("calico-node", "canal") if cluster else ())
        if pod.node == name and not pod.ready and not pod.deleting
    ]


def _how(phase: str, reasons: list[str]) -> str:
    told = [reason for reason in reasons if reason]
    return f"{phase or 'its phase is not told'}, not ready" + (f" ({', '.join(told)})" if told else "")
