# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of files that set kernel settings: sysctl.conf(5), sysctl.d(5), and what a shell reads (`NAME=value`)."""

from __future__ import annotations

import fnmatch
import re

from .._record import NamedTuple
from .model import RefusedError

# The kernel has one setting under two names.
_SAME = {"net/ipv4/conf/all/forwarding": "net/ipv4/ip_forward"}


class Line(NamedTuple):
    """A line that sets a key. `pattern`: by a pattern that other keys may meet, too."""

    line: str
    value: str
    pattern: bool


def path_of(key: str) -> str:
    """Return a key as a path below /proc/sys, by whichever separator comes first in it (sysctl.d(5))."""
    dot, slash = key.find("."), key.find("/")
    if dot >= 0 and (slash < 0 or dot < slash):
        key = key.translate(str.maketrans("./", "/."))
    return _SAME.get(key, key)


class _Parts(NamedTuple):
    """A line taken to pieces: before + value + after is the line."""

    before: str
    key: str
    value: str
    after: str


def _parts(line: str) -> _Parts | None:
    """Return a line's parts, None if it sets nothing. By hand: a pattern takes time by the square of its blanks."""
    left, equals, right = line.partition("=")
    key = left.strip(" \t")
    if key.startswith("-"):
        key = key[1:].lstrip(" \t")
    body = right[:-1] if right.endswith("\r") else right
    if not equals or not key or "\r" in body or any(one.isspace() or one in "#;" for one in key):
        return None
    start = len(line) - len(right) + len(body) - len(body.lstrip(" \t"))
    value = body.strip(" \t")
    return _Parts(line[:start], key, value, line[start + len(value) :])


def deciding(text: str, key: str) -> Line | None:
    """Return the line of a file that decides what the key is set to, the last one; None if there is none."""
    wanted = path_of(key)
    exact = like = None
    for line in text.split("\n"):
        found = _parts(line)
        if found is None:
            continue
        name = path_of(found.key)
        if name == wanted:
            exact = Line(line, found.value, False)
        elif any(one in name for one in "*?[") and fnmatch.fnmatchcase(wanted, name):
            like = Line(line, found.value, True)
    return exact or like


def with_value(line: str, value: str) -> str:
    """Return the line with another value, and all else as it was; itself if it has that value."""
    found = _parts(line)
    if found is None or found.value.split() == value.split():
        return line
    return f"{found.before}{value}{found.after}"


def replaced(text: str, line: str, by: str | None) -> str:
    """Return the text with another line in the place of the last one that is `line`, or without it. All other bytes
    stay. Raises RefusedError if there is no such line."""
    lines = text.split("\n")
    for number in reversed(range(len(lines))):
        if lines[number] == line:
            lines[number : number + 1] = [] if by is None else [by]
            return "\n".join(lines)
    raise RefusedError(f"the line {line.strip()[:80]!r} is gone")


def shell_value(text: str, name: str) -> str:
    """Return what a file of shell variables sets `name` to, the last time; '' if it does not."""
    found = re.findall(rf"(?m)^[ \t]*{re.escape(name)}=[\"']?([^\"'\s#]*)", text)
    return str(found[-1]) if found else ""
