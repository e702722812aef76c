# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip rule` (text, with or without -N), as the records of _host.rules."""

from __future__ import annotations

import re

from ...module_utils._host.rules import NAMES, Rule
from . import lines, words
from .parsed import Parsed, Problems

_ROW = re.compile(r"(\d{1,10}):\s+((?:not )?from \S.{0,500})$")
_TABLES = {str(number): name for number, name in NAMES.items()}
_PROTOCOLS = {"icmp": "1", "tcp": "6", "udp": "17", "ipv6-icmp": "58", "sctp": "132"}
# With -N iproute2 prints what a rule does as a number, too.
_ACTIONS = {"6": "blackhole", "7": "unreachable", "8": "prohibit"}
_WITH_VALUE = frozenset(
    (
        "from",
        "to",
        "fwmark",
        "iif",
        "oif",
        "uidrange",
        "ipproto",
        "sport",
        "dport",
        "lookup",
        "goto",
        "suppress_prefixlength",
    )
)
_ONE_MORE = {"lookup": _TABLES | {"[l3mdev-table]": "l3mdev"}, "ipproto": _PROTOCOLS}


def parse(text: str) -> Parsed[tuple[Rule, ...]]:
    """Return the rules in the order printed, in the words of _host.rules."""
    problems = Problems()
    found = []
    for number, line in lines.numbered(text):
        row = _ROW.match(line.strip())
        if row is not None:
            priority = words.number(row.group(1)) or 0
            found.append(Rule(priority, f"{priority}: {_spelled(row.group(2).split())}"))
        elif line.strip():
            problems.add(number, line, "no rule")
    return Parsed(tuple(found), problems.found())


def _spelled(fields: list[str]) -> str:
    """Return the words as they are, but tables and protocols by the names or numbers that the node's reader has."""
    spelled: list[str] = []
    for before, word in zip(["", *fields], fields, strict=False):
        # Who made a rule is printed with -d only.
        if word in ("[detached]", "[unresolved]", "proto") or before == "proto":
            continue
        known = _ONE_MORE.get(before, {} if before in _WITH_VALUE else _ACTIONS)
        plain = word.removeprefix("ipproto-")
        spelled.append(known.get(plain, plain))
    return " ".join(spelled).replace(" lookup unspec ", " ")
