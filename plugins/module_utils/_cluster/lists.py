# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a list of objects, each page pruned as it arrives, and saying how that went."""

from __future__ import annotations

from .._record import NamedTuple
from . import problems
from .problems import ApiError
from .prune import prune

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .asking import Asker, Query
    from .kinds import Kind

    Keep = Callable[[dict[str, Any]], bool]

_STATUS = {problems.FORBIDDEN: "forbidden", problems.ABSENT: "absent"}


class Got(NamedTuple):
    """What was read of a source: status (ok, absent, forbidden, failed, partial), a sentence, how many, the objects."""

    source: str
    status: str = "ok"
    detail: str = ""
    number: int = 0
    objects: Sequence[dict[str, Any]] = ()

    def entry(self) -> dict[str, Any]:
        """As it stands under "sources"."""
        return {"source": self.source, "status": self.status, "detail": self.detail, "count": self.number}


def failed(source: str, error: BaseException) -> Got:
    """Return what is said about a source that could not be read."""
    if isinstance(error, ApiError):
        return Got(source, _STATUS.get(error.kind, "failed"), error.sentence)
    return Got(source, "failed", f"This is a mistake in the module: {type(error).__name__}.")


class Reader:
    """Reads lists and single objects through an Asker."""

    def __init__(self, asker: Asker, page_size: int) -> None:
        self.asker = asker
        self._page_size = page_size

    def page(self, kind: Kind) -> int:
        """Return how many objects of a kind a page has at most."""
        return max(int(self._page_size * kind.share), 1)

    def read(self, kind: Kind, namespace: str = "", query: Query = (), keep: Keep | None = None) -> Got:
        """Return the pruned objects of a list, those that `keep` (which sees whole objects) wants.

        Raises ApiError if nothing could be read; if some pages were, they are 'partial'.
        """
        found: list[dict[str, Any]] = []

        def take(page: dict[str, Any]) -> None:
            items = page.get("items")
            whole = [one for one in (items if isinstance(items, list) else []) if isinstance(one, dict)]
            found.extend(prune(kind.plural, one) for one in whole if keep is None or keep(one))

        path = kind.path(namespace)
        try:
            self.asker.walk(path, take, found.clear, self.page(kind), query=query, accept=kind.accept)
        except ApiError as problem:
            if not found:
                raise
            return Got(kind.plural, "partial", f"Only {len(found)} were read. {problem.sentence}", len(found), found)
        return Got(kind.plural, "ok", "", len(found), found)

    def attempt(self, kind: Kind, namespace: str, query: Query, keep: Keep | None = None) -> Got:
        """Return what read() does, and what is said about it where that raises."""
        try:
            return self.read(kind, namespace, query, keep)
        except ApiError as problem:
            return failed(kind.plural, problem)

    def count(self, source: str, kind: Kind, counter: Any, query: Query = ()) -> Got:
        """Give every page to a counter (begin, take, seen) and keep nothing of it."""
        try:
            self.asker.walk(kind.path(), counter.take, counter.begin, self.page(kind), query=query, accept=kind.accept)
        except ApiError as problem:
            if not counter.seen:
                raise
            return Got(source, "partial", f"Only {counter.seen} were read. {problem.sentence}", counter.seen)
        return Got(source, "ok", "", counter.seen)

    def one(self, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
        """Return one object, whole; None if there is no such object. Raises ApiError."""
        try:
            return self.asker.get(kind.path(namespace, name))
        except ApiError as problem:
            if problem.kind == problems.ABSENT:
                return None
            raise


def together(source: str, parts: Sequence[Got]) -> Got:
    """Return several parts of one source as one: 'partial' if some could not be read."""
    objects = [one for part in parts for one in part.objects]
    number = sum(part.number for part in parts)
    bad = [part for part in parts if part.status not in ("ok", "absent")]
    if not bad:
        return Got(source, "ok", "", number, objects)
    status = bad[0].status if len(bad) == len(parts) else "partial"
    return Got(source, status, bad[0].detail, number, objects)


def unique(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each object once, by namespace and name."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for one in found:
        meta = one.get("metadata")
        meta = meta if isinstance(meta, dict) else {}
        seen.setdefault((str(meta.get("namespace", "")), str(meta.get("name", ""))), one)
    return list(seen.values())
