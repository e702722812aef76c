# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What BIRD gives to the kernel, by its own account: how many routes each protocol of the kind "kernel" exports, and
which, with those marked that the kernel did not take.

BIRD counts a route as exported whether or not the kernel took it, and some of them twice (those whose next hop it came
to know later): that the count is no greater than what the kernel has tells that all is there, no more. Only the list
has the mark, a "!" in the place of the "*".
"""

from __future__ import annotations

import re

from .._numbers import is_whole
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

QUESTION = "show route export "
_KIND = " Kernel "
_MOST, _LONGEST_NAME = 8, 64
_MOST_ROUTES = 100_000
# "1007-10.244.1.0/26   via 10.200.0.10 on eth0 [Mesh_10_200_0_10 01:31:36] * (100/0) [i]", from the second on with a
# space in the place of the code.
_ROUTE = r"(?m)^(?:\d{4}[- ]| )?([0-9A-Fa-f.:]{1,39}/\d{1,3})[ \t]+(\S.*)$"
_REFUSED = "] ! ("


class Exports(NamedTuple):
    """What one daemon gives to the kernel: `socket` is where it can be asked, `names` are its kernel protocols, `total`
    how many routes these export."""

    socket: str
    names: Sequence[str]
    total: int


class Given(NamedTuple):
    """The routes that are given to the kernel, as prefixes, and those of them that it refused."""

    routes: frozenset[str]
    refused: frozenset[str]


def parse_protocols(text: str) -> tuple[list[str], int]:
    """Return the kernel protocols of `show protocols all` that are up, and the sum of the routes that they export."""
    names: list[str] = []
    total = 0
    at = text.find(_KIND)
    while at >= 0 and len(names) < _MOST:
        begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        head = text[begin : end if end >= 0 else len(text)]
        fields = (head[5:] if is_whole(head[:4]) else head).split()
        if len(fields) >= 4 and fields[1] == "Kernel" and fields[3] == "up" and len(fields[0]) <= _LONGEST_NAME:
            # Up to the empty line after which the next protocol begins; birdcl leaves out the space in it.
            below = text[end : end + 4096].partition("\n \n")[0].partition("\n\n")[0] if end >= 0 else ""
            names.append(fields[0])
            total += _exported(below.partition("\n1002-")[0])
        at = text.find(_KIND, at + 1)
    return names, total


def _exported(text: str) -> int:
    """Return the sum of "Routes:   0 imported, 2 exported, 0 preferred", of which there may be one for each channel."""
    total = 0
    for line in text.split("\n"):
        label, _colon, counts = line.partition(":")
        if label.endswith("Routes"):
            words = [part.split() for part in counts.split(",")]
            total += sum(int(pair[0]) for pair in words if pair[1:] == ["exported"] and is_whole(pair[0]))
    return total


def parse_routes(text: str) -> Given:
    """Return what `show route export NAME` lists; other lines (a route's further ways) are passed over."""
    routes: set[str] = set()
    refused: set[str] = set()
    for match in re.finditer(_ROUTE, text):
        if len(routes) >= _MOST_ROUTES:
            break
        routes.add(match.group(1))
        if _REFUSED in match.group(2):
            refused.add(match.group(1))
    return Given(frozenset(routes), frozenset(refused))


def ask(exports: Exports, timeout: float) -> Given | None:
    """Ask a daemon which routes it gives to the kernel; None if it does not say."""
    from . import control

    exchange = control.ask(exports.socket, [QUESTION + name for name in exports.names], timeout, timeout)
    if exchange.state != control.ANSWERS or any(reply.code >= 8000 for reply in exchange.replies):
        return None
    return given(reply.text for reply in exchange.replies)


def given(texts: Iterable[str]) -> Given | None:
    """Return what a daemon said for each of its protocols; None without a text."""
    parsed = [parse_routes(text) for text in texts]
    if not parsed:
        return None
    return Given(
        frozenset().union(*(one.routes for one in parsed)), frozenset().union(*(one.refused for one in parsed))
    )
