# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON patch and JSON merge patch."""

from __future__ import annotations

import pytest

from lab.api.errors import ApiError
from lab.api.rules.json_patches import json_patch, merge_patch, same

OBJECT = {"a": {"b": [1, 2, 3]}, "x/y": {"~": 0}}


@pytest.mark.parametrize(
    ("steps", "made"),
    [
        ([], OBJECT),
        ([{"op": "add", "path": "/a/c", "value": {"d": 1}}], {"a": {"b": [1, 2, 3], "c": {"d": 1}}, "x/y": {"~": 0}}),
        ([{"op": "add", "path": "/a/b/1", "value": 9}], {"a": {"b": [1, 9, 2, 3]}, "x/y": {"~": 0}}),
        ([{"op": "add", "path": "/a/b/-", "value": 9}], {"a": {"b": [1, 2, 3, 9]}, "x/y": {"~": 0}}),
        ([{"op": "add", "path": "/a/b/-1", "value": 9}], {"a": {"b": [1, 2, 3, 9]}, "x/y": {"~": 0}}),
        ([{"op": "add", "path": "/n"}], {**OBJECT, "n": None}),
        ([{"op": "remove", "path": "/a/b/-1"}], {"a": {"b": [1, 2]}, "x/y": {"~": 0}}),
        ([{"op": "replace", "path": "/x~1y/~0", "value": 5}], {"a": {"b": [1, 2, 3]}, "x/y": {"~": 5}}),
        ([{"op": "move", "from": "/a/b", "path": "/b"}], {"a": {}, "b": [1, 2, 3], "x/y": {"~": 0}}),
        ([{"op": "copy", "from": "/a/b/0", "path": "/z"}], {**OBJECT, "z": 1}),
        ([{"op": "test", "path": "/a/b", "value": [1, 2, 3]}, {"op": "remove", "path": "/a"}], {"x/y": {"~": 0}}),
        ([{"op": "test", "path": "/nothing", "value": None}], OBJECT),
        ([{"op": "replace", "path": "/new", "value": 1}], {**OBJECT, "new": 1}),
        ([{"op": "copy", "from": "/nothing", "path": "/new"}], {**OBJECT, "new": None}),
        ([{"op": "replace", "path": "", "value": {"new": 1}}], {"new": 1}),
    ],
)
def test_operations(steps, made):
    assert json_patch(OBJECT, steps) == made


@pytest.mark.parametrize(
    "step",
    [
        {"op": "add", "path": "/no/where", "value": 1},
        {"op": "add", "path": "/a/b/4", "value": 1},
        {"op": "add", "path": "/a/b/x", "value": 1},
        {"op": "add", "path": "/a/b/0/c", "value": 1},
        {"op": "remove", "path": "/nothing"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/a/b/3", "value": 1},
        {"op": "test", "path": "/a/b/0", "value": True},
        {"op": "move", "from": "/nothing", "path": "/x"},
        {"op": "nonsense", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "value": 1},
        {"path": "/a"},
        {},
    ],
)
def test_what_cannot_be_done_is_unprocessable(step):
    with pytest.raises(ApiError) as refused:
        json_patch(OBJECT, [step])
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert refused.value.message == "the server rejected our request due to an error in our request"


def test_copies_cannot_fill_the_memory():
    steps = [{"op": "add", "path": "/a", "value": "x" * 100_000}]
    steps += [{"op": "copy", "from": "/a", "path": f"/{number}"} for number in range(100)]
    with pytest.raises(ApiError):
        json_patch({}, steps)


def test_too_many_operations_are_too_large():
    with pytest.raises(ApiError) as refused:
        json_patch({}, [{"op": "test", "path": "/a"}] * 10_001)
    assert refused.value.code == 413


def test_an_object_must_come_out():
    with pytest.raises(ApiError) as refused:
        json_patch({}, [{"op": "replace", "path": "", "value": []}])
    assert refused.value.code == 400


# The examples of RFC 7386, appendix A, whose result is an object.
@pytest.mark.parametrize(
    ("current", "patch", "made"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(current, patch, made):
    assert merge_patch(current, patch) == made


def test_equality_is_that_of_json():
    assert same({"a": [1, 2.0]}, {"a": [1.0, 2]})
    assert not same(True, 1)
    assert not same([1], [1, 2])
    assert not same({"a": None}, {})
