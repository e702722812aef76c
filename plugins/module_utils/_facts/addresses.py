# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This node's addresses, what Calico's autodetection was told, and what it would take for the node's own today."""

from __future__ import annotations

import os
import socket

from .._address import autodetect, releases
from .._host.processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any, Dict

    from .._address.autodetect import Pick
    from .._host.links import Address, Network
    from .._host.processes import ProcessTable
    from .sources import Sources

    Facts = Dict[str, Any]

_MOST_ADDRESSES = 32
_MOST_OTHERS = 8
_MOST_OTHERS_OF_ONE = 2
# Interfaces whose addresses are none of the node itself. Those of tunnels are in calico_mtu.
_OF_CONTAINERS = ("br-", "cali", "cbr", "cni", "docker", "lxcbr", "podman", "veth", "virbr")
_OF_SERVICES = ("kube-ipvs", "nodelocaldns")
_OF_TUNNELS = ("flannel", "tunl", "vxlan", "wg-v6.cali", "wireguard.cali")
_NO_NODE_ADDRESS = _OF_CONTAINERS + _OF_SERVICES + _OF_TUNNELS
# Networks for documentation (RFC 5737, RFC 3849): the kernel is asked for its way there, nothing is ever sent.
OUTSIDE = {"ipv4": "198.51.100.1", "ipv6": "2001:db8::1"}
# With this networking backend calico-node's start-up leaves out all that is about addresses.
NO_NETWORKING = "none"
_VARIABLES = {"ipv4": ("IP", "IP_AUTODETECTION_METHOD"), "ipv6": ("IP6", "IP6_AUTODETECTION_METHOD")}
_DISCARD_PORT = 80  # can-reach's own; a UDP socket that is connected sends nothing
_LONGEST = 200


class Around:
    """What the addresses' peculiarities and autodetection depend on besides the network: by default, nothing known."""

    def __init__(
        self,
        holders: Sequence[str] = (),
        promotes: Callable[[str], bool] = lambda _interface: True,
        source_of: Callable[[str], str | None] = lambda _destination: None,
        internal_ips: Sequence[str] | None = None,
    ) -> None:
        self.holders = holders
        self.promotes = promotes
        self.source_of = source_of
        self.internal_ips = internal_ips


def around(processes: ProcessTable, root: str = "", proc_root: str = "/proc") -> Around:
    """Look around on this very node."""
    from .._address import signs

    running = sorted({process.comm for process in processes.named(*signs.HOLDERS)})
    return Around(
        running,
        lambda interface: _promotes(interface, proc_root),
        lambda destination: source_of(destination, root),
        told_to_kubelet(processes, root),
    )


def gather(
    network: Network,
    own: Collection[str],
    environment: Mapping[str, str] | None,
    version: str,
    sources: Sources,
    about: Around,
    backend: str = "",
) -> Facts:
    """Return the keys of calico_node that are about addresses. Notes the source autodetection.

    `own` are the addresses BIRD takes for its own, `environment` what calico-node was told (None: not known),
    `version` is Calico's ('' if not known). With the networking `backend` none Calico does not look for an address, so
    that nothing is said of which it would pick.
    """
    facts = addresses_of(network, own, about)
    if about.holders:
        facts["vip_holders"] = list(about.holders)
    if backend == NO_NETWORKING:
        sources.absent("autodetection", "Calico does not look for an address: its networking backend is none.")
        return facts
    facts["autodetection"] = autodetection(network, own, environment, version, about)
    if environment is None:
        sources.absent("autodetection", "How Calico finds this node's address is not known: no process of it was read.")
    else:
        sources.ok("autodetection")
    return facts


def addresses_of(network: Network, own: Collection[str], about: Around | None = None) -> Facts:
    """Return the addresses by which other nodes might know this one, at most 32, and some of the others, which
    autodetection may take, too. They are in the kernel's order."""
    from .._address.signs import signs

    about = about or Around()
    positions = {link.name: number for number, link in enumerate(network.links.values())}
    ordinary, others, left = _sorted_out(network, own)
    kept = set(sorted(range(len(ordinary)), key=lambda number: ordinary[number].address not in own)[:_MOST_ADDRESSES])
    found = []
    for entry in [entry for number, entry in enumerate(ordinary) if number in kept]:
        link = network.link(entry.interface)
        fact = _fact(entry, positions)
        fact.update(scope=entry.scope, up=bool(link and link.up))
        peculiar = signs(entry, ordinary, about.holders, about.promotes)
        if peculiar:
            fact["signs"] = peculiar
        found.append(fact)
    facts: Facts = {"addresses": found}
    if len(ordinary) > len(found):
        facts["addresses_left_out"] = len(ordinary) - len(found)
    if others:
        facts["other_addresses"] = [_fact(entry, positions) for entry in others]
    if left:
        facts["other_addresses_left_out"] = left
    return facts


