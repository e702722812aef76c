# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages that are true at one moment: `limit` and `continue`.

The rest of a list is kept (references only) until it was fetched, is too old, or too many newer ones are under way.
Then its token is answered with 410 Gone and a token that goes on with what there is now, as a real API server does
once etcd has compacted.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from . import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from .entry import Entry

LISTS = 64
SECONDS = 300.0


class Page(NamedTuple):
    """Some objects, the version at which they are true, the token for the rest ("" if none), and how many those are."""

    entries: list[Entry]
    version: int
    following: str
    remaining: int


class Pages:
    """The lists of which clients have fetched a part."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lists: OrderedDict[tuple[str, int], tuple[float, list[Entry]]] = OrderedDict()
        self._lock = threading.Lock()

    def page(self, path: str, now: Callable[[], tuple[list[Entry], int]], limit: int, token: str) -> Page:
        """A page of the list at `path`. `now` gives the whole list as it is; BadRequest, Expired."""
        if not token:
            entries, version = now()
            return self._cut(path, entries, version, 0, limit)
        version, offset, last = _read(token)
        kept = self._kept(path, version) if version >= 0 else None
        if kept is not None:
            return self._cut(path, kept, version, offset, limit)
        if version >= 0:
            raise errors.expired_continue(_token(-1, 0, last))
        entries, version = now()
        rest = [each for each in entries if (each.namespace, each.name) > last]
        return self._cut(path, rest, version, 0, limit)

    def forget(self) -> None:
        """Let all tokens expire."""
        with self._lock:
            self._lists.clear()

    def _kept(self, path: str, version: int) -> list[Entry] | None:
        with self._lock:
            found = self._lists.get((path, version))
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def _cut(self, path: str, entries: list[Entry], version: int, offset: int, limit: int) -> Page:
        end = offset + limit if limit else len(entries)
        if end >= len(entries):
            return Page(entries[offset:] if offset else entries, version, "", 0)
        with self._lock:
            self._lists[path, version] = (time.monotonic() + self._seconds, entries)
            self._lists.move_to_end((path, version))
            while len(self._lists) > LISTS:
                self._lists.popitem(last=False)
        last = (entries[end - 1].namespace, entries[end - 1].name)
        return Page(entries[offset:end], version, _token(version, end, last), len(entries) - end)


def _token(version: int, offset: int, last: tuple[str, str]) -> str:
    content = {"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(last), "offset": offset}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _read(token: str) -> tuple[int, int, tuple[str, str]]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _slash, name = str(content["start"]).partition("/")
        return int(content["rv"]), max(0, int(content["offset"])), (namespace, name)
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise errors.bad_request("continue key is not valid: illegal base64 data or encoding") from None
