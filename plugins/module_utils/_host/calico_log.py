# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The telling lines of what Calico's programs, flannel and kubelet wrote of late.

Felix, confd, Typha, the CNI plugin and the programs that start calico-node write "2026-11-21 00:00:00.000 [ERROR][88]
felix/route_mgr.go 548: Failed to get tunnel device, retrying... error=…". Imported only if a log was written to within
the window.
"""

from __future__ import annotations

import datetime
import re
import time

from .._record import NamedTuple
from . import checksystem
from .calico_log_words import (
    AUTODETECTED,
    CALICO_LINES,
    FLANNEL_LINES,
    HARMLESS,
    LEVELS,
    ODD_INTERFACES,
    TOLD_CALMLY,
    UNTIL_VERIFIED,
    VERIFIED,
    of_kubelet,
)
from .log_lines import LONGEST_TEXT, shown, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LINES = 20
_MOST_OTHERS = 5
KUBELET, FLANNEL = "kubelet", "flannel"
_SERIOUS = ("E", "F", "W")
# What kubelet says at level I of a probe that failed, as it does from -v=1 on.
_NOT_READY = "calico_not_ready"
_TOLD_CALMLY_BY_KUBELET = (_NOT_READY, "calico_not_live")
# What it says at level I of itself (setters.go).
_NOT_WELL = "Node became not ready"
# A path of Go's modules; kubelet is built from what Kubernetes has in its own tree. Others write klog's form, too, and
# client-go begins what it says with the package that asks for it.
_OF_OTHERS = r"pkg/mod/|/coredns/plugin/|\] github\.com/(?!projectcalico/)"
# What only kubelet writes so: of what its pods mount it names the object (watch_based_manager.go), not the package.
_KUBELETS_OWN = '] object-"'
# Of these, lines about other pods tell nothing.
_ABOUT_CALICO = ("calico_not_live", "probe_errored")
_CALICO_NAMES = ("calico", "canal", "bird", "felix")
# Programs that kubelet is a part of write its lines, too: the second and later ones of a message have no other mark.
_SPEAKERS = r" (?:kubelet|k3s|rke2|k0s|kubelite|microk8s\.daemon-kubelite)(?:\[\d+\])?: "
_ENDPOINT = r"\d[\d.]*:\d+|\[[0-9a-fA-F:.]+\]:\d+"
_KLOG = r"([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.\d+ +\d+ (?:\S+?:\d+\] ?)?"
# What is left of it where somebody cut off level and time.
_KLOG_WITHOUT_HEAD = r"\s*[a-z]\w{2,40}\.go:\d{1,5}\] "
_SYSLOG = r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d) "
_OLD_SYSLOG = r"([A-Z][a-z][a-z]) +(\d+) (\d\d):(\d\d):(\d\d) "
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CRASHES = tuple(words for kind, words in CALICO_LINES if kind == "crash")
_COMPONENT = r"\[\w+\]\[\d+\] ([\w-]+)([/.])"
_LAST_WORDS = ("[FATAL]", "[PANIC]")
# What Go's net and net/http say of a server that does not answer; whatever the program wanted to know, of these paths
# only the API server knows.
_API_PATHS = ("/api/v1", "/apis/")
_NO_ANSWER = ("dial tcp ", "context deadline exceeded", "TLS handshake timeout", "Client.Timeout exceeded")
_ASKING = ("other", "token", "typha_discovery", "terminated", "render", "password_secret", "tunnel")
_OPERATORS_WHY = '"error":"'
_STATE_CHANGED = "Linux interface state changed"
_INTERFACE = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) .*?ifaceName=\\?\"(cali\w+)\\?\".*?state=\\?\"?(\w+)"
# Where the telling words begin after so many characters, only so many of what is before them is told.
_LATE, _HEAD = 110, 60
_DAY = 86400.0
# So many lines are looked through for the last time that is told.
_LAST_LINES = 200


class Line(NamedTuple):
    """One telling line, or `times` of them: when (None: it tells no time), program, kind, text without secrets; for how
    many seconds its log goes on without another one."""

    at: float | None
    component: str
    kind: str
    text: str
    times: int = 1
    quiet: int = 0


def parse(text: str, component: str = "") -> list[Line]:
    """Return the telling lines of a log of Calico's, in their order; a line at level ERROR and above that is of no
    kind known here has the kind "other", one with which the program ends "fatal". `component` is whose log it is, for
    lines that do not say so."""
    found = []
    came_up: dict[str, str] = {}
    overstated = checksystem.overstated(text)
    for raw in text.splitlines():
        if _STATE_CHANGED in raw:
            found += _taken_down(raw, came_up, component)
            continue
        if _KUBELETS_OWN in raw:
            continue
        if VERIFIED in raw:
            found = [line for line in found if not any(words in line.text for words in UNTIL_VERIFIED)]
            continue
        level = next((word for word in LEVELS if word in raw), "")
        if not level and not any(words in raw for words in TOLD_CALMLY):
            continue
        if any(f" {name} module" in raw for name in overstated):
            continue
        kind, words = _kind(raw, level)
        at, message = stamp(raw)
        if not kind or (kind == "crash" and not level and not message.startswith(_CRASHES)):
            continue
        if len(message) > LONGEST_TEXT:
            words = _silence(raw) or words
        # The operator says why at the end of its JSON.
        if kind == "migration" and _OPERATORS_WHY in raw:
            words = _OPERATORS_WHY
        found.append(Line(at, _program(raw, component), kind, shown(_about(message, words))))
    return found


def _kind(raw: str, level: str) -> tuple[str, str]:
    """Return of which kind a line is, and the words that say so; '' for one that tells nothing."""
    if any(harmless in raw for harmless in HARMLESS):
        return "", ""
    kind, words = next(((kind, words) for kind, words in CALICO_LINES if words in raw), ("", ""))
    if not kind:
        kind = "" if level in ("", "[WARNING]") else "other"
    if (kind in _ASKING or (level and not kind)) and _silence(raw):
        return "datastore", ""
    # What Felix says when it ends because its configuration changed is no last word.
    if level in _LAST_WORDS and kind in ("other", "terminated") and words != "Exiting":
        kind = "fatal"
    return kind, words


def _silence(raw: str) -> str:
    """Return the words that say that the API server did not answer, '' if it did or another one is meant."""
    if not any(path in raw for path in _API_PATHS):
        return ""
    return next((words for words in _NO_ANSWER if words in raw), "")


def _program(raw: str, component: str) -> str:
    """Return the program that a line names, else `component`: older ones name a file only."""
    found = re.search(_COMPONENT, raw)
    return component if found is None or (component and found.group(2) == ".") else found.group(1)


def _about(message: str, words: str) -> str:
    """Leave out the middle of a message whose telling words come so late that they would be cut off: Felix prints all
    that it gave to a program before what that program said."""
    begins = message.find(words)
    return f"{message[:_HEAD]}… {message[begins:]}" if begins > _LATE else message


def _taken_down(raw: str, came_up: dict[str, str], component: str) -> list[Line]:
    """Tell of a pod's interface that somebody sets down in the moment it comes up; `came_up` is when each did."""
    match = re.search(_INTERFACE, raw)
    if match is None:
        return []
    moment, name, state = match.groups()
    before = came_up.pop(name, "")
    if state == "up":
        came_up[name] = moment
    if state != "down" or not before or before[:16] != moment[:16] or not 0 <= _second(moment) - _second(before) <= 0.5:
        return []
    at, message = stamp(raw)
    return [Line(at, component or "felix", "interface_taken_down", shown(message))]


