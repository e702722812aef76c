# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what BIRD answers to `show status` and `show protocols all`.

Understood are the raw text from the control socket and what birdc prints, of BIRD 1.6 (and Calico's fork of it) and
of BIRD 2, whose sessions have channels. Times are turned into ages with BIRD's own clock: it prints local time, and
often only a part of it.
"""

from __future__ import annotations

import datetime
import re

from .._numbers import is_whole
from .._record import NamedTuple
from .._unread import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import List

    from .._unread import Unread

UP = "up"
SHUTDOWN = "shutdown"
RECONFIGURING = "reconfiguring"

# The kinds of protocol names that Calico's confd writes; all others are somebody else's.
KINDS = ("Mesh", "Node", "Global", "Local_Workload")
OTHER = "other"

# More than any BIRD has or prints: what answers may be anything, and the facts are to stay of a size that can be read.
MOST_SESSIONS = 8192
_LONGEST_LINE = 1024
_LONGEST_VALUE = 160

_DAY = 86400.0
_STATES = {
    "Daemon is up and running": UP,
    "Shutdown in progress": SHUTDOWN,
    "Reconfiguration in progress": RECONFIGURING,
}
# What `show status` says besides, and what stands before and after a table.
_PLAIN = (
    *("BIRD ", "0001 BIRD ", "Router ID is ", "Hostname is ", "Access restricted"),
    *("Graceful restart recovery in progress", "Waiting for ", "Wait timer is ", *_STATES),
)
_MOMENTS = ("Current server time is ", "Last reboot on ", "Last reconfiguration on ")
_END_CODES = ("0000", "0013")
_PROTOCOL_STATES = frozenset(("down", "start", "feed", "wait", "up", "stop", "flush"))
_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?$")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?)?$")
_ROUTER_ID = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")
_COUNTS = re.compile(r"(?<!\d)(\d{1,20}) (imported|exported|filtered)")
# As BIRD prints them: what is left of them and their full length, in seconds.
_TIMERS = {
    "Keepalive timer": "keepalive",
    "Connect delay": "connect_delay",
    "Error wait": "error_wait",
    "Restart timer": "restart",
    "LL stale timer": "stale",
}


if TYPE_CHECKING:
    _Sessions = List["Session"]
else:
    _Sessions = list


class Status(NamedTuple):
    """`show status`. Ages are seconds by BIRD's clock, None where it did not say; `now` is that clock, see moment().

    `unread` are the lines that were not understood.
    """

    version: str
    router_id: str
    state: str
    now: float | None
    booted_ago: float | None
    reconfigured_ago: float | None
    waiting_for: int | None
    wait_timer: str
    unread: Unread = []  # noqa: RUF012 - never written to


class Session(NamedTuple):
    """One BGP protocol of `show protocols all`.

    `state` is the protocol's (up, start, down …), `bgp_state` BGP's ("Established", "Passive" …; "Down" if the protocol
    is down), `since` the seconds since `state` was entered, None if BIRD's clock is unknown, `external` whether it is
    established with another AS, `restarting` whether the peer's routes are kept while it restarts. `timers` are those
    that run besides the hold timer (keepalive, connect_delay, error_wait, restart, stale) as BIRD prints them, "3/5";
    none for an ordinary session that is up. Numbers that were not printed are None, routes 0.
    """

    name: str
    state: str
    bgp_state: str
    last_error: str
    since: float | None
    peer: str
    peer_as: int | None
    local_as: int | None
    peer_id: str
    source: str
    hold_timer: str
    imported: int
    exported: int
    external: bool
    restarting: bool
    filtered: int = 0
    timers: dict[str, str] = {}  # noqa: RUF012 - never written to

    @property
    def kind(self) -> str:
        """What kind of peering the name tells of: one of KINDS, or OTHER."""
        return kind_of(self.name)

    @property
    def established(self) -> bool:
        """Whether the session carries routes: also in state wait or feed, just after it came up."""
        return self.bgp_state == "Established"


def kind_of(name: str) -> str:
    """Return which kind of peering a protocol of this name is: one of KINDS, or OTHER."""
    for kind in KINDS:
        if name.startswith(kind + "_"):
            return kind
    return OTHER


def port_in_name(name: str) -> int | None:
    """Return the port that confd put into a protocol's name ("…_port_1790"), or None."""
    port = name.rpartition("_port_")[2] if "_port_" in name else ""
    return int(port) if is_whole(port) else None


def parse_status(text: str) -> Status:
    """Read `show status`. What is missing or not understood is '' or None."""
    version = router_id = state = wait_timer = ""
    times: dict[str, float | None] = {}
    waiting_for = None
    unread: Unread = []
    for number, line in enumerate(_stripped(text), 1):
        head = next((head for head in _MOMENTS if line.startswith(head)), "")
        if head:
            times[head] = moment(line[len(head) :])
        elif line.startswith("BIRD ") and not line.endswith("ready."):
            version = line[5:].strip()[:_LONGEST_VALUE]
        elif line.startswith("Router ID is "):
            router_id = _dotted(line[13:].strip())
        elif line in _STATES:
            state = _STATES[line]
        elif line.startswith("Wait"):
            waiting_for, wait_timer = _recovery(line, waiting_for, wait_timer)
        is_odd = times[head] is None if head else line and not line.startswith(_PLAIN)
        if is_odd or len(line) > _LONGEST_LINE or line == "Router ID is" or (line[:9] == "Router ID" and not router_id):
            note(unread, number, line)
    now, booted, reconfigured = (times.get(head) for head in _MOMENTS)
    ages = _ago(now, booted), _ago(now, reconfigured)
    return Status(version, router_id, state, now, *ages, waiting_for, wait_timer, unread)


class Sessions(_Sessions):
    """Sessions, and as `unread` the lines that were not understood, or the rows of sessions that were cut short."""

    def __init__(self) -> None:
        super().__init__()
        self.unread: Unread = []

    def take(self, number: int, row: str, details: dict[str, str], now: float | None) -> None:
        """Add the session of a row and what stands below it; line `number` is the row's. Beyond MOST_SESSIONS it is
        only noted."""
        if len(self) >= MOST_SESSIONS:
            note(self.unread, number, row)
            return
        made = _session(row, details, now)
        self.append(made)
        # Without `all` nothing stands below any row: then details is empty for the first one, too.
        cut = not made.peer and bool(self[0].peer or details) and "Neighbor range" not in details
        if cut or made.state not in _PROTOCOL_STATES or (made.since is None and now is not None):
            note(self.unread, number, row)


def parse_sessions(text: str, now: float | None) -> Sessions:
    """Read the BGP protocols of `show protocols all`; `now` is BIRD's clock as parse_status() returns it."""
    sessions = Sessions()
    row, begun = "", 0
    details: dict[str, str] = {}
    wanted = False
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST_LINE:
            note(sessions.unread, number, line)
            line = line[:_LONGEST_LINE]  # noqa: PLW2901
        if line[:2] == "  " or line[:5] == "1006-":
            if wanted:
                _note(details, line)
            continue
        body = _without_code(line)
        fields = body.split(None, 2)
        if len(fields) == 3:
            if row:
                sessions.take(begun, row, details, now)
            wanted = fields[1] == "BGP"
            row, begun, details = (body, number, {}) if wanted else ("", 0, {})
        elif fields and not body.startswith(_PLAIN) and line.strip() not in _END_CODES:
            note(sessions.unread, number, line)
    if row:
        sessions.take(begun, row, details, now)
    return sessions


def moment(text: str) -> float | None:
    """Turn BIRD's "2026-11-21 01:09:55" (the time may be missing, or have a fraction) into seconds of local time."""
    match = _DATE.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = match.groups()
    try:
        date = datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return date.toordinal() * _DAY + _seconds(hour, minute, second)


def since(text: str, now: float | None) -> float | None:
    """Turn the "since" column into seconds ago: "01:09:17" if it is younger than 20 hours, else a date."""
    text = text.strip()
    if now is None:
        return None
    clock = _CLOCK.match(text)
    if clock is None:
        return _ago(now, moment(text))
    # Midnight lies between if the time of day is later than BIRD's own; one second is lost to rounding.
    ago = now % _DAY - _seconds(*clock.groups())
    return max(ago + _DAY if ago < -1 else ago, 0.0)


def _recovery(line: str, waiting_for: int | None, wait_timer: str) -> tuple[int | None, str]:
    waiting = re.match(r"Waiting for (\d{1,20})\b", line)
    if waiting:
        return int(waiting.group(1)), wait_timer
    timer = re.match(r"Wait timer is (\S+)", line)
    return waiting_for, timer.group(1)[:_LONGEST_VALUE] if timer else wait_timer


def _seconds(hour: str | None, minute: str | None, second: str | None) -> float:
    return int(hour or 0) * 3600 + int(minute or 0) * 60 + float(second or 0)


def _ago(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else max(now - then, 0.0)


def _dotted(text: str) -> str:
    return text if _ROUTER_ID.match(text) else ""


def _stripped(text: str) -> Iterator[str]:
    """Yield the lines without reply codes and indentation."""
    for line in text.splitlines():
        yield _without_code(line).strip()


def _without_code(line: str) -> str:
    return line[5:] if line[4:5] in ("-", " ") and line[:4].isdecimal() else line


def _note(details: dict[str, str], line: str) -> None:
    """Keep one detail. BIRD 2 prints the routes of each channel: these are collected, all else stands once."""
    label, colon, value = line.partition(":")
    label = label.lstrip(" 106-")
    if not colon:
        if "graceful restart active" in label:
            details["restarting"] = "yes"
    elif label == "Routes" and label in details:
        details[label] = (details[label] + "," + value)[:_LONGEST_LINE]
    else:
        details.setdefault(label, value.strip()[:_LONGEST_VALUE])


def _session(row: str, details: dict[str, str], now: float | None) -> Session:
    fields = [field[:_LONGEST_VALUE] for field in row.split(None, 5)]
    fields += [""] * (6 - len(fields))
    name, _proto, _table, state, entered, info = fields
    first, _space, rest = info.partition(" ")
    if _DATE.match(entered) and _CLOCK.match(first):
        entered, info = entered + " " + first, rest.strip()
        first, _space, rest = info.partition(" ")
    down = state == "down"
    external = details.get("Session", "").startswith("external")
    # Of the many that are well nobody asks what their timers say.
    well = state == "up" and first == "Established" and not external
    counts = {"imported": 0, "exported": 0, "filtered": 0}
    for number, what in _COUNTS.findall(details.get("Routes", "")):
        counts[what] += int(number)
    return Session(
        name=name,
        state=state,
        bgp_state=details.get("BGP state", "") or ("Down" if down else first),
        last_error=details.get("Last error", "") or (info if down else rest).strip(),
        since=since(entered, now),
        peer=details.get("Neighbor address", ""),
        peer_as=_number(details.get("Neighbor AS", "")),
        local_as=_number(details.get("Local AS", "")),
        peer_id=details.get("Neighbor ID", ""),
        source=details.get("Source address", ""),
        hold_timer=details.get("Hold timer", ""),
        imported=counts["imported"],
        exported=counts["exported"],
        external=external,
        restarting="restarting" in details,
        filtered=counts["filtered"],
        timers={word: details[label] for label, word in _TIMERS.items() if details.get(label)} if not well else {},
    )


def _number(text: str) -> int | None:
    return int(text) if is_whole(text) else None
