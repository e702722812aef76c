# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`timedatectl` (status), `timedatectl timesync-status`, `timedatectl show` and `show-timesync`, of systemd 209 to
257."""

from __future__ import annotations

import re
from typing import Any

from ...module_utils._clock import timesyncd
from . import lines
from .parsed import Parsed, Problems

_ROW = re.compile(r"\s{0,40}([A-Z][A-Za-z /-]{1,40}?): ?(.{0,200})$")
_PROPERTY = re.compile(r"([A-Z][A-Za-z]{1,40})=(.{0,400})$")
# The kernel's flag, as systemd of different ages calls it.
_SYNCHRONISED = ("System clock synchronized", "NTP synchronized", "NTPSynchronized")
_WANTED = ("NTP service", "NTP enabled", "Network time on", "systemd-timesyncd.service active", "NTP")
_OF_TIMESYNCD = ("Server", "Packet count", "ServerName", "SystemNTPServers", "FallbackNTPServers", "PollIntervalUSec")
_YES = ("yes", "active", "true")


def parse(text: str) -> Parsed[dict[str, Any]]:
    """Return the keys of calico_chrony that can be read, and `ntp_service`: whether any service is set to keep the
    time.

    Which service that is, is known only where systemd-timesyncd itself answered.
    """
    problems = Problems()
    found: dict[str, str] = {}
    for number, line in lines.numbered(text):
        row = _PROPERTY.match(line) or _ROW.match(line)
        if row is not None:
            found.setdefault(row.group(1).strip(), row.group(2).strip())
        elif line and not re.match(r"\s*(?:Last DST|Next DST|DST |Warning|the RTC|\w{3} \d{4}-)", line):
            problems.add(number, line, "not understood of timedatectl")
    facts: dict[str, Any] = {}
    for name in _SYNCHRONISED:
        if found.get(name):
            facts["kernel_synchronised"] = found[name].lower() in _YES
    for name in _WANTED:
        if found.get(name):
            facts["ntp_service"] = found[name].lower() in _YES
    if any(name in found for name in _OF_TIMESYNCD):
        facts.update(_timesyncd(text, found))
    return Parsed(facts, problems.found())


def _timesyncd(text: str, found: dict[str, str]) -> dict[str, Any]:
    if "Packet count" in found or "Server" in found:
        facts, unread = timesyncd.parse(lines.printed(text))
        return {} if unread else {"service": "timesyncd", "running": True, **facts}
    # show-timesync: the last answer is there only if there was one.
    facts = {"service": "timesyncd", "running": True, "synchronised": "NTPMessage" in found}
    server = found.get("ServerName") or found.get("ServerAddress")
    if server:
        facts["reference"] = server
    stratum = re.search(r"\bStratum=(\d{1,3})\b", found.get("NTPMessage", ""))
    if stratum:
        facts["stratum"] = int(stratum.group(1))
    return facts
