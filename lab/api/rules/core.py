# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of Kubernetes' own kinds as the API server decodes them: unknown fields go, wrong types are refused.

Go's decoder is followed: a null is as good as nothing, a field of another type ends the request with 400.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, bad_request
from . import causes, core_types, formats
from .json_patches import json_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..kinds import Kind
    from .causes import Cause
    from .core_types import Field, Type

_QUANTITY = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?\Z", re.ASCII)
_QUANTITY_WORDS = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
# Fields which the OpenAPI document requires but the server takes without: an empty list is what Go reads then.
_MAY_BE_LEFT_OUT = frozenset((("V1EndpointSlice", "endpoints"), ("V1Status", "status"), ("CoreV1Event", "metadata")))
_MAY_BE_EMPTY = _MAY_BE_LEFT_OUT | {("V1LabelSelectorRequirement", "values"), ("V1JSONSchemaProps", "default")}
_WHERE = re.compile(r"\[\d+\]")


class WrongTypeError(Exception):
    """A value that Go's decoder cannot put into its field; the text is the decoder's."""


def decoded(obj: Any, model: str, path: str = "") -> tuple[dict[str, Any], list[str]]:
    """A copy with known fields only, and the paths of unknown ones. WrongTypeError if a value has a wrong type."""
    unknown: list[str] = []
    if not isinstance(obj, dict):
        name = core_types.struct_name(model)
        raise WrongTypeError(f"json: cannot unmarshal {json_type(obj)} into Go value of type v1.{name}")
    return _model(obj, model, path, unknown), unknown


def refusal(kind: Kind, error: WrongTypeError | str) -> ApiError:
    """400: the body is no such object."""
    return bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}')


def _model(obj: dict[str, Any], model: str, path: str, unknown: list[str]) -> dict[str, Any]:
    fields = core_types.fields(model)
    found = {}
    for name, value in obj.items():
        below = f"{path}.{name}" if path else name
        field = fields.get(name)
        if field is None:
            unknown.append(below)
        elif value is not None:
            found[name] = _value(value, field.type, model, field, below, unknown)
    return found


def _value(value: Any, type_: Type, model: str, field: Field, path: str, unknown: list[str]) -> Any:
    if type_.form == "model":
        if not isinstance(value, dict):
            raise _wrong(value, type_, model, field, path)
        return _model(value, type_.model, path, unknown)
    if type_.item is None:
        return _scalar(value, type_, model, field, path)
    if not isinstance(value, list if type_.form == "list" else dict):
        raise _wrong(value, type_, model, field, path)
    item = type_.item
    if isinstance(value, list):
        return [
            _value(_zero(item) if one is None else one, item, model, field, f"{path}[{place}]", unknown)
            for place, one in enumerate(value)
        ]
    return {
        name: _value(_zero(item) if one is None else one, item, model, field, f"{path}.{name}", unknown)
        for name, one in value.items()
    }


def _zero(type_: Type) -> Any:
    """What Go makes of a null that must be something."""
    if type_.item is not None:
        return [] if type_.form == "list" else {}
    return {"model": {}, "object": {}, "int": 0, "float": 0, "bool": False, "quantity": "0"}.get(type_.form, "")


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "int_or_str": (int, str),
    "quantity": (int, float, str),
}


def _scalar(value: Any, type_: Type, model: str, field: Field, path: str) -> Any:
    form = type_.form
    if form == "object":
        return value
    if form == "int" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, _PYTHON_TYPES.get(form, (str,))) or (isinstance(value, bool) and form != "bool"):
        raise _wrong(value, type_, model, field, path, f"number {value}" if isinstance(value, float) else "")
    if form == "int":
        bits = 63 if core_types.go_name(type_, field.name) == "int64" else 31
        if not -(2**bits) <= value < 2**bits:
            raise _wrong(value, type_, model, field, path, f"number {value}")
    if isinstance(value, str):
        _check_format(value, form)
    return str(value) if form == "quantity" else value


def _check_format(value: str, form: str) -> None:
    if form == "quantity" and not _QUANTITY.match(value):
        raise WrongTypeError(_QUANTITY_WORDS)
    if form == "datetime" and value and not formats.is_time(value):
        text = causes.quoted(value)
        raise WrongTypeError(f'parsing time {text} as "2006-01-02T15:04:05Z07:00": cannot parse {text} as "2006"')
    if form == "bytes" and not formats.is_base64(value):
        raise WrongTypeError("illegal base64 data at input byte 0")


def _wrong(value: Any, type_: Type, model: str, field: Field, path: str, found: str = "") -> WrongTypeError:
    place = f"{core_types.struct_name(model)}.{_WHERE.sub('', path)}"
    wanted = core_types.go_name(type_, field.name)
    return WrongTypeError(
        f"json: cannot unmarshal {found or json_type(value)} into Go struct field {place} of type {wanted}"
    )


def missing(obj: dict[str, Any], model: str, path: str = "") -> Iterator[Cause]:
    """The required fields that are not there; in a status, and in lists of the server's, zeroes are put in instead."""
    for name, field in core_types.fields(model).items():
        below = f"{path}.{name}" if path else name
        value = obj.get(name)
        if field.required and _is_missing(value, model, name):
            yield causes.required(below)
        elif value is not None:
            yield from _missing_below(value, field.type, below)


def _is_missing(value: Any, model: str, name: str) -> bool:
    if value is None:
        return (model, name) not in _MAY_BE_LEFT_OUT
    return value in ("", []) and (model, name) not in _MAY_BE_EMPTY


def _missing_below(value: Any, type_: Type, path: str) -> Iterator[Cause]:
    if path == "status":
        return
    if type_.form == "model":
        yield from missing(value, type_.model, path)
    elif type_.form == "list" and type_.item is not None:
        for place, item in enumerate(value):
            yield from _missing_below(item, type_.item, f"{path}[{place}]")
    elif type_.form == "map" and type_.item is not None:
        for name, item in value.items():
            yield from _missing_below(item, type_.item, f"{path}[{name}]")


def filled(status: dict[str, Any], model: str) -> None:
    """Put zeroes into the numbers that a status always shows, in place, as Go writes them."""
    for name, field in core_types.fields(model).items():
        if field.required and field.type.form in ("int", "bool") and name not in status:
            status[name] = _zero(field.type)
