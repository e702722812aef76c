# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about BGPConfigurations and BGPPeers that one object alone can break."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .._cluster import values
from .._evidence import plain
from .model import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context
    from .model import Document

BGP_PORT = 179
# Pairs of which a BGPPeer may have one only, and what Calico does otherwise.
_PAIRS = (
    ("node", "nodeSelector", "names its node twice"),
    ("peerIP", "peerSelector", "names its peer twice"),
    ("peerIP", "localWorkloadSelector", "names its peer twice"),
    ("peerSelector", "localWorkloadSelector", "names its peer twice"),
    ("asNumber", "peerSelector", "gives an AS number to peers that are nodes and have their own"),
)


def _has(document: Document, key: str) -> bool:
    return bool(document.spec.get(key))


def listen_port(context: Context) -> Iterator[Problem]:
    """Another port than BGP's."""
    for one in context.calico("BGPConfiguration"):
        port = one.spec.get("listenPort")
        if port not in (None, BGP_PORT):
            says = f"{one.about} has BIRD listen on {plain.text(port)}: firewalls and failsafe ports are for 179."
            yield Problem(one, ("spec", "listenPort"), says)


def names(context: Context) -> Iterator[Problem]:
    """Configurations that nobody reads."""
    for one in context.calico("BGPConfiguration", "FelixConfiguration"):
        chosen = one.kind == "FelixConfiguration" and one.spec.get("nodeSelector")
        if one.name and one.name != "default" and not one.name.startswith("node.") and not chosen:
            says = f"Calico takes no notice of a {one.kind} called {one.name}."
            yield Problem(one, ("metadata", "name"), says)


def mesh_settings(context: Context) -> Iterator[Problem]:
    """Settings of a mesh that is off, and communities that nothing is given."""
    for one in context.calico("BGPConfiguration"):
        if one.spec.get("nodeToNodeMeshEnabled") is False:
            for key in ("nodeMeshPassword", "nodeMeshMaxRestartTime"):
                if one.spec.get(key):
                    yield Problem(one, ("spec", key), f"{one.about} has {key}, and the mesh is off.")
        if plain.sequence(one.spec.get("communities")) and not plain.sequence(one.spec.get("prefixAdvertisements")):
            says = f"{one.about} defines communities that no prefixAdvertisements use."
            yield Problem(one, ("spec", "communities"), says)


def contradictions(context: Context) -> Iterator[Problem]:
    """BGPPeers that say two things, or not enough."""
    for one in context.peers:
        for first, second, says in _PAIRS:
            if _has(one, first) and _has(one, second):
                yield Problem(one, ("spec", second), f"{one.about} {says}: {first} and {second}.")
        if not any(_has(one, key) for key in ("peerIP", "peerSelector", "localWorkloadSelector")):
            yield Problem(one, ("spec",), f"{one.about} names no peer: peerIP and peerSelector are missing.")
        if _has(one, "reachableBy") and not _has(one, "peerIP"):
            yield Problem(one, ("spec", "reachableBy"), f"{one.about} has reachableBy without a peerIP.")
        if one.spec.get("keepOriginalNextHop") is True and _has(one, "nextHopMode"):
            says = f"{one.about} tells of the next hop twice: keepOriginalNextHop and nextHopMode."
            yield Problem(one, ("spec", "nextHopMode"), says)


def addresses(context: Context) -> Iterator[Problem]:
    """Addresses at which no peer can be."""
    for one in context.peers:
        for key in ("peerIP", "reachableBy"):
            written = plain.text(one.spec.get(key) or "")
            why = _wrong(written, with_port=key == "peerIP") if written else ""
            if why:
                yield Problem(one, ("spec", key), f"{one.about}: {key} is {written[:60]!r}, which is {why}.")


def _wrong(written: str, with_port: bool) -> str:
    told = values.address_and_port(written.partition("%")[0])
    if told is None or (told[1] is not None and not with_port):
        return "no address"
    address = ipaddress.ip_address(told[0])
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return "no address that a peer can have"
    return ""


def as_numbers(context: Context) -> Iterator[Problem]:
    """Peers by address without an AS number, and numbers that are none."""
    for one in context.peers:
        number = one.spec.get("asNumber")
        asked = _has(one, "peerIP") or _has(one, "localWorkloadSelector")
        if number is None and asked and not _has(one, "peerSelector"):
            yield Problem(one, ("spec",), f"{one.about} names a peer by address and no asNumber.")
    for one in (*context.peers, *context.calico("BGPConfiguration")):
        for key in ("asNumber", "localASNumber"):
            number = one.spec.get(key)
            if number is not None and values.as_number(number) is None:
                yield Problem(one, ("spec", key), f"{one.about}: {key} is {plain.text(number)[:40]}, no AS number.")


RULES = (
    Rule(
        "port_listen_changed",
        "minor",
        "BGP listens on another port than 179",
        "Firewalls, failsafe ports and routers expect 179; peers that are not told the port never connect.",
        "Leave listenPort out; or open the port everywhere, give it to BGPPeers (ADDRESS:PORT), and accept the rule.",
        ("BGPConfiguration",),
        listen_port,
        policy=True,
    ),
    Rule(
        "configuration_name_ignored",
        "major",
        "A configuration has a name that Calico takes no notice of",
        "Nothing of what it says holds, and nothing tells so.",
        "Call it default, or node.NODENAME for one node.",
        ("BGPConfiguration", "FelixConfiguration"),
        names,
        policy=True,
    ),
    Rule(
        "bgpconfig_settings_unused",
        "minor",
        "A BGPConfiguration has settings that nothing uses",
        "Newer releases refuse the object; older ones take it, and the setting has no effect.",
        "Remove nodeMeshPassword and nodeMeshMaxRestartTime where the mesh is off, and communities without prefixes.",
        ("BGPConfiguration",),
        mesh_settings,
        policy=True,
    ),
    Rule(
        "bgppeer_contradiction",
        "major",
        "A BGPPeer contradicts itself",
        "Calico refuses it, or makes no session of it.",
        "Give one of node and nodeSelector, one of peerIP (and asNumber) and peerSelector, one word on the next hop.",
        ("BGPPeer",),
        contradictions,
        policy=True,
    ),
    Rule(
        "bgppeer_wrong_address",
        "major",
        "A BGPPeer names an address at which no peer can be",
        "Calico passes the peer over, and the routes that it was made for are missing.",
        "Write the peer's address, a port only if it is not 179: 192.0.2.1, 192.0.2.1:1790, [2001:db8::1]:1790.",
        ("BGPPeer",),
        addresses,
        policy=True,
    ),
    Rule(
        "as_mismatch",
        "major",
        "A BGPPeer has no AS number to expect",
        "BIRD refuses its whole configuration, that of all other peers as well, or the peer's OPEN.",
        "Give the peer's own AS number, from 1 to 4294967295, as asNumber.",
        ("BGPPeer", "BGPConfiguration"),
        as_numbers,
        policy=True,
    ),
)
