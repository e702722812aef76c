# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and the lock, in a folder of the test's."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import record
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError


@pytest.fixture
def store(tmp_path):
    one = record.Store(str(tmp_path / "lib" / "changes"), str(tmp_path / "lock"))
    one.prepare(100)
    return one


def test_a_record_comes_back_as_it_was(store):
    told = {"schema": 1, "id": "a", "state": "armed", "changes": []}
    store.save(told)
    assert store.load("a") == told
    assert store.names() == ["a"]
    assert os.stat(store.path("a")).st_mode & 0o777 == 0o600
    assert store.load("b") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 2, "changes": []}', '{"schema": 1}', "[" * 100000])
def test_a_record_that_is_none(store, text):
    with open(store.path("a"), "w") as stream:
        stream.write(text)
    with pytest.raises(RefusedError, match=r"the record .* (cannot be read|is not one of this version)"):
        store.load("a")


def test_what_is_overdue():
    armed = {"state": "armed", "boot_id": record.boot_id(), "until_seconds": record.now() + 60}
    assert not record.is_overdue(armed)
    assert record.is_overdue(dict(armed, boot_id="another"))
    assert record.is_overdue(dict(armed, until_seconds=record.now()))
    assert not record.is_overdue(dict(armed, state="confirmed", until_seconds=0))


def test_one_has_the_lock(store):
    first, second = record.Lock(store), record.Lock(store)
    first.take("a@b", "one")
    with pytest.raises(RefusedError, match=r"this host is being changed by a@b since \S+ \(one, process \d+\)"):
        second.take("c@d", "two")
    first.let_go()
    second.take("c@d", "two")
    second.let_go()


@pytest.mark.parametrize("name", ["", "..", ".a", "a/b", "a b", "a" * 101, "a\n"])
def test_what_is_no_id(name):
    with pytest.raises(RefusedError):
        record.check_id(name)
