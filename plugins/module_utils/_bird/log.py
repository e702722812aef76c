# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The telling lines of BIRD's log.

Some causes are told nowhere else: who connects without being configured here, which AS number the peer really has, why
the listening socket could not be opened. Lines come from svlogd (calico-node's own log folder), from the container
runtime's copy of the pod's output, or from a log file that BIRD writes itself; each has its own time stamp.
"""

from __future__ import annotations

import re

from .._host.log_lines import shown as _shown
from .._host.log_lines import stamp
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_LINES = 40
# Seconds that a start takes at most, until BIRD says that it is one.
_STARTING = 5.0
_OVER_AT_START = (
    *("config_error", "config_missing", "render_failed", "cannot_listen", "bind_failed", "md5_unsupported"),
    "filter_error",
)

# Patterns are compiled when a line has the words that stand beside them, for that costs as much as reading a log.
_PREFIX = r"(?:^|(?<=\s))(?:bird6?: )+"

# The first that matches counts. Groups: name (of a protocol, or "BGP"), peer (an address), value.
_KINDS = (
    (
        "unexpected_connect",
        "Unexpected connect",
        r"(?:\S+: )?Unexpected connect from unknown address(?: (?P<peer>[^\s%(]+)\S*)?(?: \(port (?P<value>\d+))?",
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
    # The kernel lets two bind one address for listening (SO_REUSEADDR), and only one listen there.
    ("bind_failed", "listen: ", r"(?P<name>\S+): Socket error: listen: (?P<value>.+)"),
    ("md5_unsupported", "MD5", r"(?P<name>\S+): Socket error: (?P<value>.*MD5.*)"),
    # Of Calico's BIRD: filter/filter.c, nest/rt-table.c, sysdep/linux/netlink.c, proto/bgp/bgp.c.
    ("filter_error", "filters, line", r"filters, line (?P<value>\d+): \S"),
    ("filter_error", "did not return accept", r"Filter (?P<value>\S+) did not return"),
    (
        "next_hop_unresolvable",
        "recursive route",
        r"Next hop address (?P<peer>\S+) resolvable through recursive route for (?P<value>\S+)",
    ),
    (
        "next_hop_is_local",
        "local address",
        r"Next hop address (?P<peer>\S+) is a local address of iface (?P<value>\S+)",
    ),
    ("kernel_route", "Netlink: ", r"Netlink: (?P<value>\S.*)"),
    ("kernel_route", "KRT: ", r"KRT: Received (?:route|strange multipath route) (?P<value>\S+)"),
    ("netlink_overrun", "Kernel dropped", r"Kernel dropped some netlink messages"),
    ("incoming_aborted", "Incoming connection", r"(?P<name>\S+): Incoming connection aborted"),
    ("config_error", "bird", r"(?P<value>\S*bird\S*:\d+:\d+) \S|(?P<older>\S*bird\S*, line \d+): \S"),
    ("config_error", "checkcmd", r".*Error from checkcmd(?:.*?(?P<value>[^\s\"\\]*bird[^\s\"\\]*:\d+:\d+))?"),
    ("config_error", "check failed", r".*Config check failed"),
    ("render_failed", "Unable to process", r".*Unable to process template (?P<value>[^\s,]+)"),
    ("render_failed", "Missing template", r".*Missing template: (?P<value>\S+)"),
    ("render_failed", "executing", r".*template: (?P<value>[^\s:]+):\d+(?::\d+)?: executing "),
    ("config_missing", "Unable to open", r".*Unable to open (?:configuration|included) file (?P<value>[^\s:]+)"),
    ("started", "Started", r"Started$"),
    ("shutdown", "Shut", r"(?:Shutting down|Shutdown completed)$"),
)
# Cheap to look for: the rest of a busy log is not worth a regular expression.
MARKERS = (
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
    "did not return accept",
    "Next hop address",
    "Netlink: ",
    "KRT: ",
    "Kernel dropped",
    "Incoming connection",
    "Unable to open",
    "emplate",
)
CHANGED = ": State changed to "
_KINDS_OF_NAMES = ("Mesh_", "Node_", "Global_", "Local_Workload_")


class Line(NamedTuple):
    """One telling line, or `times` of them: seconds since the epoch (None: no stamp), kind, peer, a value, the text."""

    at: float | None
    kind: str
    peer: str
    value: str
    text: str
    times: int = 1


def parse(text: str, addresses: Mapping[str, str]) -> list[Line]:
    """Return the telling lines of a log, oldest first; `addresses` maps the names of protocols to their peers.

    That sessions came up gives one line, the last, with their number: after a restart there is one for each peer.
    """
    story = _Story(addresses)
    for raw in text.splitlines():
        name, changed, state = raw.partition(CHANGED)
        if changed:
            story.state(raw, name.rpartition(" ")[2], state.partition('"')[0].partition("\\")[0])
        elif any(marker in raw for marker in MARKERS):
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
        self._found: dict[int, Line] = {}
        self._overtakable: dict[str, list[int]] = {}
        self._added = 0
        self._states: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._came_up = 0
        self._last_up = ""

    def lines(self) -> list[Line]:
        """Return what was found, oldest first as far as it has times."""
        if self._came_up:
            at, message = _stamp(self._last_up)
            name = message.partition(": ")[0]
            self._add(Line(at, "connect", self._peer(name), "", _shown(message), self._came_up))
        return list(self._found.values())

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
            self._add(Line(at, "session_lost", self._peer(name), reason, _shown(message)))

    def told(self, raw: str) -> None:
        """Note a line that may be a telling one, and in any case the reason for what comes next."""
        at, message = _stamp(raw)
        name, _colon, reason = message.partition(": ")
        self._reasons[name] = _shown(reason)
        self._forget(at, message)
        for kind, words, pattern in _KINDS:
            match = re.match(pattern, message) if words in message else None
            if match is not None:
                peer, value = self._who_and_what(kind, match.groupdict())
                self._add(Line(at, kind, peer, value, _shown(message)))
                return

    def _add(self, line: Line) -> None:
        if line.kind not in ("connect", "session_lost"):
            self._overtakable.setdefault(line.kind, []).append(self._added)
        self._found[self._added] = line
        self._added += 1

    def _is_of_this_run(self, number: int, started: float | None) -> bool:
        at = self._found[number].at
        return at is not None and started is not None and started - at <= _STARTING

    def _forget(self, at: float | None, message: str) -> None:
        """Drop what this line overtakes: an error of a configuration, once a later one was taken."""
        if message == "Started":
            overtaken: tuple[str, ...] = _OVER_AT_START
        elif message == "Reconfigured" or ("has been updated" in message and "bird" in message):
            overtaken = ("config_error",)
        else:
            return
        # Each line is dropped once: a log may have been restarting BIRD for a week.
        for kind in overtaken:
            for number in self._overtakable.pop(kind, ()):
                # Filters are run before BIRD says that it has started: what failed a moment ago fails in this run.
                if kind != "filter_error" or not self._is_of_this_run(number, at):
                    del self._found[number]

    def _who_and_what(self, kind: str, groups: dict[str, str | None]) -> tuple[str, str]:
        value = groups.get("value") or groups.get("older") or ""
        if kind == "bad_bgp_identifier" and value:
            value = ".".join(str(byte) for byte in bytes.fromhex(value))
        return groups.get("peer") or self._peer(groups.get("name") or ""), value

    def _peer(self, name: str) -> str:
        return self._addresses.get(name) or peer_in_name(name)


def _stamp(raw: str) -> tuple[float | None, str]:
    """Split a line into its time and BIRD's message."""
    at, raw = stamp(raw)
    # Pasted lines have more in front: kubectl's name of the pod, the journal's of host and program.
    prefix = re.search(_PREFIX, raw) if "bird: " in raw or "bird6: " in raw else None
    return at, raw[prefix.end() :] if prefix else raw
