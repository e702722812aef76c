# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`dig`, `host` and `nslookup` (of bind and of busybox): whether the name server answered, and what."""

from __future__ import annotations

import re

from . import lines, tried, words
from .parsed import Parsed
from .tried import Attempt

DNS = 53
_ADDRESS = r"(?P<address>[0-9a-fA-F.:]{2,45}?)"
# ";; communications error to 10.96.0.10#53: timed out" (bind from 9.18), ";; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)"
_FAILED = re.compile(r";; communications error to " + _ADDRESS + r"#(?P<port>\d{1,5}): (?P<said>.{1,80})")
_NOBODY = re.compile(r"(?:;; )?connection timed out; (?:no servers could be reached|trying next origin)", re.IGNORECASE)
_SERVER = re.compile(r"(?:;; SERVER: |Server:\s+)" + _ADDRESS + r"(?:#(?P<port>\d{1,5})\S*)?(?:\s|$)")
_STATUS = re.compile(r";; ->>HEADER<<- opcode: \w+, status: (?P<status>\w{2,16})")
_CODE = re.compile(r"(?:\*\* server can't find|Host) \S{1,253}(?: not found)?: (?:\d\()?(?P<status>[A-Z]{4,16})")
_FOUND = re.compile(r"(?:Name:\s+\S|Address(?: \d)?:?\s+[0-9a-fA-F.:]{2,45}\s|\S+ has (?:IPv6 )?address )")
# Of busybox before 1.30: it names the server from its configuration, whether that answered or not.
_OLD = re.compile(r"nslookup: can't resolve|nslookup: (?:read|write|sendto)")
_PROGRAMS = ("dig", "nslookup", "host")


class _Lookup:
    """What is known of the question while the lines are read."""

    def __init__(self, server: str) -> None:
        self.server, self.port = server, DNS
        self.status, self.failure, self.answered, self.old = "", "", False, False
        self.nobody = False

    def take(self, line: str) -> None:
        """Read one line."""
        failed, server = _FAILED.match(line), _SERVER.match(line)
        status = _STATUS.match(line) or _CODE.match(line)
        told = failed or server
        if told is not None:
            self.server = words.address(told.group("address")) or self.server
            self.port = tried.port(told.group("port") or "") or DNS
        if failed is not None:
            self.failure = self.failure or failed.group("said")
        elif status is not None:
            self.status, self.answered = status.group("status"), True
        elif _NOBODY.match(line):
            self.failure, self.nobody = self.failure or "timed out", True
        elif _OLD.match(line):
            self.old = True
        elif _FOUND.match(line + " ") and server is None:
            self.answered = True

    def attempt(self) -> Attempt | None:
        """Return what came of it; None if nothing is told of the server."""
        result = tried.OPEN if self.answered and not self.old else tried.reason(self.failure)
        # Who is not told whom to ask asks the one of his resolv.conf, which is not always printed.
        if not result or not (self.server or self.nobody):
            return None
        return Attempt("udp", self.server, result, port=self.port, said=self.status or self.failure[:160])


def parse(text: str) -> Parsed[tuple[Attempt, ...]]:
    """Return what came of the question to the name server, if that is told."""
    lookup = _Lookup(next((server for typed in lines.commands(text) if (server := asked(typed))), ""))
    for _number, line in lines.numbered(text):
        lookup.take(line.strip())
    found = lookup.attempt()
    return Parsed((found,) if found else ())


def asked(typed: str) -> str:
    """Return the name server that a command line names, '' if it names none."""
    given = tried.arguments(typed, _PROGRAMS)
    at = next((word[1:] for word in given if word.startswith("@")), "")
    return words.address(at or (given[1] if len(given) > 1 else ""))
