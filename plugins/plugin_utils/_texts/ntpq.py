# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ntpq -p` (-pn) and `ntpq -c rv`, in one text or joined from two, of ntpd and ntpsec."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ...module_utils._clock import ntpd
from . import lines, words
from .parsed import Parsed, Problems

# tally, remote, refid, stratum, type, when, poll, reach, delay, offset, jitter. A long remote may stand on its own
# line.
_ROW = re.compile(
    r"([ x.\-+#*o])(\S{0,253}) +(\S{1,32}) +(\d{1,2}) +([lubmsBMAp1-9-]) +(\S{1,8}) +(\S{1,8}) +([0-7]{1,3})"
    r" +(-?[\d.]{1,16}) +([+-]?[\d.]{1,16}) +([\d.]{1,16})$"
)
_VARIABLES = re.compile(r"(?:associd=|\w{1,24}=|assID=|status=)")
_POOLS = ("p", "B", "M")


class _Peer(NamedTuple):
    tally: str
    remote: str
    stratum: int
    kind: str
    reach: str
    offset: float


def parse(text: str) -> Parsed[dict[str, Any]]:
    """Return the keys of calico_chrony; without the system variables (rv), what the table of peers tells."""
    problems = Problems()
    peers: list[_Peer] = []
    has_variables = False
    long_name = ""
    for number, line in lines.numbered(text):
        row = _ROW.match(f" {line.strip()}" if long_name else _tallied(line))
        if row is not None:
            peers.append(_peer(row, long_name))
            long_name = ""
        elif _VARIABLES.match(line):
            has_variables = True
        elif re.match(r"[x.\-+#*o ]\S{15,253}$", line) and "=" not in line:
            long_name = line
        elif line and not line.lstrip().startswith(("remote", "===", "ntpq", "MODE")):
            problems.add(number, line, "not understood of ntpq")
    found = _by_table(peers)
    if has_variables:
        read, unread = ntpd.parse(lines.printed(text))
        if unread and not read:
            problems.add(0, "", unread)
        if not peers:
            for key in ("sources_total", "sources_reachable", "why"):
                read.pop(key, None)
        found.update(read)
    return Parsed({"service": "ntpd", "running": True, **found} if found else {}, problems.found())


def _tallied(line: str) -> str:
    """Give a row whose first column was lost (no tally is a space) that column back."""
    return line if line[:1] in " x.-+#*o" else " " + line


def _peer(row: re.Match[str], long_name: str) -> _Peer:
    tally, remote, _refid, stratum, kind, _when, _poll, reach, _delay, offset, _jitter = row.groups()
    if long_name:
        tally, remote = long_name[0], long_name[1:]
    try:
        milliseconds = float(offset)
    except ValueError:
        milliseconds = 0.0
    return _Peer(tally, remote, words.number(stratum) or 0, kind, reach, milliseconds)


def _by_table(peers: list[_Peer]) -> dict[str, Any]:
    if not peers:
        return {}
    sources = [peer for peer in peers if peer.kind not in _POOLS]
    reachable = sum(1 for peer in sources if peer.reach != "0")
    found: dict[str, Any] = {"sources_total": len(sources), "sources_reachable": reachable}
    chosen = next((peer for peer in sources if peer.tally in ("*", "o")), None)
    own = chosen is not None and (chosen.remote.startswith("127.127.1.") or chosen.remote.startswith("LOCAL"))
    found["synchronised"] = chosen is not None and not own
    if chosen is not None:
        found["reference"] = chosen.remote
        if not own:
            found.update(stratum=chosen.stratum + 1, offset_seconds=round(chosen.offset / 1000, 9))
    return found