def _second(moment: str) -> float:
    return float(moment[17:])


def parse_kubelet(text: str, now: float, ahead: int | None = None) -> list[Line]:
    """Return the telling lines of a log that kubelet writes to, alone or among others (syslog, journalctl), or a
    distribution's program of which it is a part. Its own stamps have no year: it is that of `now`, in seconds since the
    epoch, or the year before. They are in local time: `ahead` is by how many seconds that is before UTC, None if it is
    that of this very host."""
    found = []
    head = ""
    for raw in text.splitlines():
        # The journal and kubelet's own file indent what belongs to the line before.
        continued = raw[:1] in (" ", "\t")
        head = head if continued else raw
        kind, words = of_kubelet(raw)
        if not kind or (kind in _ABOUT_CALICO and not any(name in raw for name in _CALICO_NAMES)):
            continue
        if re.search(_OF_OTHERS, raw):
            continue
        klog, speaker = re.search(_KLOG, head), re.search(_SPEAKERS, head)
        calm = klog is not None and klog.group(1) not in _SERIOUS
        if calm and kind not in _TOLD_CALMLY_BY_KUBELET and _NOT_WELL not in raw:
            continue
        mark = klog or speaker or re.match(_KLOG_WITHOUT_HEAD, raw)
        if mark is not None:
            begins = raw.index(words) if kind == _NOT_READY else 0 if continued else mark.end()
            message = raw[begins:].strip()
            if len(message) > LONGEST_TEXT:
                message = _about(message, words)
            found.append(Line(_when(head, klog, now, ahead), KUBELET, kind, shown(message)))
    return found


def parse_flannel(text: str, now: float, ahead: int | None = None) -> list[Line]:
    """Return what flanneld wrote at level W and above, as the container runtime keeps it, by what it is about."""
    found = []
    for raw in text.splitlines():
        klog = re.search(_KLOG, raw) if "] " in raw else None
        if klog is not None and klog.group(1) in _SERIOUS:
            kind, words = next(((kind, words) for kind, words in FLANNEL_LINES if words in raw), ("other", ""))
            message = raw[klog.end() :]
            if len(message) > LONGEST_TEXT:
                message = _about(message, words)
            if kind != "other" or klog.group(1) != "W":
                found.append(Line(_when(raw, klog, now, ahead), FLANNEL, kind, shown(message)))
    return found


