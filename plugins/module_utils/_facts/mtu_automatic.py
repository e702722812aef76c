# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The MTU that Felix works out where nobody sets one, and what of this node differs from it; MTUs of single routes.

Felix takes the smallest MTU of the interfaces whose names look like hardware, and from that the overhead of the
costliest encapsulation in use (felix/dataplane/linux/int_dataplane.go). A bond, a VLAN or a bridge does not look like
hardware to it.
"""

from __future__ import annotations

from .._address import releases
from .._numbers import is_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from .._host.links import Network
    from .._host.routes import Route

_NO_INTERFACE = 1460  # what Felix takes if no interface matches
_FIRST_LETTERS = ("en", "wl", "ww", "sl", "ib")
_OLD_NAMES = ("eth", "wlan", "wwan")
_PATTERN = "FELIX_MTUIFACEPATTERN"
# Felix's devices: what each adds to a packet, and the variable that sets its MTU.
_DEVICES = {
    "tunl0": (20, "FELIX_IPINIPMTU"),
    "vxlan.calico": (50, "FELIX_VXLANMTU"),
    "vxlan-v6.calico": (70, "FELIX_VXLANMTUV6"),
    "wireguard.cali": (60, "FELIX_WIREGUARDMTU"),
    "wg-v6.cali": (80, "FELIX_WIREGUARDMTUV6"),
}
_OLDEST = (3, 20, 0)
_MOST_ROUTES = 8


def automatic(
    network: Network, used: Collection[str], facts: Mapping[str, Any], environment: Mapping[str, str], version: str
) -> dict[str, Any]:
    """Return calico_mtu.automatic: what Felix would choose, with what was set by `environment`, and what differs.

    `used` are the tunnel devices in use, `facts` those of calico_mtu so far, `version` Calico's ('' if not known). What
    FelixConfiguration sets cannot be seen from here.
    """
    release = releases.parse_version(version)
    host, interface, why = _host_mtu(network, environment, releases.rules(release))
    found: dict[str, Any] = {"host": host}
    if interface:
        found["interface"] = interface
    if why:
        found["why"] = why
    if release is None and _host_mtu(network, environment, releases.rules(_OLDEST))[0] != host:
        found["undecided"] = True
    given = {name: _given(environment, variable) for name, (_overhead, variable) in _DEVICES.items()}
    wanted = {name: given[name] or host - overhead for name, (overhead, _variable) in _DEVICES.items()}
    found["pods"] = min((wanted[name] for name in used if name in wanted), default=host)
    if any(given.values()):
        found["set"] = {name: mtu for name, mtu in given.items() if mtu}
    differs = _differing(network, used, facts, wanted, found["pods"])
    if differs:
        found["differs"] = differs
    return found


def routes(ways: Mapping[str, Route]) -> list[dict[str, Any]]:
    """Return calico_mtu.routes: the MTUs that routes to peers have of their own, equal ones together, at most 8."""
    groups: dict[tuple[str, str, int, str, int], list[Route]] = {}
    for way in ways.values():
        if way.kind == "unicast" and (way.mtu or way.advmss):
            kind = way.mtu_kind or "route"
            groups.setdefault((way.device, way.gateway, way.mtu, kind, way.advmss), []).append(way)
    found = []
    for (device, gateway, mtu, kind, advmss), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        fact: dict[str, Any] = {"device": device, "kind": kind, "count": len(members), "peer": members[0].destination}
        more = {"gateway": gateway, "mtu": mtu, "advmss": advmss, "expires_seconds": members[0].expires_seconds}
        fact.update((name, value) for name, value in more.items() if value)
        found.append(fact)
    return found[:_MOST_ROUTES]


def _host_mtu(network: Network, environment: Mapping[str, str], rules: releases.Rules) -> tuple[int, str, str]:
    """Return the host's MTU as Felix sees it, the interface it is from, and why, if that is not plain."""
    matches, trouble = _matcher(environment.get(_PATTERN, ""), rules)
    links = [
        link
        for link in network.links.values()
        if matches(link.name) and (not rules.mtu_needs_up or (link.up and link.running))
    ]
    if not links:
        return (
            _NO_INTERFACE,
            "",
            trouble or f"no interface that runs has a name Felix looks for, so it takes {_NO_INTERFACE}",
        )
    least = min(links, key=lambda link: link.mtu)
    others = sorted({link.mtu for link in links} - {least.mtu})
    why = f"{least.name} is the smallest; others have up to {others[-1]}" if others else ""
    return least.mtu, least.name, trouble or why


def _matcher(pattern: str, rules: releases.Rules) -> tuple[Callable[[str], bool], str]:
    """Return what tells the interfaces that count, and what is wrong with the pattern that was set."""
    trouble = ""
    if pattern:
        from .._address import go_regex

        try:
            return go_regex.matcher(pattern), ""
        except (go_regex.InvalidError, go_regex.UndecidedError) as error:
            trouble = f"{_PATTERN} is not understood ({error}); these are the usual interfaces"

    def usual(name: str) -> bool:
        predictable = name.startswith(_FIRST_LETTERS) and name[2:3] != "" and name[2] in rules.mtu_letters
        return predictable or name.startswith(_OLD_NAMES)

    return usual, trouble


def _given(environment: Mapping[str, str], variable: str) -> int:
    text = environment.get(variable, "").strip()
    return int(text) if is_whole(text) and len(text) < 6 else 0


def _differing(
    network: Network, used: Iterable[str], facts: Mapping[str, Any], wanted: Mapping[str, int], pods: int
) -> list[str]:
    """Name what has another MTU than Felix would choose: tunnel devices, its file, the CNI configuration, pods."""
    differs = []
    for name in used:
        link = network.link(name)
        if link is not None and name in wanted and link.mtu != wanted[name]:
            differs.append(name)
    configured = facts.get("configured", {})
    if configured.get("calico_mtu_file", pods) != pods:
        differs.append("calico_mtu_file")
    if configured.get("cni", {}).get("mtu", 0) not in (0, pods):
        differs.append("cni")
    if any(mtu != str(pods) for mtu in facts.get("workloads", {}).get("mtus", {})):
        differs.append("workloads")
    return differs
