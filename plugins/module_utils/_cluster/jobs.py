# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several requests at once, by a bounded number of threads, and never longer than until a given moment.

The threads are daemons: one that hangs in a name's resolution or on a server that sends a byte a minute does not keep
the module from ending. What a job brings is taken over when it ends, and not any more when the time is up.
"""

from __future__ import annotations

import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Take = Callable[[str, Any, "BaseException | None"], None]


class Jobs:
    """Runs named jobs. `take(name, result, error)` is called for each that ends in time, one at a time."""

    def __init__(self, workers: int, take: Take) -> None:
        self._workers, self._take = workers, take
        self._changed = threading.Condition()
        self._waiting: list[tuple[str, Callable[[], Any], frozenset[str]]] = []
        self._running: set[str] = set()
        self._ended: set[str] = set()
        self._over = False

    def add(self, name: str, function: Callable[[], Any], after: Iterable[str] = ()) -> None:
        """Have a job done, after the jobs of these names have ended in whatever way. They must be known by then."""
        with self._changed:
            self._waiting.append((name, function, frozenset(after)))
            self._changed.notify_all()

    def run(self, until: float) -> list[str]:
        """Work until all is done or the moment (of time.monotonic()) has come. Return the jobs that did not end."""
        for _number in range(self._workers):
            threading.Thread(target=self._work, daemon=True).start()
        with self._changed:
            while self._running or self._waiting:
                left = until - time.monotonic()
                if left <= 0 or not (self._running or self._next_ready()):
                    break
                self._changed.wait(left)
            self._over = True
            self._changed.notify_all()
            return [*sorted(self._running), *(name for name, _function, _after in self._waiting)]

    def _next_ready(self) -> int | None:
        """Return the place (counted from 1) of the first job that need not wait, None if there is none."""
        for number, (_name, _function, after) in enumerate(self._waiting, 1):
            if after <= self._ended:
                return number
        return None

    def _work(self) -> None:
        while True:
            with self._changed:
                place = self._next_ready()
                while place is None and not self._over:
                    self._changed.wait()
                    place = self._next_ready()
                if self._over or place is None:
                    return
                name, function, _after = self._waiting.pop(place - 1)
                self._running.add(name)
            self._do(name, function)

    def _do(self, name: str, function: Callable[[], Any]) -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 - one job's failure is that job's, whatever it is
            failure = error
        with self._changed:
            if not self._over:
                self._take(name, result, failure)
            self._running.discard(name)
            self._ended.add(name)
            self._changed.notify_all()


def limited(function: Callable[[], Any], seconds: float) -> tuple[bool, Any]:
    """Run a function for at most so long: (True, what it returned) or (False, None). What it raises is raised here."""
    found: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            found.append((function(), None))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            found.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        return False, None
    result, error = found[0]
    if error is not None:
        raise error
    return True, result
