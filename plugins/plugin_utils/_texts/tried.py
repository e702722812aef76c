# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody tried by hand, as the programs tell that one tries with: what was tried, towards whom, what came of it.

The programs' own parsers are tried_*.py. Who tried it stands in none of these outputs but in the prompt before them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from . import words

# The kinds of text (see recognise) that hold attempts.
KINDS = ("ping", "trace", "connect", "lookup", "api-error")
MOST = 200
OPEN, REFUSED, TIMEOUT, UNREACHABLE, RESET = "open", "refused", "timeout", "unreachable", "reset"
# The own host's rules, or what the own device carries, stopped it before it left.
DENIED, TOO_LARGE_HERE, TOO_LARGE, LOOP = "denied", "too_large_here", "too_large", "ttl_exceeded"
# strerror() of glibc and of musl, and what programs say in its place.
_REASONS = (
    ("refused", REFUSED),
    ("timed out", TIMEOUT),
    ("timeout was reached", TIMEOUT),
    ("timeout", TIMEOUT),
    ("reset by peer", RESET),
    ("no route to host", UNREACHABLE),
    ("is unreachable", UNREACHABLE),
    ("not permitted", DENIED),
)
# Options of these programs that take a value as the next word.
_TAKING = frozenset(
    [
        "-c",
        "-i",
        "-I",
        "-W",
        "-w",
        "-s",
        "-t",
        "-Q",
        "-l",
        "-M",
        "-p",
        "-m",
        "-q",
        "-f",
        "-T",
        "-t",
        "-e",
        "-X",
        "-x",
        "-H",
        "-d",
        "-o",
        "-O",
        "-P",
        "-u",
        "-A",
        "-b",
        "-F",
        "-S",
        "-z",
    ]
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,252}$")


class Attempt(NamedTuple):
    """One thing that was tried.

    check: ping, traceroute, tcp, udp, http, tls. target: an address where one was printed, else a name, '' if neither
    was. size: bytes of a ping's payload where it is not the usual one. result: one of those above, '' if it cannot be
    told. via: who said that it does not go on. carries: the largest packet that the way was said to carry. source: the
    address it was sent from, where that was printed. said: the program's own words.
    """

    check: str
    target: str
    result: str
    port: int | None = None
    size: int | None = None
    via: str = ""
    carries: int | None = None
    source: str = ""
    said: str = ""


def reason(said: str) -> str:
    """Return what a program's words for a failure mean, '' if that is not known."""
    lowered = said.lower()
    return next((result for words_, result in _REASONS if words_ in lowered), "")


def port(text: str) -> int | None:
    """Return a number of a port, None if it is none."""
    found = words.number(text)
    return found if found is not None and 0 < found < 65536 else None


def end(name: str, address: str = "") -> str:
    """Return the address of an end, or the name by which it was called; '' if it is neither."""
    return words.address(address) or words.address(name) or (name.lower() if _NAME.match(name) else "")


def arguments(typed: str, programs: tuple[str, ...]) -> list[str]:
    """Return what was given to the first of these programs in a command line, without its options; [] if none is
    called there."""
    fields = typed[:2000].split()
    place = next((at for at, field in enumerate(fields) if field.rpartition("/")[2] in programs), None)
    found: list[str] = []
    takes = False
    for field in fields[place + 1 :] if place is not None else ():
        if field in ("|", "||", "&&", ";", "2>&1", ">", "2>/dev/null"):
            break
        if takes or field.startswith("-"):
            # "-zv" and "-M" alike: whether the next word belongs to it only the last letter tells.
            takes = not takes and field[:1] == "-" and "-" + field[-1:] in _TAKING and field not in _ALONE
            continue
        found.append(field.strip("'\""))
    return found


_ALONE = frozenset(
    [
        "-zv",
        "-vz",
        "-z",
        "-vzn",
        "-nvz",
        "-zvn",
        "-u",
        "-uzv",
        "-zvu",
        "-vzu",
        "-t",
        "-I",
        "-T",
        "-b",
        "-A",
        "-S",
        "-d",
        "-q",
        "-f",
    ]
)
