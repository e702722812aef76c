# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network stack's counters: /proc/net/netstat and /proc/net/snmp, `netstat -s`, `nstat -az`."""

from __future__ import annotations

import re

from ...module_utils._host import counters
from . import lines, words
from .parsed import Parsed, Problems

_PAIR = re.compile(r"(\w{1,32}): (.*)$")
_SECTION = re.compile(r"(\w{1,32}):$")
_NAMED = re.compile(r"\s+(\w{2,64}): (-?\d{1,20})$")
_NSTAT = re.compile(
    r"(Ip6|IpExt|Ip|IcmpMsg|Icmp6|Icmp|TcpExt|Tcp|UdpLite6|UdpLite|Udp6|Udp|MPTcpExt)(\w{2,64}) +(\d{1,20}) "
)


def parse(text: str) -> Parsed[dict[str, dict[str, int]]]:
    """Return the counters by group ("TcpExt") and name ("TCPMD5Failure"), as the kernel spells them.

    `netstat -s` spells most counters out in sentences, which differ from version to version; of these none is read.
    """
    problems = Problems()
    found: dict[str, dict[str, int]] = {}
    head: tuple[str, str] | None = None
    section = ""
    for number, line in lines.numbered(text):
        nstat = _NSTAT.match(line + " ")
        pair = _PAIR.match(line)
        named = _NAMED.match(line)
        title = _SECTION.match(line)
        if nstat:
            _note(found, nstat.group(1), nstat.group(2), nstat.group(3))
        elif pair and head is None and not _is_values(pair.group(2)):
            head = pair.group(1), line
        elif pair and head is not None and pair.group(1) == head[0]:
            _take_pair(found, head, line)
            head = None
        elif title:
            section, head = title.group(1), None
        elif named and section:
            _note(found, section, named.group(1), named.group(2))
        elif pair or not (section or not line or line.startswith("#")):
            problems.add(number, line, "no counters")
            head = None
    return Parsed(found, problems.found())


def _is_values(text: str) -> bool:
    return text[:1].isdigit() or text[:1] == "-"


def _take_pair(found: dict[str, dict[str, int]], head: tuple[str, str], line: str) -> None:
    group, names = head
    wanted = names.split()[1:]
    read = counters.parse(f"{names}\n{line}", group, wanted)
    found.setdefault(group, {}).update(read)


def _note(found: dict[str, dict[str, int]], group: str, name: str, value: str) -> None:
    count = words.number(value.lstrip("-"))
    if count is not None:
        found.setdefault(group, {})[name] = -count if value.startswith("-") else count
