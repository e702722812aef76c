# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calico's autodetection of a node's address, worked out again from the node's interfaces.

calico-node walks the interfaces from the last of the kernel's list to the first and takes the first address that is
neither loopback, link-local nor multicast. It does not look at whether an interface is up, whether an address is
secondary, deprecated or tentative, nor at routes. Hence an interface that is made later wins over the network card, and
a virtual address counts like any other.
"""

from __future__ import annotations

import socket

from .._inet import octets
from .._numbers import is_whole
from .._record import NamedTuple
from . import releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Matches = Callable[[str], bool]
    # The address the kernel would send from to a destination: '' if there is no way to it, None if not known.
    SourceOf = Callable[[str], "str | None"]

FIRST_FOUND = "first-found"
_INTERFACE, _CIDR, _CAN_REACH, _SKIP = "interface=", "cidr=", "can-reach=", "skip-interface="
_INTERNAL_IP = "kubernetes-internal-ip"
_SPACE = "\t\n\f\r "  # what Go's \s means
_MAPPED = b"\0" * 10 + b"\xff\xff"


class Held(NamedTuple):
    """An address and its prefix length as the kernel tells them. `peer` is the far end, if there is one."""

    address: str
    prefix: int
    peer: str = ""


class Interface(NamedTuple):
    """An interface and its addresses of both families in the kernel's order; some are missing if not `complete`."""

    name: str
    addresses: Sequence[Held]
    complete: bool = True


class Pick(NamedTuple):
    """What autodetection takes: an address, or none ('') if nothing fits. Not `decided`: this cannot be said from here.
    `why` is for a person."""

    address: str
    prefix: int
    interface: str
    why: str
    decided: bool = True


class Host(NamedTuple):
    """What autodetection looks at.

    `interfaces` are in the kernel's order. `source_of` tells which address the kernel would send from, `internal_ips`
    are the InternalIP addresses of the Kubernetes node (None: not known), `version` is Calico's.
    """

    interfaces: Sequence[Interface]
    version: tuple[int, int, int] | None = None
    source_of: SourceOf = lambda _destination: None
    internal_ips: Sequence[str] | None = None


def detect(method: str, family: str, host: Host) -> Pick:
    """Return what a method picks for a family, 'ipv4' or 'ipv6'.

    Where Calico's version is not known and releases differ in this case, the pick is not decided.
    """
    if host.version is not None:
        return _detect(method, family, host, releases.rules(host.version))
    newest = _detect(method, family, host, releases.rules(None))
    for release in releases.DIFFERENT:
        other = _detect(method, family, host, releases.rules(release))
        if (other.address, other.prefix) != (newest.address, newest.prefix):
            older = f"{other.address}/{other.prefix}" if other.address else "nothing"
            name = ".".join(str(number) for number in release)
            why = f"{newest.why}; that is by the newest release, {name} takes {older}, and the version is not known"
            return newest._replace(why=why, decided=False)
    return newest


def is_global_unicast(address: str) -> bool:
    """Say whether Go calls this a global unicast address: what autodetection accepts."""
    raw = _raw(address)
    if len(raw) == 4:
        return raw not in (b"\0" * 4, b"\xff" * 4) and raw[0] != 127 and raw[0] >> 4 != 14 and raw[:2] != b"\xa9\xfe"
    if len(raw) == 16:
        return raw not in (b"\0" * 16, b"\0" * 15 + b"\1") and raw[0] != 255 and (raw[0], raw[1] & 0xC0) != (254, 128)
    return False


def _detect(method: str, family: str, host: Host, rules: releases.Rules) -> Pick:
    if method in ("", FIRST_FOUND):
        return _first_found(family, host, rules, None)
    if method.startswith(_INTERFACE):
        return _by_interface(method[len(_INTERFACE) :], family, host, rules)
    if method.startswith(_CIDR):
        return _by_cidr(method[len(_CIDR) :], family, host, rules)
    if method.startswith(_CAN_REACH):
        return _by_reach(method[len(_CAN_REACH) :], family, host, rules)
    if method.startswith(_SKIP):
        skipped = _compiled(method[len(_SKIP) :])
        return skipped if isinstance(skipped, Pick) else _first_found(family, host, rules, skipped)
    if method.startswith(_INTERNAL_IP):
        return _internal_ip(family, host, rules)
    return _nothing(f"Calico knows no method {method[:60]!r}, and calico-node ends over it")


