# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look at one BIRD: what it says of itself, and what is on disk for it."""

from __future__ import annotations

import os
import stat
import time

from .._host.processes import read_bytes
from .._record import NamedTuple
from . import config, control, replies
from .exports import Exports, parse_protocols

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._unread import Unread
    from .discovery import Daemon, Place

STATUS = "show status"
PROTOCOLS = "show protocols all"
_LONGEST_SILENCE = 3.0
# For a file and all that it includes: some 20000 peers. To take more apart would take longer than a source may.
_CONFIG_LIMIT = 4 * 1024 * 1024
# From most to least telling, where several sockets were tried.
_TELLING = (control.ANSWERS, control.NO_ANSWER, control.GARBAGE, control.DENIED, control.REFUSED, control.ABSENT)


class Spoken(NamedTuple):
    """What came over the control socket.

    `state` is one of control's constants, `via` how it was asked ('socket', 'birdcl', '' if there was no answer),
    `status` None if it was not answered, `sessions` None if they were not answered to the end, `at` when it ended, in
    seconds since the epoch, `unread` the lines that were not understood of the answer to the question `unread_of`,
    `exports` what it gives to the kernel (None: nothing, or it did not say).
    """

    state: str
    detail: str
    via: str
    socket: str
    status: replies.Status | None
    sessions: list[replies.Session] | None
    at: float = 0.0
    unread_of: str = ""
    unread: Unread = []  # noqa: RUF012 - never written to
    exports: Exports | None = None


NOT_UNDERSTOOD = Spoken(control.GARBAGE, "", "", "", None, None)


class OnDisk(NamedTuple):
    """The configuration: `modified` is the newest change among its files, in seconds since the epoch."""

    path: str
    config: config.Config
    modified: float


def speak(daemon: Daemon, timeout: float) -> Spoken:
    """Ask BIRD for its status and sessions, at the first of its sockets that says anything."""
    tried: list[tuple[Place, control.Exchange]] = []
    for place in _distinct(daemon.sockets):
        exchange = control.ask(place.actual, (STATUS, PROTOCOLS), timeout, min(timeout, _LONGEST_SILENCE))
        tried.append((place, exchange))
        if exchange.state in (control.ANSWERS, control.NO_ANSWER, control.GARBAGE):
            break
    place, exchange = min(tried, key=lambda pair: _TELLING.index(pair[1].state))
    via = "socket" if exchange.state == control.ANSWERS else ""
    # A daemon that was not told where to put its socket has it where its own client looks.
    untold = daemon.process is not None and not daemon.process.option("s")
    if exchange.state == control.DENIED or (exchange.state == control.ABSENT and untold):
        from . import client

        path = place.actual if exchange.state == control.DENIED else ""
        second = client.ask(daemon.family, path, (STATUS, PROTOCOLS), timeout)
        if second.state == control.ANSWERS:
            exchange, via = second, "birdcl"
    spoken = understand(place.path, via, exchange)
    exports = spoken.exports
    return spoken._replace(exports=exports._replace(socket=place.actual)) if exports else spoken


def read_config(daemon: Daemon) -> tuple[OnDisk | None, str]:
    """Read the first configuration that exists; return it, or None and why ('' if there simply is none)."""
    problem = ""
    for place in daemon.configs:
        try:
            found = os.stat(place.actual)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problem = problem or f"{place.path}: {error.strerror}"
            continue
        if not stat.S_ISREG(found.st_mode):
            problem = problem or f"{place.path} is not a regular file"
            continue
        if found.st_size > _CONFIG_LIMIT:
            problem = problem or f"{place.path} is larger than {_CONFIG_LIMIT >> 20} MiB"
            continue
        on_disk = _parse(place)
        if on_disk is not None:
            return on_disk, ""
        problem = problem or f"{place.path} cannot be read"
    return None, problem


def _distinct(places: list[Place]) -> list[Place]:
    """Leave out paths that lead to a socket already listed: one that hangs is waited for once."""
    seen: set[tuple[int, int]] = set()
    kept = []
    for place in places:
        identity = place.identity
        if identity is None or identity not in seen:
            kept.append(place)
        if identity is not None:
            seen.add(identity)
    return kept


def understand(path: str, via: str, exchange: control.Exchange) -> Spoken:
    """Read what came of asking STATUS and PROTOCOLS at the socket `path`."""
    answers = {reply.command: reply for reply in exchange.replies if reply.code < 8000}
    status = sessions = exports = None
    unread: tuple[str, Unread] = ("", [])
    if STATUS in answers and answers[STATUS].code != control.NEVER_ENDED:
        status = replies.parse_status(answers[STATUS].text)
        if not status.version:
            status = status._replace(version=exchange.version)
        if status.unread:
            unread = STATUS, status.unread
    if PROTOCOLS in answers and answers[PROTOCOLS].code != control.NEVER_ENDED:
        sessions = replies.parse_sessions(answers[PROTOCOLS].text, status.now if status else None)
        if sessions.unread:
            unread = PROTOCOLS, sessions.unread
        names, count = parse_protocols(answers[PROTOCOLS].text)
        exports = Exports(path, names, count) if names else None
    return Spoken(exchange.state, exchange.detail, via, path, status, sessions, time.time(), *unread, exports)


def _parse(place: Place) -> OnDisk | None:
    times: list[float] = []
    sizes: list[int] = []

    def read(path: str) -> str | None:
        actual = place._replace(path=path).actual
        try:
            found = os.stat(actual)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode) or sum(sizes) + found.st_size > _CONFIG_LIMIT:
            return None
        raw = read_bytes(actual, _CONFIG_LIMIT - sum(sizes))
        if b"\0" in raw:  # whatever this is, it is no text
            return None
        sizes.append(len(raw))
        times.append(found.st_mtime)
        return raw.decode("utf-8", "replace")

    parsed = config.parse(place.path, read)
    return OnDisk(place.path, parsed, max(times)) if parsed.files else None
