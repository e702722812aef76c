# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's routing table from texts, as the kernel's own table is read on a node."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...module_utils._facts import kernel_routes
from ...module_utils._host import pod_routes, route_table, rules
from . import node_told, routes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ...module_utils._bird.exports import Exports
    from ...module_utils._host.pod_routes import Pods
    from .node import Assembly
    from .parsed import Problem
    from .routes import TableRoute

NAMES = ("ip-route.json", "ip-route.txt", "ip6-route.txt")
_PROTOCOLS = {"bird": route_table.BIRD, str(route_table.BIRD): route_table.BIRD, "80": route_table.FELIX}
_OTHER_PROTOCOL = 0
_TABLES = {name: number for number, name in rules.NAMES.items()}
_KINDS = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8}


class Table:
    """The routes of both families that the texts have, and what of them was not understood."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        parsed = [routes.parse(texts.get(name, "")) for name in NAMES]
        self.routes: list[TableRoute] = [entry for one in parsed for entry in one.value]
        self.problems: list[Problem] = [problem for one in parsed for problem in one.problems]

    @property
    def tells_makers(self) -> bool:
        """Whether it says who made the routes; that of busybox does not."""
        return any(entry.protocol for entry in self.routes)

    def entries(self, family: str = "") -> list[route_table.Entry]:
        """Return the routes that a node looks at, of one family or of both."""
        wanted = [entry for entry in self.routes if family in ("", entry.family)]
        return [made for entry in wanted for made in _entries(entry)]

    def pods(self, family: str) -> Pods:
        """Return the pods of one family."""
        return pod_routes.gather(_ways(entry for entry in self.routes if entry.family == family))


def add_missing(summary: dict[str, Any], exports: Exports, family: str, whole: Assembly) -> None:
    """Add to a family's summary the routes that BIRD gives to the kernel and that this does not have."""
    if exports.total <= summary.get("bird", 0):
        return
    sources = whole.sources["node"]
    name = f"birdcl{'6' if family == 'ipv6' else ''}-export.txt"
    if name not in whole.texts:
        sources.absent("host_routes", f"Which {family} routes BIRD gives to the kernel is in no text.")
        return
    said = [whole.texts[name]] if not any(row[0] == name for row in whole.told.rows("status", 2)) else []
    lacking = kernel_routes.missing(exports, whole.table.entries(family), 0.0, said)
    summary.update({"not_in_kernel": lacking} if lacking else {})
    if lacking is None:
        sources.failed("host_routes", f"BIRD does not tell which {family} routes it gives to the kernel")


def _ways(entries: Iterator[TableRoute]) -> Iterator[pod_routes.Way]:
    for entry in entries:
        address, _slash, length = entry.route.destination.partition("/")
        in_main = _TABLES.get(entry.table, entry.table) in (route_table.MAIN, str(route_table.MAIN))
        device = entry.route.device
        if entry.route.kind == "unicast" and in_main and device and length not in ("", "0"):
            raw = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            yield raw, int(length), device, _PROTOCOLS.get(entry.protocol, _OTHER_PROTOCOL)


def _entries(entry: TableRoute) -> Iterator[route_table.Entry]:
    """Yield a printed route as the kernel's table has it, once for each of its ways; those that nobody asks for are
    left out."""
    protocol = _PROTOCOLS.get(entry.protocol, _OTHER_PROTOCOL)
    leads = entry.route.kind == "unicast" or any(gateway for gateway, _dev in entry.hops)
    if entry.protocol == "kernel" or (protocol == _OTHER_PROTOCOL and not leads):
        return
    address, _slash, length = entry.route.destination.partition("/")
    destination = f"{address}/{length}"
    if length == "0":
        destination = "default"
    elif length == ("128" if ":" in address else "32"):
        destination = address
    flags = set(entry.flags)
    for gateway, device in entry.hops or (("", entry.route.device),):
        yield route_table.Entry(
            destination,
            protocol,
            _KINDS.get(entry.route.kind, 0),
            device,
            gateway,
            "onlink" in flags,
            bool(flags & {"dead", "linkdown"}),
            _TABLES.get(entry.table, node_told.whole(entry.table)),
        )
