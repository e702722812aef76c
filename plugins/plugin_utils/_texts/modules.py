# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loaded kernel modules: `lsmod` (kmod, busybox) and /proc/modules."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import lines
from .parsed import Parsed, Problems

_ROW = re.compile(r"([\w-]{1,64}) +(\d{1,12}) +(-?\d{1,6}|-)(?: +(\S{1,4096}))?(?: .*)?$")


class Module(NamedTuple):
    """One module: its size in bytes, how often it is in use, and by which modules."""

    name: str
    size: int
    uses: int
    used_by: tuple[str, ...]


def parse(text: str) -> Parsed[dict[str, Module]]:
    """Return the modules by name ("_" where a file's name may have "-"); those built in are in no such list."""
    problems = Problems()
    found: dict[str, Module] = {}
    for number, line in lines.numbered(text):
        row = _ROW.match(line)
        if row is not None:
            name, size, uses, users = row.groups()
            used_by = tuple(user for user in (users or "-").split(",") if user and user not in ("-", "[permanent]"))
            name = name.replace("-", "_")
            found[name] = Module(name, int(size), max(int(uses), 0) if uses != "-" else 0, used_by)
        elif line and not line.startswith("Module "):
            problems.add(number, line, "no module")
    return Parsed(found, problems.found())
