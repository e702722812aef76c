# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is probed: the ports, the peers, and the names under which results are told."""

from __future__ import annotations

import json
import socket

from .._inet import is_address
from .._record import NamedTuple
from . import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

GREATEST_NUMBER = 0xFFFF
_GREATEST_PORT = 0xFFFF
# By this name another run knows the listener for one; Linux keeps 15 letters.
PROCESS = "netmedic-listen"
FAMILIES = (socket.AF_INET, socket.AF_INET6)


class Ways(NamedTuple):
    """The ports of TCP and UDP, and whether IPIP is among what is probed."""

    tcp: Sequence[int]
    udp: Sequence[int]
    ipip: bool


class Peer(NamedTuple):
    """Another host: its number in this run, its addresses (of each family at most one), and its listener's token."""

    number: int
    addresses: Sequence[str]
    token: str


class Request(NamedTuple):
    """What a host is asked to probe, and as whom. `rate` is in packets per second, `timeout` in seconds.

    `signed` are the numbers of hosts whose BIRD has passwords: it would count an unsigned SYN as an attack.
    """

    number: int
    own: Sequence[str]
    peers: Sequence[Peer]
    ways: Ways
    mtu: bool
    timeout: float
    rate: float
    signed: Sequence[int] = ()


def name(kind: str, port: int, family: int) -> str:
    """Return the name of a way: tcp179, udp4789, ipip; those of IPv6 end on /6."""
    plain = f"{kind}{port}" if port else kind
    return f"{plain}/6" if family == socket.AF_INET6 else plain


def names(ways: Ways, family: int) -> Iterator[str]:
    """The names of all ways that there are in one family; IPIP carries IPv4 in IPv4 only."""
    for port in ways.tcp:
        yield name(marks.TCP, port, family)
    for port in ways.udp:
        yield name(marks.UDP, port, family)
    if ways.ipip and family == socket.AF_INET:
        yield name(marks.IPIP, 0, family)


def read_request(text: str) -> Request:
    """Read a request as the controller writes it. Raises ValueError with a sentence for what is none."""
    try:
        given = json.loads(text)
        ways = Ways(_ports(given["tcp"]), _ports(given["udp"]), bool(given["ipip"]))
        peers = [Peer(_number(one[0]), _addresses(one[1]), str(one[2])) for one in given["peers"]]
        for peer in peers:
            marks.of_token(peer.token)
        return Request(
            _number(given["number"]),
            _addresses(given["own"]),
            peers,
            ways,
            bool(given["mtu"]),
            float(given["timeout"]),
            float(given["rate"]),
            [_number(one) for one in given.get("signed") or ()],
        )
    except (AttributeError, KeyError, IndexError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"The request to probe cannot be read: {error}.") from None


def _ports(given: Any) -> list[int]:
    ports = [int(one) for one in given]
    if not all(0 < one <= _GREATEST_PORT for one in ports):
        raise ValueError("a port is between 1 and 65535")
    return ports


def _number(given: Any) -> int:
    number = int(given)
    if not 0 <= number <= GREATEST_NUMBER:
        raise ValueError("a host's number is between 0 and 65535")
    return number


def _addresses(given: Any) -> list[str]:
    addresses = [str(one) for one in given]
    wrong = [one for one in addresses if not is_address(one)]
    if wrong:
        raise ValueError(f"{wrong[0]} is no address")
    return addresses
