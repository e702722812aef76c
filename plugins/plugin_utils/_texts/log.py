# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of calico-node and its companions, with whatever stands before each line.

Before the program's own line there may be what the container runtime (CRI, docker's json-file), kubectl (--timestamps,
--prefix), docker-compose or journald put there. The program's own form is that of Calico, klog, logfmt, JSON, BIRD
or none.
"""

from __future__ import annotations

import calendar
import collections
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._bird import log
from ...module_utils._host import calico_log
from . import lines
from .parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ENTRIES = 1000
_LONGEST_MESSAGE = 600
_LONGEST_TAIL = 256 * 1024

_ISO = r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)?"
_CRI = re.compile(_ISO + r" std(?:out|err) [FP] ")
_PREFIXED = re.compile(r"\[(?:pod/)?[\w./-]{1,253}\] (?=\S)")
_COMPOSE = re.compile(r"[\w.-]{1,128} +\| ")
_KUBECTL = re.compile(_ISO + r" (?!\[|<)")
_JOURNAL_ISO = re.compile(_ISO + r" \S{1,253} [\w@./\\:-]{1,128}\[\d{1,10}\]: ")
_JOURNAL = re.compile(
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \S{1,253}"
    r" [\w@./\\:-]{1,128}(?:\[\d{1,10}\])?: "
)
# Who shows a line often cuts its time off.
_CALICO = re.compile(
    rf"(?:{_ISO} )?\[([A-Za-z]{{1,10}})\]\[\d{{1,10}}(?:/[\w.-]{{1,64}})?\] (?:(\S{{1,128}} \d{{1,6}}|\S{{1,128}}): )?"
)
_KLOG = re.compile(r"([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.\d{1,9} +\d{1,10} (\S{1,128}:\d{1,6})\] ")
_FIELD = re.compile(r'\b(time|level|msg|error|source)=("(?:[^"\\]|\\.){0,4000}"|\S{1,400})')
_LEVELS = {
    "t": "debug", "trace": "debug", "d": "debug", "debug": "debug", "i": "info", "info": "info", "notice": "info",
    "w": "warning", "warn": "warning", "warning": "warning", "e": "error", "error": "error", "err": "error",
    "f": "fatal", "fatal": "fatal", "panic": "fatal", "dpanic": "fatal", "critical": "fatal", "p": "fatal",
}  # fmt: skip
_BIRD = re.compile(r"(?:@[0-9a-f]{24} |\d{4}-\d\d-\d\d[_T]\d\d:\d\d:\d\d\.\d{1,9} )?(?:bird6?: )+")
# Of what is only information these lines tell what a node decided at its start, and what it reports of itself.
_TELLING = re.compile(
    r"autodetect|auto-detect|IPv[46] (?:address|changed)|Node IPv|already using|conflict|IP provided|not ready|not live"
    r"|peering established|out of sync|checkcmd|has been updated|mtu|rp_filter|RPF|CALICO_NETWORKING|backend|\bMTU\b"
    r"|Terminat|Shutdown|Starting|ipset v|iptables|modprobe|x509|Unauthorized|forbidden|Typha"
)


class Entry(NamedTuple):
    """One line: its number, when (seconds since 1970, None if not told), debug, info, warning, error, fatal or '', the
    place in the program that wrote it (''), and what it says. BIRD's lines have the place "bird"."""

    line: int
    at: float | None
    level: str
    place: str
    message: str


class Log(NamedTuple):
    """`bird`: the telling lines of BIRD (and of confd about it), as a node's own code finds them, oldest first.
    `entries`: the last MOST_ENTRIES warnings and worse, and telling lines of other programs. `first`, `last`: the times
    of the first and last line that have one; `lines`: how many there are."""

    bird: tuple[log.Line, ...]
    entries: tuple[Entry, ...]
    first: float | None
    last: float | None
    lines: int


def parse(text: str) -> Parsed[Log]:
    """Return what a log tells. Any text is a log: there are no problems."""
    kept: collections.deque[Entry] = collections.deque(maxlen=MOST_ENTRIES)
    first = last = None
    count = 0
    told: list[str] = []
    for entry, bare in _read(text):
        count += 1
        if entry.at is not None:
            first = entry.at if first is None else first
            last = entry.at
        told.append(bare)
        if entry.level in ("warning", "error", "fatal") or (entry.place != "bird" and _TELLING.search(entry.message)):
            kept.append(entry)
    bird = tuple(log.parse("\n".join(told), {}))
    return Parsed(Log(bird, tuple(kept), first, last, count))


def last_of_this_year(text: str, now: float) -> float | None:
    """Return the time of the last line with a stamp that has no year: that of `now`, or the year before it."""
    last = max(len(text) - _LONGEST_TAIL, 0)
    times = (calico_log.time_of(row.strip(), now, 0) for row in reversed(lines.plain(text[last:]).split("\n")) if row)
    return next((moment for moment in times if moment is not None), None)


def entries(text: str) -> Iterator[Entry]:
    """Yield every line that is not empty."""
    return (entry for entry, _bare in _read(text))


