# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Structural schemas: pruning, defaults, validation."""

from __future__ import annotations

import pytest

from lab.api.rules import custom, formats


def wrong(value, **schema):
    return [cause.message for cause in custom.check({"f": value}, {"properties": {"f": schema}})]


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        ("a", {"type": "string"}, ""),
        (1, {"type": "string"}, 'Invalid value: "integer": f in body must be of type string: "integer"'),
        (True, {"type": "integer"}, 'Invalid value: "boolean": f in body must be of type integer: "boolean"'),
        (1.0, {"type": "integer"}, ""),
        (1, {"type": "number"}, ""),
        ([], {"type": "object"}, 'Invalid value: "array": f in body must be of type object: "array"'),
        (None, {"type": "string"}, 'Invalid value: "null": f in body must be of type string: "null"'),
        (None, {"type": "string", "nullable": True}, ""),
        (1, {"x-kubernetes-int-or-string": True}, ""),
        ("1", {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, ""),
        (True, {"x-kubernetes-int-or-string": True},
         'Invalid value: "boolean": f in body must be of type integer,string: "boolean"'),
        ("c", {"type": "string", "enum": ["a", "b"]}, 'Unsupported value: "c": supported values: "a", "b"'),
        ("ab", {"type": "string", "maxLength": 1}, "Too long: may not be more than 1 byte"),
        ("", {"type": "string", "minLength": 1}, 'Invalid value: "": f in body should be at least 1 chars long'),
        ("ab", {"type": "string", "pattern": "^a$"}, "Invalid value: \"ab\": f in body should match '^a$'"),
        ("a\n", {"type": "string", "pattern": "^a$"}, "Invalid value: \"a\\n\": f in body should match '^a$'"),
        (11, {"type": "integer", "maximum": 10}, "Invalid value: 11: f in body should be less than or equal to 10"),
        (10, {"type": "integer", "maximum": 10, "exclusiveMaximum": True},
         "Invalid value: 10: f in body should be less than 10"),
        (1, {"type": "integer", "minimum": 2}, "Invalid value: 1: f in body should be greater than or equal to 2"),
        (2, {"type": "integer", "minimum": 2, "exclusiveMinimum": True},
         "Invalid value: 2: f in body should be greater than 2"),
        (5, {"type": "integer", "multipleOf": 2}, "Invalid value: 5: f in body should be a multiple of 2"),
        (2**31, {"type": "integer", "format": "int32"},
         "Invalid value: 2147483648: Checked value must be of type integer with format int32 in f"),
        ([1, 2], {"type": "array", "maxItems": 1}, "Too many: 2: must have at most 1 item"),
        ([], {"type": "array", "minItems": 1}, "Invalid value: 0: f in body should have at least 1 items"),
        ([1, 1], {"type": "array", "uniqueItems": True}, "Invalid value: \"\": f in body shouldn't contain duplicates"),
        ({}, {"type": "object", "minProperties": 1}, "Invalid value: 0: f in body should have at least 1 properties"),
        ({"a": 1, "b": 1}, {"type": "object", "maxProperties": 1}, "Too many: 2: must have at most 1 item"),
        ({}, {"type": "object", "required": ["a"]}, "Required value"),
        ("x", {"type": "string", "format": "cidr"}, 'Invalid value: "x": f in body must be of type cidr: "x"'),
        (1, {"not": {"type": "integer"}}, 'Invalid value: "": "f" must not validate the schema (not)'),
        (1, {"oneOf": [{"type": "integer"}, {"type": "number"}]},
         'Invalid value: "": "f" must validate one and only one schema (oneOf). Found 2 valid alternatives'),
        (1, {"anyOf": [{"type": "string"}]}, 'Invalid value: "": "f" must validate at least one schema (anyOf)'),
        ([1, 1], {"type": "array", "x-kubernetes-list-type": "set"}, "Duplicate value: 1"),
        ([{"a": 1, "b": 1}, {"a": 1}], {"type": "array", "x-kubernetes-list-type": "map",
         "x-kubernetes-list-map-keys": ["a"]}, 'Duplicate value: {"a":1}'),
    ],
)  # fmt: skip
def test_messages(value, schema, message):
    found = wrong(value, **schema)
    assert found[:1] == ([message] if message else [])


def test_paths():
    items = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {"properties": {"list": {"items": items}, "map": {"additionalProperties": {"type": "string"}}}}
    causes = custom.check({"list": [{"a": "x"}, {"a": 1}], "map": {"k.l": 1}}, schema)
    assert [cause.field for cause in causes] == ["list[1].a", "map.k.l"]


SCHEMA = {
    "type": "object",
    "properties": {
        "known": {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}, "default": {}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}},
        "maybe": {"type": "string", "nullable": True, "default": "d"},
        "never": {"type": "string"},
    },
}


def test_pruning():
    value = {
        "apiVersion": "v1",
        "metadata": {"anything": 1},
        "known": {"a": "1", "b": "2"},
        "free": {"b": {"c": 1}},
        "map": {"x": {"a": "1", "b": "2"}},
        "list": [{"a": 1, "b": 2}],
        "else": 1,
    }
    pruned, unknown = custom.pruned(value, SCHEMA)
    assert pruned == {
        "apiVersion": "v1",
        "metadata": {"anything": 1},
        "known": {"a": "1"},
        "free": {"b": {"c": 1}},
        "map": {"x": {"a": "1"}},
        "list": [{"a": 1}],
    }
    assert sorted(unknown) == ["else", "known.b", "list[0].b", "map.x.b"]


def test_defaults():
    assert custom.defaulted({"list": [{}]}, SCHEMA) == {"known": {"a": "x"}, "list": [{"a": 1}], "maybe": "d"}
    assert custom.defaulted({"maybe": None, "known": None, "never": None}, SCHEMA) == {
        "maybe": None,
        "known": {"a": "x"},
    }


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "cidr",
            ["10.0.0.1/8", "fd00::/64", "0.0.0.0/0"],
            ["10.0.0.0", "10.0.0.0/33", "a/8", "10.0.0.0/", "fe80::%e/64"],
        ),
        ("ipv4", ["10.0.0.1"], ["10.0.0", "::1", "010.0.0.1"]),
        ("ipv6", ["::1"], ["10.0.0.1", ":::"]),
        (
            "date-time",
            ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+01:00"],
            ["2026-01-01", "2026-13-01T00:00:00Z", "x"],
        ),
        ("date", ["2026-01-31"], ["2026-02-31", "2026-1-1"]),
        ("duration", ["1h30m", "0", "1.5s"], ["1", "h", "1 s"]),
        ("byte", ["YQ==", ""], ["YQ", "*"]),
        ("uuid", ["12345678-1234-1234-1234-123456789abc"], ["x"]),
        ("mac", ["ee:ee:ee:ee:ee:ee"], ["ee"]),
        ("nonsense", ["anything"], []),
    ],
)
def test_formats(name, good, bad):
    assert [text for text in good if not formats.fits(name, text)] == []
    assert [text for text in bad if formats.fits(name, text)] == []
