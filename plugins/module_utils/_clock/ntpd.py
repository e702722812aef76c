# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ntpd (the reference implementation, ntpsec), as it tells by itself, or ntpq (`ntpq -n -c rv -p`).

ntpd is asked in ntpq's own way (control messages, RFC 9327) first: that costs no start of a program, which ntpsec has
in Python, and ntpq need not be installed."""

from __future__ import annotations

import re

from .._numbers import is_whole
from .._unread import note, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._unread import Unread

_COMMAND = ("ntpq", "-n", "-c", "rv", "-p")
_VARIABLE = re.compile(r"\b(leap|stratum|offset|refid)=([^,\s]+)")
# As ntpq spells it, and as ntpd itself does.
_LEAPS = {"00": "normal", "01": "insert_second", "10": "delete_second", "11": "not_synchronised"}
_LEAP_NUMBERS = {"0": "normal", "1": "insert_second", "2": "delete_second", "3": "not_synchronised"}
_PORT_SECONDS = 0.3
_UNSYNCHRONISED_STRATUM = 16
_PEER_FIELDS = 10
# Where `refid` is one of these, ntpd runs on its own clock.
_OWN_CLOCK = ("LOCAL", "LOCL", "127.127.1.0", "127.127.1.1")


def read(timeout: float, _now: float) -> tuple[dict[str, Any], str]:
    """Ask ntpd; return the keys of calico_chrony that it answers, and what went wrong ('' if nothing did)."""
    from . import ntp_control

    report = ntp_control.ask(min(timeout, _PORT_SECONDS))
    if report is not None:
        found, trouble = _described(report.variables, report.sources, report.reachable)
        if not trouble:
            return found, ""
    from .._host import commands

    result = commands.run(_COMMAND, timeout)
    if result.failure == "absent":
        return {}, "ntpd runs, and ntpq is not installed (OpenNTPD has none)."
    if result.failure:
        return {}, f"ntpq: {result.failure}."
    return parse(result.stdout + result.stderr)


def parse(text: str) -> tuple[dict[str, Any], str]:
    """Return the keys of calico_chrony and what could not be read, from the system variables and the table of peers."""
    total, reachable, unread = _peers(text)
    found, trouble = _described(text, total, reachable)
    return found, trouble or (said(unread) if unread else "")


def _described(text: str, total: int, reachable: int) -> tuple[dict[str, Any], str]:
    variables = dict(_VARIABLE.findall(text))
    leap = _LEAPS.get(variables.get("leap", ""), "") or _LEAP_NUMBERS.get(variables.get("leap", ""), "")
    stratum = variables.get("stratum", "")
    if not leap or not is_whole(stratum):
        words = " ".join(text.split())[:100] or "nothing"
        return {}, f"ntpq said: {words}."
    own = variables.get("refid", "") in _OWN_CLOCK
    synchronised = leap != "not_synchronised" and int(stratum) < _UNSYNCHRONISED_STRATUM and not own
    found: dict[str, Any] = {
        "leap": leap,
        "stratum": int(stratum),
        "synchronised": synchronised,
        "sources_total": total,
        "sources_reachable": reachable,
        "reference": variables.get("refid", ""),
        "why": f"ntpd {_verb(synchronised, own)} ({reachable} of {total} sources answer).",
    }
    try:
        offset = float(variables.get("offset", ""))
    except ValueError:
        return found, ""
    if synchronised:
        found["offset_seconds"] = round(offset / 1000, 9)  # ntpd speaks of milliseconds
    return found, ""


def _verb(synchronised: bool, own: bool) -> str:
    if own:
        return "takes its own clock for the time"
    return "is synchronised" if synchronised else "has not synchronised"


def _peers(text: str) -> tuple[int, int, Unread]:
    """Count the lines of the table of peers, and those whose reach register (octal) has a bit set; and return those
    that are none."""
    head, ruler, table = text.partition("=====")
    total = reachable = 0
    unread: Unread = []
    begun = head.count("\n") + 1
    alone: list[str] = []
    for number, line in enumerate(table.splitlines()[1:] if ruler else [], begun + 1):
        fields = alone + line[1:].split()
        # A long name, as IPv6 addresses are, has a line of its own.
        alone = fields if len(fields) == 1 and not alone else []
        # remote refid st t when poll reach delay offset jitter; pools and broadcasts are no sources.
        if len(fields) < _PEER_FIELDS:
            if fields and not alone:
                note(unread, number, line)
        elif fields[3] not in ("p", "B", "M"):
            total += 1
            reachable += fields[6] != "0"
    if alone:
        note(unread, begun + table.rstrip().count("\n"), alone[0])
    return total, reachable, unread
