# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom resources against their openAPIV3Schema: pruning, defaults, validation, in this order as in the API server.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver (schema/pruning, schema/defaulting, validation) and
k8s.io/kube-openapi/pkg/validation. Rules in CEL (x-kubernetes-validations) are not evaluated: `rules_left_out` lists
them.
"""

from __future__ import annotations

import copy
import functools
import math
import re
from typing import TYPE_CHECKING, Any

from . import causes, formats
from .json_patches import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .causes import Cause

Schema = dict[str, Any]
PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"


def pruned(value: Any, schema: Mapping[str, Any], path: str = "") -> tuple[Any, list[str]]:
    """A copy without fields that the schema does not know, and the paths of those."""
    unknown: list[str] = []
    return _pruned(value, schema, path, unknown, root=True), unknown


def _pruned(value: Any, schema: Mapping[str, Any], path: str, unknown: list[str], *, root: bool = False) -> Any:
    if isinstance(value, list):
        items = _schema(schema, "items")
        return [_pruned(item, items, f"{path}[{place}]", unknown) for place, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties, more = _properties(schema), schema.get("additionalProperties")
    keeps = bool(schema.get(PRESERVE)) or more is True
    found = {}
    for name, item in value.items():
        below = f"{path}.{name}" if path else name
        if (root or schema.get("x-kubernetes-embedded-resource")) and name in ("apiVersion", "kind", "metadata"):
            found[name] = copy.deepcopy(item)
        elif name in properties:
            found[name] = _pruned(item, properties[name], below, unknown)
        elif isinstance(more, dict):
            found[name] = _pruned(item, more, below, unknown)
        elif keeps:
            found[name] = copy.deepcopy(item)
        else:
            unknown.append(below)
    return found


def defaulted(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value with defaults put in, in place; nulls go where the schema has no room for them."""
    if isinstance(value, list):
        items = _schema(schema, "items")
        for item in value:
            defaulted(item, items)
    elif isinstance(value, dict):
        properties, more = _properties(schema), _schema(schema, "additionalProperties")
        for name, below in properties.items():
            if name in value and value[name] is None and not below.get("nullable"):
                del value[name]
            if name not in value and below.get("default") is not None:
                value[name] = copy.deepcopy(below["default"])
        for name, item in value.items():
            defaulted(item, properties.get(name, more))
    return value


def check(value: Any, schema: Mapping[str, Any], path: str = "") -> list[Cause]:
    """What of a value breaks its schema."""
    return [*_check(value, schema, path), *_check_keys(value, schema, path)]


def _check(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    wanted = ["integer", "string"] if schema.get(INT_OR_STRING) else [schema["type"]] if schema.get("type") else []
    if value is None:
        if wanted and not schema.get("nullable"):
            yield _wrong_type(path, ",".join(wanted), "null")
        return
    if not _has_type(value, wanted, schema):
        yield _wrong_type(path, ",".join(wanted), json_type(value))
        return
    yield from _check_alternatives(value, schema, path)
    if isinstance(value, str):
        yield from _check_text(value, schema, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _check_number(value, schema, path)
    elif isinstance(value, list):
        yield from _check_list(value, schema, path)
    elif isinstance(value, dict):
        yield from _check_map(value, schema, path)
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(same(value, other) for other in allowed):
        yield causes.not_supported(
            path, value, [other if isinstance(other, str) else causes.shown(other) for other in allowed]
        )


def json_type(value: object) -> str:
    """The OpenAPI name of a value's type."""
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), "object")


def _has_type(value: Any, wanted: list[str], schema: Mapping[str, Any]) -> bool:
    if not wanted or json_type(value) in wanted:
        return True
    if isinstance(value, int) and not isinstance(value, bool):
        return "number" in wanted
    if isinstance(value, float):
        return "integer" in wanted and value.is_integer()
    # The format says more than the type: a list is taken for bytes where a string has a format.
    return isinstance(value, list) and "string" in wanted and bool(schema.get("format"))


def _wrong_type(path: str, wanted: str, found: str) -> Cause:
    return causes.type_invalid(path, found, f"{path} in body must be of type {wanted}: {causes.quoted(found)}")


