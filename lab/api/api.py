# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated API as a function from requests to answers, and what it is made of. `server` puts it on the network."""

from __future__ import annotations

import threading
import time
import traceback
from typing import TYPE_CHECKING

from . import (
    admission,
    bootstrap,
    discovery,
    errors,
    identity,
    negotiation,
    openapi,
    reading,
    reviews,
    subresources,
    watching,
    writing,
)
from .authority import Authority
from .calls import BROKEN, Request, Response, answer, route, text
from .paging import Pages
from .registry import Registry
from .rules.disturbances import Disturbances
from .store import Store
from .target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from .calls import Route
    from .entry import Object
    from .identity import Tokens, User
    from .kinds import Kinds
    from .rules.disturbances import Outcome
    from .rules.validation import Schemas
    from .shelf import Event

    Log = Callable[[Object, str], str]

_PATIENCE = 0.5
_TOO_MANY = 429
_HEALTH = ("/healthz", "/livez", "/readyz")
_VERBS: dict[str, Callable[[Target], Response]] = {
    "get": reading.get,
    "list": reading.list_,
    "watch": watching.watch,
    "create": writing.create,
    "update": writing.update,
    "patch": writing.patch,
    "delete": writing.delete,
    "deletecollection": writing.delete_collection,
}


class Api:
    """One emulated API server. `answer` may be called from any thread."""

    def __init__(self, kinds: Kinds, tokens: Tokens, schemas: Schemas | None = None) -> None:
        """`kinds`: from `kinds.served`. Without `schemas` objects are not validated."""
        self.store = Store(kinds)
        self.tokens = tokens
        self.schemas = schemas
        self.disturbances = Disturbances()
        self.registry = Registry(self.store, self.disturbances.hides)
        self.authority = Authority(self.store)
        self.pages = Pages()
        # What `kubectl logs` shows of a pod's container; the lab's controller may put its own in this place.
        self.log: Log = lambda _pod, _container: ""
        self._cut = 0
        self._cut_lock = threading.Lock()
        self._documents = openapi.Documents(self.registry)
        self.store.admit = admission.Admission(self.store, schemas)
        if schemas is not None:
            self.store.schema_of = schemas.of
        bootstrap.fill(self.store)
        self.store.subscribe(self._learn)

    def _learn(self, event: Event) -> None:
        """Judge a custom kind from now on by the schema that its new definition has."""
        if self.schemas is None or event.entry.kind.plural != "customresourcedefinitions":
            return
        if event.type != "DELETED" and b'"properties"' in event.entry.rest:
            self.schemas.learn(event.object)

    @property
    def cut(self) -> int:
        """Changes when all watches shall end."""
        return self._cut

    def cut_watches(self) -> None:
        """End every watch that is open."""
        with self._cut_lock:
            self._cut += 1

    def forget(self) -> None:
        """Forget history and unfinished lists, as etcd's compaction does: 410 Gone for who comes back."""
        self.store.forget()
        self.pages.forget()

    def answer(self, request: Request) -> Response:
        """The answer to a request; errors are answers too."""
        try:
            return self._answered(request)
        except errors.ApiError as error:
            return failure(error)
        except Exception:  # noqa: BLE001 - the one guard: a request must never end the server
            return failure(errors.internal(f"the emulator failed: {traceback.format_exc(limit=-3)}"))

    def _answered(self, request: Request) -> Response:
        user = identity.authenticate(request.headers, self.tokens, self.store)
        found = route(request)
        outcome = self.disturbances.happens(user.name, found, bool(request.param("dryRun")))
        disturbed = _disturbed(outcome, request)
        if disturbed is not None:
            return disturbed
        user = self._acting(request, user)
        self.authority.check(user, found)
        made = self._resource(request, found, user, outcome) if found.resource else self._other(request)
        return BROKEN if outcome.lost else made

    def _acting(self, request: Request, user: User) -> User:
        """The user whom the client acts as, if it may."""
        other = identity.impersonated(request.headers)
        if other is None:
            return user
        self.authority.check_impersonation(user, other)
        return other

    def _resource(self, request: Request, found: Route, user: User, outcome: Outcome) -> Response:
        self.registry.check_available(found.group, found.version)
        kind = self.registry.find(found.group, found.version, found.resource)
        if kind is None or (found.namespace and not kind.namespaced):
            return text("404 page not found\n", 404)
        form = negotiation.accepted(request.headers.get("accept", ""))
        stored = self.registry.kinds.storage(kind)
        target = Target(self, request, found, user, kind, stored, form, outcome.watch)
        if found.subresource:
            handler = subresources.handler(found.verb, found.subresource)
            if handler is None or found.subresource not in kind.subresources:
                return text("404 page not found\n", 404)
            return handler(target)
        if found.verb not in kind.verbs:
            raise errors.not_allowed(found.verb, kind)
        if kind.verbs == ("create",):
            return reviews.review(target)
        if kind.namespaced and not found.namespace and found.verb not in ("list", "watch", "deletecollection"):
            return text("404 page not found\n", 404)
        return _VERBS[found.verb](target)

    def _other(self, request: Request) -> Response:
        """Paths that name no resource."""
        parts = request.path.strip("/").split("/")
        if request.path in ("/version", "/version/"):
            return answer(discovery.version())
        if request.path.startswith(_HEALTH):
            return text("ok")
        if parts[0] == "openapi":
            return self._documents.answer(request)
        return self._discovered(request, parts)

    def _discovered(self, request: Request, parts: list[str]) -> Response:
        groups = self.registry.groups()
        if parts == [""]:
            paths = ["/api", "/api/v1", "/apis", *(f"/apis/{name}" for name in groups if name), *_HEALTH, "/version"]
            return answer({"paths": paths})
        if parts == ["api"]:
            return answer(discovery.core_versions(request.headers.get("host", "")))
        if parts == ["apis"]:
            return answer(discovery.groups(groups.items()))
        group, version = ("", parts[1]) if parts[0] == "api" and len(parts) == 2 else ("", "")
        if parts[0] == "apis" and len(parts) in (2, 3):
            group, version = parts[1], parts[2] if len(parts) == 3 else ""
            if group in groups and not version:
                return answer(discovery.one_group(group, groups[group]))
        if version not in groups.get(group, ()):
            return text("404 page not found\n", 404)
        self.registry.check_available(group, version)
        kinds = [kind for kind in self.registry.served() if kind.group == group and version in kind.served_versions]
        return answer(discovery.resources(f"{group}/{version}" if group else version, kinds))


def _disturbed(outcome: Outcome, request: Request) -> Response | None:
    """What a disturbance makes of a request, None if it is answered after all."""
    if outcome.delay:
        time.sleep(outcome.delay)
    if outcome.connection == "unanswered":
        while request.alive():
            time.sleep(_PATIENCE)
    if outcome.connection:
        return BROKEN
    if outcome.refusal is None:
        return None
    if outcome.refusal.code == _TOO_MANY:  # priority and fairness answers without a Status
        retry = (("Retry-After", str(outcome.retry_after)),)
        return text(f"{outcome.refusal.message}\n", _TOO_MANY)._replace(headers=retry)
    made = failure(outcome.refusal)
    return made._replace(headers=(("Retry-After", str(outcome.retry_after)),)) if outcome.retry_after else made


def failure(error: errors.ApiError) -> Response:
    """The answer that an error is: a Status, with the header that says when to come again."""
    status = error.status()
    following = getattr(error, "following", "")
    if following:
        status["metadata"] = {"continue": following}
    made = answer(status, error.code)
    seconds = (error.details or {}).get("retryAfterSeconds")
    return made._replace(headers=(("Retry-After", str(seconds)),)) if seconds else made
