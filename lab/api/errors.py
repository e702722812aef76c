# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API refuses, with the codes, reasons and words of a real API server.

Source: k8s.io/apimachinery, pkg/api/errors/errors.go; where the words come from elsewhere, the place is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .kinds import Kind

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class ApiError(Exception):
    """A request that is refused: HTTP status code, machine-readable reason, sentence, details of the Status object."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> dict[str, Any]:
        """The Status object that a client gets."""
        found: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            found["reason"] = self.reason
        if self.details is not None:
            found["details"] = self.details
        return {**found, "code": self.code}


class NotFound(ApiError):  # noqa: N818 - the names that Kubernetes gives them
    """404: there is no such object."""


class AlreadyExists(ApiError):  # noqa: N818 - the names that Kubernetes gives them
    """409: an object of that name is there already."""


class Conflict(ApiError):  # noqa: N818 - the names that Kubernetes gives them
    """409: the object is not as the client thinks it is."""


class Invalid(ApiError):  # noqa: N818 - the names that Kubernetes gives them
    """422: the object breaks rules of its kind."""


class Expired(ApiError):  # noqa: N818 - the names that Kubernetes gives them
    """410: that resource version is no longer to be had."""


def _details(kind: Kind, name: str) -> dict[str, Any]:
    found = {"name": name} if name else {}
    if kind.group:
        found["group"] = kind.group
    return {**found, "kind": kind.plural}


def not_found(kind: Kind, name: str) -> NotFound:
    """No object of this name."""
    return NotFound(404, "NotFound", f'{kind.resource} "{name}" not found', _details(kind, name))


def already_exists(kind: Kind, name: str) -> AlreadyExists:
    """The name is taken."""
    return AlreadyExists(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', _details(kind, name))


def conflict(kind: Kind, name: str, why: str = MODIFIED) -> Conflict:
    """The object changed, or a precondition does not hold."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return Conflict(409, "Conflict", message, _details(kind, name))


def invalid(kind: Kind, name: str, causes: Sequence[tuple[str, str, str]]) -> Invalid:
    """The object breaks rules. `causes`: (reason such as FieldValueRequired, message, field path)."""
    lines = list(dict.fromkeys(f"{field}: {message}" for _reason, message, field in causes))
    told = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    details = {**_details(kind, name), "kind": kind.kind}
    details["causes"] = [{"reason": reason, "message": text, "field": field} for reason, text, field in causes]
    return Invalid(422, "Invalid", f'{kind.group_kind} "{name}" is invalid: {told}', details)


def expired_watch(asked: int, oldest: int) -> Expired:
    """A watch from a resource version whose changes are forgotten (apiserver, storage/cacher/watch_cache.go)."""
    return Expired(410, "Expired", f"too old resource version: {asked} ({oldest})")


def expired_continue(following: str) -> Expired:
    """A continue token of a forgotten list; `following` continues with what is there now (storage/continue.go)."""
    error = Expired(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
    error.details = {}
    error.following = following  # type: ignore[attr-defined]
    return error


def forbidden(kind: Kind, name: str, why: str, causes: Iterable[dict[str, str]] = ()) -> ApiError:
    """Not allowed; `why` is said after "is forbidden: "."""
    quoted = f' "{name}"' if name else ""
    details = _details(kind, name)
    found = list(causes)
    if found:
        details["causes"] = found
    return ApiError(403, "Forbidden", f"{kind.resource}{quoted} is forbidden: {why}", details)


def unauthorized() -> ApiError:
    """Nobody that is known."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> ApiError:
    """The request makes no sense."""
    return ApiError(400, "BadRequest", message)


def not_allowed(action: str, kind: Kind) -> ApiError:
    """The kind has no such verb."""
    message = f'{action} is not supported on resources of kind "{kind.resource}"'
    return ApiError(405, "MethodNotAllowed", message, _details(kind, ""))


def no_such_resource() -> ApiError:
    """The group is served, the resource is not."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    """The body is of a type that cannot be read here (apiserver, handlers/negotiation/errors.go)."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message)


def not_acceptable(accepted: Sequence[str]) -> ApiError:
    """The client wants an answer in a type that cannot be written here (as above)."""
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(accepted)}")


def too_many_requests(message: str, seconds: int, causes: Iterable[dict[str, str]] = ()) -> ApiError:
    """Later, please."""
    details: dict[str, Any] = {"retryAfterSeconds": seconds} if seconds else {}
    found = list(causes)
    if found:
        details["causes"] = found
    return ApiError(429, "TooManyRequests", message, details)


def internal(message: str) -> ApiError:
    """The server's own trouble."""
    details = {"causes": [{"message": message}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", details)


def version_too_large(asked: int, current: int) -> ApiError:
    """A resource version of the future (storage/errors.go)."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})
