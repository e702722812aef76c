# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PATCH: the four content types that a Kubernetes API server understands, and what it answers to the wrong ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, bad_request, unsupported_media_type
from . import server_side, shapes, strategic
from .json_patches import json_patch, merge_patch
from .limits import check_depth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kinds import Kind

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

Object = dict[str, Any]


def accepted(kind: Kind) -> tuple[str, ...]:
    """The content types that PATCH takes for a kind: custom ones have no strategic merge patch."""
    return (JSON, MERGE, APPLY) if kind.custom else (JSON, MERGE, STRATEGIC, APPLY)


def decode(content_type: str, body: bytes) -> Any:
    """The body of a PATCH as data; YAML for server-side apply. ApiError 400 if it cannot be read."""
    if plain(content_type) == APPLY:
        import yaml

        try:
            return _Strings(len(body)).of(yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 - it is
        except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
            raise bad_request(f"error decoding patch: error converting YAML to JSON: yaml: {_line(error)}") from error
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"error decoding patch: {_line(error)}") from error


def plain(content_type: str) -> str:
    """The content type without parameters."""
    return content_type.partition(";")[0].strip()


def apply(
    content_type: str,
    current: Object | None,
    patch: object,
    kind: Kind,
    *,
    manager: str = "",
    force: bool | None = None,
    subresource: str = "",
    schema: Mapping[str, Any] | None = None,
    time: str = "",
) -> Object:
    """The object as the patch makes it, a new one; it is neither validated nor given defaults.

    `patch`: the decoded body (`decode`). `current`: None only for server-side apply to what does not exist. `force`:
    None if the client does not say. `schema`: the openAPIV3Schema of a custom kind (`Schemas.of`), for its lists with
    keys. After server-side apply the managedFields are up to date; after all others call `managed.record` with the
    object as it will be stored.

    ApiError: 415 for a content type the kind does not take, 400 for a patch that makes no sense, 422 for one that
    cannot be applied, 409 for conflicts of server-side apply, 500 with the server's own words otherwise.
    """
    content_type = plain(content_type)
    if content_type not in accepted(kind):
        raise unsupported_media_type(accepted(kind))
    check_depth(patch)
    if content_type == APPLY:
        if not manager:
            raise _invalid_options("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        return server_side.apply(
            current or {},
            patch,
            kind,
            manager=manager,
            force=bool(force),
            subresource=subresource,
            schema=schema,
            time=time,
        )
    if force is not None:
        raise _invalid_options("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")
    if content_type == JSON:
        return json_patch(current or {}, patch)
    if content_type == MERGE:
        return merge_patch(current or {}, patch)
    return strategic.merge(current or {}, patch, shapes.of_kind(kind))


def _invalid_options(field: str, reason: str, message: str) -> ApiError:
    causes = [{"reason": reason, "message": message, "field": field}]
    details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": causes}
    return ApiError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {field}: {message}', details)


class _Strings:
    """YAML as JSON has it: keys are texts, dates are texts. ValueError if aliases make much of little."""

    def __init__(self, size: int) -> None:
        self._left = 1_000 + 10 * size

    def of(self, value: Any) -> Any:
        """A copy in which nothing is shared."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("document contains excessive aliasing")
        if isinstance(value, dict):
            return {_key(name): self.of(item) for name, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [self.of(item) for item in value]
        return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _key(name: object) -> str:
    if isinstance(name, bool):
        return str(name).lower()
    return name if isinstance(name, str) else str(name)


def _no_number(name: str) -> Any:
    raise ValueError(f"invalid character '{name[0]}' looking for beginning of value")


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
