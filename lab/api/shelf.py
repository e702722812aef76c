# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All objects of one kind, in the order lists have them, and the changes a watch can still be told of.

Nothing here locks: the store holds its lock around every call.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .errors import expired_watch

if TYPE_CHECKING:
    import threading

    from .entry import Entry, Object

HISTORY = 5000
_LAST = "\U0010ffff"


class Event(NamedTuple):
    """A change: "ADDED", "MODIFIED" or "DELETED", the object after it (before it, if it is gone), and what it was."""

    type: str
    entry: Entry
    previous: Entry | None

    @property
    def object(self) -> Object:
        """A copy of the object."""
        return self.entry.object()


class Shelf:
    """The objects of one kind by (namespace, name)."""

    def __init__(self, changed: threading.Condition, forgotten: int) -> None:
        """`changed` is told of changes; those up to the version `forgotten` are not known."""
        self.changed = changed
        self._entries: dict[tuple[str, str], Entry] = {}
        self._order: list[tuple[str, str]] = []
        self._history: deque[Event] = deque(maxlen=HISTORY)
        self._forgotten = forgotten

    def get(self, namespace: str, name: str) -> Entry | None:
        """The object, None if there is none."""
        return self._entries.get((namespace, name))

    def select(self, namespace: str = "") -> list[Entry]:
        """All objects, or those of a namespace, ordered by namespace and name."""
        keys = self._order
        if namespace:
            keys = keys[bisect_left(keys, (namespace, "")) : bisect_right(keys, (namespace, _LAST))]
        return [self._entries[key] for key in keys]

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> Event:
        """Add or replace an object."""
        key = (entry.namespace, entry.name)
        previous = self._entries.get(key)
        if previous is None:
            insort(self._order, key)
        self._entries[key] = entry
        return self._remember(Event("ADDED" if previous is None else "MODIFIED", entry, previous))

    def remove(self, last: Entry) -> Event:
        """Take an object away; `last` is how it looked at the end, with the version of its removal."""
        key = (last.namespace, last.name)
        previous = self._entries.pop(key)
        del self._order[bisect_left(self._order, key)]
        return self._remember(Event("DELETED", last, previous))

    def since(self, version: int) -> list[Event]:
        """The changes after a version; Expired if some of them are forgotten."""
        if version < self._forgotten:
            raise expired_watch(version, self._forgotten)
        found: list[Event] = []
        for event in reversed(self._history):
            if event.entry.version <= version:
                break
            found.append(event)
        found.reverse()
        return found

    def forget(self, version: int) -> None:
        """Forget all changes up to a version, as etcd does when it compacts."""
        self._history.clear()
        self._forgotten = version

    def _remember(self, event: Event) -> Event:
        if len(self._history) == HISTORY:
            self._forgotten = self._history[0].entry.version
        self._history.append(event)
        self.changed.notify_all()
        return event
