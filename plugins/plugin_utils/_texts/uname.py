# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`uname -a`, or any part of what it prints that has the kernel's release; /proc/version."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import lines
from .parsed import Parsed, Problem

_ALL = re.compile(r"Linux (\S{1,253}) (\d{1,3}\.\d{1,4}\S{0,128})(?: (.*))?$")
_PROC = re.compile(r"Linux version (\S{1,128}) ?(.*)$")
_RELEASE = re.compile(r"\d{1,3}\.\d{1,4}[\w.+~-]{0,128}$")
_MACHINES = r"\b(x86_64|aarch64|armv[5-8]\w{0,2}|ppc64le|ppc64|s390x|riscv64|i[3-6]86|mips\w{0,6}|loongarch64)\b"


class Uname(NamedTuple):
    """The node's own name for itself, the kernel's release, what it says of its build, the machine; '' if not
    printed."""

    hostname: str
    release: str
    version: str
    machine: str


def parse(text: str) -> Parsed[Uname | None]:
    """Return what the first line that has a kernel's release says; None if none has one."""
    first: tuple[int, str] = (0, "")
    for number, line in lines.numbered(text):
        if not line:
            continue
        first = first if first[1] else (number, line)
        found = _line(line.strip())
        if found is not None:
            return Parsed(found)
    return Parsed(None, (Problem(first[0], first[1][:120], "no kernel release"),))


def _line(line: str) -> Uname | None:
    proc = _PROC.match(line)
    if proc is not None:
        return Uname("", proc.group(1), proc.group(2), _machine(line))
    everything = _ALL.match(line)
    if everything is not None:
        hostname, release, rest = everything.groups()
        return Uname(hostname, release, rest or "", _machine(rest or ""))
    return Uname("", line, "", _machine(line)) if _RELEASE.match(line) else None


def _machine(text: str) -> str:
    found = re.findall(_MACHINES, text)
    return str(found[-1]) if found else ""
