# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What BIRD says of itself, over its control socket and restricted: it cannot be made to change anything."""

from __future__ import annotations

import re

from .._bird import control, discovery, statements
from .._host import masking
from .._host.processes import read_bytes
from .model import ABSENT, FAILED, MORE, OK, Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._bird.control import Reply
    from .._bird.discovery import Daemon
    from .._host.processes import ProcessTable

_QUESTIONS = (
    ("birdcl{}-status.txt", "show status"),
    ("birdcl{}-protocols.txt", "show protocols all"),
    (MORE + "/birdcl{}-interfaces.txt", "show interfaces"),
    (MORE + "/birdcl{}-memory.txt", "show memory"),
    (MORE + "/birdcl{}-route-count.txt", "show route count"),
)
ROUTES = "show route all"
# BIRD is one thread: a list of more routes would keep it from its sessions for a noticeable time.
MOST_ROUTES = 20_000
_COUNT = re.compile(r"(\d{1,15}) of (\d{1,15}) routes")
_CODE = re.compile(r"(?m)^(?:\d{4}[- ]|[ ](?!$))")
_LARGEST_CONFIG = 4 * 1024 * 1024
_SUFFIX = {discovery.IPV4: "", discovery.IPV6: "6"}


def gather(processes: ProcessTable, seconds: float) -> Iterator[Output]:
    """Yield status, sessions and routes of each BIRD that is Calico's, and what of its configuration may be kept."""
    installation = discovery.find_installation(processes)
    for family, suffix in _SUFFIX.items():
        daemon = discovery.find_daemon(family, processes, installation)
        if family == discovery.IPV4 or daemon.process is not None:
            yield from _asked(daemon, suffix, seconds)
        yield from _configured(daemon, suffix)


def _asked(daemon: Daemon, suffix: str, seconds: float) -> Iterator[Output]:
    socket = _socket(daemon)
    if not socket:
        yield Output(f"birdcl{suffix}-status.txt", "show status", ABSENT, detail="there is no control socket of BIRD's")
        return
    told = control.ask(socket, [question for _name, question in _QUESTIONS], seconds, min(seconds, 3.0))
    for (name, question), reply in zip(_QUESTIONS, told.replies):
        yield _output(name.format(suffix), question, reply, told.detail)
    if told.state != control.ANSWERS:
        left = _QUESTIONS[len(told.replies) :]
        for name, question in left:
            yield Output(name.format(suffix), question, FAILED, detail=told.detail)
        return
    name = f"birdcl{suffix}-route.txt"
    number = routes(told.replies[-1].text)
    if number is None or number > MOST_ROUTES:
        why = "BIRD does not say how many routes it has" if number is None else f"BIRD has {number} routes"
        yield Output(name, ROUTES, FAILED, detail=f"not asked: {why}, and a long list would keep it from its sessions")
        return
    second = control.ask(socket, [ROUTES], seconds, min(seconds, 3.0))
    if second.replies:
        yield _output(name, ROUTES, second.replies[0], second.detail)
    else:
        yield Output(name, ROUTES, FAILED, detail=second.detail)


def routes(text: str) -> int | None:
    """Return how many routes the answer to `show route count` tells of, None if it does not say."""
    found = [int(match.group(2)) for match in _COUNT.finditer(text)]
    # BIRD 2 tells of each table, and of all of them in the last line.
    return max(found) if found else None


def printed(text: str) -> str:
    """Return an answer as birdcl prints it, without the codes of the protocol."""
    return _CODE.sub("", text)


def _output(name: str, question: str, reply: Reply, detail: str) -> Output:
    # The words of a `description` are anybody's.
    text = masking.in_lines(printed(reply.text))
    whole = reply.code != control.NEVER_ENDED and reply.code < 8000
    why = "" if whole else detail or text.strip()[:200]
    return Output(name, question, OK if whole else FAILED, text, why, len(text))


def _socket(daemon: Daemon) -> str:
    return next((place.actual for place in daemon.sockets if place.identity is not None), "")


def _configured(daemon: Daemon, suffix: str) -> Iterator[Output]:
    """Yield the configuration as far as it holds no password: the statements that are known to be harmless."""
    for place in daemon.configs:
        raw = read_bytes(place.actual, _LARGEST_CONFIG)
        if raw and b"\0" not in raw:
            text = statements.kept(raw.decode("utf-8", "replace"))
            yield Output(f"bird{suffix}.cfg", place.path, OK, text, size=len(raw))
            return
    if not suffix:
        yield Output(
            "bird.cfg", "/etc/calico/confd/config/bird.cfg", ABSENT, detail="there is no configuration of BIRD's"
        )