def _sorted_out(network: Network, own: Collection[str]) -> tuple[list[Address], list[Address], dict[str, int]]:
    """Return the node's own addresses, some of those that autodetection might take besides, and how many such there
    are more, by interface."""
    ordinary: list[Address] = []
    others: list[Address] = []
    left: dict[str, int] = {}
    for entry in network.addresses:
        possible = autodetect.is_global_unicast(entry.address)
        of_the_node = (possible or entry.scope == "global") and not entry.interface.startswith(_NO_NODE_ADDRESS)
        if of_the_node or entry.address in own:
            ordinary.append(entry)
        elif possible:
            of_it = sum(other.interface == entry.interface for other in others)
            if of_it < _MOST_OTHERS_OF_ONE and len(others) < _MOST_OTHERS:
                others.append(entry)
            else:
                left[entry.interface] = left.get(entry.interface, 0) + 1
    return ordinary, others, left


def autodetection(
    network: Network, own: Collection[str], environment: Mapping[str, str] | None, version: str, about: Around
) -> Facts:
    """Return calico_node.autodetection: by family what was set, and what it comes to now."""
    held = [(entry.interface, autodetect.Held(entry.address, entry.prefix, entry.peer)) for entry in network.addresses]
    host = autodetect.Host(
        autodetect.interfaces([link.name for link in network.links.values()], held),
        releases.parse_version(version),
        about.source_of,
        about.internal_ips,
    )
    facts: Facts = {}
    for family, (address_variable, method_variable) in _VARIABLES.items():
        value = None if environment is None else environment.get(address_variable, "")
        if family == "ipv6" and value == "" and not any(":" in address for address in own):
            continue  # Calico was told nothing of IPv6, and nobody uses it
        fact = _told(value)
        pick = None
        # IPv6 is looked for only on demand, IPv4 also where nothing is said (and the Node has no address yet).
        if value == "autodetect" or (value == "" and family == "ipv4"):
            method = (environment or {}).get(method_variable, "")
            pick = autodetect.detect(method, family, host)
            if method not in ("", autodetect.FIRST_FOUND):
                fact["method"] = method[:_LONGEST]
            fact.update(_picked(pick, own))
        first = autodetect.detect(autodetect.FIRST_FOUND, family, host)
        if first.address and (pick is None or (first.address, first.interface) != (pick.address, pick.interface)):
            fact["first_found"] = f"{first.address}/{first.prefix}"
            fact["first_found_interface"] = first.interface
        outward = about.source_of(OUTSIDE[family])
        if outward:
            fact["outward"] = outward
        if set(fact) != {"set"}:
            facts[family] = fact
    return facts


def source_of(destination: str, root: str = "") -> str | None:
    """Return the address from which the kernel would send to a destination, found as calico-node does, by connecting a
    UDP socket, for which nothing is sent. '' if there is no way; None for a name that stands not in /etc/hosts."""
    address = destination if _family(destination) else in_hosts(destination, read_text(root + "/etc/hosts"))
    if not address:
        return None
    try:
        with socket.socket(_family(address), socket.SOCK_DGRAM) as plain:
            plain.connect((address, _DISCARD_PORT))
            return str(plain.getsockname()[0]).partition("%")[0]
    except (OSError, ValueError):
        return ""


def in_hosts(name: str, text: str) -> str:
    """Return the first address of a name in /etc/hosts; ''."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if name and name.lower() in [word.lower() for word in words[1:]] and _family(words[0]):
            return words[0]
    return ""


def _family(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address.partition("%")[0])
    except (OSError, ValueError):
        return 0
    return family


def _promotes(interface: str, proc_root: str) -> bool:
    """Say whether the kernel makes a secondary address the first when that one goes: by default it takes it away."""
    values = [
        read_text(os.path.join(proc_root, f"sys/net/ipv4/conf/{name}/promote_secondaries"), 8).strip()
        for name in ("all", interface)
    ]
    return "1" in values


def told_to_kubelet(processes: ProcessTable, root: str | None = None) -> Sequence[str] | None:
    """Return the addresses that kubelet was told to give as InternalIP; None if it was told none. Without a `root`
    (that of this host is '') no files are read for it."""
    from .._host import kubelet

    return kubelet.told_addresses(processes, processes.network_namespace, root)


def _fact(entry: Address, positions: Mapping[str, int]) -> Facts:
    fact: Facts = {"address": entry.address, "prefix": entry.prefix, "interface": entry.interface}
    fact["position"] = positions.get(entry.interface, 0)
    if entry.label:
        fact["label"] = entry.label
    if entry.peer:
        fact["peer"] = entry.peer
    if entry.valid_seconds is not None:
        fact["valid_seconds"] = entry.valid_seconds
    return fact


def _told(value: str | None) -> Facts:
    """Return what IP or IP6 says; nothing for autodetect, which is what the manifests say for IPv4."""
    if value == "autodetect":
        return {}
    if value is None:
        return {"set": "unknown"}
    if value in ("", "none"):
        return {"set": value or "unset"}
    return {"set": "address", "given": value[:_LONGEST]}


def _picked(pick: Pick, own: Collection[str]) -> Facts:
    fact: Facts = {}
    if pick.address:
        fact = {"picks": f"{pick.address}/{pick.prefix}", "interface": pick.interface}
    if not pick.decided:
        fact["undecided"] = True
    if pick.address not in own or not pick.decided:
        fact["why"] = pick.why
    return fact
