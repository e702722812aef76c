# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of logs as the various writers leave them: where reading begins, what time they tell, what must not travel."""

from __future__ import annotations

import datetime
import os
import re
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TAIL_BYTES = 256 * 1024
LONGEST_TEXT = 200
_LINES_TO_TELL = 20

# TAI is 37 s ahead of UTC since 2017, but svlogd's label knows of no leap seconds: it adds 10 s to Unix time.
_TAI64 = (1 << 62) + 10
_EPOCH = 719163  # the ordinal number of 1970-01-01
# Patterns are compiled when a line has the words that stand beside them, for that costs as much as reading a log.
_TAI64N = r"@([0-9a-f]{16})[0-9a-f]{8} "
_RUNTIME = r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d) std(?:out|err) [FP] "
_DOCKER = r'\{"log":"(.*?)(?:\\n)?","stream":.*"time":"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)'
_SVLOGD = r"(\d{4})-(\d\d)-(\d\d)[_T](\d\d):(\d\d):(\d\d)\.\d+ "
_OWN = r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)? <\w+> "
_LOGGER = r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.\d+ \[\w+\]\[\d+\] (?:\S+ \d+: )?"
_HIDDEN = r"(?i)\b(password|secret)(\s*[:=]\s*|\s+(?=[\"']))\S.*"
# One value and no more of the line, for these words stand in lines that tell much: in a URL's query, say.
_NAMED = r"(?i)(token|passwd|pwd|(?<!by)pass|credential|cookie|[_-]key)([\"']?=[\"']?|[\"']\s*:\s*[\"'])[^\s&\"',}]+"
_BEARER = r"(?i)\b(bearer) +(?!token)[\w.~+/=-]{8,}"
USER_OF_URL = r"://[^/@\s\"]*:[^/@\s\"]*@"
# The beginning of every JSON web token: {" in base64.
_SIGNED_CLAIMS = r"eyJ[\w.+/=-]*"


def read_tail(path: str, limit: int = TAIL_BYTES) -> str:
    """Return the last `limit` bytes of a regular file, from a line's beginning; '' if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return ""
        size = status.st_size
        raw = os.pread(descriptor, limit, max(size - limit, 0))
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    if size > limit:
        raw = raw.partition(b"\n")[2]
    return raw.decode("utf-8", "replace")


def reaches_back(path: str, tail: str, since: float, limit: int = TAIL_BYTES) -> bool:
    """Say whether `tail`, as read_tail() gave it, holds all of a file, or all of it since that moment (seconds since
    the epoch)."""
    try:
        if os.stat(path).st_size <= limit:
            return True
    except OSError:
        return True
    for line in tail.split("\n", _LINES_TO_TELL)[:_LINES_TO_TELL]:
        at, _rest = stamp(line)
        if at is not None:
            return at <= since
    return False


def stamp(raw: str) -> tuple[float | None, str]:
    """Split a line into its time (seconds since the epoch, None if it has none) and what follows all stamps.

    A runtime's stamp may stand before svlogd's or the program's own: the first counts.
    """
    at: float | None = None
    docker = re.match(_DOCKER, raw) if raw.startswith("{") else None
    if docker:
        at, raw = _utc(docker.groups()[1:]), docker.group(1)
    runtime = re.match(_RUNTIME, raw) if " std" in raw else None
    if runtime:
        at = _utc(runtime.groups()[:6]) - _offset(runtime.group(7))
        raw = raw[runtime.end() :]
    for words, pattern, read in ((".", _SVLOGD, _utc), (" <", _OWN, _local), (" [", _LOGGER, _utc)):
        match = re.match(pattern, raw) if words in raw else None
        if match:
            at = read(match.groups()) if at is None else at
            raw = raw[match.end() :]
    label = re.match(_TAI64N, raw) if raw.startswith("@") else None
    if label:
        at, raw = float(int(label.group(1), 16) - _TAI64), raw[label.end() :]
    return at, raw


def _utc(groups: Iterable[str]) -> float:
    year, month, day, hour, minute, second = (int(group) for group in groups)
    try:
        days = datetime.date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return 0.0
    return float(days * 86400 + hour * 3600 + minute * 60 + second)


def _local(groups: Iterable[str]) -> float:
    year, month, day, hour, minute, second = (int(group) for group in groups)
    try:
        return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
    except (OverflowError, ValueError):
        return 0.0


def _offset(zone: str) -> int:
    if zone == "Z":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


def shown(message: str) -> str:
    """Return a message fit to travel: without secrets and tokens, and not longer than 200 characters."""
    folded = message.casefold()
    if "://" in message and "@" in message:
        message = re.sub(USER_OF_URL, "://…@", message)
    if any(word in folded for word in ("token", "pass", "pwd", "key", "bearer", "credential", "cookie")):
        message = re.sub(_BEARER, r"\1 …", re.sub(_NAMED, r"\1\2…", message))
    if "password" in folded or "secret" in folded:
        message = re.sub(_HIDDEN, r"\1\2…", message)
    if "eyJ" in message:
        message = re.sub(_SIGNED_CLAIMS, "…", message)
    return message[:LONGEST_TEXT]
