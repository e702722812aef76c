# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""chronyd, as it tells by itself, or chronyc in comma separated values (`chronyc -c -n -m tracking sources`, chrony 2.2
and later).

chronyd is asked over its port for commands first: that costs no start of a program, and chronyc need not be installed.
Where it does not answer there (`cmdport 0`), chronyc asks over its Unix socket."""

from __future__ import annotations

from .._unread import note, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._unread import Unread

_COMMAND = ("chronyc", "-c", "-n", "-m", "tracking", "sources")
_PORT_SECONDS = 0.3
_TRACKING_FIELDS = 14
_SOURCE_FIELDS = 10
_LEAPS = {
    "Normal": "normal",
    "Insert second": "insert_second",
    "Delete second": "delete_second",
    "Not synchronised": "not_synchronised",
}
# chronyd's name for its own clock, where `local` in its configuration lets it stand in for a source.
_OWN_CLOCK = "7F7F0101"


def read(timeout: float, now: float) -> tuple[dict[str, Any], str]:
    """Ask chronyd; return the keys of calico_chrony that it answers, and what went wrong ('' if nothing did)."""
    from . import chrony_port

    report = chrony_port.ask(min(timeout, _PORT_SECONDS))
    if report:
        return parse(report, now)
    from .._host import commands

    result = commands.run(_COMMAND, timeout)
    if result.failure == "absent":
        return {}, "chronyd runs and does not answer on its port for commands, and chronyc is not installed."
    if result.failure:
        return {}, f"chronyc: {result.failure}."
    return parse(result.stdout, now)


def parse(text: str, now: float) -> tuple[dict[str, Any], str]:
    """Return the keys of calico_chrony and what could not be read.

    `text` is chronyc's output, tracking and sources in any order; `now` the node's clock, in seconds since 1970.
    """
    found: dict[str, Any] = {}
    total = reachable = 0
    unread: Unread = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.strip().split(",")
        if len(fields) == _TRACKING_FIELDS:
            found.update(_tracking(fields, now))
        elif len(fields) == _SOURCE_FIELDS and fields[0] in ("^", "=", "#"):
            total += 1
            reachable += fields[5] != "0"
        elif line.strip():
            note(unread, number, line)
    if not found:
        words = " ".join(text.split())[:100] or "nothing"
        return {}, f"chronyc said: {words}."
    found.update(sources_total=total, sources_reachable=reachable)
    found["why"] = _why(found)
    return found, said(unread) if unread else ""


def _tracking(fields: list[str], now: float) -> dict[str, Any]:
    """Read chronyc's tracking line: reference, its name, stratum, time of the last update, offset …, leap status."""
    leap = _LEAPS.get(fields[13], fields[13].lower().replace(" ", "_"))
    own = fields[0] == _OWN_CLOCK
    found: dict[str, Any] = {"leap": leap, "synchronised": leap != "not_synchronised" and not own}
    reference = "own clock" if own else fields[1]
    if reference:
        found["reference"] = reference
    stratum, updated, offset = _number(fields[2]), _number(fields[3]), _number(fields[4])
    if stratum is not None:
        found["stratum"] = int(stratum)
    if offset is not None and found["synchronised"]:
        found["offset_seconds"] = offset
    if updated:
        found["last_update_seconds_ago"] = max(int(now - updated), 0)
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None  # also says no to nan and inf


def _why(found: dict[str, Any]) -> str:
    sources = f"{found['sources_reachable']} of {found['sources_total']} sources answer"
    if found.get("reference") == "own clock":
        return f"chronyd takes its own clock for the time ({sources})."
    if not found["synchronised"]:
        return f"chronyd has not synchronised ({sources})."
    if not found["sources_reachable"]:
        return f"chronyd was synchronised {found.get('last_update_seconds_ago', '?')} s ago; now {sources}."
    return f"chronyd follows {found.get('reference', '?')} ({sources})."