def _check_text(value: str, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    most, least, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if isinstance(most, int) and len(value) > most:
        yield causes.too_long(path, most)
    if isinstance(least, int) and len(value) < least:
        yield causes.invalid(path, value, f"{path} in body should be at least {least} chars long")
    if isinstance(pattern, str) and not _matches(pattern, value):
        yield causes.invalid(path, value, f"{path} in body should match '{pattern}'")
    name = schema.get("format")
    if isinstance(name, str) and not formats.fits(name, value):
        yield causes.type_invalid(path, value, f"{path} in body must be of type {name}: {causes.quoted(value)}")


def _matches(pattern: str, value: str) -> bool:
    expression = _compiled(pattern)
    return expression is None or expression.search(value) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Go's syntax (RE2) is Python's, but `$` is the very end and flags may follow `^`; None for what cannot be read."""
    pattern = re.sub(r"\A\^\(\?([ims]+)\)", r"(?\1)^", pattern)
    try:
        return re.compile(re.sub(r"(?<!\\)((?:\\\\)*)\$", r"\1\\Z", pattern), re.ASCII)
    except re.error:
        return None


def _check_number(value: float, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    most, least, factor = schema.get("maximum"), schema.get("minimum"), schema.get("multipleOf")
    if most is not None and (value >= most if schema.get("exclusiveMaximum") else value > most):
        word = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield causes.invalid(path, value, f"{path} in body should be {word} {causes.shown(most)}")
    if least is not None and (value <= least if schema.get("exclusiveMinimum") else value < least):
        word = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield causes.invalid(path, value, f"{path} in body should be {word} {causes.shown(least)}")
    if factor and math.isfinite(value) and math.remainder(value, factor):
        yield causes.invalid(path, value, f"{path} in body should be a multiple of {causes.shown(factor)}")
    bits = {"int32": 32, "int64": 64}.get(str(schema.get("format")))
    if bits and not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        detail = f"Checked value must be of type integer with format {schema['format']} in {path}"
        yield causes.invalid(path, value, detail)


def _check_list(value: list[Any], schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    most, least = schema.get("maxItems"), schema.get("minItems")
    if isinstance(most, int) and len(value) > most:
        yield causes.too_many(path, len(value), most)
    if isinstance(least, int) and len(value) < least:
        yield causes.invalid(path, len(value), f"{path} in body should have at least {least} items")
    if schema.get("uniqueItems") and any(same(item, other) for item, other in _couples(value)):
        yield causes.invalid(path, "", f"{path} in body shouldn't contain duplicates")
    items = _schema(schema, "items")
    for place, item in enumerate(value):
        yield from _check(item, items, f"{path}[{place}]")


def _couples(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    return ((item, other) for place, item in enumerate(items) for other in items[:place])


def _check_map(value: dict[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if isinstance(most, int) and len(value) > most:
        yield causes.too_many(path, len(value), most)
    if isinstance(least, int) and len(value) < least:
        yield causes.invalid(path, len(value), f"{path} in body should have at least {least} properties")
    for name in schema.get("required") or ():
        if name not in value:
            yield causes.required(_below(path, name))
    properties, more = _properties(schema), schema.get("additionalProperties")
    for name, item in value.items():
        if name in properties:
            yield from _check(item, properties[name], _below(path, name))
        elif isinstance(more, dict):
            yield from _check(item, more, _below(path, name))


def _check_alternatives(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    said = f'"{path}" must'
    any_of, one_of, all_of, no = (schema.get(name) for name in ("anyOf", "oneOf", "allOf", "not"))
    if any_of and not schema.get(INT_OR_STRING):
        results = [list(_check(value, other, path)) for other in any_of]
        if all(results):
            yield causes.invalid(path, "", f"{said} validate at least one schema (anyOf)")
            yield from results[0]
    if one_of:
        results = [list(_check(value, other, path)) for other in one_of]
        valid = sum(not result for result in results)
        if valid != 1:
            told = f"Found {valid} valid alternatives" if valid else "Found none valid"
            yield causes.invalid(path, "", f"{said} validate one and only one schema (oneOf). {told}")
            yield from results[0] if not valid else ()
    if all_of:
        results = [list(_check(value, other, path)) for other in all_of]
        if any(results):
            yield from (cause for result in results for cause in result)
            told = "" if not all(results) else ". None validated"
            yield causes.invalid(path, "", f"{said} validate all the schemas (allOf){told}")
    if no and not list(_check(value, no, path)):
        yield causes.invalid(path, "", f"{said} not validate the schema (not)")


def _check_keys(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """Lists that are sets or maps have no element twice."""
    if isinstance(value, dict):
        properties, more = _properties(schema), _schema(schema, "additionalProperties")
        for name, item in value.items():
            yield from _check_keys(item, properties.get(name, more), _below(path, name))
    elif isinstance(value, list):
        items, seen = _schema(schema, "items"), set()
        for place, item in enumerate(value):
            yield from _check_keys(item, items, f"{path}[{place}]")
            key = _key(item, schema, items)
            if key is not None:
                text = causes.shown(key)
                if text in seen:
                    yield causes.duplicate(f"{path}[{place}]", key)
                seen.add(text)


def _key(item: Any, schema: Mapping[str, Any], items: Mapping[str, Any]) -> Any:
    """What must be there once; None if the list is atomic."""
    list_type = schema.get("x-kubernetes-list-type")
    if list_type == "set":
        return item
    if list_type != "map" or not isinstance(item, dict):
        return None
    properties = _properties(items)
    pairs = [
        (name, item.get(name, properties.get(name, {}).get("default")))
        for name in schema.get("x-kubernetes-list-map-keys") or ()
    ]
    return {name: value for name, value in pairs if value is not None}


def rules_left_out(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The rules in CEL, which are not evaluated: where, and the rule."""
    for rule in schema.get("x-kubernetes-validations") or ():
        if isinstance(rule, dict):
            yield path, str(rule.get("rule", ""))
    for name, below in _properties(schema).items():
        yield from rules_left_out(below, _below(path, name))
    for name, suffix in (("items", "[*]"), ("additionalProperties", ".*")):
        yield from rules_left_out(_schema(schema, name), path + suffix) if _schema(schema, name) else ()


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Schema]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _schema(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = schema.get(name)
    return found if isinstance(found, dict) else {}
