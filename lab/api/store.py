# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects behind the emulated API, in memory, with the rules that hold whoever changes them.

One counter gives every change its resourceVersion; uid, creationTimestamp and generation are the store's. Objects go in
and come out as plain dicts that belong to the caller. All methods may be called from any thread.

Clients come through the API, the controller calls the same methods directly; `admit` judges both. The store keeps what
it is given on creation, status, uid and creationTimestamp included: that clients may not set those is the API's rule,
not the store's.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from . import deletion, errors, garbage, metadata
from .entry import Entry, Object, entry
from .rules import managed
from .shelf import Event, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from .kinds import Kind, Kinds

    Admit = Callable[[Kind, Object, Object | None], Object]
    Subscribers = list[Callable[[Event], None]]
    Objects = list[Object]
    Entries = list[Entry]
    Shelves = list[Shelf]
    Events = list[Event]
    Change = Callable[[Object], Object | None]

__all__ = ["Event", "Store"]
# So that "1" or "2", which tests and tools like to ask for, are old and not in the future.
FIRST_VERSION = 1000


class Store:
    """Objects by kind, namespace and name. A kind is always the stored one, never a view (`Kinds.storage`)."""

    def __init__(self, kinds: Kinds, admit: Admit | None = None) -> None:
        """`admit(kind, new, old)` returns the object that is stored, with defaults, or raises an ApiError."""
        self.kinds = kinds
        self.admit = admit
        self.schema_of: Callable[[Kind], Mapping[str, Any] | None] = lambda _kind: None
        self.lock = threading.RLock()
        self.owned = garbage.Owned()
        self._version = FIRST_VERSION
        self._forgotten = FIRST_VERSION
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._subscribers: Subscribers = []

    @property
    def version(self) -> int:
        """The resource version of the last change."""
        return self._version

    # Reading

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """The object; NotFound."""
        return self.entry(kind, namespace, name).object()

    def entry(self, kind: Kind, namespace: str, name: str) -> Entry:
        """The object as it is stored, without making a copy; NotFound."""
        found = self.peek(kind, namespace, name)
        if found is None:
            raise errors.not_found(kind, name)
        return found

    def peek(self, kind: Kind, namespace: str, name: str) -> Entry | None:
        """The object as it is stored, None if there is none."""
        with self.lock:
            return self.shelf(kind).get(namespace, name)

    def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Objects:
        """All objects of a kind, or those of one namespace, ordered by namespace and name.

        `labels`, `fields`: only those that have these values (`fields` as far as the kind declares them).
        """
        chosen, _version = self.entries(kind, namespace)
        wanted, paths = (labels or {}).items(), (fields or {}).items()
        return [each.object() for each in chosen if wanted <= each.labels.items() and paths <= each.fields.items()]

    def entries(self, kind: Kind, namespace: str = "") -> tuple[Entries, int]:
        """The same without copies, and the version at which this list is true."""
        with self.lock:
            return self.shelf(kind).select(namespace), self._version

    def changes(self, kind: Kind, since: int, timeout: float) -> Events:
        """The changes to objects of a kind after `since`, waiting for one up to `timeout` seconds; Expired."""
        deadline = time.monotonic() + timeout
        with self.lock:
            shelf = self.shelf(kind)
            while True:
                found = shelf.since(since)
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found
                shelf.changed.wait(left)

    def watch(self, kind: Kind, since: int | None = None) -> Iterator[tuple[str, Object]]:
        """Every change from `since` on, for ever; without `since`, first what there is now as ADDED; Expired."""
        if since is None:
            found, since = self.entries(kind)
            yield from (("ADDED", each.object()) for each in found)
        while True:
            for event in self.changes(kind, since, 60):
                since = event.entry.version
                yield event.type, event.object

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back for every change of every kind, in order, until the function returned here is called.

        The callback runs while the store is locked: it must put the event somewhere and return.
        """
        with self.lock:
            self._subscribers.append(callback)

        def unsubscribe() -> None:
            with self.lock:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return unsubscribe

    # Writing

    def create(self, kind: Kind, namespace: str, obj: Object, *, manager: str = "", dry_run: bool = False) -> Object:
        """Store a new object and return it; AlreadyExists, Invalid.

        `manager`: who is put down as the owner of its fields; "" keeps metadata.managedFields as given.
        """
        with self.lock:
            fresh = metadata.fresh(kind, namespace, obj)
            name = fresh["metadata"]["name"]
            if self.peek(kind, namespace, name) is not None:
                raise errors.already_exists(kind, name)
            fresh = self._admitted(kind, fresh, None)
            return self._commit(kind, self._recorded(kind, fresh, None, manager, ""), dry_run).object()

    def load(self, kind: Kind, objects: Iterable[Object]) -> None:
        """Store new objects that are known to be right, without admission: for thousands of them at once."""
        for obj in objects:
            with self.lock:
                namespace = (obj.get("metadata") or {}).get("namespace", "")
                self._commit(kind, metadata.fresh(kind, namespace, obj, shared=True), dry_run=False)

    def replace(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        obj: Object,
        *,
        subresource: str = "",
        manager: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Store a new state of an object and return it.

        NotFound; Conflict if metadata.resourceVersion or uid are given and not the object's; Invalid. For kinds with
        the subresource "status", status changes only with `subresource="status"`, and nothing else does then.
        """
        with self.lock:
            current = self.entry(kind, namespace, name)
            before = current.object()
            after = metadata.succeeded(kind, before, obj, subresource)
            after = self._admitted(kind, after, before)
            after = self._recorded(kind, after, before, manager, subresource)
            if _same(after, before):
                return before
            if deletion.is_over(after):
                return self.expunge(current, after, dry_run).object()
            return self._commit(kind, after, dry_run).object()

    def mutate(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        change: Change,
        *,
        subresource: str = "",
        manager: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Read, change and write an object in one step. `change` edits the copy it gets, or returns a new object."""
        with self.lock:
            found = self.get(kind, namespace, name)
            changed = change(found)
            obj = found if changed is None else changed
            return self.replace(kind, namespace, name, obj, subresource=subresource, manager=manager, dry_run=dry_run)

    def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        grace_seconds: int | None = None,
        propagation: str = "",
        uid: str = "",
        version: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Delete an object, or begin to: finalizers and a pod's grace period keep it. Returns its last state.

        Only an object that stays for now has metadata.deletionTimestamp. `grace_seconds=0` is what a kubelet does when
        a pod's containers are gone. `propagation`: "Background" (default), "Foreground" or "Orphan". NotFound; Conflict
        if `uid` or `version` is given and not the object's.
        """
        wish = deletion.Wish(grace_seconds, propagation, uid, version)
        return self.discard(kind, namespace, name, wish, dry_run=dry_run)[0].object()

    def discard(
        self, kind: Kind, namespace: str, name: str, wish: deletion.Wish, *, dry_run: bool = False
    ) -> tuple[Entry, bool]:
        """`delete`, telling also whether the object is gone."""
        with self.lock:
            current = self.entry(kind, namespace, name)
            before = current.object()
            after = deletion.begun(kind, before, wish)
            if deletion.is_over(after):
                return self.expunge(current, before, dry_run), True
            if after == before:
                return current, False
            kept = self._commit(kind, after, dry_run)
            if not dry_run:
                garbage.begun(self, kept)
            return kept, self.peek(kind, namespace, name) is None and not dry_run

    def expunge(self, current: Entry, last: Object, dry_run: bool = False) -> Entry:
        """Take an object away whatever holds it, then what it owned."""
        with self.lock:
            if dry_run:
                return current
            self._version += 1
            last["metadata"]["resourceVersion"] = str(self._version)
            gone = entry(current.kind, last)
            self._tell(self.shelf(current.kind).remove(gone))
            self.owned.forget(current)
            garbage.removed(self, gone)
            return gone

    def forget(self) -> None:
        """Forget the history: watches and continue tokens from before now are answered with 410 Gone."""
        with self.lock:
            self._forgotten = self._version
            for shelf in self._shelves.values():
                shelf.forget(self._version)

    def shelf(self, kind: Kind) -> Shelf:
        """The objects of a kind; only to be used while the store is locked."""
        key = (kind.group, kind.plural)
        found = self._shelves.get(key)
        if found is None:
            found = self._shelves.setdefault(key, Shelf(threading.Condition(self.lock), self._forgotten))
        return found

    def shelves(self) -> Shelves:
        """The objects of all kinds; likewise."""
        return list(self._shelves.values())

    def _admitted(self, kind: Kind, new: Object, old: Object | None) -> Object:
        return self.admit(kind, new, old) if self.admit is not None else new

    def _recorded(self, kind: Kind, new: Object, old: Object | None, manager: str, subresource: str) -> Object:
        if not manager:
            return new
        return managed.record(old, new, kind, manager, subresource=subresource, schema=self.schema_of(kind))

    def _commit(self, kind: Kind, obj: Object, dry_run: bool) -> Entry:
        obj["metadata"]["resourceVersion"] = str(self._version + (0 if dry_run else 1))
        made = entry(kind, obj)
        if dry_run:
            return made
        self._version += 1
        event = self.shelf(kind).put(made)
        if event.previous is not None:
            self.owned.forget(event.previous)
        self.owned.remember(made)
        self._tell(event)
        return made

    def _tell(self, event: Event) -> None:
        for callback in list(self._subscribers):
            callback(event)


def _same(after: Object, before: Object) -> bool:
    """Whether a write changes nothing; times in managedFields alone are no change."""
    if after == before:
        return True
    bare = [{**each, "metadata": {**each["metadata"], "managedFields": None}} for each in (after, before)]
    if bare[0] != bare[1]:
        return False
    owned = [each["metadata"].get("managedFields") or [] for each in (after, before)]
    return [{**each, "time": ""} for each in owned[0]] == [{**each, "time": ""} for each in owned[1]]
