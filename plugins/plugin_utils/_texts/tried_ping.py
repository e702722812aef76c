# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ping` and `ping6` of iputils, of busybox and of others that print alike, several of them in one text, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import lines, tried, words
from .parsed import Parsed, Problems
from .tried import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

# "PING a (10.0.0.1) from 10.0.0.9 eth0: 1472(1500) bytes of data.", "PING a (10.0.0.1): 56 data bytes"
_HEAD = re.compile(
    r"PING6? (?P<name>[^\s()]{1,253}) ?\((?:[^\s()]{1,253} \()?(?P<address>[0-9a-fA-F.:]{2,45})(?:%[\w.-]{1,32})?\)\)?"
    r"(?: from (?P<source>[0-9a-fA-F.:]{2,45})\S{0,40}(?: \S{1,40})?)?:? (?P<size>\d{1,5})(?:\(\d{1,5}\))?"
    r"(?: bytes of data| data bytes)"
)
_ANSWER = re.compile(r"\d{1,5} bytes from \S")
_ERROR = re.compile(
    r"[Ff]rom (?P<via>[^\s:]{1,253}|[0-9a-fA-F:]{2,45})(?: \((?P<address>[0-9a-fA-F.:]{2,45})\))?:? "
    r"(?:icmp_)?seq[= ]\d{1,9} (?P<what>.{1,120})"
)
_COUNT = re.compile(
    r"(?P<sent>\d{1,9}) packets transmitted, (?P<received>\d{1,9}) (?:packets )?received(?P<rest>.{0,120})"
)
_LOCAL = re.compile(r"(?:\S{0,80}ping6?: |connect: )(?P<said>.{1,160})")
_CARRIES = re.compile(r"mtu ?= ?(\d{2,5})")
_USUAL = (56, 64)
_BY_RULE = ("Prohibited", "Filtered", "Port Unreachable", "administratively", "Packet filtered")
_TOO_LARGE = ("Frag needed", "Packet too big", "frag needed")
_SYSTEM = ("unreachable", "No route to host", "not permitted", "Invalid argument", "nvalid argument")


class _Ping:
    """One ping while its lines are read."""

    def __init__(self, target: str, size: int | None = None, source: str = "") -> None:
        self.target, self.size, self.source = target, size, source
        self.answers = 0
        self.received: int | None = None
        self.summary = ""
        self.errors: list[tuple[str, str]] = []

    def error(self) -> tuple[str, str]:
        """Return who said why it does not get there, and the words; those of others before the own host's."""
        return next((one for one in self.errors if one[0]), self.errors[0] if self.errors else ("", ""))

    def result(self) -> str:
        """Return what came of it, '' if that was not printed."""
        via, what = self.error()
        if self.answers or self.received:
            return tried.OPEN
        if any(word in what for word in _TOO_LARGE):
            return tried.TOO_LARGE
        if "essage too long" in what:
            return tried.TOO_LARGE_HERE
        if "ime to live exceeded" in what or "Hop limit" in what:
            return tried.LOOP
        if any(word in what for word in _BY_RULE):
            # Who refuses it himself is there.
            return tried.REFUSED if via == self.target else tried.UNREACHABLE
        if "nreachable" in what or "nvalid argument" in what:
            return tried.UNREACHABLE
        return tried.reason(what) or (tried.TIMEOUT if self.received == 0 else "")

    def attempts(self) -> Iterator[Attempt]:
        """Yield the attempt. A large one that was answered says as well that there is somebody at all."""
        via, what = self.error()
        result = self.result()
        # Of what the kernel learnt of a way, too, it says so itself, and not of the device alone.
        carries = _CARRIES.search(what) if result in (tried.TOO_LARGE, tried.TOO_LARGE_HERE) else None
        made = Attempt(
            "ping",
            self.target,
            result,
            size=self.size,
            via=via,
            carries=int(carries.group(1)) if carries else None,
            source=self.source,
            said=" ".join(filter(None, (what, self.summary)))[:160],
        )
        if result:
            yield made
        if result == tried.OPEN and self.size:
            yield made._replace(size=None)


def parse(text: str) -> Parsed[tuple[Attempt, ...]]:
    """Return what was tried, in the order printed."""
    problems = Problems()
    asked = [target for typed in lines.commands(text) if (target := _asked(typed))]
    found: list[_Ping] = []
    for number, line in lines.numbered(text):
        if line.strip() and not _take(line.strip(), found, asked):
            problems.add(number, line, "not understood")
    attempts = [attempt for one in found[: tried.MOST] for attempt in one.attempts()]
    return Parsed(tuple(attempts), problems.found())


def _take(line: str, found: list[_Ping], asked: list[str]) -> bool:
    """Read one line; say whether it could be."""
    head = _HEAD.match(line)
    if head is not None:
        size = int(head.group("size"))
        target = tried.end(head.group("name"), head.group("address"))
        found.append(_Ping(target, None if size in _USUAL else size, words.address(head.group("source") or "")))
        return True
    local = _LOCAL.match(line)
    if local is not None:
        if not found and asked and any(word in line for word in _SYSTEM):
            found.append(_Ping(asked[0]))
        if found:
            found[-1].errors.append(("", local.group("said")))
        return True
    return bool(found) and _counted(line, found[-1])


def _counted(line: str, ping: _Ping) -> bool:
    """Read a line of what a ping got back."""
    count, error = _COUNT.match(line), _ERROR.match(line)
    if _ANSWER.match(line):
        ping.answers += 1
    elif error is not None:
        via = words.address(error.group("address") or "") or words.address(error.group("via")) or error.group("via")
        ping.errors.append((via, error.group("what").strip()))
    elif count is not None:
        ping.received = int(count.group("received"))
        ping.summary = line[:120]
    else:
        return line.startswith(("---", "rtt ", "round-trip ", "pipe ", "^C"))
    return True


def _asked(typed: str) -> str:
    given = tried.arguments(typed, ("ping", "ping6", "ping4"))
    return tried.end(given[-1]) if given else ""
