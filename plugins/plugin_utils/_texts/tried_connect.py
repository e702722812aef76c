# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`nc` (of OpenBSD, traditional, ncat, busybox), `telnet`, `curl`, `wget` (also busybox') and bash' /dev/tcp: whether a
connection came about, and what ended it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from . import lines, tried
from .parsed import Parsed
from .tried import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

_HOST = r"(?P<host>\[?[0-9A-Za-z_][\w.:-]{0,252}\]?)"
_PORT = r"(?P<port>\d{1,5})"
_SAID = r"(?P<said>.{1,160})"
_TOOL = r"(?:\S{0,40}/)?"


class _Form(NamedTuple):
    """A line that tells of an attempt: the pattern, and what it means ('': its words say that)."""

    pattern: re.Pattern[str]
    result: str
    check: str = "tcp"


def _form(pattern: str, result: str = "", check: str = "tcp") -> _Form:
    return _Form(re.compile(pattern), result, check)


_FORMS = (
    # nc of OpenBSD
    _form(rf"Connection to {_HOST}(?: \(\S+\))? {_PORT} port \[tcp/\S+\] succeeded!", tried.OPEN),
    _form(rf"{_TOOL}nc\S{{0,12}}: connect to {_HOST}(?: \(\S+\))? port {_PORT} \(tcp\) (?:failed: )?{_SAID}"),
    # traditional nc
    _form(rf"\S{{1,253}} \[{_HOST}\] {_PORT} \([\w?-]{{1,32}}\) open", tried.OPEN),
    _form(rf"\S{{1,253}} \[{_HOST}\] {_PORT} \([\w?-]{{1,32}}\) : {_SAID}"),
    # busybox
    _form(rf"{_HOST} \(\S{{1,64}}:{_PORT}\) open", tried.OPEN),
    _form(rf"(?:nc|telnet|wget): can't connect to remote host \({_HOST}\): {_SAID}"),
    _form(rf"(?:nc|telnet): {_HOST} \(\S{{1,64}}:{_PORT}\): {_SAID}"),
    # ncat
    _form(rf"Ncat: Connected to {_HOST}:{_PORT}\.$", tried.OPEN),
    _form(r"Ncat: (?P<said>Connection refused|TIMEOUT|Connection timed out|No route to host|Network is unreachable)\."),
    # telnet
    _form(rf"Connected to {_HOST}(?<!\.)\.?$", tried.OPEN),
    _form(rf"telnet: connect to address {_HOST}: {_SAID}"),
    _form(rf"telnet: Unable to connect to remote host: {_SAID}"),
    # curl
    _form(rf"\* +Connected to \S{{1,253}} \({_HOST}\) port {_PORT}", tried.OPEN),
    _form(rf"\* +connect to {_HOST} port {_PORT}(?: from \S+ port \d+)? failed: {_SAID}"),
    _form(rf"curl: \(\d+\) Failed to connect to {_HOST} port {_PORT}(?: after \d+ ms)?: {_SAID}"),
    _form(r"curl: \(28\) (?P<said>Connection timed out after)"),
    _form(r"curl: \(28\) (?P<said>Operation timed out after)", tried.TIMEOUT, "answer"),
    _form(rf"curl: \((?:35|51|58|60|77|83|90|91)\) {_SAID}", "failed", "tls"),
    _form(rf"curl: \((?:52|56)\) {_SAID}", "", "answer"),
    # wget
    _form(rf"Connecting to \S{{1,253}}(?: \(\S{{1,253}}\))?\|{_HOST}\|:{_PORT}\.\.\. connected", tried.OPEN),
    _form(rf"Connecting to {_HOST}(?: \(\S{{1,253}}\))?:{_PORT}\.\.\. connected", tried.OPEN),
    _form(rf"Connecting to \S{{1,253}}(?: \(\S{{1,253}}\))?\|{_HOST}\|:{_PORT}\.\.\. failed: {_SAID}"),
    _form(rf"Connecting to {_HOST}(?: \(\S{{1,253}}\))?:{_PORT}\.\.\. failed: {_SAID}"),
    _form(rf"Connecting to \S{{1,253}} \({_HOST}:{_PORT}\)$", "asked"),
    _form(r"wget: (?P<said>download timed out)", tried.TIMEOUT, "http"),
    _form(rf"wget: server returned error: {_SAID}", tried.OPEN, "http"),
    _form(rf"(?:HTTP request sent, awaiting response\.\.\. )?Read error \({_SAID}\) in headers", "", "answer"),
    _form(r"ERROR: (?P<said>(?:The certificate of|cannot verify) .{1,160})", "failed", "tls"),
    _form(r"(?:< )?HTTP/[\d.]{1,3} \d{3}\b", tried.OPEN, "http"),
    _form(r"HTTP request sent, awaiting response\.\.\. \d{3}\b", tried.OPEN, "http"),
    # bash
    _form(rf"\S{{0,64}}bash: (?:line \d+: )?/dev/tcp/{_HOST}/{_PORT}: {_SAID}"),
)
_URL = re.compile(
    r"(?P<scheme>https?|telnet)://(?:[^\s/@]{1,128}@)?(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]{1,253})(?::(?P<port>\d{1,5}))?"
)
_DEFAULT = {"http": 80, "https": 443, "telnet": 23}
_IN_SHELL = re.compile(r"/dev/tcp/(?P<host>[\w.:-]{1,253})/(?P<port>\d{1,5})")
# Words of curl's that do not tell a refusal from a missing route, which older ones do.
_VAGUE = "Couldn't connect"
_MOST_LINES = 2000


