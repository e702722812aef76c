# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import typing

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils import _record


@pytest.fixture(params=[_record.NamedTuple, typing.NamedTuple], ids=["ours", "typing"])
def record(request):
    """The same record by our base class and by the one that it stands in for: all that is said here holds for both."""

    class Record(request.param):
        """A record."""

        name: str
        port: int | None
        kind: str = "Mesh"
        up: bool = True

        @property
        def shown(self) -> str:
            return f"{self.name} {self.kind}"

    return Record


def test_a_record_is_a_tuple_with_names(record):
    one = record("a", None, "Node", False)

    assert one == ("a", None, "Node", False)
    assert (one.name, one.port, one.kind, one.up, one.shown) == ("a", None, "Node", False, "a Node")
    assert record._fields == ("name", "port", "kind", "up")
    assert hash(one) == hash(("a", None, "Node", False))
    assert min(record("b", 1), record("a", 2)).name == "a"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (("a", 1), {}),
        (("a",), {"port": 1}),
        ((), {"port": 1, "name": "a"}),
        (("a", 1, "Mesh"), {}),
        (("a", 1), {"up": True}),
        ((), {"up": True, "kind": "Mesh", "port": 1, "name": "a"}),
    ],
)
def test_every_way_to_make_one(record, values, named):
    assert record(*values, **named) == ("a", 1, "Mesh", True)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        (("a",), {}),
        (("a", 1, "Mesh", True, 5), {}),
        (("a", 1), {"port": 2}),
        (("a", 1), {"other": 2}),
        (("a",), {"kind": "Node", "up": False}),
        (("a", 1, "Mesh", True), {"up": True}),
    ],
)
def test_no_other_way(record, values, named):
    with pytest.raises(TypeError):
        record(*values, **named)


def test_one_with_another_value(record):
    one = record("a", 1)

    assert one._replace(port=2, up=False) == ("a", 2, "Mesh", False)
    assert isinstance(one._replace(port=2), record)
    assert one.port == 1


def test_a_value_that_there_is_no_field_for(record):
    with pytest.raises((TypeError, ValueError)):
        record("a", 1)._replace(other=2)


def test_nothing_can_be_set(record):
    one = record("a", 1)

    with pytest.raises(AttributeError):
        one.port = 2
    with pytest.raises(AttributeError):
        one.other = 2


def test_what_it_looks_like(record):
    one = record("a", None)

    assert repr(one) == "Record(name='a', port=None, kind='Mesh', up=True)"
    assert list(one._asdict().items()) == [("name", "a"), ("port", None), ("kind", "Mesh"), ("up", True)]
    assert record.__doc__ == "A record."


def test_copies(record):
    one = record("a", None)

    assert isinstance(copy.copy(one), record)
    assert copy.deepcopy(one) == one
