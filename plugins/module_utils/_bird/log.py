# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The telling lines of BIRD's log.

Some causes are told nowhere else: who connects without being configured here, which AS number the peer really has, why
the listening socket could not be opened. Lines come from svlogd (calico-node's own log folder), from the container
runtime's copy of the pod's output, or from a log file that BIRD writes itself; each has its own time stamp.
"""

from __future__ import annotations

import datetime
import os
import re
import time

from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TAIL_BYTES = 256 * 1024
MOST_LINES = 40
_LONGEST_TEXT = 200

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
_PREFIX = r"(?:bird6?: )+"
_HIDDEN = r"(?i)\b(password|secret)(\s*[:=]\s*|\s+(?=[\"']))\S.*"

# The first that matches counts. Groups: name (of a protocol, or "BGP"), peer (an address), value.
_KINDS = (
    (
        "unexpected_connect",
        "Unexpected connect",
        r"(?:BGP: )?Unexpected connect from unknown address (?P<peer>[^\s%]+)\S* \(port (?P<value>\d+)",
    ),
    ("bad_peer_as", "Bad peer AS", r"(?P<name>\S+): (?:Error|Received): Bad peer AS(?:: (?P<value>\d+))?"),
    (
        "bad_bgp_identifier",
        "Bad BGP identifier",
        r"(?P<name>\S+): (?:Error|Received): Bad BGP identifier(?:: (?P<value>[0-9a-f]{8}))?",
    ),
    ("hold_timer_expired", "Hold timer", r"(?P<name>\S+): (?:(?:Error|Received): )?Hold timer expired"),
    ("cannot_listen", "Cannot open", r"(?:\S+: )?Cannot open listening socket"),
    ("bind_failed", "bind: ", r"(?P<name>\S+): Socket error: bind: (?P<value>.+)"),
    ("md5_unsupported", "MD5", r"(?P<name>\S+): Socket error: (?P<value>.*MD5.*)"),
    ("config_error", "bird", r"(?P<value>\S*bird\S*:\d+:\d+) \S|(?P<older>\S*bird\S*, line \d+): \S"),
    ("config_error", "checkcmd", r".*Error from checkcmd(?:.*?(?P<value>[^\s\"\\]*bird[^\s\"\\]*:\d+:\d+))?"),
    ("config_error", "check failed", r".*Config check failed"),
    ("started", "Started", r"Started$"),
    ("shutdown", "Shut", r"(?:Shutting down|Shutdown completed)$"),
)
# Cheap to look for: the rest of a busy log is not worth a regular expression.
_MARKERS = (
    "Unexpected connect",
    "Error: ",
    "Received: ",
    "Hold timer expired",
    "Cannot open listening",
    "Socket error: ",
    "Error from checkcmd",
    "Config check failed",
    "Started",
    "Shutting down",
    "Shutdown completed",
    ".cfg:",
    ".conf:",
    ", line ",
    "Reconfigured",
    "has been updated",
)
_CHANGED = ": State changed to "
_KINDS_OF_NAMES = ("Mesh_", "Node_", "Global_", "Local_Workload_")


class Line(NamedTuple):
    """One telling line, or `times` of them: seconds since the epoch (None: no stamp), kind, peer, a value, the text."""

    at: float | None
    kind: str
    peer: str
    value: str
    text: str
    times: int = 1


def read_tail(path: str, limit: int = TAIL_BYTES) -> str:
    """Return the last `limit` bytes of a file, from a line's beginning; '' if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        size = os.fstat(descriptor).st_size
        raw = os.pread(descriptor, limit, max(size - limit, 0))
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    if size > limit:
        raw = raw.partition(b"\n")[2]
    return raw.decode("utf-8", "replace")


def parse(text: str, addresses: Mapping[str, str]) -> list[Line]:
    """Return the telling lines of a log, oldest first; `addresses` maps the names of protocols to their peers.

    That sessions came up gives one line, the last, with their number: after a restart there is one for each peer.
    """
    story = _Story(addresses)
    for raw in text.splitlines():
        name, changed, state = raw.partition(_CHANGED)
        if changed:
            story.state(raw, name.rpartition(" ")[2], state.partition('"')[0].partition("\\")[0])
        elif any(marker in raw for marker in _MARKERS):
            story.told(raw)
    return story.lines()


def recent(lines: Iterable[Line], now: float, window: float) -> list[Line]:
    """Return the newest MOST_LINES telling lines not older than `window` seconds before `now`, newest first.

    Lines of one kind about the same peer become one, the newest, with their number.
    """
    collapsed: dict[tuple[str, ...], Line] = {}
    for line in sorted(lines, key=lambda line: line.at or 0.0):
        if line.at is not None and line.at < now - window:
            continue
        key: tuple[str, ...] = (line.kind,)
        if line.kind != "connect":
            key += (line.peer, line.value if line.kind in ("config_error", "bind_failed") else "")
        before = collapsed.pop(key, None)
        collapsed[key] = line._replace(times=before.times + line.times) if before else line
    newest = list(collapsed.values())[::-1]
    if len(newest) > MOST_LINES:
        # That a session ended is seen elsewhere, too; why it did not start is not.
        newest.sort(key=lambda line: line.kind in ("session_lost", "connect"))
        newest = sorted(newest[:MOST_LINES], key=lambda line: line.at or 0.0, reverse=True)
    return newest


def peer_in_name(name: str) -> str:
    """Return the address that confd wrote into a protocol's name ("Mesh_10_200_0_9", "Node_fd00__9"), else ''."""
    match = re.match(r"(?:Mesh|Node|Global|Local_Workload)_(.+?)(?:_port_\d+)?$", name)
    if match is None:
        return ""
    text = match.group(1)
    if re.match(r"\d+(?:_\d+){3}$", text):
        return text.replace("_", ".")
    return text.replace("_", ":") if re.match(r"[0-9a-f_]+$", text) else ""


class _Story:
    """What a log tells from line to line: a session is only lost if it was up, and why stands in a line before."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        self._found: list[Line] = []
        self._states: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._came_up = 0
        self._last_up = ""

    def lines(self) -> list[Line]:
        """Return what was found, oldest first as far as it has times."""
        if self._came_up:
            at, message = _stamp(self._last_up)
            name = message.partition(": ")[0]
            self._found.append(Line(at, "connect", self._peer(name), "", _shown(message), self._came_up))
        return self._found

    def state(self, raw: str, name: str, state: str) -> None:
        """Follow one protocol's states. While a peer restarts gracefully its protocol goes from up to start."""
        before = self._states.get(name)
        self._states[name] = state
        if not name.startswith(_KINDS_OF_NAMES) and name not in self._addresses:
            return
        if state == "up":
            self._came_up += 1
            self._last_up = raw
        elif (state == "stop" and before in (None, "up", "feed", "wait")) or (state == "start" and before == "up"):
            at, message = _stamp(raw)
            reason = self._reasons.pop(name, "")
            self._found.append(Line(at, "session_lost", self._peer(name), reason, _shown(message)))

    def told(self, raw: str) -> None:
        """Note a line that may be a telling one, and in any case the reason for what comes next."""
        at, message = _stamp(raw)
        name, _colon, reason = message.partition(": ")
        self._reasons[name] = _shown(reason)
        self._forget(message)
        for kind, words, pattern in _KINDS:
            match = re.match(pattern, message) if words in message else None
            if match is not None:
                peer, value = self._who_and_what(kind, match.groupdict())
                self._found.append(Line(at, kind, peer, value, _shown(message)))
                return

    def _forget(self, message: str) -> None:
        """Drop what this line overtakes: an error of a configuration, once a later one was taken."""
        if message == "Started":
            overtaken: tuple[str, ...] = ("config_error", "cannot_listen", "bind_failed", "md5_unsupported")
        elif message == "Reconfigured" or ("has been updated" in message and "bird" in message):
            overtaken = ("config_error",)
        else:
            return
        self._found = [line for line in self._found if line.kind not in overtaken]

    def _who_and_what(self, kind: str, groups: dict[str, str | None]) -> tuple[str, str]:
        value = groups.get("value") or groups.get("older") or ""
        if kind == "bad_bgp_identifier" and value:
            value = ".".join(str(byte) for byte in bytes.fromhex(value))
        return groups.get("peer") or self._peer(groups.get("name") or ""), value

    def _peer(self, name: str) -> str:
        return self._addresses.get(name) or peer_in_name(name)


def _stamp(raw: str) -> tuple[float | None, str]:
    """Split a line into its time and BIRD's message. A runtime's stamp may stand before svlogd's or BIRD's own."""
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
    prefix = re.match(_PREFIX, raw) if raw.startswith("bird") else None
    return at, raw[prefix.end() :] if prefix else raw


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


def _shown(message: str) -> str:
    folded = message.casefold()
    if "password" in folded or "secret" in folded:
        message = re.sub(_HIDDEN, r"\1\2…", message)
    return message[:_LONGEST_TEXT]
