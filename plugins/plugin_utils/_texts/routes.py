# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip route` (text, -o, -d, JSON; also `ip route get`), of iproute2 and of busybox; also what routes_listed reads."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._host.routes import Route
from . import lines, routes_listed, words
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...module_utils._host.links import Network

_KINDS = frozenset(
    ["unicast", "local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole", "nat", "anycast"]
)
_FLAGS = frozenset(
    ["onlink", "pervasive", "linkdown", "dead", "offload", "trap", "notify", "rt_offload", "unresolved", "cache"]
)
_NOT_TO_SEND_BY = frozenset(("broadcast", "multicast", "throw", "anycast", "nat"))


class TableRoute(NamedTuple):
    """One line of a routing table.

    `route` is the way as the kernel tells it for one destination; its `destination` here is a prefix ("10.0.0.0/24",
    "0.0.0.0/0"). Of several next hops it has the first, `hops` are them all as (gateway, device). `protocol` is who
    made it ("bird", "kernel", …), `table` "main" unless printed, `flags` those of onlink, linkdown, dead …
    """

    route: Route
    family: str
    protocol: str
    scope: str
    metric: int
    table: str
    flags: tuple[str, ...]
    hops: tuple[tuple[str, str], ...]


def parse(text: str) -> Parsed[tuple[TableRoute, ...]]:
    """Return the routes in the order printed."""
    problems = Problems()
    if lines.is_json(text):
        return Parsed(tuple(_from_json(text, problems)), problems.found())
    # Of a table that is there in both forms the one of `ip` tells more.
    listed, rest = _told_otherwise(text)
    found = tuple(_from_text(rest, problems))
    return Parsed(found or listed, problems.found())


def _told_otherwise(text: str) -> tuple[tuple[TableRoute, ...], str]:
    """Return the rows of `route -n` and its like, and the text without them."""
    found: list[TableRoute] = []
    rest: list[str] = []
    rows = lines.printed(text).split("\n")
    for line in rows:
        fields = line.split()
        row = routes_listed.row(fields) if fields else None
        if row is not None:
            found.append(_listed(row))
        rest.append("" if row is not None or (fields and routes_listed.is_head(fields)) else line)
    return tuple(found), "\n".join(rest) if found else text


def look_up(routes: Iterable[TableRoute], addresses: Iterable[str], network: Network) -> dict[str, Route]:
    """Return the way to each address as the kernel would choose it from its tables local and main.

    Rules (`ip rule`) are not known here. What is no address is left out.
    """
    by_prefix: dict[tuple[str, str], TableRoute] = {}
    for entry in routes:
        if entry.route.kind in _NOT_TO_SEND_BY or entry.table not in ("main", "local", "default", "254", "255", "253"):
            continue
        key = (entry.family, entry.route.destination)
        before = by_prefix.get(key)
        if before is None or entry.metric < before.metric:
            by_prefix[key] = entry
    lengths = {
        family: sorted({int(prefix.rpartition("/")[2]) for kind, prefix in by_prefix if kind == family}, reverse=True)
        for family in ("ipv4", "ipv6")
    }
    found = {}
    for address in addresses:
        plain = words.address(address)
        if plain:
            found[address] = _way(address, plain, by_prefix, lengths, network)
    return found


def _way(
    address: str,
    plain: str,
    by_prefix: dict[tuple[str, str], TableRoute],
    lengths: dict[str, list[int]],
    network: Network,
) -> Route:
    if network.holds(plain):
        return Route(address, "local", "lo", source=plain)
    family = "ipv6" if ":" in plain else "ipv4"
    for length in lengths[family]:
        entry = by_prefix.get((family, str(ipaddress.ip_network(f"{plain}/{length}", strict=False))))
        if entry is not None:
            return _used(entry.route, address, family, network)
    return Route(address, "none")


def _used(route: Route, address: str, family: str, network: Network) -> Route:
    """Return a table's route as the way to one address."""
    if route.kind != "unicast":
        return Route(address, route.kind)
    if not route.device:  # busybox does not say where a route with several next hops leads
        return Route(address, "unknown")
    return route._replace(destination=address, source=route.source or _source(route, family, network))


def _source(route: Route, family: str, network: Network) -> str:
    """Return the address that the kernel would send from: of the device, in the subnet of the router if it is in
    one."""
    anywhere = [
        entry for entry in network.addresses if entry.family == family and entry.usable and entry.scope == "global"
    ]
    usable = [entry for entry in anywhere if entry.interface == route.device] or anywhere
    target = words.address(route.gateway) or words.address(route.destination.partition("/")[0])
    for entry in usable:
        if target and ipaddress.ip_address(target) in ipaddress.ip_network(f"{entry.address}/{entry.prefix}", False):
            return entry.address
    return usable[0].address if usable else ""


def _from_text(text: str, problems: Problems) -> Iterator[TableRoute]:
    waiting: TableRoute | None = None
    hops: list[list[str]] = []
    for number, line in lines.numbered(text):
        # -o joins the lines of one route by backslashes.
        for place, part in enumerate(line.split("\\")):
            fields = part.split()
            if not fields or fields[0] == "cache" or fields[0] == "Kernel":
                continue
            if fields[0] == "nexthop":
                if waiting is None:
                    problems.add(number, part, "a next hop of no route")
                else:
                    hops.append(fields[1:])
                continue
            if place and waiting is not None:
                continue
            if waiting is not None:
                yield _with_hops(waiting, hops)
            waiting, hops = _route(fields), []
            if waiting is None:
                problems.add(number, part, "no route")
    if waiting is not None:
        yield _with_hops(waiting, hops)