def parse(text: str) -> Parsed[tuple[Attempt, ...]]:
    """Return what was tried, in the order printed, each result once."""
    last = next((end for typed in lines.commands(text) if (end := _asked(typed)) is not None), None)
    found: list[Attempt] = []
    for _number, line in lines.numbered(text):
        # What these programs fetch may be anything: a line that tells nothing is no problem.
        made = _attempt(line.strip(), last) if line.strip() and len(found) < _MOST_LINES else None
        if made is not None:
            found.append(made)
            last = (made.target, made.port) if made.check == "tcp" else last
    return Parsed(tuple(_settled(found)[: tried.MOST]))


def _attempt(line: str, asked: tuple[str, int | None] | None) -> Attempt | None:
    """Return what one line tells, towards whom was `asked` where the line does not say; None if it tells nothing."""
    # curl's meter ends with no newline.
    star = line.find("* ") if line[:1].isdigit() else -1
    line = line[star:] if star > 0 else line
    for form in _FORMS:
        match = form.pattern.match(line)
        if match is None:
            continue
        told = match.groupdict()
        target = tried.end((told.get("host") or "").strip("[]")) or (asked[0] if asked else "")
        port = tried.port(told.get("port") or "") or (asked[1] if asked else None)
        said = told.get("said") or ""
        result = form.result or tried.reason(said)
        if _VAGUE in said:
            result = "failed"
        return Attempt(form.check, target, result, port=port, said=said.rstrip(".")) if target and result else None
    return None


def _settled(found: list[Attempt]) -> list[Attempt]:
    """Return each result once. A vague one counts for nothing where the same attempt has a plain one, nor does a
    question beside its answer; what was answered, or ended later, had a connection."""
    answered = [one for one in found if one.check in ("http", "tls", "answer")]
    connected = {(one.target, one.port) for one in answered if one.result != tried.TIMEOUT or one.check == "answer"}
    found = [Attempt("tcp", target, tried.OPEN, port=port) for target, port in sorted(connected, key=str)] + [
        one for one in found if (one.target, one.port) not in connected or one.check != "tcp"
    ]
    plain = {(one.target, one.port) for one in found if one.check == "tcp" and one.result not in ("failed", "asked")}
    kept: dict[tuple[str, str, str, int | None], Attempt] = {}
    for one in found:
        vague = one.result in ("failed", "asked") and one.check == "tcp"
        if one.result == "asked" or (vague and (one.target, one.port) in plain):
            continue
        kept.setdefault((one.check, one.target, one.result, one.port), one)
    return list(kept.values())


def _asked(typed: str) -> tuple[str, int | None] | None:
    """Return host and port that a command line connects to, None if it does not say."""
    shell = _IN_SHELL.search(typed)
    if shell is not None:
        return tried.end(shell.group("host")), tried.port(shell.group("port"))
    for find in _FINDERS:
        found = find(typed)
        if found is not None:
            return found
    return None


def _by_url(typed: str) -> tuple[str, int | None] | None:
    url = _URL.search(typed[:4000])
    if url is not None:
        port = tried.port(url.group("port") or "") or _DEFAULT[url.group("scheme")]
        return tried.end(url.group("host").strip("[]")), port
    given = tried.arguments(typed, ("curl", "wget"))
    host, _colon, rest = given[-1].partition(":") if given else ("", "", "")
    return (tried.end(host), tried.port(rest.partition("/")[0]) or 80) if tried.end(host.partition("/")[0]) else None


def _by_arguments(typed: str) -> tuple[str, int | None] | None:
    given = tried.arguments(typed, ("nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "telnet"))
    if len(given) < 2 or tried.port(given[1]) is None:
        return None
    return tried.end(given[0]), tried.port(given[1])


_FINDERS: tuple[Callable[[str], tuple[str, int | None] | None], ...] = (_by_url, _by_arguments)
