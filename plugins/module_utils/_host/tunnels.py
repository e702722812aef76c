# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calico's and flannel's tunnel devices: whether one that is needed is there, up, with an address and the right end.

Without tunl0 Calico's BIRD silently routes to the plain next hop, so pods' packets leave without encapsulation
(`krt_tunnel` in its sysdep/linux/netlink.c). Layouts: <linux/if_link.h>.
"""

from __future__ import annotations

import struct

from .._record import NamedTuple
from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .links import Link, Network

IPIP = "tunl0"
_OF_FLANNEL = ("flannel.1", "flannel-v6.1", "flannel-wg", "flannel-wg-v6")
NAMES = (IPIP, "vxlan.calico", "vxlan-v6.calico", "wireguard.cali", "wg-v6.cali", *_OF_FLANNEL)
# What Felix is told to do by its environment, and the devices for it.
SETTINGS = {
    "FELIX_IPINIPENABLED": IPIP,
    "FELIX_VXLANENABLED": "vxlan.calico",
    "FELIX_WIREGUARDENABLED": "wireguard.cali",
    "FELIX_WIREGUARDENABLEDV6": "wg-v6.cali",
}
_YES = frozenset(("1", "enabled", "on", "t", "true", "y", "yes"))
_RTM_GETLINK = 18
_IFLA_LINKINFO, _IFLA_EXT_MASK = 18, 29
_SKIP_STATISTICS = 1 << 3
_INFO_KIND, _INFO_DATA = 1, 2
_VXLAN_ID, _VXLAN_LOCAL, _VXLAN_PORT, _VXLAN_LOCAL6 = 1, 4, 15, 17
# Network identifier and UDP port as Calico (felix/config/config_params.go) and flannel have them if told nothing else.
_USUAL = {
    "vxlan.calico": (4096, 4789),
    "vxlan-v6.calico": (4096, 4789),
    "flannel.1": (1, 8472),
    "flannel-v6.1": (1, 8472),
}


class Vxlan(NamedTuple):
    """What a VXLAN device was made with. `local` is the address that its packets leave from, '' if left open."""

    identifier: int
    port: int
    local: str


def vxlan(connection: netlink.Netlink, link: Link) -> Vxlan | None:
    """Return how a VXLAN device is set up; None if the kernel does not tell."""
    question = struct.pack("=BxHiII", 0, 0, link.number, 0, 0) + struct.pack(
        "=HHI", 8, _IFLA_EXT_MASK, _SKIP_STATISTICS
    )
    try:
        answer = connection.ask(_RTM_GETLINK, [question])[0]
    except OSError:
        return None
    return parse_vxlan(answer) if isinstance(answer, bytes) else None


def parse_vxlan(body: bytes) -> Vxlan | None:
    """Read a link message's body; None if it is of no VXLAN device."""
    details = netlink.attributes(netlink.attributes(body, 16).get(_IFLA_LINKINFO, b""))
    if netlink.text(details.get(_INFO_KIND)) != "vxlan":
        return None
    data = netlink.attributes(details.get(_INFO_DATA, b""))
    port = data.get(_VXLAN_PORT, b"")
    return Vxlan(
        netlink.number(data.get(_VXLAN_ID)),
        int.from_bytes(port, "big") if len(port) == 2 else 0,
        netlink.address(data.get(_VXLAN_LOCAL)) or netlink.address(data.get(_VXLAN_LOCAL6)),
    )


def reasons(network: Network, routed: Iterable[str], told: Mapping[str, str]) -> dict[str, str]:
    """Return the tunnel devices for which something on the node itself speaks, each with what that is.

    `routed` are the devices that Felix's routes lead into, `told` is Felix' environment. From 3.33 on it is Felix that
    sends pods' packets into tunl0, and bird.cfg does not name it.
    """
    found = {
        device: f"{name} says so" for name, device in SETTINGS.items() if told.get(name, "").strip().casefold() in _YES
    }
    found.update((name, "Felix sends routes into it") for name in routed if name in NAMES)
    if any(entry.interface == IPIP and entry.scope == "global" for entry in network.addresses):
        found.setdefault(IPIP, "it has an address")
    return found


def troubles(
    network: Network, expected: Mapping[str, str], details: Mapping[str, Vxlan], own: Iterable[str]
) -> list[dict[str, Any]]:
    """Return what is wrong with the tunnel devices of this node, one entry for each device in trouble.

    `expected` says by device why it is needed, `details` how the VXLAN ones are set up, `own` what addresses this node
    is known by. Problems: missing, down, no_address, local_not_here (its packets leave from an address that the host
    does not have), local_differs (… from another than the one BGP uses), and the unusual "vni" and "port".
    """
    found = []
    # One that this host does not have is another trouble, and says nothing about a tunnel.
    known = {address for address in own if network.holds(address)}
    for name in NAMES:
        link = network.link(name)
        if link is None and name not in expected:
            continue
        entry: dict[str, Any] = {}
        # tunl0 comes with the module ipip and stays down where nobody uses it.
        problem = _problem(link, network, name) if name in expected else ""
        if problem:
            entry["problem"] = problem
        if name in details:
            entry.update(_oddities(name, details[name], network, known))
        if entry:
            found.append(dict({"name": name}, **entry, **({"needed": expected[name]} if name in expected else {})))
    return found


def _problem(link: Link | None, network: Network, name: str) -> str:
    if link is None:
        return "missing"
    if not link.up:
        return "down"
    if name not in _OF_FLANNEL and not any(
        entry.interface == name and entry.scope == "global" for entry in network.addresses
    ):
        return "no_address"
    return ""


def _oddities(name: str, made: Vxlan, network: Network, own: set[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    identifier, port = _USUAL.get(name, (made.identifier, made.port))
    if made.identifier != identifier:
        entry["vni"] = made.identifier
    if made.port not in (0, port):
        entry["port"] = made.port
    if made.local:
        family = ":" in made.local
        if not network.holds(made.local):
            entry.update(problem="local_not_here", local=made.local)
        elif made.local not in own and any((":" in address) == family for address in own):
            entry.update(problem="local_differs", local=made.local)
    return entry