def _route(fields: list[str]) -> TableRoute | None:
    kind = "unicast"
    if fields[0] in _KINDS:
        kind, fields = fields[0], fields[1:]
    if not fields:
        return None
    family = "ipv6" if ":" in fields[0] or any(":" in words.after(fields, word) for word in ("via", "src")) else "ipv4"
    if (
        fields[0] in ("default", "any")
        and "pref" in fields
        and words.after(fields, "pref") in ("low", "medium", "high")
    ):
        family = "ipv6"  # only IPv6 routes have a router preference
    destination = words.prefix(fields[0], family)
    if destination is None:
        return None
    settings = _settings(fields[1:])
    if len(fields) == 1 and kind == "unicast" and "/" not in fields[0] and fields[0] != "default":
        return None  # of several next hops busybox prints none
    return _made(destination, kind, family, settings)


def _listed(row: routes_listed.Row) -> TableRoute:
    """Return a row of `route -n` as `ip route` would have it; it does not tell who made a route."""
    settings = {"via": row.gateway, "dev": row.device, "metric": row.metric}
    return _made(row.destination, row.kind, row.family, {name: value for name, value in settings.items() if value})


def _settings(fields: list[str]) -> dict[str, str]:
    """Return the pairs of words of a route; a flag has the value ''."""
    found: dict[str, str] = {}
    place = 0
    while place < len(fields):
        word = fields[place]
        if word in _FLAGS:
            found[word] = ""
            place += 1
            continue
        value = fields[place + 1] if place + 1 < len(fields) else ""
        if word == "via" and value in ("inet", "inet6"):  # an IPv4 route by way of an IPv6 router
            place += 1
            value = fields[place + 1] if place + 1 < len(fields) else ""
        if word == "mtu" and value == "lock":
            place += 1
            value = fields[place + 1] if place + 1 < len(fields) else ""
        found.setdefault(word, value)
        place += 2
    return found


def _made(destination: tuple[str, int], kind: str, family: str, settings: dict[str, str]) -> TableRoute:
    address, length = destination
    gateway = words.address(settings.get("via", ""))
    device = settings.get("dev", "")
    route = Route(
        destination=f"{address}/{length}",
        kind=kind,
        device=device,
        gateway=gateway,
        source=words.address(settings.get("src", "")) or words.address(settings.get("from", "")),
        mtu=words.number(settings.get("mtu", "")) or 0,
    )
    return TableRoute(
        route=route,
        family=family,
        protocol=settings.get("proto", ""),
        scope=settings.get("scope", ""),
        metric=words.number(settings.get("metric", "")) or 0,
        table=settings.get("table", "") or ("local" if kind in ("local", "broadcast", "anycast") else "main"),
        flags=tuple(sorted(_FLAGS.intersection(settings) - {"cache"})),
        hops=((gateway, device),) if device or gateway else (),
    )


def _with_hops(entry: TableRoute, more: list[list[str]]) -> TableRoute:
    """Return the route with these next hops besides its own."""
    if not more:
        return entry
    hops = list(entry.hops)
    flags = set(entry.flags)
    for fields in more:
        settings = _settings(fields)
        hops.append((words.address(settings.get("via", "")), settings.get("dev", "")))
        flags |= _FLAGS & set(fields)
    route = entry.route if entry.hops else entry.route._replace(gateway=hops[0][0], device=hops[0][1])
    return entry._replace(route=route, hops=tuple(hops), flags=tuple(sorted(flags)))


def _from_json(text: str, problems: Problems) -> Iterator[TableRoute]:
    value, why = lines.load_json(text)
    if why:
        problems.add(0, "", why)
    for entry in value if isinstance(value, list) else []:
        made = _json_route(entry) if isinstance(entry, dict) and isinstance(entry.get("dst"), str) else None
        if made is not None:
            yield made
        elif entry not in ({}, None):
            problems.add(0, str(entry)[:80], "no route")


def _json_route(entry: dict[str, Any]) -> TableRoute | None:
    via = entry.get("via")
    gateway = via.get("host") if isinstance(via, dict) else entry.get("gateway")
    settings = {
        "via": str(gateway or ""),
        "dev": str(entry.get("dev") or ""),
        "src": str(entry.get("prefsrc") or ""),
        "proto": str(entry.get("protocol") or ""),
        "scope": str(entry.get("scope") or ""),
        "metric": str(entry.get("metric") or ""),
        "table": str(entry.get("table") or ""),
        "mtu": _json_mtu(entry),
    }
    listed = entry.get("flags")
    flags = [str(flag) for flag in listed] if isinstance(listed, list) else []
    settings.update((flag, "") for flag in flags if flag in _FLAGS)
    of_ipv6 = "pref" in entry or ":" in str(entry.get("gateway") or "")
    family = "ipv6" if ":" in entry["dst"] or (entry["dst"] == "default" and of_ipv6) else "ipv4"
    destination = words.prefix(entry["dst"], family)
    if destination is None:
        return None
    made = _made(destination, str(entry.get("type") or "unicast"), family, settings)
    listed = entry.get("nexthops")
    hops = [hop for hop in listed if isinstance(hop, dict)] if isinstance(listed, list) else []
    return _with_hops(
        made, [["via", str(hop.get("gateway") or "") or "-", "dev", str(hop.get("dev") or "")] for hop in hops]
    )


def _json_mtu(entry: dict[str, Any]) -> str:
    metrics = entry.get("metrics")
    for item in metrics if isinstance(metrics, list) else [metrics]:
        if isinstance(item, dict) and "mtu" in item:
            return str(item["mtu"])
    return str(entry.get("mtu") or "")
