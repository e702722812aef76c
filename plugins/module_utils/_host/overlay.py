# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The other nodes where no BIRD tells of them: whom this node's tunnels and routes lead to.

Felix and flannel write down every other node in the kernel: as the far end of an entry in the forwarding table of
their VXLAN device, as the next hop of a route (Felix' have protocol 80), as the endpoint of a WireGuard peer. The next
hop of a route through a VXLAN device is the far device's address and no node's. Layouts: <linux/neighbour.h>.
"""

from __future__ import annotations

import socket
import struct

from .._numbers import is_whole
from .._record import NamedTuple
from . import netlink, route_table, tunnels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .._facts.sources import Sources
    from .links import Link, Network
    from .routes import Route

VXLAN = ("vxlan.calico", "vxlan-v6.calico", "flannel.1", "flannel-v6.1")
WIREGUARD = ("wireguard.cali", "wg-v6.cali", "flannel-wg", "flannel-wg-v6")
_RTM_NEWNEIGH, _RTM_GETNEIGH = 28, 30
_NDA_DST = 1
_MOST_NODES = 10_000


class Learnt(NamedTuple):
    """What was learnt: `nodes` are the other nodes' addresses by what tells of them (a device's name, or "routes"),
    `own` the addresses by which those know this one, by family, as far as a VXLAN device says so."""

    nodes: dict[str, list[str]]
    own: dict[str, str]

    @property
    def addresses(self) -> list[str]:
        """Every other node once."""
        return list(dict.fromkeys(address for told in self.nodes.values() for address in told))[:_MOST_NODES]


def learn(connection: netlink.Netlink, network: Network, flannel_env: str, sources: Sources) -> Learnt:
    """Return the other nodes. Notes the source overlay. `flannel_env` is the text of flannel's subnet.env."""
    found: dict[str, list[str]] = {}
    devices = tunnelling(network)
    made = {link.name: tunnels.vxlan(connection, link) for link in devices}
    questions: list[tuple[str, Callable[[], dict[str, list[str]]]]] = []
    if devices:
        questions.append(("the forwarding tables of VXLAN devices", lambda: far_ends(connection, devices)))
    questions.append(("routes", lambda: {"routes": _next_hops(connection, network, flannel_env)}))
    encrypting = encrypted(network)
    if encrypting:
        questions.append(("the peers of WireGuard devices", lambda: _endpoints(encrypting)))
    problems = [problem for problem in (_asked(found, *question) for question in questions) if problem]
    return concluded(
        found, made, network, f"The kernel does not tell {'; '.join(problems)}." if problems else "", sources
    )


def tunnelling(network: Network) -> list[Link]:
    """Return Calico's and flannel's VXLAN devices."""
    return [link for link in network.links.values() if link.kind == "vxlan" and link.name in VXLAN]


def encrypted(network: Network) -> list[Link]:
    """Return Calico's and flannel's WireGuard devices."""
    return [link for link in network.links.values() if link.kind == "wireguard" and link.name in WIREGUARD]


def concluded(
    found: Mapping[str, Sequence[str]],
    made: Mapping[str, tunnels.Vxlan | None],
    network: Network,
    problem: str,
    sources: Sources,
) -> Learnt:
    """Return what follows from the addresses that were `found`, by what tells of them, and from how VXLAN devices are
    `made`. Notes the source overlay; `problem` is the sentence on what could not be asked, or ''."""
    own: dict[str, str] = {}
    for device in made.values():
        if device is not None and network.holds(device.local):
            own.setdefault("ipv6" if ":" in device.local else "ipv4", device.local)
    nodes = {told_by: others(addresses, network) for told_by, addresses in found.items()}
    learnt = Learnt({told_by: addresses for told_by, addresses in nodes.items() if addresses}, own)
    if problem:
        sources.failed("overlay", problem)
    elif learnt.nodes:
        sources.ok("overlay")
    else:
        sources.absent("overlay", "No tunnel or route of Calico's or flannel's tells of other nodes.")
    return learnt


def _asked(found: dict[str, list[str]], what: str, ask: Callable[[], dict[str, list[str]]]) -> str:
    """Put an answer with those `found`; return what went wrong."""
    try:
        found.update(ask())
    except OSError as error:
        return f"{what}: {error.strerror or error}"
    return ""


