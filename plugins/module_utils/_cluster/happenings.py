# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: those about Nodes and Calico's pods and workloads, and of these the newest."""

from __future__ import annotations

import heapq

from .prune import prune
from .shapes import mapping, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Of warnings more are kept than of events that tell of the usual.
MOST_WARNINGS, MOST_NORMAL = 200, 100
OF_NODES = ("fieldSelector", "involvedObject.kind=Node")
_OF_WORKLOADS = ("DaemonSet", "Deployment", "ReplicaSet", "Pod", "Job")
_TIMES = ("lastTimestamp", "eventTime", "deprecatedLastTimestamp", "firstTimestamp")


class Newest:
    """Keeps the newest events. `names` are beginnings of names in a namespace that count, None for every object."""

    def __init__(self, names: Iterable[str] | None = None) -> None:
        self._names = None if names is None else tuple(names)
        self.begin()

    def begin(self) -> None:
        """Forget everything; the list begins anew."""
        self._kept: dict[bool, list[tuple[str, int, dict[str, Any]]]] = {True: [], False: []}
        self.seen = 0

    def take(self, page: dict[str, Any]) -> None:
        """Take a page of events."""
        for item in sequence(page.get("items")):
            if isinstance(item, dict) and self._counts(item):
                self.add(prune("events", item))

    def _counts(self, event: dict[str, Any]) -> bool:
        about = mapping(event.get("involvedObject"))
        if self._names is None:
            return about.get("kind") == "Node"
        return about.get("kind") in _OF_WORKLOADS and word(about.get("name")).startswith(self._names)

    def add(self, event: dict[str, Any]) -> None:
        """Keep a pruned event, and drop the oldest of its sort if there are too many."""
        self.seen += 1
        warning = event.get("type") != "Normal"
        kept, most = self._kept[warning], MOST_WARNINGS if warning else MOST_NORMAL
        entry = (time_of(event), self.seen, event)
        if len(kept) < most:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)

    def found(self) -> list[dict[str, Any]]:
        """Return what was kept, newest first."""
        entries = sorted([*self._kept[True], *self._kept[False]], key=lambda entry: entry[:2], reverse=True)
        return [event for _time, _number, event in entries]


def time_of(event: dict[str, Any]) -> str:
    """Return when an event was seen last, as text that sorts by time ('' if it does not say)."""
    last = word(mapping(event.get("series")).get("lastObservedTime"))
    return max([last, *(word(event.get(name)) for name in _TIMES)])


def newest(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest of several lists of pruned events."""
    keep = Newest()
    for event in events:
        keep.add(event)
    return keep.found()