def _read(text: str) -> Iterator[tuple[Entry, str]]:
    """Yield each line as an entry, and in the form that _bird.log knows."""
    for number, row in enumerate(lines.plain(text).split("\n"), 1):
        if row.strip() and lines.command(row[: lines.LONGEST_LINE]) is None:
            yield _entry(number, row[: lines.LONGEST_LINE].strip())


def _entry(number: int, raw: str) -> tuple[Entry, str]:
    outer, body = _unpacked(raw)
    bare = _stamped(outer) + body
    bird = _BIRD.match(body)
    if bird is not None:
        telling = log.parse(bare, {})
        at = outer if outer is not None else (telling[0].at if telling else None)
        return Entry(number, at, "", "bird", _shown(body[bird.end() :])), bare
    inner, level, place, message = _own(body)
    # klog has no year: the runtime's stamp is better where there is one.
    return Entry(number, inner if inner is not None else outer, level, place, _shown(message)), bare


def _unpacked(raw: str) -> tuple[float | None, str]:
    """Return the time that a runtime, kubectl or journald put before a line, and the line."""
    if raw.startswith('{"log":'):
        at, raw = _docker(raw)
        return at, raw
    for pattern in (_PREFIXED, _COMPOSE):
        match = pattern.match(raw)
        if match is not None and not raw.startswith("[INFO]"):
            raw = raw[match.end() :]
    for pattern in (_CRI, _JOURNAL_ISO, _KUBECTL):
        match = pattern.match(raw)
        if match is not None:
            return _moment(match.groups()[:7]), raw[match.end() :]
    journal = _JOURNAL.match(raw)
    return (None, raw[journal.end() :]) if journal else (None, raw)


def _docker(raw: str) -> tuple[float | None, str]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None, raw
    if not isinstance(value, dict) or not isinstance(value.get("log"), str):
        return None, raw
    match = re.match(_ISO, str(value.get("time", "")))
    return (_moment(match.groups()) if match else None), value["log"].strip("\n").replace("\n", " ")


def _own(body: str) -> tuple[float | None, str, str, str]:
    """Return time, level, place and message of a program's own line."""
    calico = _CALICO.match(body)
    if calico is not None:
        *stamp, level, place = calico.groups()
        return (
            _moment(tuple(stamp)) if stamp[0] else None,
            _LEVELS.get(level.lower(), ""),
            place or "",
            body[calico.end() :],
        )
    klog = _KLOG.match(body)
    if klog is not None:
        return None, _LEVELS[klog.group(1).lower()], klog.group(7), body[klog.end() :]
    if body.startswith("{"):
        return _json_line(body)
    if "level=" in body[:200]:
        return _logfmt(body)
    return None, "", "", body


def _json_line(body: str) -> tuple[float | None, str, str, str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None, "", "", body
    if not isinstance(value, dict):
        return None, "", "", body
    message = str(value.get("msg") or value.get("message") or "")
    detail = value.get("error") or value.get("err")
    match = re.match(_ISO, str(value.get("ts") or value.get("time") or ""))
    level = _LEVELS.get(str(value.get("level", "")).lower(), "")
    place = str(value.get("logger") or value.get("source") or value.get("caller") or "")[:128]
    return (
        (_moment(match.groups()) if match else None),
        level,
        place,
        f"{message} error={detail}" if detail else message,
    )


def _logfmt(body: str) -> tuple[float | None, str, str, str]:
    fields = {name: _unquoted(value) for name, value in _FIELD.findall(body)}
    match = re.match(_ISO, fields.get("time", ""))
    message = fields.get("msg", body)
    if fields.get("error"):
        message += f" error={fields['error']}"
    level = _LEVELS.get(fields.get("level", "").lower(), "")
    return (_moment(match.groups()) if match else None), level, fields.get("source", ""), message


def _unquoted(value: str) -> str:
    return value[1:-1].replace('\\"', '"') if value[:1] == '"' else value


def _moment(groups: tuple[str | None, ...]) -> float | None:
    """Turn year to second and a zone (none: UTC, as Calico logs) into seconds since 1970."""
    year, month, day, hour, minute, second = (int(group or 0) for group in groups[:6])
    if not (1 <= month <= 12 and 1 <= day <= 31 and year >= 1970):
        return None
    seconds = float(calendar.timegm((year, month, day, hour, minute, second, 0, 0, 0)))
    zone = groups[6] or "Z"
    if zone == "Z":
        return seconds
    ahead = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return seconds + ahead if zone[0] == "-" else seconds - ahead


def _stamped(at: float | None) -> str:
    """Return what the runtime would have put before a line of that time."""
    if at is None:
        return ""
    days, rest = divmod(int(at), 86400)
    date = _date(days)
    return f"{date}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z stderr F "


def _date(days: int) -> str:
    import datetime

    try:
        return datetime.date.fromordinal(days + 719163).isoformat()
    except (ValueError, OverflowError):
        return "1970-01-01"


def _shown(message: str) -> str:
    """Return a message of bearable length. A pasted secret goes no further."""
    folded = message.casefold()
    if "password" in folded or "secret" in folded or "token" in folded:
        message = re.sub(r"(?i)\b(password|secret|token)(\s{0,4}[:=]\s{0,4}|\s{1,4}(?=[\"']))\S.*", r"\1\2…", message)
    return message[:_LONGEST_MESSAGE]
