# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemd-timesyncd, by the mark it leaves under /run and as timedatectl tells it (`timedatectl timesync-status`,
systemd 239 on).

timedatectl is asked only while timesyncd runs: the question would start it otherwise.
"""

from __future__ import annotations

import os
import re

from .._host import commands
from .._numbers import is_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMMAND = ("timedatectl", "timesync-status", "--no-pager")
# Touched at every synchronisation; /run is empty after a boot.
MARK = "/run/systemd/timesync/synchronized"
_LINE = re.compile(r"^[ \t]*([A-Z][A-Za-z ]*): (.+)$", re.MULTILINE)
_SPAN = re.compile(r"(?<![0-9.])([0-9]{1,18}(?:\.[0-9]{0,18})?)\s{0,8}(us|ms|s|min|h|d)\b")
_LONGEST_POLL = re.compile(r"^[ \t]*Poll interval: .{0,64}?\bmax:? ([^)\n]{1,32})\)", re.MULTILINE)
_USUAL_POLL = 2048.0
_MISSED_POLLS = 3
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_LEAPS = {"normal": "normal", "insert second": "insert_second", "delete second": "delete_second"}


def read(timeout: float, now: float, mark: str = MARK) -> tuple[dict[str, Any], str]:
    """Look at the mark, ask timedatectl; return the keys of calico_chrony and what went wrong ('' if nothing did)."""
    try:
        marked: float | None = os.stat(mark).st_mtime
    except OSError:
        marked = None
    result = commands.run(_COMMAND, timeout)
    if result.failure == "absent":
        trouble = "timedatectl is not installed."
    else:
        trouble = f"timedatectl: {result.failure}." if result.failure else ""
    found, unread = parse(result.stdout or result.stderr) if not trouble else ({}, "")
    found["synchronised"] = bool(found.get("synchronised"))
    if marked is not None:
        apply_mark(found, now - marked, result.stdout)
    found["why"] = _why(found)
    return found, trouble or unread


def parse(text: str) -> tuple[dict[str, Any], str]:
    """Return the keys of calico_chrony and what could not be read."""
    lines = dict(_LINE.findall(text))
    if "Server" not in lines and "Packet count" not in lines:
        said = " ".join(text.split())[:100] or "nothing"
        return {}, f"timedatectl said: {said}."
    answered = lines.get("Packet count", "0").strip() not in ("", "0")
    leap = lines.get("Leap", "").strip()
    found: dict[str, Any] = {
        "synchronised": answered and bool(leap) and leap != "not synchronized",
        "sources_total": 1 if "Server" in lines else 0,
        "sources_reachable": int(answered),
    }
    found["leap"] = _LEAPS.get(leap, "not_synchronised")
    if "Server" in lines:
        found["reference"] = (lines["Server"].split() or [""])[0]
    stratum = lines.get("Stratum", "").strip()
    if is_whole(stratum):
        found["stratum"] = int(stratum)
    if "Offset" in lines:
        found["offset_seconds"] = _span(lines["Offset"])
    return found, ""


def apply_mark(found: dict[str, Any], age: float, text: str) -> None:
    """Put into `found` what the mark of the last synchronisation says, which was `age` seconds ago.

    timesyncd asks at least once in its longest interval, 34 minutes unless it is told otherwise. A mark that is older
    than three of these means that it was answered no more; `text`, what timedatectl said, has that interval. Without
    it nothing is certain, and synchronised is None.
    """
    found["last_update_seconds_ago"] = max(int(age), 0)
    longest = _LONGEST_POLL.search(text)
    if age <= _MISSED_POLLS * (_span(longest.group(1)) if longest else _USUAL_POLL):
        found["synchronised"] = True
    else:
        found["synchronised"] = False if longest else None


def _span(text: str) -> float:
    """Return the seconds of '+1min 4.5s' or '-15us'."""
    seconds = sum(float(value) * _SECONDS[unit] for value, unit in _SPAN.findall(text))
    return round(-seconds if text.strip().startswith("-") else seconds, 9)


def _why(found: dict[str, Any]) -> str:
    server = found.get("reference", "its server")
    if found["synchronised"]:
        return f"systemd-timesyncd has synchronised with {server}."
    if "last_update_seconds_ago" in found:
        return f"systemd-timesyncd synchronised with {server} {found['last_update_seconds_ago']} s ago, and not since."
    return f"systemd-timesyncd has not synchronised with {server} since the node booted."
