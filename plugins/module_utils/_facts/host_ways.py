# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways from this host to other nodes: neighbours, routes, policy routing, tunnels."""

from __future__ import annotations

from .._host import route_table, tunnels
from .._host.processes import read_text
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Dict

    from .._host.routes import Route
    from .host import View
    from .sources import Sources

    Facts = Dict[str, Any]

_MOST_NAMED = 16
FLANNEL_ENV = "/run/flannel/subnet.env"
_FAILING = ("failed", "incomplete")


def gather_neighbours(view: View) -> Facts:
    if view.connection is None:
        return {}
    from .._host import neighbours

    hops = {way.gateway or address for address, way in view.ways.items() if way.kind == "unicast"}
    return {"neighbours": failing(neighbours.states(view.connection, hops))}


def failing(states: Mapping[str, str]) -> Facts:
    """Return {"failed": packed, "incomplete": packed} of the next hops to peers by their state in the neighbour
    tables."""
    found = {state: [address for address, seen in states.items() if seen == state] for state in _FAILING}
    return {state: pack(addresses) for state, addresses in found.items() if addresses}


def ways_to_peers(ways: Mapping[str, Route], local_addresses: Mapping[str, str]) -> Facts:
    """Return other_sources (peers to whom the kernel would not use the address that BGP uses, by the one it would use)
    and no_way (peers without an ordinary route, by what there is instead)."""
    others: dict[str, list[str]] = {}
    none: dict[str, list[str]] = {}
    for address, way in ways.items():
        own = local_addresses.get("ipv6" if ":" in address else "ipv4")
        if way.kind != "unicast":
            none.setdefault(way.kind, []).append(address)
        elif own and way.source and way.source != own:
            others.setdefault(way.source, []).append(address)
    return {
        "other_sources": {source: pack(addresses) for source, addresses in list(others.items())[:_MOST_NAMED]},
        "no_way": {kind: pack(addresses) for kind, addresses in none.items()},
    }


def gather_rules(view: View, sources: Sources) -> Facts:
    """Return rules (by family, beside the kernel's own) and rerouted: the peers whom they lead BGP to another way."""
    if view.connection is None or view.network is None:
        return {}
    from .._host import routes

    families = []
    for family in ("ipv4", "ipv6"):
        if family == "ipv4" or "ipv6" in view.local_addresses:
            try:
                families += [family] if routes.has_rules(view.connection, family) else []
            except OSError as error:
                sources.failed("host_rules", f"the kernel does not list its {family} rules: {error.strerror}")
    if not families:
        return {}
    from .._host import rules

    found = {family: [rule.text for rule in rules.read(view.connection, family)] for family in families}
    return rule_facts(found, rules.rerouted(view.connection, view.network, view.ways, view.local_addresses))


def rule_facts(found: Mapping[str, Sequence[str]], led: Mapping[str, Sequence[str]]) -> Facts:
    """Return rules, rules_left_out and rerouted from the rules by family and the peers by the way they are led."""
    return {
        "rules": {family: texts[:_MOST_NAMED] for family, texts in found.items() if texts},
        "rules_left_out": sum(max(len(texts) - _MOST_NAMED, 0) for texts in found.values()) or None,
        "rerouted": {way: pack(addresses) for way, addresses in list(led.items())[:_MOST_NAMED]},
    }


def gather_tunnels(view: View, listed: Iterable[route_table.Entry], needed: dict[str, str]) -> Facts:
    if view.network is None:
        return {}
    details = {}
    for link in view.network.links.values():
        if link.kind == "vxlan" and link.name in tunnels.NAMES and view.connection is not None:
            made = tunnels.vxlan(view.connection, link)
            if made is not None:
                details[link.name] = made
    felix = view.installation.component("felix")
    needed.update(
        needed_tunnels(
            [link.name for link in view.network.links.values()],
            view.tunnels,
            view.installation.backend,
            read_text(view.root + FLANNEL_ENV, 4096),
            tunnels.reasons(view.network, led_into(listed), felix.environ(tunnels.SETTINGS) if felix else {}),
        )
    )
    return {"tunnels": tunnels.troubles(view.network, needed, details, view.local_addresses.values())}


def led_into(entries: Iterable[route_table.Entry]) -> set[str]:
    """Return the devices that Felix's routes lead into, in whatever table."""
    return {entry.device for entry in entries if entry.protocol == route_table.FELIX}


def needed_tunnels(
    present: Iterable[str],
    bird_tunnels: Iterable[str],
    backend: str,
    flannel_env: str,
    reasons: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the tunnel devices that this node needs, each with the reason; `reasons` are tunnels.reasons()."""
    found = dict(reasons or {})
    found.update(dict.fromkeys(bird_tunnels, "bird.cfg sends routes into it"))
    if backend == "vxlan":
        found["vxlan.calico"] = "the networking backend is vxlan"
    # Felix makes these only where they are wanted; tunl0 comes with its module.
    for name in present:
        if name in tunnels.NAMES and name != tunnels.IPIP:
            found.setdefault(name, "it is there")
    values = dict(line.partition("=")[::2] for line in flannel_env.splitlines())
    if values.get("FLANNEL_MTU", "").endswith("50"):
        found.setdefault("flannel.1", f"{FLANNEL_ENV} leaves room for VXLAN in FLANNEL_MTU")
    return found


def gather_routes(view: View, sources: Sources, listed: list[route_table.Entry]) -> Facts:
    if view.connection is None or view.network is None:
        return {}
    found: Facts = {}
    for family in ("ipv4", "ipv6"):
        if family == "ipv4" or "ipv6" in view.local_addresses:
            try:
                entries = route_table.read(view.connection, family, view.network)
            except OSError as error:
                sources.failed("host_routes", f"the kernel does not list its {family} routes: {error.strerror}")
                continue
            listed += entries
            summary = route_table.summary(entries, view.network, view.peers)
            if family in view.exports and view.exports[family].total > summary.get("bird", 0):
                from . import kernel_routes

                lacking = kernel_routes.missing(view.exports[family], entries, view.timeout)
                summary.update({"not_in_kernel": lacking} if lacking else {})
                if lacking is None:
                    sources.failed("host_routes", f"BIRD does not tell which {family} routes it gives to the kernel")
            if summary:
                found[family] = summary
    return {"routes": found}


def gather_offload(view: View, sources: Sources) -> Facts:
    devices = [link.name for link in view.network.links.values()] if view.network else []
    devices = [name for name in devices if name in tunnels.NAMES]
    if not devices:
        return {}
    from .._host import offload

    return offloaded(*offload.sending(devices), sources)


def offloaded(on: Sequence[str], unknown: Sequence[str], sources: Sources) -> Facts:
    """Return checksum_offload: the devices where it is on. Those that do not tell are noted."""
    if unknown:
        sources.failed("host_offload", f"{', '.join(unknown)} does not tell who makes its checksums")
    return {"checksum_offload": on}
