# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of active faults."""

from __future__ import annotations

import pytest

from lab.faults import active
from lab.state import State


@pytest.fixture
def state(tmp_path):
    made = State(tmp_path / "lab")
    made.create()
    return made


def record(fault, node, **more):
    return {"id": fault, "node": node, "variant": "v", "patch": {}, "undo": {}, **more}


def test_none_at_first(state):
    assert active.listed(state) == []
    assert active.patches(state) == []


def test_they_keep_their_order_and_replace_themselves(state):
    active.put(state, record("a", "node-1"))
    active.put(state, record("b", "node-1", patch={"as_number": 1}))
    active.put(state, record("a", "node-2", patch={"as_number": 2}))
    assert [active.key(each) for each in active.listed(state)] == [("a", "node-1"), ("b", "node-1"), ("a", "node-2")]
    assert active.patches(state) == [{"as_number": 1}, {"as_number": 2}]
    active.put(state, record("b", "node-1", patch={"as_number": 3}))
    assert active.patches(state) == [{"as_number": 3}, {"as_number": 2}], "a record keeps its place when it is updated"


def test_one_is_dropped(state):
    active.put(state, record("a", "node-1"))
    active.put(state, record("a", "node-2"))
    active.drop(state, record("a", "node-1"))
    assert [active.key(each) for each in active.listed(state)] == [("a", "node-2")]
