# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's own counters of one network namespace, from /proc/<pid>/net/netstat."""

from __future__ import annotations

import os
import re

from .._numbers import is_integer
from .processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def read_netstat(net_folder: str, wanted: Iterable[str]) -> dict[str, int]:
    """Return those TcpExt counters that are wanted and that this kernel has; `net_folder` is a /proc/<pid>/net.

    They count since the namespace was made. An unreadable file gives no counters.
    """
    return parse(read_text(os.path.join(net_folder, "netstat")), "TcpExt", wanted)


def parse(text: str, group: str, wanted: Iterable[str]) -> dict[str, int]:
    """Read pairs of lines, "TcpExt: Name Name …" above "TcpExt: 1 2 …"."""
    names: list[str] = []
    found: dict[str, int] = {}
    keep = frozenset(wanted)
    for line in text.splitlines():
        label, colon, rest = line.partition(":")
        if not colon or label != group:
            continue
        if not names:
            names = rest.split()
            continue
        for name, value in zip(names, rest.split()):
            if name in keep and is_integer(value):
                found[name] = int(value)
        names = []
    return found


def parse_statistics(text: str, wanted: Iterable[str]) -> dict[str, int]:
    """Add up the wanted columns of a file below /proc/net/stat: names in the first line, then hexadecimal numbers, a
    line for each processor. Columns and lines that are not understood count nothing."""
    lines = text.splitlines()
    names = lines[0].split() if lines else []
    columns = {name: names.index(name) for name in wanted if name in names}
    found = dict.fromkeys(columns, 0)
    for line in lines[1:]:
        values = line.split()
        for name, column in columns.items():
            if column < len(values) and re.match(r"[0-9a-fA-F]{1,16}$", values[column]):
                found[name] += int(values[column], 16)
    return found