def recent(lines: Iterable[Line], now: float, window: float) -> list[Line]:
    """Return the newest lines not older than `window` seconds before `now`, newest first: at most 20, of them 5 of kind
    "other". Lines of one program and kind become one, the newest, with their number; those about connections to Typha
    only if they are about the same endpoint, those about podCIDRs only if about the same Node. Of addresses that were
    autodetected only those are told that are not always the same, or that are on an interface of containers or of a
    link between two, one line for each."""
    collapsed: dict[tuple[str, ...], Line] = {}
    # Of one moment they are told in one order, whichever file was read first.
    for line in sorted(lines, key=lambda line: (line.at or 0.0, line.component, line.kind, line.text)):
        if line.at is not None and line.at < now - window:
            continue
        key = (line.component, line.kind, _subject(line))
        before = collapsed.pop(key, None)
        collapsed[key] = line._replace(times=before.times + line.times) if before else line
    newest = [line for line in list(collapsed.values())[::-1] if line.kind != AUTODETECTED or _changed(line, collapsed)]
    others = [line for line in newest if line.kind == "other"][_MOST_OTHERS:]
    return [line for line in newest if line not in others][:MOST_LINES]


def followed(lines: list[Line], text: str, now: float, ahead: int | None = None, kubelet: bool = False) -> list[Line]:
    """Return the lines of a log with how long it goes on after each; in one that others write to, too, only what
    kubelet says counts for kubelet."""
    last = _last(text, now, ahead, kubelet) if lines else None
    if last is None:
        return lines
    return [line._replace(quiet=max(int(last - line.at), 0)) if line.at is not None else line for line in lines]


def _last(text: str, now: float, ahead: int | None, kubelet: bool) -> float | None:
    """Return the time of the last line that tells one; a log that ends with many that tell none has none."""
    lines = text.rsplit("\n", _LAST_LINES)
    for raw in lines[:0:-1] + ([] if len(lines) > _LAST_LINES else lines[:1]):
        if not kubelet or re.search(_SPEAKERS, raw) or re.match(_KLOG, raw):
            at = time_of(raw, now, ahead)
            if at is not None:
                return at
    return None


def time_of(text: str, now: float, ahead: int | None = None) -> float | None:
    """Return the time of the first line of a log, None if it tells none."""
    raw = text.partition("\n")[0]
    at = stamp(raw)[0]
    return _when(raw, re.search(_KLOG, raw), now, ahead) if at is None else at


def _subject(line: Line) -> str:
    if line.kind == "other":
        return line.text[:32]
    if line.kind == AUTODETECTED:
        return line.text.partition("Using autodetected ")[2]
    if line.kind == "podcidr":
        named = re.search(r'[Nn]ode "?([\w.-]{1,253})', line.text)
        return named.group(1) if named else ""
    endpoint = re.search(_ENDPOINT, line.text) if line.kind == "typha" else None
    return endpoint.group() if endpoint else ""


def _changed(line: Line, collapsed: Iterable[tuple[str, ...]]) -> bool:
    """Say whether another address of the family of this one was detected, too, or it is on an odd interface, of a link
    between two devices, or without a subnet, as those are that move from host to host."""
    subject = _subject(line)
    if re.search(r"/(?:31|32|128)(?:,| on |$)", line.text):
        return True
    interface = re.search(r" interface (\S+)", line.text)
    if interface.group(1).startswith(ODD_INTERFACES) if interface else " detected IP" in line.text:
        return True
    detected = {other for _component, kind, other in collapsed if kind == AUTODETECTED}
    return any(other != subject and other[:4] == subject[:4] for other in detected)


def _when(raw: str, klog: re.Match[str] | None, now: float, ahead: int | None) -> float | None:
    """Return the time of a line by what stands in front of it, else by its own stamp."""
    iso, old = re.match(_SYSLOG, raw), re.match(_OLD_SYSLOG, raw)
    if iso:
        return _iso(iso)
    if old and old.group(1) in _MONTHS:
        return _without_year((_MONTHS.index(old.group(1)) + 1, *map(int, old.groups()[1:])), now, ahead)
    return _without_year(tuple(map(int, klog.groups()[1:6])), now, ahead) if klog else None


def _iso(match: re.Match[str]) -> float | None:
    year, month, day, hour, minute, second = (int(group) for group in match.groups()[:6])
    zone = match.group(7).replace(":", "")
    away = 0 if zone == "Z" else (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60) * (-1 if zone[0] == "-" else 1)
    try:
        days = datetime.date(year, month, day).toordinal() - 719163
    except ValueError:
        return None
    return days * _DAY + hour * 3600 + minute * 60 + second - away


def _without_year(stamped: tuple[int, ...], now: float, ahead: int | None) -> float | None:
    """Read month, day, hour, minute and second in local time."""
    year = (time.localtime(now) if ahead is None else time.gmtime(now + ahead)).tm_year
    try:
        moment = _local(year, stamped, ahead)
        return _local(year - 1, stamped, ahead) if moment > now + _DAY else moment
    except (OverflowError, ValueError):
        return None


def _local(year: int, stamped: tuple[int, ...], ahead: int | None) -> float:
    month, day, hour, minute, second = stamped
    if ahead is None:
        return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
    days = datetime.date(year, month, day).toordinal() - 719163
    return days * _DAY + hour * 3600 + minute * 60 + second - ahead
