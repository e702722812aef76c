# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy routing: the rules (`ip rule`) that a host has beside the kernel's own, and the peers whose packets they lead
elsewhere.

BIRD binds its sessions to this node's address, so that rules by source address hold for them which do not show when the
kernel is asked for its route to a peer alone. Layouts: <linux/fib_rules.h>.
"""

from __future__ import annotations

import errno
import socket
import struct

from .._record import NamedTuple
from . import netlink, routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .links import Network
    from .routes import Route

_RTM_NEWRULE, _RTM_GETRULE = 32, 34
_DST, _SRC, _IIF, _GOTO, _PRIORITY, _MARK, _SUPPRESS, _TABLE, _MASK, _OIF = 1, 2, 3, 4, 6, 10, 14, 15, 16, 17
_L3MDEV, _USERS, _PROTOCOL, _SOURCE_PORTS, _PORTS = 19, 20, 22, 23, 24
_INVERT = 2
_TO_TABLE, _TO_RULE = 1, 2
_ACTIONS = {3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
NAMES = {253: "default", 254: "main", 255: "local"}
_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_EVERYTHING = 0xFFFFFFFF
# What every kernel begins with.
OWN = frozenset(("0: from all lookup local", "32766: from all lookup main", "32767: from all lookup default"))
_BGP_PORT = 179


class Rule(NamedTuple):
    """One rule, `text` as `ip rule` prints it, but tables by their numbers."""

    priority: int
    text: str


def read(connection: netlink.Netlink, family: str) -> list[Rule]:
    """Return the rules of one family without the three that every kernel has, in their order.

    Raises OSError if the kernel does not answer; one without policy routing has none.
    """
    question = struct.pack("=8BI", _FAMILIES[family], 0, 0, 0, 0, 0, 0, 0, 0)
    try:
        answers = connection.dump(_RTM_GETRULE, question)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
            return []
        raise
    found = [parse(body) for kind, body in answers if kind == _RTM_NEWRULE]
    return [rule for rule in found if rule is not None and rule.text not in OWN]


def parse(body: bytes) -> Rule | None:
    """Read a rule message's body; None if it is cut."""
    if len(body) < 12:
        return None
    target_length, source_length, action = body[1], body[2], body[7]
    own = netlink.attributes(body, 12)
    priority = netlink.number(own.get(_PRIORITY))
    inverted = struct.unpack_from("=I", body, 8)[0] & _INVERT
    words = [f"{priority}:", *(["not"] if inverted else []), "from", _prefix(own.get(_SRC), source_length)]
    if target_length:
        words += ["to", _prefix(own.get(_DST), target_length)]
    words += _conditions(own)
    table = netlink.number(own.get(_TABLE)) or body[4]
    if action == _TO_TABLE:
        words += ["lookup", "l3mdev" if any(own.get(_L3MDEV, b"")) else NAMES.get(table, str(table))]
        suppressed = netlink.number(own.get(_SUPPRESS)) if _SUPPRESS in own else _EVERYTHING
        if suppressed != _EVERYTHING:
            words += ["suppress_prefixlength", str(suppressed)]
    elif action == _TO_RULE:
        words += ["goto", str(netlink.number(own.get(_GOTO)))]
    else:
        words.append(_ACTIONS.get(action, f"action {action}"))
    return Rule(priority, " ".join(words))


def rerouted(
    connection: netlink.Netlink, network: Network, ways: Mapping[str, Route], own: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return the peers that this node's BGP would reach on another way than `ways`, by that way: blackhole, none …, or
    "via GATEWAY dev DEVICE". `own` is by family the address that BGP uses here; one that this host does not have is
    not asked about. Raises OSError if the kernel does not answer."""
    sources = {}
    for address in ways:
        source = own.get("ipv6" if ":" in address else "ipv4", "")
        if source and network.holds(source):
            sources[address] = source
    return led_elsewhere(routes.look_up(connection, sources, network, sources, _BGP_PORT), ways)


def led_elsewhere(asked: Mapping[str, Route], ways: Mapping[str, Route]) -> dict[str, list[str]]:
    """Return the addresses whose way in `asked` is another than in `ways`, by that way."""
    found: dict[str, list[str]] = {}
    for address, way in asked.items():
        plain = ways[address]
        if (way.kind, way.device, way.gateway) != (plain.kind, plain.device, plain.gateway):
            found.setdefault(_described(way), []).append(address)
    return found


def _described(way: Route) -> str:
    if way.kind != "unicast":
        return way.kind
    return f"via {way.gateway} dev {way.device}" if way.gateway else f"dev {way.device}"


def _conditions(own: Mapping[int, bytes]) -> Iterable[str]:
    if _MARK in own or netlink.number(own.get(_MASK)) not in (0, _EVERYTHING):
        mark, mask = netlink.number(own.get(_MARK)), netlink.number(own.get(_MASK))
        if mark or mask:
            yield from ("fwmark", f"{mark:#x}" if mask == _EVERYTHING else f"{mark:#x}/{mask:#x}")
    for kind, name in ((_IIF, "iif"), (_OIF, "oif")):
        if kind in own:
            yield from (name, netlink.text(own[kind]))
    if len(own.get(_USERS, b"")) >= 8:
        yield from ("uidrange", "{}-{}".format(*struct.unpack_from("=II", own[_USERS])))
    if any(own.get(_PROTOCOL, b"")):
        yield from ("ipproto", str(own[_PROTOCOL][0]))
    for kind, name in ((_SOURCE_PORTS, "sport"), (_PORTS, "dport")):
        if len(own.get(kind, b"")) >= 4:
            first, last = struct.unpack_from("=HH", own[kind])
            yield from (name, str(first) if first == last else f"{first}-{last}")


def _prefix(raw: bytes | None, length: int) -> str:
    if raw is None or not length:
        return "all"
    address = netlink.address(raw)
    return address if length == len(raw) * 8 else f"{address}/{length}"
