# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`chronyc tracking` and `chronyc sources`, plain or with -c, of chrony 2 to 4, in one text or joined from two.

What was printed for people is put into the form of -c, which a node's own code reads.
"""

from __future__ import annotations

import calendar
import re
import time
from typing import Any

from ...module_utils._clock import chrony
from . import lines
from .parsed import Parsed, Problems

_SOURCE = re.compile(
    r"([\^=#])([*+\-?x~ ]) ?(\S{1,253}) +(\d{1,3}) +(-?\d{1,3}) +([0-7]{1,3}) +(\S{1,8})"
    r"(?: +([+-]?\d\S{0,12})\[ *([+-]?\d\S{0,12})\] +\+/- +(\S{1,12}))?\s*$"
)
_SETTING = re.compile(r"([A-Z][\w ()]{2,24}?) *: (.*)$")
_REFERENCE = re.compile(r"([0-9A-Fa-f]{8}|[\d.]{7,15})(?: \(([^()]{0,253})\))?$")
_CSV_SOURCE = re.compile(r"[\^=#],[*+\-?x~],[^,]{1,253}(?:,[^,]{0,32}){7}$")
_CSV_TRACKING = re.compile(r"[0-9A-F]{8},[^,]{0,253}(?:,[^,]{0,32}){11},[^,]{1,32}$")
# Heads and rulers of `sources`, and the legend of `sources -v`.
_PASSED_OVER = re.compile(r"\d{3} |MS Name|S Name|={10}|\s*[./|`]|Name/IP|\s*$")


def parse(text: str, now: float | None = None) -> Parsed[dict[str, Any]]:
    """Return the keys of calico_chrony: without tracking only those about sources, and only that it
    does not run if chronyc could not talk to it.

    `now` is the node's clock when the text was made, in seconds since 1970; without it, last_update_seconds_ago is
    left out.
    """
    problems = Problems()
    settings: dict[str, str] = {}
    rows: list[str] = []
    silent = False
    for number, line in lines.numbered(text):
        source = _SOURCE.match(line)
        setting = _SETTING.match(line)
        if source is not None:
            mode, state, *rest = (group or "" for group in source.groups())
            rows.append(",".join((mode, state.replace(" ", "?"), *rest)))
        elif _CSV_SOURCE.match(line) or _CSV_TRACKING.match(line):
            rows.append(line)
        elif setting is not None:
            settings[setting.group(1)] = setting.group(2).strip()
        elif line.startswith("506 Cannot talk"):
            silent = True
        elif not _PASSED_OVER.match(line):
            problems.add(number, line, "not understood of chronyc")
    if "Leap status" in settings:
        rows.append(_tracking(settings))
    if silent and not rows:
        return Parsed({"service": "chrony", "running": False}, problems.found())
    return Parsed(_facts(rows, now), problems.found())


def _tracking(settings: dict[str, str]) -> str:
    """Return what `tracking` printed as the line that -c prints."""
    reference = _REFERENCE.match(settings.get("Reference ID", ""))
    number, name = (reference.group(1), reference.group(2) or "") if reference else ("00000000", "")
    if "." in number:  # chrony 1 spells the number as an address
        number = "7F7F0101" if number == "127.127.1.1" else "00000000"
    updated = _moment(settings.get("Ref time (UTC)", ""))
    first = [number.upper(), name.replace(",", " "), settings.get("Stratum", "").partition(" ")[0], f"{updated:.9f}"]
    offset = settings.get("System time", "").split()
    seconds = offset[0] if offset else ""
    # "0.000012 seconds slow of NTP time": -c has the sign of the correction that is still to be made.
    signed = "-" + seconds if "fast" in offset[1:3] else seconds
    return ",".join([*first, signed, *[""] * 8, settings["Leap status"]])


def _moment(text: str) -> float:
    """Turn "Sat Nov 21 06:00:00 2026" into seconds since 1970; 0 for what is none, and where chronyd never had one."""
    try:
        return max(float(calendar.timegm(time.strptime(text, "%a %b %d %H:%M:%S %Y"))), 0.0)
    except (ValueError, OverflowError):
        return 0.0


def _facts(rows: list[str], now: float | None) -> dict[str, Any]:
    sources = [row for row in rows if _CSV_SOURCE.match(row)]
    if len(sources) == len(rows):
        if not rows:
            return {}
        reachable = sum(1 for row in sources if row.split(",")[5] != "0")
        return {"service": "chrony", "running": True, "sources_total": len(sources), "sources_reachable": reachable}
    found, _unread = chrony.parse("\n".join(rows), now or 0.0)
    if now is None:
        found.pop("last_update_seconds_ago", None)
    if len(sources) == 0 and "why" in found:
        # The list of sources is another text: that there are none is not said here.
        for key in ("sources_total", "sources_reachable", "why"):
            found.pop(key, None)
    return {"service": "chrony", "running": True, **found}
