# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""watch. Source: k8s.io/apiserver, pkg/endpoints/handlers/watch.go and pkg/storage/cacher."""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING

from . import errors, selection, tables, views
from .calls import Response
from .entry import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .entry import Entry, Object
    from .selection import Selection
    from .shelf import Event
    from .target import Target

LONGEST_STEP = 1.0
BOOKMARK_SECONDS = 60.0
_SHORTEST_TIMEOUT = 1800


def watch(target: Target) -> Response:
    """Changes as they happen, one JSON object a line, until the timeout or the client's end."""
    if target.request.flag("sendInitialEvents"):
        gate = "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        raise errors.ApiError(
            422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: {gate}', {"kind": "ListOptions"}
        )
    text = target.request.param("resourceVersion")
    if text and not re.fullmatch(r"\d{1,19}", text):
        raise errors.bad_request(f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax')
    watcher = _Watcher(target, selection.of(target))
    return Response(200, headers=(("Cache-Control", "no-cache, private"),), chunks=watcher.lines(int(text or 0)))


class _Watcher:
    def __init__(self, target: Target, chosen: Selection) -> None:
        self._target = target
        self._chosen = chosen
        self._headed = True
        self._cut = target.api.cut
        self._lines = 0
        self._begun = time.monotonic()
        seconds = target.request.number("timeoutSeconds") or _SHORTEST_TIMEOUT + secrets.randbelow(_SHORTEST_TIMEOUT)
        self._end = time.monotonic() + seconds

    def lines(self, since: int) -> Iterator[bytes]:
        """The stream. What goes wrong after its start is an event too."""
        target = self._target
        try:
            if not since:
                entries, since = target.store.entries(target.stored, self._chosen.namespace)
                yield from (self._line("ADDED", each) for each in entries if self._chosen.matches(each))
            elif since > target.store.version:
                raise errors.version_too_large(since, target.store.version)
            yield from self._following(since)
        except errors.ApiError as error:
            yield encoded({"type": "ERROR", "object": error.status()}) + b"\n"

    def _following(self, since: int) -> Iterator[bytes]:
        target = self._target
        bookmarks = target.request.flag("allowWatchBookmarks")
        marked = time.monotonic()
        while target.request.alive() and self._cut == target.api.cut:
            if self._is_dropped():
                return self._check_gone(since)
            left = self._end - time.monotonic()
            if left <= 0:
                if bookmarks:
                    yield self._bookmark(since)
                return
            version = target.store.version
            events = target.store.changes(target.stored, since, min(left, LONGEST_STEP))
            for event in events:
                since = event.entry.version
                yield from self._told(event)
                if self._is_dropped():
                    break
            since = since if events else max(since, version)
            if bookmarks and time.monotonic() - marked > BOOKMARK_SECONDS:
                marked = time.monotonic()
                yield self._bookmark(since)

    def _check_gone(self, since: int) -> None:
        if self._target.end is not None and self._target.end.gone:
            raise errors.expired_watch(since, self._target.store.version)

    def _is_dropped(self) -> bool:
        """Whether a disturbance ends this watch now."""
        end = self._target.end
        if end is None:
            return False
        late = end.after_seconds is not None and time.monotonic() - self._begun >= end.after_seconds
        enough = end.after_events is not None and self._lines >= end.after_events
        return late or enough or (end.after_seconds is None and end.after_events is None)

    def _told(self, event: Event) -> Iterator[bytes]:
        """The event as this client sees it: what leaves its selection is gone, what enters it is new."""
        before = self._chosen.matches(event.previous)
        after = event.type != "DELETED" and self._chosen.matches(event.entry)
        if after:
            yield self._line("MODIFIED" if before else "ADDED", event.entry)
        elif before and event.previous is not None:
            gone = event.entry if event.type == "DELETED" else event.previous
            yield self._line("DELETED", gone, event.entry.version)

    def _line(self, kind: str, entry: Entry, version: int = 0) -> bytes:
        target = self._target
        self._lines += 1
        if not target.form.shape and (not version or version == entry.version):
            body = views.encode(entry, target.kind, target.route.version)
            return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)
        obj = views.decode(entry, target.kind, target.route.version)
        if version:
            obj["metadata"]["resourceVersion"] = str(version)
        return self._shaped(kind, obj)

    def _bookmark(self, version: int) -> bytes:
        kind = self._target.kind
        metadata = {"resourceVersion": str(version), "creationTimestamp": None}
        obj = {"kind": kind.kind, "apiVersion": kind.api_version_of(self._target.route.version), "metadata": metadata}
        return self._shaped("BOOKMARK", obj)

    def _shaped(self, kind: str, obj: Object) -> bytes:
        form, shown = self._target.form, obj
        if form.shape == "Table":
            rows = [] if kind == "BOOKMARK" else [self._row(obj)]
            head = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            shown = tables.table(self._target.kind, rows, form, head, self._headed)
            self._headed = False
        elif form.shape:
            shown = tables.partial(obj, form.version)
        return encoded({"type": kind, "object": shown}) + b"\n"

    def _row(self, obj: Object) -> Object:
        included = self._target.request.param("includeObject")
        return tables.row(self._target.kind, obj, included, self._target.form.version, time.time())
