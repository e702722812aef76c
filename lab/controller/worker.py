# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread that works when objects of some kinds have changed, or when its time has come."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..api.store import Event
    from .context import Context

# Changes come in swarms: one look at all of them is enough.
_SETTLE = 0.05
_PAUSE_AFTER_ERROR = 1.0


class Worker(threading.Thread):
    """Calls `work()` once at the start, after changes to objects of `kinds` (plurals), and every `period` seconds.

    `work` may return the seconds after which it wants to be called again, before its period is over.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        kinds: Collection[str],
        work: Callable[[], float | None],
        period: float | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._context = context
        self._kinds = frozenset(kinds)
        self._work = work
        self._period = period
        self._due = threading.Event()
        self._unsubscribe = context.store.subscribe(self._told)

    def _told(self, event: Event) -> None:
        if event.entry.kind.plural in self._kinds:
            self._due.set()

    def wake(self) -> None:
        """Work now."""
        self._due.set()

    def run(self) -> None:
        """Work until the context has ended."""
        while not self._context.ended.is_set():
            again = self._once()
            waits = [each for each in (again, self._period) if each is not None]
            self._due.wait(min(waits) if waits else None)
            if self._due.is_set():
                self._context.ended.wait(_SETTLE)
                self._due.clear()
        self._unsubscribe()

    def _once(self) -> float | None:
        try:
            return self._work()
        except Exception:  # noqa: BLE001 - whatever it was, the other objects must still be served
            self._context.say(f"{self.name} failed:\n{traceback.format_exc()}")
            return _PAUSE_AFTER_ERROR
