# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes when something else goes: dependents with their owners, and everything with its namespace.

In Kubernetes controllers do this a moment later; here it happens within the same step, under the store's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .deletion import FOREGROUND, ORPHAN, Wish
from .errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .entry import Entry, Object
    from .store import Store

_BACKGROUND = Wish(propagation="Background")


class Owned:
    """Which objects name which owner, by the owner's uid."""

    def __init__(self) -> None:
        self._by_owner: dict[str, dict[str, Entry]] = {}

    def remember(self, entry: Entry) -> None:
        """Note the owners of an object."""
        for owner in entry.owners:
            self._by_owner.setdefault(owner, {})[entry.uid] = entry

    def forget(self, entry: Entry) -> None:
        """Drop the notes of an object as it was."""
        for owner in entry.owners:
            found = self._by_owner.get(owner)
            if found is not None:
                found.pop(entry.uid, None)
                if not found:
                    del self._by_owner[owner]

    def by(self, uid: str) -> list[Entry]:
        """The objects that name this owner."""
        return list(self._by_owner.get(uid, {}).values())


def begun(store: Store, entry: Entry) -> None:
    """The deletion of an object has begun, and something keeps it: see to what the garbage collector sees to."""
    finalizers = entry.object()["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        for dependent in store.owned.by(entry.uid):
            _disown(store, dependent, entry.uid)
        _drop(store, entry, ORPHAN)
    elif FOREGROUND in finalizers:
        for dependent in store.owned.by(entry.uid):
            _delete(store, dependent, Wish(propagation="Foreground"))
        _finish_foreground(store, entry)
    if entry.kind.resource == "namespaces":
        for each in list(_within(store, entry.name)):
            _delete(store, each, _BACKGROUND)
        _finish_namespace(store, entry.name)


def removed(store: Store, gone: Entry) -> None:
    """An object is gone: its dependents follow, unless another owner is left; what waited for it goes on."""
    for dependent in store.owned.by(gone.uid):
        if any(_lives(store, dependent, uid) for uid in dependent.owners if uid != gone.uid):
            _disown(store, dependent, gone.uid)
        else:
            _delete(store, dependent, _BACKGROUND)
    for owner in _owners(store, gone):
        _finish_foreground(store, owner)
    if gone.namespace:
        _finish_namespace(store, gone.namespace)


def _delete(store: Store, entry: Entry, wish: Wish) -> None:
    try:
        store.discard(entry.kind, entry.namespace, entry.name, wish)
    except NotFound:
        return  # another owner's deletion has taken it along


def _owners(store: Store, entry: Entry) -> Iterator[Entry]:
    """The owners of an object that are still there."""
    for reference in entry.object()["metadata"].get("ownerReferences") or ():
        kind = store.kinds.by_kind(reference.get("apiVersion", ""), reference.get("kind", ""))
        if kind is None:
            continue
        kind = store.kinds.storage(kind)
        found = store.peek(kind, entry.namespace if kind.namespaced else "", reference.get("name", ""))
        if found is not None and found.uid == reference.get("uid"):
            yield found


def _lives(store: Store, entry: Entry, uid: str) -> bool:
    return any(owner.uid == uid for owner in _owners(store, entry))


def _disown(store: Store, entry: Entry, uid: str) -> None:
    def change(obj: Object) -> None:
        left = [each for each in obj["metadata"].get("ownerReferences") or () if each.get("uid") != uid]
        obj["metadata"]["ownerReferences"] = left
        if not left:
            del obj["metadata"]["ownerReferences"]

    store.mutate(entry.kind, entry.namespace, entry.name, change)


def _drop(store: Store, entry: Entry, finalizer: str) -> None:
    def change(obj: Object) -> None:
        left = [each for each in obj["metadata"].get("finalizers") or () if each != finalizer]
        obj["metadata"]["finalizers"] = left
        if not left:
            del obj["metadata"]["finalizers"]

    store.mutate(entry.kind, entry.namespace, entry.name, change)


def _finish_foreground(store: Store, owner: Entry) -> None:
    """An owner that waits for its dependents goes with the last of them."""
    current = store.peek(owner.kind, owner.namespace, owner.name)
    if current is None or not current.terminating or store.owned.by(current.uid):
        return
    if FOREGROUND in (current.object()["metadata"].get("finalizers") or ()):
        _drop(store, current, FOREGROUND)


def _within(store: Store, namespace: str) -> Iterator[Entry]:
    for shelf in store.shelves():
        yield from shelf.select(namespace)


def _finish_namespace(store: Store, name: str) -> None:
    """A namespace that is being deleted goes with the last object in it."""
    kind = store.kinds.find("namespaces")
    current = store.peek(kind, "", name)
    if current is None or not current.terminating or next(_within(store, name), None) is not None:
        return
    last = current.object()
    (last.get("spec") or {}).pop("finalizers", None)
    if not last["metadata"].get("finalizers"):
        store.expunge(current, last)
