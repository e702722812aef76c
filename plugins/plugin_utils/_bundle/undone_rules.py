# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that somebody showed and then took away: what iptables was told further down in a paste counts."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pasted import Part

_IPTABLES = re.compile(r"(?:sudo )?(?:/\S{1,40}/)?(ip6?tables)(?:-legacy|-nft)? ")
# What iptables prints of a rule and nobody types: the match that comes with a protocol.
_IMPLIED = (("-m", "tcp"), ("-m", "udp"))
_LONG = dict(
    pair.split("=")
    for pair in (
        *("--protocol=-p", "--jump=-j", "--source=-s", "--destination=-d", "--in-interface=-i", "--out-interface=-o"),
        *("--match=-m", "--destination-port=--dport", "--source-port=--sport", "--delete=-D", "--flush=-F"),
        *("--policy=-P", "--table=-t"),
    )
)
_MOST_WORDS = 100
_LONGEST = 1000


def applied(parts: Sequence[Part]) -> list[Part]:
    """Return the parts, of rules without those that were deleted, at the same host, after they were shown."""
    found = list(parts)
    for number, part in enumerate(found):
        told = _IPTABLES.match(part.command)
        words = _words(part.command) if told is not None else []
        if told is None or not {"-D", "-F", "-P"}.intersection(words) or ("-t" in words and "filter" not in words):
            continue
        for before in range(number):
            shown = found[before]
            if shown.host == part.host and _shows_rules(shown, told.group(1)):
                found[before] = shown._replace(text="\n".join(_without(shown.text.split("\n"), words)))
    return found


def _shows_rules(part: Part, program: str) -> bool:
    """Rules as iptables-save has them, of the same family: of IPv4 where nothing tells."""
    family = "ip6tables" if "ip6tables" in part.command else "iptables"
    return family == program and any(row.startswith(("-A ", "-P ")) for row in part.text.split("\n"))


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line.partition("#")[0][:_LONGEST])
    except ValueError:
        return []
    return [_LONG.get(word, word) for word in words[:_MOST_WORDS]]


def _without(rows: list[str], words: list[str]) -> list[str]:
    if "-P" in words:
        chain = words[words.index("-P") + 1 :]
        return (
            [f"-P {' '.join(chain[:2])}" if row.startswith(f"-P {chain[0]} ") else row for row in rows]
            if chain
            else rows
        )
    if "-F" in words:
        chain = words[words.index("-F") + 1 :][:1]
        begins = f"-A {chain[0]} " if chain else "-A "
        return [row for row in rows if not row.startswith(begins)]
    wanted = words[words.index("-D") + 1 :]
    gone = _place(rows, wanted)
    return rows if gone is None else rows[:gone] + rows[gone + 1 :]


def _place(rows: list[str], wanted: list[str]) -> int | None:
    """Where the rule is that was deleted: by its number in its chain, or by what it says."""
    if not wanted:
        return None
    chain = [number for number, row in enumerate(rows) if row.startswith(f"-A {wanted[0]} ")]
    if len(wanted) == 2 and wanted[1].isdecimal():
        position = int(wanted[1][:9])
        return chain[position - 1] if 0 < position <= len(chain) else None
    rule = _rule(wanted[1:])
    return next((number for number in chain if _rule(_words(rows[number])[2:]) == rule), None)


def _rule(words: list[str]) -> list[tuple[str, ...]]:
    """A rule as its options with what belongs to each, in no order, without what is implied."""
    options: list[list[str]] = []
    for word in words:
        if word.startswith("-") or word == "!" or not options or options[-1] == ["!"]:
            if options and options[-1] == ["!"]:
                options[-1].append(word)
            else:
                options.append([word])
        else:
            options[-1].append(word)
    return sorted(tuple(one) for one in options if tuple(one) not in _IMPLIED)
