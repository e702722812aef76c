# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A builder of facts in the shape that node_facts returns, for tests of the join and the ranking.

What real nodes return in each fault is recorded under tests/unit/cases; this builder serves tests of single decisions.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode

STAMP = "2026-01-01T00:00:00Z"
ADDRESSES = {"node-1": "10.0.0.9", "node-2": "10.0.0.10", "node-3": "10.0.0.11", "node-4": "10.0.0.12"}


class Mesh:
    """A full mesh of nodes that is well until a test changes one node's facts."""

    def __init__(self, addresses: dict[str, str] | None = None) -> None:
        self.addresses = dict(addresses or ADDRESSES)
        self.facts = {name: self._healthy(name) for name in self.addresses}
        self.missing: list[MissingNode] = []

    def _healthy(self, name: str) -> dict[str, Any]:
        own = self.addresses[name]
        peers = [address for address in self.addresses.values() if address != own]
        return {
            "calico_node": {
                "taken_at": STAMP,
                "nodename": name,
                "addresses": [{"address": own, "prefix": 24, "interface": "eth0"}],
                "bgp_addresses": {"ipv4": own},
            },
            "calico_bgp": {
                "taken_at": STAMP,
                "expected": True,
                "expected_why": "CALICO_NETWORKING_BACKEND is bird",
                "daemons": {"ipv4": self._daemon(own, peers)},
                "listeners": [{"address": "0.0.0.0", "port": 179, "pid": 40, "process": "bird"}],
                "sources": [{"source": "bird_socket_ipv4", "status": "ok", "detail": ""}],
            },
            "calico_firewall": {
                "tcp179": {
                    way: [{"verdict": "accept", "family": "ipv4", "count": len(peers)}]
                    for way in ("inbound", "outbound")
                }
            },
            "calico_chrony": {"service": "chrony", "running": True, "synchronised": True, "why": ""},
        }

    @staticmethod
    def _daemon(own: str, peers: list[str]) -> dict[str, Any]:
        return {
            "running": True,
            "pid": 40,
            "socket_state": "answers",
            "router_id": own,
            "booted_seconds_ago": 86400,
            "config": {"local_as": 64512, "local_address": own, "password": "none"},
            "peers": {"total": len(peers), "established": len(peers), "packed": {"Mesh": pack(peers)}},
            "troubled": [],
        }

    def bgp(self, name: str) -> dict[str, Any]:
        """One node's calico_bgp."""
        found: dict[str, Any] = self.facts[name]["calico_bgp"]
        return found

    def daemon(self, name: str) -> dict[str, Any]:
        """One node's BIRD for IPv4."""
        found: dict[str, Any] = self.bgp(name)["daemons"]["ipv4"]
        return found

    def trouble(self, name: str, peer: str, bgp_state: str, last_error: str = "", **more: Any) -> None:
        """One end of a session is not established."""
        address = self.addresses.get(peer, peer)
        daemon = self.daemon(name)
        up = [known for known in self._established(daemon) if known != address]
        daemon["peers"]["packed"] = {"Mesh": pack(up)}
        daemon["troubled"].append(
            {
                "name": f"Mesh_{address.replace('.', '_')}",
                "kind": "Mesh",
                "peer": address,
                "state": "start",
                "bgp_state": bgp_state,
                "last_error": last_error,
                "neighbor_as": 64512,
                "local_as": daemon["config"]["local_as"],
                "passive": address > self.addresses[name],
                **more,
            }
        )

    @staticmethod
    def _established(daemon: dict[str, Any]) -> list[str]:
        from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import unpack

        return list(unpack(daemon["peers"]["packed"].get("Mesh", {})))

    def break_session(self, first: str, second: str) -> None:
        """Both ends of a session are not established: the dialler in Connect, the listener in Passive."""
        ends = sorted((first, second), key=lambda name: self.addresses[name])
        self.trouble(ends[1], ends[0], "Connect")
        self.trouble(ends[0], ends[1], "Passive")

    def probe(self, name: str, peer: str, result: str, **more: Any) -> None:
        """A node's half-open probe to a peer had a result."""
        address = self.addresses.get(peer, peer)
        probes = self.bgp(name).setdefault("probes", [])
        probes.append({"peer": address, "source": self.addresses[name], "port": 179, "result": result, **more})

    def reach(self, name: str, peer: str, neighbour: str = "reachable", echo: str = "answered") -> None:
        """A node reaches, or does not reach, a peer's host."""
        address = self.addresses.get(peer, peer)
        known = self.bgp(name).setdefault("peer_reachability", [])
        known.append({"peer": address, "neighbour": neighbour, "route": "eth0", "on_link": True, "echo": echo})

    def block(
        self, name: str, peers: list[str], verdict: str = "drop", direction: str = "inbound", **rule: Any
    ) -> None:
        """A rule of the node's firewall blocks TCP 179 with some peers; sent and received are answers."""
        decided = {
            "backend": "iptables-nft",
            "family": "ipv4",
            "table": "filter",
            "chain": "INPUT" if direction in ("inbound", "received") else "OUTPUT",
            "rule": 1,
            "text": "-A INPUT -p tcp -m tcp --dport 179 -j DROP",
            "owner": "unknown",
            "path": ["INPUT 1"],
            **rule,
        }
        addresses = [self.addresses.get(peer, peer) for peer in peers]
        entry = {"verdict": verdict, "family": "ipv4", "count": len(peers), "peers": pack(addresses), "rule": decided}
        tcp179 = self.facts[name]["calico_firewall"]["tcp179"]
        if verdict == "unknown":
            entry["why_unknown"] = "it depends on: limit 1/hour"
        if direction in ("sent", "received"):
            tcp179.setdefault("answers", {}).setdefault(direction, []).append(entry)
        else:
            tcp179[direction].insert(0, entry)

    def lose(self, name: str, why: str = "unreachable: timed out", address: str | None = None) -> None:
        """A node cannot be read."""
        del self.facts[name]
        self.missing.append(MissingNode(name, why, self.addresses[name] if address is None else address))

    def evidence(self) -> Evidence:
        """The evidence of all nodes."""
        return Evidence({name: read_node(name, facts) for name, facts in self.facts.items()}, tuple(self.missing))
