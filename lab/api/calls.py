# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request and its answer, apart from how they travel; and what a request is about (RequestInfo in Kubernetes).

Source of the verbs and paths: k8s.io/apiserver, pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .entry import Object, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

JSON = "application/json"


class Request(NamedTuple):
    """What a client sent. `headers` have lower-case names; `alive` tells whether the client still listens."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes = b""
    alive: Callable[[], bool] = lambda: True

    def param(self, name: str) -> str:
        """A parameter's value, "" if it is not given."""
        values = self.query.get(name) or ("",)
        return values[0]

    def flag(self, name: str) -> bool:
        """A parameter that is a Boolean, as Go's strconv.ParseBool reads it, but "" given counts as true."""
        return name in self.query and self.param(name).lower() not in ("0", "f", "false")

    def number(self, name: str) -> int:
        """A parameter that is a number, 0 if it is not given or not one."""
        text = self.param(name)
        return int(text) if re.fullmatch(r"\d{1,18}", text) else 0

    @property
    def watches(self) -> bool:
        """Whether this is a watch."""
        return self.method == "GET" and self.flag("watch")


class Response(NamedTuple):
    """The answer; `chunks` instead of `body` where it has no end yet."""

    code: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    chunks: Iterator[bytes] | None = None


# No answer at all: the connection is broken off.
BROKEN = Response(0)


def answer(obj: Object, code: int = 200) -> Response:
    """An object as JSON."""
    return Response(code, encoded(obj) + b"\n")


def text(words: str, code: int = 200) -> Response:
    """A sentence."""
    return Response(code, words.encode(), "text/plain; charset=utf-8")


class Route(NamedTuple):
    """What a path names. `resource` is "" for a path that names no resource; `verb` is then the lower-case method."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_BY_NAME = re.compile(r"(?:^|,)metadata\.name==?([^,!]+)(?:,|$)")


def route(request: Request) -> Route:
    """What a request is about."""
    parts = [part for part in request.path.split("/") if part]
    nothing = Route(request.method.lower(), request.path)
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return nothing
    verb = _VERBS.get(request.method, "")
    watched = rest[0] == "watch" and len(rest) > 1
    if watched:
        rest = rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in ("status", "finalize"):
            rest = rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    if resource == "namespaces":
        namespace = ""
    verb, name = _of_collection(verb, name, request, watched)
    return Route(verb, request.path, group, version, resource, subresource, namespace, name)


def _of_collection(verb: str, name: str, request: Request, watched: bool) -> tuple[str, str]:
    """Reading without a name is a list; a field selector for one name counts as that name."""
    if name and not watched:
        return verb, name
    if verb == "get":
        verb = "watch" if request.watches or watched else "list"
    elif verb == "delete":
        verb = "deletecollection"
    if verb in ("list", "watch", "deletecollection") and not name:
        found = _BY_NAME.search(request.param("fieldSelector"))
        name = found[1] if found else ""
    return verb, name
