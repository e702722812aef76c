# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many objects in little room, and all of them back again."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import leases, packing
from ansible_collections.netmedic.calico.plugins.module_utils._cluster.lists import Got

VALUES = st.recursive(
    st.booleans() | st.integers(0, 2) | st.floats(0, 1) | st.sampled_from(["", "a", "1"]),
    lambda inner: (
        st.lists(st.none() | inner, max_size=2)
        | st.lists(st.dictionaries(st.sampled_from("xy"), inner, max_size=2), max_size=2)
        | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@settings(max_examples=300)
@example(kinds=[{"a": {"x": False, "z": 1.0}}, {"a": {"x": [], "z": 1}}], order=[0, 0, 1])
@example(kinds=[{"a": [1.0]}, {"a": [1]}], order=[0, 0, 1])
@given(kinds=st.lists(OBJECTS, min_size=1, max_size=4), order=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_nothing_is_lost(kinds, order):
    objects = [copy.deepcopy(kinds[number % len(kinds)]) for number in order]
    objects *= packing.FEWEST // len(objects) + 1
    packed = json.loads(json.dumps(packing.pack(objects)))
    back = packing.unpack(packed)
    # As text, for to Python True is 1.
    assert json.dumps(back, sort_keys=True) == json.dumps(objects, sort_keys=True)


def node(number):
    return {
        "metadata": {"name": f"n{number}", "labels": {"os": "linux", "rack": f"r{number}"}},
        "status": {"conditions": [{"type": "Ready", "status": "True", "at": number}]},
    }


def test_what_it_looks_like():
    objects = [node(number) for number in range(200)]
    objects[7]["status"] = {"conditions": [{"type": "Ready", "status": "Unknown", "at": 7}]}
    objects[8]["status"] = {"conditions": []}
    del objects[9]["metadata"]["labels"]["os"]
    packed = packing.pack(objects)
    assert packed["like"] == {
        "metadata": {"labels": {"os": "linux"}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert packed["items"][5] == {
        "metadata": {"name": "n5", "labels": {"rack": "r5"}},
        "status": {"conditions": [{"at": 5}]},
    }
    assert packed["items"][7]["status"] == {"conditions": [{"status": "Unknown", "at": 7}]}
    assert packed["items"][8]["status"] == {"conditions": []}
    assert packed["items"][9]["metadata"]["labels"] == {"rack": "r9", "os": None}
    assert packing.unpack(packed) == objects


def test_few_stay_as_they_are():
    objects = [node(number) for number in range(packing.FEWEST - 1)]
    assert packing.pack(objects) == objects
    assert packing.unpack(objects) == objects


def test_objects_share_nothing():
    back = packing.unpack(packing.pack([node(1) for _number in range(200)]))
    back[0]["status"]["conditions"][0]["type"] = "changed"
    assert back[1] == node(1)


@pytest.mark.parametrize(
    "wrong", [None, 5, "x", {}, {"items": 5}, {"like": [], "items": [1]}, {"like": {}, "items": [None, 5]}]
)
def test_anything_else(wrong):
    assert isinstance(packing.unpack(wrong), list)
    assert isinstance(packing.unpacked({"nodes": wrong}), dict)
    assert packing.unpacked([wrong]) == {}


def test_no_depth_is_too_deep():
    like, one = {}, {}
    for _level in range(500):
        like, one = {"x": like}, {"x": one}
    assert packing.unpack({"like": like, "items": [one]})


def renewed(*times):
    objects = [{"metadata": {"name": f"n{number}"}, "spec": {"renewTime": at}} for number, at in enumerate(times)]
    return Got("leases", "ok", "", len(objects), objects)


def test_fresh_leases_of_many_are_not_listed():
    fresh = ["2026-11-21T00:00:00Z"] * 200
    got = renewed(*fresh, "2026-11-20T23:00:00Z", "garbage", "2026-11-21T01:00:00Z")
    left = leases.without_fresh(got, "Sat, 21 Nov 2026 00:00:10 GMT")
    assert [one["metadata"]["name"] for one in left.objects] == ["n200", "n201", "n202"]
    assert (left.number, left.detail) == (203, "200 that were renewed within 40 s are not listed.")
    assert leases.without_fresh(renewed(*fresh), "").objects == []
    # The whole control plane stood still.
    assert len(leases.without_fresh(renewed(*fresh), "Sat, 21 Nov 2026 00:10:00 GMT").objects) == 200


def test_leases_of_a_few_are_listed():
    got = renewed(*["2026-11-21T00:00:00Z"] * 3)
    assert leases.without_fresh(got, "Sat, 21 Nov 2026 00:00:10 GMT") == got


@pytest.mark.parametrize("date", ["x", "Sat, 99 Nov 99999 00:00:00 GMT", "," * 1000, "0 0 0 0"])
def test_headers_that_are_no_dates(date):
    assert leases.without_fresh(renewed(*["2026-11-21T00:00:00Z"] * 200), date).number == 200