def _first_found(family: str, host: Host, rules: releases.Rules, skipped: Matches | None) -> Pick:
    def wanted(name: str) -> bool:
        return not rules.excludes(name) and not (skipped and skipped(name))

    return _first(family, host, rules, wanted, lambda _raw: True, "that Calico does not leave out")


def _by_interface(patterns: str, family: str, host: Host, rules: releases.Rules) -> Pick:
    matches = _compiled(patterns)
    if isinstance(matches, Pick):
        return matches
    return _first(family, host, rules, matches, lambda _raw: True, f"that matches {patterns[:60]}")


def _by_cidr(texts: str, family: str, host: Host, rules: releases.Rules) -> Pick:
    networks = []
    for text in _split(texts):
        network = parse_cidr(text)
        if network is None:
            return _nothing(f"{text[:60]!r} is no CIDR, and calico-node takes no address then")
        networks.append(network)

    def inside(raw: bytes) -> bool:
        return any(_contains(network, raw) for network in networks)

    return _first(family, host, rules, lambda _name: True, inside, f"that has one in {texts[:60]}")


def _first(
    family: str, host: Host, rules: releases.Rules, wanted: Matches, fits: Callable[[bytes], bool], which: str
) -> Pick:
    """Return the first acceptable address of the last interface in the kernel's list that has one."""
    looked = False
    for interface in reversed(host.interfaces):
        if not wanted(interface.name):
            continue
        looked = True
        for address, prefix in _of_family(interface, family, rules):
            if is_global_unicast(address) and fits(_raw(address)):
                why = f"{interface.name} is the last interface in the kernel's list {which}"
                return Pick(address, prefix, interface.name, why)
        if not interface.complete:
            return _unknown(f"not all addresses of {interface.name} are known, which comes first")
    if not looked:
        return _nothing(f"there is no interface {which}")
    return _nothing(f"no interface {which} has a global {_spoken(family)} address")


def _by_reach(destination: str, family: str, host: Host, rules: releases.Rules) -> Pick:
    other = "ipv4" if family == "ipv6" else "ipv6"
    if _family_of(destination.partition("%")[0]) == other:
        return _nothing(f"{destination} is no {_spoken(family)} address")
    # Without a destination Go connects to this host itself.
    source = host.source_of(destination) if destination else {"ipv4": "127.0.0.1", "ipv6": "::1"}[family]
    if source is None:
        return _unknown(f"from which address the kernel would send to {destination[:60]} is not known here")
    if not source:
        return _nothing(f"there is no way to {destination[:60]}")
    found = _holder(source, family, host, rules)
    if found is None:
        if all(interface.complete for interface in host.interfaces):
            return _nothing(f"to {destination[:60]} the kernel would send from {source}, which no interface has")
        return _unknown(f"which interface has {source} is not known here")
    return found._replace(why=f"the kernel would send from it to {destination[:60] or 'this host'}")


def _internal_ip(family: str, host: Host, rules: releases.Rules) -> Pick:
    if host.internal_ips is None:
        return _unknown("the InternalIP stands in the Kubernetes API")
    address = next((text for text in host.internal_ips if _family_of(text) == family), "")
    if not address:
        return _nothing(f"the Kubernetes node has no {_spoken(family)} InternalIP")
    found = _holder(address, family, host, rules)
    if found is None:
        if not all(interface.complete for interface in host.interfaces):
            return _unknown(f"which interface has the InternalIP {address} is not known here")
        return _nothing(f"no interface has the InternalIP {address}, so it comes without the prefix that Calico wants")
    if rules.masks_internal_ip:
        subnet = socket.inet_ntop(_of_length(_raw(address)), _masked(_raw(address), found.prefix))
        return found._replace(address=subnet, why=f"the subnet's address instead of InternalIP {address}: a known bug")
    return found._replace(why="it is the node's InternalIP")


