# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request for a resource, with everything that answering it takes; and the forms in which single objects go out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from . import negotiation, tables, views
from .calls import Response
from .entry import encoded, entry
from .rules import managed

if TYPE_CHECKING:
    from .api import Api
    from .calls import Request, Route
    from .entry import Entry, Object
    from .identity import User
    from .kinds import Kind
    from .negotiation import Form
    from .rules.disturbances import WatchEnd
    from .store import Store


class Target(NamedTuple):
    """`kind` is the one asked for, `stored` the one under which its objects are kept; `end`: of a disturbed watch."""

    api: Api
    request: Request
    route: Route
    user: User
    kind: Kind
    stored: Kind
    form: Form
    end: WatchEnd | None = None

    @property
    def store(self) -> Store:
        """The objects."""
        return self.api.store

    @property
    def namespace(self) -> str:
        """The namespace in the path, "" for none."""
        return self.route.namespace if self.kind.namespaced else ""

    @property
    def manager(self) -> str:
        """Who is put down as the owner of what is written."""
        name = managed.name_of(self.request.param("fieldManager"), self.request.headers.get("user-agent", ""))
        return name or "unknown"

    def body(self) -> Object:
        """The object that the client sent."""
        return negotiation.read(self.request.body, self.request.headers.get("content-type", ""))

    def answer(self, obj: Object, code: int = 200) -> Response:
        """A stored object in the form that the client wants."""
        return self.answer_entry(entry(self.stored, obj), code)

    def answer_entry(self, found: Entry, code: int = 200) -> Response:
        """The same without decoding where that is not needed."""
        if not self.form.shape:
            return self.written(views.encode(found, self.kind, self.route.version), code)
        obj = views.decode(found, self.kind, self.route.version)
        if self.form.shape == "Table":
            row = tables.row(self.kind, obj, self.request.param("includeObject"), self.form.version, time.time())
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return self.written(encoded(tables.table(self.kind, [row], self.form, metadata)), code)
        return self.written(encoded(tables.partial(obj, self.form.version)), code)

    def written(self, body: bytes, code: int = 200) -> Response:
        """JSON, or YAML if the client wants that."""
        return Response(code, negotiation.written(body, self.form) + b"\n", self.form.media_type)
