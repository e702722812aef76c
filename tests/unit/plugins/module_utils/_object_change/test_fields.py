# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths, merge patches, and what differs: putting differences back gives what was there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import fields
from ansible_collections.netmedic.calico.plugins.module_utils._object_change.fields import ABSENT

ENV = ["spec", "containers", {"name": "calico-node"}, "env"]


def pod(*variables):
    return {"spec": {"containers": [{"name": "other"}, {"name": "calico-node", "env": list(variables)}]}}


def test_the_example_of_rfc_7386():
    found = {"title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"}, "tags": ["example", "sample"]}
    patch = {"title": "Hello!", "phoneNumber": "+01", "author": {"familyName": None}, "tags": ["example"]}
    wanted = {"title": "Hello!", "author": {"givenName": "John"}, "tags": ["example"], "phoneNumber": "+01"}
    assert fields.merged(found, patch) == wanted
    assert found["title"] == "Goodbye!"
    assert fields.patch_between(found, wanted) == patch


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, True, False), (0, False, False), (1, 1.0, True), ({"a": [1]}, {"a": [True]}, False), (None, 0, False)],
)
def test_sameness_is_that_of_json(one, other, same):
    assert fields.same(one, other) is same


def test_items_of_lists_are_found_by_their_names():
    found = pod({"name": "IP", "value": "autodetect"})
    assert fields.at(found, [*ENV, {"name": "IP"}, "value"]) == "autodetect"
    assert fields.at(found, [*ENV, {"name": "IP6"}]) is ABSENT
    fields.put(found, [*ENV, {"name": "IP6"}, "value"], "none")
    assert fields.at(found, ENV) == [{"name": "IP", "value": "autodetect"}, {"name": "IP6", "value": "none"}]
    fields.remove(found, [*ENV, {"name": "IP"}])
    assert fields.at(found, ENV) == [{"name": "IP6", "value": "none"}]
    assert fields.shown([*ENV, {"name": "IP"}, "value"]) == "spec.containers[calico-node].env[IP].value"


def test_what_stands_in_the_way_is_told():
    with pytest.raises(ValueError, match="no object"):
        fields.put({"spec": 1}, ["spec", "a", "b"], 1)
    with pytest.raises(ValueError, match="no list"):
        fields.put({"spec": {"containers": {}}}, ["spec", "containers", {"name": "x"}], 1)


def test_expectations():
    found = {"spec": {"a": 1, "b": {"c": [1, 2]}}}
    assert fields.unmet(found, {"spec": {"a": 1, "d": None, "b": {"c": [1, 2]}}}) is None
    assert fields.unmet(found, {"spec": {"b": {"c": [1]}}}) == ("spec", "b", "c")
    assert fields.unmet(found, {"spec": {"a": None}}) == ("spec", "a")
    assert fields.unmet(found, {"spec": {"d": {"e": 1}}}) == ("spec", "d", "e")
    assert fields.unmet(found, {"spec": {"a": {"x": None}}}) == ("spec", "a")


def test_differences_are_the_smallest_fields():
    before = pod({"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"})
    after = pod({"name": "A", "value": "1"}, {"name": "C", "value": "4"}, {"name": "D", "value": "5"})
    told = [(fields.shown(one.path), one.before, one.after, one.place) for one in fields.differences(before, after)]
    where = "spec.containers[calico-node].env"
    assert told == [
        (f"{where}[C].value", "3", "4", 0),
        (f"{where}[B]", {"name": "B", "value": "2"}, ABSENT, 1),
        (f"{where}[D]", ABSENT, {"name": "D", "value": "5"}, 2),
    ]


def test_what_the_server_counts_is_no_difference():
    meta = {"uid": "u", "resourceVersion": "1", "managedFields": [], "annotations": {fields._COUNTER: "1"}}
    other = {**meta, "resourceVersion": "2", "annotations": {fields._COUNTER: "2"}}
    assert fields.differences({"metadata": meta, "status": 1}, {"metadata": other, "status": 2}) == []


def test_an_object_that_came_with_its_field_goes_with_it():
    (one,) = fields.differences({"metadata": {}}, {"metadata": {"annotations": {"a": "b"}}})
    assert (one.path, one.created) == (("metadata", "annotations", "a"), 1)
    found = {"metadata": {"annotations": {"a": "b"}}}
    fields.remove(found, one.path, one.created)
    assert found == {"metadata": {}}
    other = {"metadata": {"annotations": {"a": "b", "theirs": "c"}}}
    fields.remove(other, one.path, one.created)
    assert other == {"metadata": {"annotations": {"theirs": "c"}}}


def test_what_is_too_deep():
    found = {}
    inner = found
    for _depth in range(500):
        inner["a"] = inner = {}
    assert fields.is_too_deep(found)
    assert not fields.is_too_deep(pod({"name": "A"}))


NAMES = st.sampled_from(["a", "b", "c", "name"])
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(0, 3), st.sampled_from(["", "x", "y"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(NAMES, inner, max_size=3),
        st.lists(st.fixed_dictionaries({"name": st.sampled_from("pqrs"), "v": inner}), max_size=4),
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_patch_between_two_objects_makes_one_into_the_other(before, after):
    assert fields.same(fields.merged(before, fields.patch_between(before, after)), after)


@given(OBJECTS, OBJECTS)
def test_differences_put_back_give_what_was_there(before, after):
    found = fields.copied(after)
    for one in reversed(fields.differences(before, after)):
        if one.before is ABSENT:
            fields.remove(found, one.path, one.created)
        else:
            fields.put(found, one.path, one.before, one.place)
    assert fields.same(_full(found), _full(before))


def _full(found):
    """Without empty objects: whether one was there before a field that was in it is not kept."""
    if isinstance(found, dict):
        return {name: _full(value) for name, value in found.items() if _full(value) != {}}
    return found
