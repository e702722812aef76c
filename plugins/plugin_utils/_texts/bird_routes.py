# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`birdcl show route` (all), of BIRD 1.6 and BIRD 2."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import lines, words
from .parsed import Parsed, Problems

_ROW = re.compile(
    r"(?P<prefix>[0-9a-fA-F.:]{2,45}/\d{1,3})?\s+(?:via (?P<via>\S{1,64}) on (?P<on>\S{1,32})|dev (?P<dev>\S{1,32})"
    r"|(?P<kind>blackhole|unreachable|prohibited?|multipath|unicast))?\s*"
    r"\[(?P<protocol>\S{1,128}) (?P<since>[\d:.-]{4,16}(?: [\d:.]{5,16})?)(?: from (?P<source>[^\]\s]{2,64}))?\]"
    r"(?P<marks>[ *!>]{0,4})(?P<rest>.{0,128})$"
)
_HOP = re.compile(r"\s+(?:via (\S{1,64}) on (\S{1,32})|dev (\S{1,32}))(?: |$)")
_CODE = re.compile(r"(?:100[78]|1012)-|\d{4} ")
_ATTRIBUTE = re.compile(
    r"\s+(?:Type|BGP\.\w{1,32}|OSPF\.\w{1,32}|Kernel\.\w{1,32}|source|metric|krt_\w{1,32}|preference)\b"
)
_PASSED_OVER = re.compile(r"\s*$|BIRD |Access restricted|Table \w|Import table|\d{1,9} of \d|Export ")


class BirdRoute(NamedTuple):
    """One route of BIRD's table.

    `kind` is unicast, blackhole, unreachable or prohibited; `best` whether it is the one in use, `refused` whether the
    kernel did not take it ("!"); `source` the router it was learnt from; `hops` are (gateway, device).
    """

    prefix: str
    kind: str
    protocol: str
    since: str
    source: str
    best: bool
    refused: bool
    hops: tuple[tuple[str, str], ...]


def parse(text: str) -> Parsed[tuple[BirdRoute, ...]]:
    """Return the routes in the order printed."""
    problems = Problems()
    found: list[BirdRoute] = []
    prefix = ""
    for number, raw in lines.numbered(text):
        code = _CODE.match(raw)
        line = raw[5:] if code else raw
        row = _ROW.match(line)
        if row is not None:
            prefix = row.group("prefix") or prefix
            found.append(_route(row, prefix))
            continue
        hop = _HOP.match(line)
        if hop is not None and found:
            hops = (*found[-1].hops, (words.address(hop.group(1) or ""), hop.group(2) or hop.group(3)))
            found[-1] = found[-1]._replace(hops=hops)
        elif not (_ATTRIBUTE.match(line) or _PASSED_OVER.match(line) or line.startswith("\t")):
            problems.add(number, line, "no route of BIRD's")
    return Parsed(tuple(found), problems.found())


def _route(row: re.Match[str], prefix: str) -> BirdRoute:
    via, device = row.group("via"), row.group("on") or row.group("dev")
    kind = row.group("kind") or "unicast"
    marks = row.group("marks")
    return BirdRoute(
        prefix=prefix,
        kind={"multipath": "unicast", "prohibit": "prohibited"}.get(kind, kind),
        protocol=row.group("protocol"),
        since=row.group("since"),
        source=words.address(row.group("source") or ""),
        best="*" in marks or "!" in marks,
        refused="!" in marks,
        hops=((words.address(via or ""), device),) if device else (),
    )
