# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listener's process: hears, holds ports, probes when it is asked to, and ends in every case.

It ends when it holds all ports, has probed and has heard all peers on all ways; when it is told to; when the host goes
down; and at its deadline, whatever else. What it is asked comes by files in a folder of root's own, because any shell
can write and read these: to probe is then no Ansible module, which would have to be sent and started again.

    FOLDER/ask      the request, put there whole (renamed): {"do": "probe", ...} or {"do": "stop"}
    FOLDER/answer   what came of it, put there whole; who reads it removes it
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time

from .._probe.loop import Loop
from .._probe.sockets import family_of
from . import asking, plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .ears import Ears
    from .hold import Holder

ASK, ANSWER = "ask", "answer"
_LOOK_EVERY = 0.03
# A peer whose answer was lost asks a second time, and who did not get that either has the controller ask us.
LINGER = 5.0
_READ_LIMIT = 4 << 20
_PATIENCE = 5.0


class Agent:
    """What the process does."""

    def __init__(self, ears: Ears, holder: Holder, folder: str, seconds: float) -> None:
        self._ears, self._holder, self._folder = ears, holder, folder
        self._until = time.monotonic() + seconds
        self._loop = Loop()
        self._request: plan.Request | None = None
        self._asking: asking.Asking | None = None
        self._answered_at = 0.0
        self._told_to_stop = False

    def run(self) -> None:
        """Work until the end, and leave nothing behind."""
        for number in (signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, _end)
        # Should the loop itself hang, the kernel ends us.
        signal.alarm(int(self._until - time.monotonic()) + 10)
        _be_named(plan.PROCESS)
        try:
            self._loop.add(self._ears)
            while not self._is_over():
                self._loop.turn(min(time.monotonic() + _LOOK_EVERY, self._until))
                self._look()
        finally:
            self._loop.close()
            self._holder.close()
            remove(self._folder)

    def _is_over(self) -> bool:
        now = time.monotonic()
        if now >= self._until:
            return True
        if self._asking is not None or not self._answered_at:
            return False
        unread = os.path.exists(self._path(ANSWER)) and now < self._answered_at + _PATIENCE
        if self._told_to_stop:
            return not unread
        if self._request is None or unread or now < max(self._ears.last, self._answered_at) + LINGER:
            return False
        # Where the kernel answers that nobody listens, only what was heard tells that it was us: somebody will ask.
        families = {family_of(address) for peer in self._request.peers for address in peer.addresses}
        return self._holder.answers(families) and self._ears.heard_all(self._request)

    def _look(self) -> None:
        """See what was asked, and whether what was asked is done."""
        if self._asking is not None and self._asking.step():
            facts = self._asking.facts()
            self._asking = None
            self._answer(facts)
            return
        # Also while it probes: whoever has given up waiting for that tells it to stop.
        if not os.path.exists(self._path(ASK)):
            return
        try:
            with open(self._path(ASK), encoding="utf-8") as stream:
                text = stream.read(_READ_LIMIT)
            os.unlink(self._path(ASK))
            self._take(text)
        except (OSError, ValueError) as error:
            self._answer({"problems": [str(error)]})

    def _take(self, text: str) -> None:
        try:
            wanted = json.loads(text).get("do")
        except (AttributeError, ValueError):
            wanted = None
        if wanted == "stop":
            self._told_to_stop = True
            self._asking = None
            self._answer({})
        elif wanted == "probe" and self._request is None:
            self._request = plan.read_request(text)
            self._asking = asking.Asking(self._request, self._loop)
        else:
            raise ValueError("The request is neither to probe (once) nor to stop.")

    def _answer(self, facts: dict[str, Any]) -> None:
        facts["heard"] = self._ears.told(self._request.peers if self._request is not None else ())
        path = self._path(ANSWER)
        with open(path + ".new", "w", encoding="utf-8") as stream:
            json.dump(facts, stream, separators=(",", ":"))
        os.rename(path + ".new", path)
        self._answered_at = time.monotonic()

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def remove(folder: str) -> None:
    """Remove the folder with what this program and its asker put there."""
    for name in (ASK, ASK + ".new", ANSWER, ANSWER + ".new"):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, name))
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _be_named(name: str) -> None:
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as stream:
        stream.write(name)


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)
