# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that the role bgp_firewall made on a host: which are for nobody any more, which a reboot would lose."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.firewall_own import PEER
from .._evidence import plain
from .._evidence.openings import COMMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._evidence.model import Node
    from .model import Given

Place = tuple[str, str, str, str]
_KEYS = ("path", "family", "table", "chain")


def saved_places(facts: Mapping[str, Any]) -> list[Place]:
    """Path, family, table and chain of the places in files that are loaded at boot."""
    told = plain.mappings(plain.mapping(facts.get("calico_firewall")).get("loaded_at_boot"))
    return [_place(one) for one in told]


def _place(one: Mapping[str, Any]) -> Place:
    path, family, table, chain = (plain.text(one.get(key)) for key in _KEYS)
    return path, family, table, chain


def inside(network: str, peers: Iterable[str]) -> list[str]:
    """The addresses that a prefix holds."""
    held = ipaddress.ip_network(network)
    return [peer for peer in peers if ipaddress.ip_address(peer) in held]


def _own(facts: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each rule, and the peer that it is for."""
    for entry in plain.mappings(plain.mapping(facts.get("calico_firewall")).get("own_rules")):
        if COMMENT in plain.text(entry.get("text")):
            for peer in plain.unpacked(entry.get("peers")):
                yield entry, peer


def gone(given: Given, node: Node) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rules for addresses that are no peer's and no node's any more, in words and as changes."""
    known = _known(given, node)
    for entry, peer in _own(given.own):
        family = "ipv6" if ":" in peer else "ipv4"
        daemon = node.daemons.get(family)
        heard = daemon is not None and daemon.socket_state == "answers" and daemon.total is not None
        # Of who is not read nobody knows the address, and only BIRD tells of peers that are no nodes.
        made = change(entry, peer, "absent")
        if made and heard and not given.missing and peer not in known:
            yield f"the rule for {peer} is taken away, which is no peer any more", made


def _known(given: Given, node: Node) -> set[str]:
    from .bgp_firewall import bgp_peers

    known = {peer for family in node.daemons for peer in bgp_peers(node, family)} | set(given.evidence.owners)
    cluster = given.evidence.cluster
    for kube in cluster.nodes.values() if cluster is not None else ():
        known.update(kube.internal_addresses)
    return known


def not_saved(facts: Mapping[str, Any], saved: list[Place]) -> list[dict[str, Any]]:
    """What puts the rules of the kernel into the files that are loaded at boot."""
    paths = {place[0] for place in saved}
    in_files = {(path, peer) for entry, peer in _own(facts) if (path := plain.text(entry.get("backend"))) in paths}
    found = []
    for entry, peer in _own(facts):
        backend, table = plain.text(entry.get("backend")), plain.text(entry.get("table"))
        family = plain.text(entry.get("family"))
        native, _blank, name = table.partition(" ")
        wanted = (native if name else family, name or table, plain.text(entry.get("chain")))
        for path, *rest in saved if backend not in paths else ():
            if tuple(rest) == wanted and (path, peer) not in in_files:
                found.append(
                    change({**entry, "backend": path, "family": wanted[0], "table": wanted[1]}, peer, "present")
                )
    return found


def change(entry: Mapping[str, Any], peer: str, state: str) -> dict[str, Any]:
    """The change that makes a rule, or takes it away; {} for what is none."""
    backend, family, table, chain, text = (
        plain.text(entry.get(key)) for key in ("backend", "family", "table", "chain", "text")
    )
    text = text.replace(PEER, peer)
    if backend == "ufw":
        return _ufw(text, state)
    if text.startswith("-A "):
        rule = text.partition(f"-A {chain} ")[2]
        place = {"table": table, "chain": chain, "rule": rule, "state": state}
        if backend.startswith("/"):
            return {"kind": "saved_rule", "path": backend, **place}
        short = "ip6tables" if family == "ipv6" else "iptables"
        return {"kind": "iptables_rule", "program": f"{short}-{backend.partition('-')[2]}", **place}
    rule = text.rpartition(' comment "')[0]
    place = {"chain": chain, "rule": rule, "comment": COMMENT, "state": state}
    if backend.startswith("/"):
        return {"kind": "saved_rule", "path": backend, "family": family, "table": table, **place}
    native, _blank, name = table.partition(" ")
    return {"kind": "nft_rule", "family": native, "table": name, **place}


def _ufw(text: str, state: str) -> dict[str, Any]:
    words = text.split()
    if len(words) < 8:
        return {}
    action, protocol, port, _to, destination, _from, source, way = words[:8]
    return {
        "kind": "ufw_rule",
        "action": action,
        "protocol": protocol,
        "port": port,
        "destination": destination,
        "source": source,
        "direction": way,
        "state": state,
    }
