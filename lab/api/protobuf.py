# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OpenAPI v2 document as protocol buffers: the only form in which `kubectl` reads it. Pure.

Source of the field numbers: github.com/google/gnostic, openapiv2/OpenAPIv2.proto. Only what our documents contain.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BYTES = 2
_VERBS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
_VENDOR_OF_PATH, _VENDOR_OF_OPERATION, _VENDOR_OF_SCHEMA = 10, 13, 31


def document(content: Mapping[str, Any]) -> bytes:
    """A Document message."""
    info = _text(1, content["info"]["title"]) + _text(2, content["info"]["version"])
    paths = b"".join(_field(2, _named(name, _path(item))) for name, item in content["paths"].items())
    definitions = _schemas(content["definitions"])
    return _text(1, content["swagger"]) + _field(2, info) + _field(8, paths) + _field(9, definitions)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _text(number: int, content: str) -> bytes:
    return _field(number, content.encode()) if content else b""


def _named(name: str, value: bytes) -> bytes:
    return _text(1, name) + _field(2, value)


def _vendor(number: int, content: Mapping[str, Any]) -> bytes:
    """The extensions "x-…"; their values are YAML, of which JSON is a part."""
    found = (
        _field(number, _named(key, _text(2, json.dumps(value)))) for key, value in content.items() if key[:2] == "x-"
    )
    return b"".join(found)


def _path(item: Mapping[str, Any]) -> bytes:
    verbs = (_field(number, _operation(item[verb])) for verb, number in _VERBS.items() if verb in item)
    return b"".join(verbs) + _vendor(_VENDOR_OF_PATH, item)


def _operation(operation: Mapping[str, Any]) -> bytes:
    parameters = b"".join(_field(8, _field(1, _parameter(each))) for each in operation.get("parameters", ()))
    answers: Iterable[bytes] = (
        _field(1, _named(code, _field(1, _text(1, each["description"]))))
        for code, each in operation.get("responses", {}).items()
    )
    return (
        _text(5, operation.get("operationId", ""))
        + b"".join(_text(7, each) for each in operation.get("consumes", ()))
        + parameters
        + _field(9, b"".join(answers))
        + _vendor(_VENDOR_OF_OPERATION, operation)
    )


def _parameter(parameter: Mapping[str, Any]) -> bytes:
    """A Parameter message with a parameter of the query in it."""
    content = (
        _text(2, parameter["in"])
        + _text(3, parameter.get("description", ""))
        + _text(4, parameter["name"])
        + _text(6, parameter["type"])
    )
    return _field(2, _field(3, content))


def _schemas(schemas: Mapping[str, Any]) -> bytes:
    return b"".join(_field(1, _named(name, _schema(each))) for name, each in schemas.items())


def _schema(schema: Mapping[str, Any]) -> bytes:
    found = _text(1, schema.get("$ref", "")) + _text(2, schema.get("format", ""))
    found += _text(4, schema.get("description", ""))
    found += b"".join(_text(19, each) for each in schema.get("required", ()))
    if "additionalProperties" in schema:
        found += _field(21, _field(1, _schema(schema["additionalProperties"])))
    if "type" in schema:
        found += _field(22, _text(1, schema["type"]))
    if "items" in schema:
        found += _field(23, _field(1, _schema(schema["items"])))
    if "properties" in schema:
        found += _field(25, _schemas(schema["properties"]))
    return found + _vendor(_VENDOR_OF_SCHEMA, schema)
