# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: RBAC over the roles and bindings in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .identity import AUTHENTICATED
from .rules import escalation, rbac, reviews

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .entry import Object
    from .identity import User
    from .kinds import Kind
    from .rules.rbac import Asked
    from .store import Event, Store

_ACCOUNT = "system:serviceaccount:"


class Authority:
    """Judges by the objects of one store, which it keeps decoded until they change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, list[Object]] = {}
        store.subscribe(self._changed)

    def check(self, user: User, asked: Asked) -> None:
        """Raise Forbidden if the user may not do this."""
        decision = rbac.decide(self.objects, user.name, user.groups, asked)
        if not decision.allowed:
            raise rbac.forbidden(user.name, asked, decision.reason)

    def check_impersonation(self, user: User, other: User) -> None:
        """Raise Forbidden if the user may not act as the other."""
        wanted = [("groups", "", group) for group in other.groups if group != AUTHENTICATED]
        if other.name.startswith(_ACCOUNT) and other.name.count(":") == 3:
            namespace, name = other.name[len(_ACCOUNT) :].split(":")
            wanted = [("serviceaccounts", namespace, name)]
        else:
            wanted.insert(0, ("users", "", other.name))
        for resource, namespace, name in wanted:
            self.check(user, rbac.Request("impersonate", "", resource, namespace=namespace, name=name))

    def check_grant(self, user: User, kind: Kind, new: Object, old: Object | None) -> None:
        """Raise Forbidden if a role or binding would give more than the user has."""
        if kind.group == rbac.GROUP:
            escalation.check_write(self.objects, user.name, user.groups, kind.plural, new, old)

    def review(self, user: User, kind: Kind, obj: Object) -> Object:
        """An access review with its answer."""
        return reviews.review(self.objects, user.name, user.groups, kind, obj)

    def objects(self, plural: str) -> Iterable[Object]:
        """All roles or bindings of a kind; not to be changed."""
        with self._store.lock:
            if plural not in self._read:
                self._read[plural] = self._store.list(self._store.kinds.find(f"{plural}.{rbac.GROUP}"))
            return self._read[plural]

    def _changed(self, event: Event) -> None:
        if event.entry.kind.group == rbac.GROUP:
            self._read.pop(event.entry.kind.plural, None)