def _endpoints(devices: Iterable[Link]) -> dict[str, list[str]]:
    from . import wireguard

    return {link.name: wireguard.endpoints(link) for link in devices}


def _next_hops(connection: netlink.Netlink, network: Network, flannel_env: str) -> list[str]:
    families = [route_table.read(connection, family, network) for family in ("ipv4", "ipv6")]
    return [hop for entries in families for hop in next_hops(entries, network, flannel_env)]


def own_addresses(learnt: Learnt, ways: Mapping[str, Route]) -> dict[str, str]:
    """Return by family the address by which other nodes know this one: that of its VXLAN device, else the one from
    which the kernel sends to most of them."""
    own = dict(learnt.own)
    for family in ("ipv4", "ipv6"):
        counted: dict[str, int] = {}
        for address in learnt.addresses:
            way = ways.get(address)
            if way is not None and way.source and (":" in address) == (family == "ipv6"):
                counted[way.source] = counted.get(way.source, 0) + 1
        if counted:
            own.setdefault(family, max(counted, key=lambda source: counted[source]))
    return own


def far_ends(connection: netlink.Netlink, devices: Iterable[Link]) -> dict[str, list[str]]:
    """Return by device the far ends in the forwarding tables. Raises OSError if the kernel does not answer."""
    names = {link.number: link.name for link in devices}
    found: dict[str, list[str]] = {}
    question = struct.pack("=BxxxiHBB", socket.AF_BRIDGE, 0, 0, 0, 0)
    for kind, body in connection.dump(_RTM_GETNEIGH, question):
        if kind != _RTM_NEWNEIGH or len(body) < 12:
            continue
        name = names.get(struct.unpack_from("=i", body, 4)[0])
        address = netlink.address(netlink.attributes(body, 12).get(_NDA_DST)) if name else ""
        if name and address:
            found.setdefault(name, []).append(address)
    return found


def next_hops(entries: Iterable[route_table.Entry], network: Network, flannel_env: str) -> list[str]:
    """Return the next hops of Felix' routes, and of routes into flannel's network (its backend host-gw makes those)."""
    tunnelled = {link.name for link in network.links.values() if link.kind in ("vxlan", "wireguard")}
    pods = _networks(flannel_env)
    found = []
    for entry in entries:
        if not entry.gateway or entry.device in tunnelled or entry.gateway.startswith("fe80:"):
            continue
        if entry.protocol == route_table.FELIX or _is_within(entry.destination, pods):
            found.append(entry.gateway)
    return found


def others(addresses: Iterable[str], network: Network) -> list[str]:
    """Leave out what is no single other host: groups, the unspecified address and this host's own ones."""
    return [
        address
        for address in dict.fromkeys(addresses)
        if not (network.holds(address) or _is_group(address) or not address.strip("0.:"))
    ]


def _is_group(address: str) -> bool:
    return address.startswith("ff") if ":" in address else 224 <= int(address.partition(".")[0]) < 240


def _networks(flannel_env: str) -> Sequence[tuple[int, int, int]]:
    """Return (first address, prefix length, bits of an address) of the networks in flannel's subnet.env."""
    values = dict(line.strip().partition("=")[::2] for line in flannel_env.splitlines())
    words = [word for name in ("FLANNEL_NETWORK", "FLANNEL_IPV6_NETWORK") for word in values.get(name, "").split(",")]
    return [parsed for parsed in map(_prefix, words) if parsed is not None]


def _is_within(destination: str, networks: Sequence[tuple[int, int, int]]) -> bool:
    own = _prefix(destination) if networks else None
    return own is not None and any(
        bits == own[2] and length <= own[1] and own[0] >> (bits - length) == first >> (bits - length)
        for first, length, bits in networks
    )


def _prefix(text: str) -> tuple[int, int, int] | None:
    address, _slash, length = text.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        raw = socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None
    bits = len(raw) * 8
    if length and not (is_whole(length) and int(length) <= bits):
        return None
    return int.from_bytes(raw, "big"), int(length) if length else bits, bits
