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

    What sysctl could not read is no problem: it says so for dozens of names on every host. Of a setting that is told
    with several values nobody knows which is the host's: a pod has its own.
    """
    problems = Problems()
    found: dict[str, str] = {}
    told: dict[str, set[str]] = {}
    for number, line in lines.numbered(text):
        if not line or line[:1] in "#;" or _COMPLAINT.match(line):
            continue
        row = _FILE_ROW.match(line)
        name = row.group(1).replace("/", ".") if row is not None else ""
        row = row or _ROW.match(line.lstrip())
        if row is None:
            problems.add(number, line, "no setting")
            continue
        name = name or _dotted(row.group(1))
        found[name] = row.group(2).strip()
        told.setdefault(name, set()).add(found[name])
        if len(told[name]) > 1:
            problems.add(number, line, "told otherwise before")
    return Parsed({name: value for name, value in found.items() if len(told[name]) == 1}, problems.found())


def _dotted(name: str) -> str:
    """Return "net/ipv4/ip_forward" as sysctl itself prints it; a name with dots may have slashes for an interface's."""
    return name.replace("/", ".") if "." not in name else name
