# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sysctl -a` or any part of it, in the forms of procps and busybox; also `grep . /proc/sys/net/…`."""

from __future__ import annotations

import re

from . import lines
from .parsed import Parsed, Problems

_ROW = re.compile(r"([A-Za-z][\w./*@:-]{0,255}?) ?= ?(.{0,1024})$")
_FILE_ROW = re.compile(r"/proc/sys/([\w./@-]{1,255}):(.{0,1024})$")
_COMPLAINT = re.compile(r"(?:sysctl|error|warning): ", re.IGNORECASE)


def parse(text: str) -> Parsed[dict[str, str]]:
    """Return the values by name ("net.ipv4.ip_forward"); several values of one name stay separated as printed.

    What sysctl could not read is no problem: it says so for dozens of names on every host.
    """
    problems = Problems()
    found: dict[str, str] = {}
    for number, line in lines.numbered(text):
        if not line or line[:1] in "#;" or _COMPLAINT.match(line):
            continue
        row = _FILE_ROW.match(line)
        if row is not None:
            found[row.group(1).replace("/", ".")] = row.group(2).strip()
            continue
        row = _ROW.match(line.lstrip())
        if row is None:
            problems.add(number, line, "no setting")
        else:
            found[_dotted(row.group(1))] = row.group(2).strip()
    return Parsed(found, problems.found())


def _dotted(name: str) -> str:
    """Return "net/ipv4/ip_forward" as sysctl itself prints it; a name with dots may have slashes for an interface's."""
    return name.replace("/", ".") if "." not in name else name
