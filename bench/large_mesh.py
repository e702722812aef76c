# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a large full mesh of which some sessions are down, in the shape that node_facts returns them."""

from __future__ import annotations

import importlib
import random
from typing import Any

STAMP = "2026-01-01T00:00:00Z"
PACKING = "ansible_collections.netmedic.calico.plugins.module_utils._facts.packing"


def facts(nodes: int, down: float, seed: int = 1) -> dict[str, dict[str, Any]]:
    """By node what it told; `down` is the share of sessions that are, drawn at random."""
    pack = importlib.import_module(PACKING).pack
    addresses = {f"node-{number}": f"10.0.{number // 250}.{number % 250 + 1}" for number in range(nodes)}
    broken = _broken(list(addresses), down, seed)
    return {name: _node(name, addresses, broken[name], pack) for name in addresses}


def _broken(names: list[str], down: float, seed: int) -> dict[str, set[str]]:
    """By node the peers with which it has no session."""
    drawn = random.Random(seed)  # noqa: S311
    found: dict[str, set[str]] = {name: set() for name in names}
    for _time in range(round(len(names) * (len(names) - 1) / 2 * down)):
        one, other = drawn.sample(names, 2)
        found[one].add(other)
        found[other].add(one)
    return found


def _node(name: str, addresses: dict[str, str], broken: set[str], pack: Any) -> dict[str, Any]:
    own = addresses[name]
    up = [address for peer, address in addresses.items() if peer != name and peer not in broken]
    return {
        "calico_node": {
            "taken_at": STAMP,
            "nodename": name,
            "addresses": [{"address": own, "prefix": 16, "interface": "eth0"}],
            "bgp_addresses": {"ipv4": own},
        },
        "calico_bgp": {
            "taken_at": STAMP,
            "expected": True,
            "expected_why": "CALICO_NETWORKING_BACKEND is bird",
            "daemons": {"ipv4": _daemon(own, up, [addresses[peer] for peer in sorted(broken)], pack)},
            "listeners": [{"address": "0.0.0.0", "port": 179, "pid": 40, "process": "bird"}],
            "probes": [
                {"peer": addresses[peer], "source": own, "port": 179, "result": "silent"}
                for peer in sorted(broken)
                if own > addresses[peer]
            ],
            "sources": [{"source": "bird_socket_ipv4", "status": "ok", "detail": ""}],
        },
        "calico_firewall": {
            "tcp179": {
                way: [{"verdict": "accept", "family": "ipv4", "count": len(addresses) - 1}]
                for way in ("inbound", "outbound")
            }
        },
        "calico_chrony": {"service": "chrony", "running": True, "synchronised": True, "why": ""},
    }


def _daemon(own: str, up: list[str], down: list[str], pack: Any) -> dict[str, Any]:
    return {
        "running": True,
        "pid": 40,
        "socket_state": "answers",
        "router_id": own,
        "booted_seconds_ago": 86400,
        "config": {"local_as": 64512, "local_address": own, "password": "none"},
        "peers": {"total": len(up) + len(down), "established": len(up), "packed": {"Mesh": pack(up)}},
        "troubled": [_protocol(own, peer) for peer in down],
    }


def _protocol(own: str, peer: str) -> dict[str, Any]:
    passive = peer > own
    return {
        "name": f"Mesh_{peer.replace('.', '_')}",
        "kind": "Mesh",
        "peer": peer,
        "state": "start",
        "bgp_state": "Passive" if passive else "Connect",
        "last_error": "",
        "neighbor_as": 64512,
        "local_as": 64512,
        "passive": passive,
    }
