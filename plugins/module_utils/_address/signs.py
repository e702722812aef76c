# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is peculiar about a host's addresses: those that come and go, and those that belong to no one node."""

from __future__ import annotations

from .._host import links
from .._inet import octets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._host.links import Address

# Programs that give a host an address which may be another host's the next minute.
HOLDERS = (
    "keepalived",
    "kube-vip",
    "ucarp",
    "vrrpd",
    "uvrrpd",
    "pacemakerd",
    "corosync",
    "ctdbd",
    "vip-manager",
)
_WIDTH = {"ipv4": 32, "ipv6": 128}


def signs(
    entry: Address, others: Sequence[Address], holders: Sequence[str], promotes: Callable[[str], bool]
) -> list[str]:
    """Return what is peculiar about an address, in these words; none for an ordinary one.

    secondary: an IPv4 address of a subnet of which the interface had another one before. dies_with_first: it goes when
    that one goes. temporary, deprecated, tentative, duplicate: the kernel's words for IPv6 addresses. dynamic: it
    expires, if nobody renews it. host_prefix: its subnet is itself alone. point_to_point: its prefix is the far end's.
    shares_subnet: another IPv4 address of this host is in the same subnet. vip: it looks like an address that moves
    from host to host, and a program that moves them runs here; maybe_vip: it only looks like one.

    `others` are all addresses of the host, `holders` those of HOLDERS that run, `promotes` says whether an interface
    makes a secondary address the first when that one goes.
    """
    flags = entry.flags
    secondary = entry.family == "ipv4" and flags & links.SECONDARY
    found = ["secondary"] if secondary else []
    if secondary and not promotes(entry.interface):
        found.append("dies_with_first")
    if entry.family == "ipv6":
        words = (
            ("temporary", links.SECONDARY),
            ("deprecated", links.DEPRECATED),
            ("tentative", links.TENTATIVE),
            ("duplicate", links.DUPLICATE),
        )
        found += [word for word, flag in words if flags & flag]
    if entry.valid_seconds is not None or not flags & links.PERMANENT:
        found.append("dynamic")
    if entry.prefix == _WIDTH[entry.family] and not entry.peer:
        found.append("host_prefix")
    if entry.peer:
        found.append("point_to_point")
    if entry.family == "ipv4" and any(_same_subnet(entry, other) for other in others):
        found.append("shares_subnet")
    if _moves(entry, others, found):
        found.append("vip" if holders else "maybe_vip")
    return found


def _moves(entry: Address, others: Sequence[Address], found: list[str]) -> bool:
    """Say whether somebody seems to have put an address on top of the interface's own.

    A host prefix alone is none: clouds give a node its only address that way.
    """
    if "dynamic" in found or "point_to_point" in found or entry.scope != "global":
        return False
    if "host_prefix" in found and "shares_subnet" in found:
        return True  # also on the loopback interface, where kube-vip may put it
    beside = [
        other
        for other in others
        if other.interface == entry.interface
        and other.family == entry.family
        and other.address != entry.address
        and other.scope == "global"
        and other.prefix < _WIDTH[entry.family]
    ]
    return bool(beside) and ("secondary" in found or "host_prefix" in found or bool(entry.label))


def _same_subnet(one: Address, other: Address) -> bool:
    if one.family != other.family or one.address == other.address or one.peer or other.peer:
        return False
    prefix = min(one.prefix, other.prefix)
    if 0 < prefix < _WIDTH[one.family] and max(one.prefix, other.prefix) in (prefix, _WIDTH[one.family]):
        shift = _WIDTH[one.family] - prefix
        return _number(one.address) >> shift == _number(other.address) >> shift
    return False


def _number(address: str) -> int:
    return int.from_bytes(octets(address), "big")
