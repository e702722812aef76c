# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes: what is wrong with a field, in the words of a real API server.

Source: k8s.io/apimachinery/pkg/util/validation/field/errors.go. A list of causes becomes the answer to the client by
`lab.api.errors.invalid`.
"""

from __future__ import annotations

import json
from typing import NamedTuple

_SENTENCES = {
    "FieldValueNotFound": "Not found",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueTypeInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
}
OMITTED: object = object()


class Cause(NamedTuple):
    """One entry of a Status' details.causes."""

    reason: str
    message: str
    field: str


def quoted(text: str) -> str:
    """A text as Go's %q prints it."""
    return json.dumps(text, ensure_ascii=False)


def shown(value: object) -> str:
    """A value as messages show it."""
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)


def _cause(reason: str, field: str, value: object, detail: str) -> Cause:
    message = _SENTENCES[reason]
    if value is not OMITTED:
        message += f": {shown(value)}"
    if detail:
        message += f": {detail}"
    return Cause(reason, message, field or "<nil>")


def required(field: str, detail: str = "") -> Cause:
    """The field must be there."""
    return _cause("FieldValueRequired", field, OMITTED, detail)


def invalid(field: str, value: object, detail: str) -> Cause:
    """The value is none of those that the field may have."""
    return _cause("FieldValueInvalid", field, value, detail)


def type_invalid(field: str, value: object, detail: str) -> Cause:
    """The value is of another type than the field."""
    return _cause("FieldValueTypeInvalid", field, value, detail)


def not_supported(field: str, value: object, values: list[str]) -> Cause:
    """The value is not in the list."""
    return _cause("FieldValueNotSupported", field, value, f"supported values: {', '.join(map(quoted, values))}")


def forbidden(field: str, detail: str) -> Cause:
    """The field may not be there or not be changed."""
    return _cause("FieldValueForbidden", field, OMITTED, detail)


def duplicate(field: str, value: object) -> Cause:
    """The value is there already."""
    return _cause("FieldValueDuplicate", field, value, "")


def too_long(field: str, most: int) -> Cause:
    """The text has too many bytes."""
    return _cause("FieldValueTooLong", field, OMITTED, f"may not be more than {most} byte{'' if most == 1 else 's'}")


def too_many(field: str, count: int, most: int) -> Cause:
    """The list or map has too many entries."""
    return _cause("FieldValueTooMany", field, count, f"must have at most {most} item{'' if most == 1 else 's'}")


def not_found(field: str, value: object) -> Cause:
    """What the value names is not there."""
    return _cause("FieldValueNotFound", field, value, "")
