# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`traceroute` (and busybox') and `tracepath`: whether the far end was reached, who said that it cannot be, and what
size of packets the way carries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import lines, tried, words
from .parsed import Parsed, Problems
from .tried import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = re.compile(r"traceroute6? to (?P<name>[^\s()]{1,253}) \((?P<address>[0-9a-fA-F.:]{2,45})\)")
_LOCAL = re.compile(r"\s*\d{1,3}\?: \[LOCALHOST\]\s+pmtu (?P<mtu>\d{2,5})")
_HOP = re.compile(r"\s*(?P<number>\d{1,3})(?P<colon>[?:]{0,2})\s+(?P<rest>\S.{0,300})$")
_ADDRESS = re.compile(r"(?<![\w.:])(\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})(?![\w:])")
# What traceroute and tracepath put behind a hop that says that it does not go on: host, network, protocol, by a rule.
_SAYS_NO = re.compile(r"(?<!\S)!([HNPXA]|\d{1,2})(?!\S)")
_SIZE = re.compile(r"\bpmtu (\d{2,5})")
_BY_RULE = ("X", "A", "9", "10", "13")


class _Way:
    """One way while its hops are read."""

    def __init__(self, target: str, here: int | None = None) -> None:
        self.target, self.here = target, here
        self.carries: int | None = None
        self.last, self.says_no, self.reached = "", "", False

    def hop(self, rest: str) -> None:
        """Take in what stands behind a hop's number."""
        seen = [address for text in _ADDRESS.findall(rest) if (address := words.address(text))]
        size, no = _SIZE.search(rest), _SAYS_NO.search(rest)
        if size is not None:
            self.carries = int(size.group(1))
        if seen:
            self.last = seen[-1]
        if no is not None:
            self.says_no = no.group(1)
        elif "reached" in rest or (self.target and self.target in seen):
            self.reached = True
            self.target = self.target or self.last

    def attempt(self) -> Attempt:
        """Return what came of it. Who does not answer a traceroute may be there all the same."""
        result = tried.OPEN if self.reached else ""
        if self.says_no and not self.reached:
            by_itself = self.says_no in _BY_RULE and self.last == self.target
            result = tried.REFUSED if by_itself else tried.UNREACHABLE
        narrow = self.carries if self.carries and self.here and self.carries < self.here else None
        said = f"ends at {self.last}" if self.last and not self.reached else ""
        via = "" if self.reached else self.last
        return Attempt("traceroute", self.target, result, via=via, carries=narrow, said=said)


def parse(text: str) -> Parsed[tuple[Attempt, ...]]:
    """Return what was tried, in the order printed."""
    problems = Problems()
    asked = [end for typed in lines.commands(text) if (end := _asked(typed))]
    found: list[_Way] = []
    for number, line in lines.numbered(text):
        if line.strip() and not _take(line, found, asked):
            problems.add(number, line, "not understood")
    return Parsed(tuple(_attempts(found)), problems.found())


def _attempts(found: list[_Way]) -> Iterator[Attempt]:
    for one in found[: tried.MOST]:
        attempt = one.attempt()
        if attempt.target:
            yield attempt


def _take(line: str, found: list[_Way], asked: list[str]) -> bool:
    head, local = _HEAD.match(line.strip()), _LOCAL.match(line)
    if head is not None:
        found.append(_Way(tried.end(head.group("name"), head.group("address"))))
        return True
    if local is not None:
        end = asked[min(len(found), len(asked) - 1)] if asked else ""
        found.append(_Way(words.address(end), int(local.group("mtu"))))
        return True
    hop = _HOP.match(line)
    if hop is not None and found:
        found[-1].hop(hop.group("rest"))
        return True
    return line.strip().startswith(("Resume:", "Too many hops"))


def _asked(typed: str) -> str:
    given = tried.arguments(typed, ("traceroute", "traceroute6", "tracepath", "tracepath6"))
    return tried.end(given[0].partition("/")[0]) if given else ""