def _holder(address: str, family: str, host: Host, rules: releases.Rules) -> Pick | None:
    """Return the last interface in the kernel's list that holds the address."""
    wanted = _raw(address)
    for interface in reversed(host.interfaces):
        for held, prefix in _of_family(interface, family, rules):
            if _raw(held) == wanted:
                return Pick(held, prefix, interface.name, "")
    return None


def _of_family(interface: Interface, family: str, rules: releases.Rules) -> Iterator[tuple[str, int]]:
    """Yield an interface's addresses and prefix lengths as calico-node sees them."""
    for held in interface.addresses:
        raw = _raw(held.address)
        width = len(raw) * 8
        # Go takes ::ffff:10.0.0.1 for an IPv4 address.
        if ("ipv6" if width == 128 else "ipv4") == family and raw:
            prefix = held.prefix
            if held.peer and not rules.keeps_far_prefix:
                prefix = width
            elif ":" in held.address and width == 32:
                prefix = max(held.prefix - 96, 0)
            yield held.address.rpartition(":")[2] if width == 32 else held.address, prefix


def _compiled(patterns: str) -> Matches | Pick:
    """Join a list of patterns as calico-node does and return what matches it, or the Pick that says why not."""
    from . import go_regex

    joined = "(" + ")|(".join(_split(patterns)) + ")"
    try:
        return go_regex.matcher(joined)
    except go_regex.InvalidError as error:
        return _nothing(f"Go refuses the regular expression {patterns[:60]}: {error}")
    except go_regex.UndecidedError as error:
        return _unknown(f"the regular expression {patterns[:60]} was not understood: {error}")


def _split(text: str) -> list[str]:
    """Split at commas and the white space around them; that at both ends of the whole stays, as in calico-node."""
    parts = text.split(",")
    last = len(parts) - 1
    parts = [part.lstrip(_SPACE) if number else part for number, part in enumerate(parts)]
    return [part.rstrip(_SPACE) if number < last else part for number, part in enumerate(parts)]


def parse_cidr(text: str) -> tuple[bytes, int] | None:
    """Return a network's first address and prefix length; None if Go would not take the text for one."""
    address, slash, prefix = text.partition("/")
    raw = octets(address)
    width = len(raw) * 8
    if not slash or not raw or not is_whole(prefix) or len(prefix) > 3 or not 0 <= int(prefix) <= width:
        return None
    if not all(char < "\x80" for char in prefix):
        return None
    return _masked(raw, int(prefix)), int(prefix)


def _contains(network: tuple[bytes, int], raw: bytes) -> bool:
    first, prefix = network
    return len(first) == len(raw) and _masked(raw, prefix) == first


def _masked(raw: bytes, prefix: int) -> bytes:
    host_bits = len(raw) * 8 - prefix
    return (int.from_bytes(raw, "big") >> host_bits << host_bits).to_bytes(len(raw), "big")


def _family_of(address: str) -> str:
    raw = _raw(address)
    return ("ipv6" if len(raw) == 16 else "ipv4") if raw else ""


def _of_length(raw: bytes) -> int:
    return socket.AF_INET6 if len(raw) == 16 else socket.AF_INET


def _raw(address: str) -> bytes:
    """Return an address as bytes, four where Go sees IPv4; b"" if it is none."""
    raw = octets(address)
    return raw[12:] if raw.startswith(_MAPPED) else raw


def _spoken(family: str) -> str:
    return "IPv6" if family == "ipv6" else "IPv4"


def _nothing(why: str) -> Pick:
    return Pick("", 0, "", why)


def _unknown(why: str) -> Pick:
    return Pick("", 0, "", why, decided=False)


def interfaces(links: Iterable[str], held: Iterable[tuple[str, Held]]) -> list[Interface]:
    """Return the interfaces in the order of their names in `links`, each with its addresses from `held`."""
    found: dict[str, list[Held]] = {name: [] for name in links}
    for name, entry in held:
        found.setdefault(name, []).append(entry)
    return [Interface(name, entries) for name, entries in found.items()]
