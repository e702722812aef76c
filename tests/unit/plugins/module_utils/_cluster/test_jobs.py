# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs at once: bounded, in order where one needs another, and not longer than there is time."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import jobs


def run(added, workers=4, seconds=5.0):
    taken = []
    running = jobs.Jobs(workers, lambda name, result, error: taken.append((name, result, error)))
    for one in added:
        running.add(*one)
    return taken, running.run(time.monotonic() + seconds)


def test_all_are_done():
    taken, left = run([(f"job-{n}", lambda n=n: n) for n in range(50)])
    assert sorted(result for _name, result, _error in taken) == list(range(50))
    assert left == []


def test_one_after_another():
    order = []
    added = [
        ("b", lambda: order.append("b"), ["a"]),
        ("c", lambda: order.append("c"), ["a", "b"]),
        ("a", lambda: order.append("a")),
    ]
    run(added)
    assert order == ["a", "b", "c"]


def test_a_job_may_add_jobs():
    taken = []
    running = jobs.Jobs(2, lambda name, _result, _error: taken.append(name))
    running.add("first", lambda: running.add("second", lambda: None, ["first"]))
    assert running.run(time.monotonic() + 5) == []
    assert taken == ["first", "second"]


def test_failures_are_told_and_cost_nobody_else():
    def fail():
        raise ValueError("x")

    taken, left = run([("bad", fail), ("after", lambda: 1, ["bad"])])
    assert [(name, result, type(error)) for name, result, error in taken] == [
        ("bad", None, ValueError),
        ("after", 1, type(None)),
    ]
    assert left == []


def test_no_more_at_once_than_allowed():
    lock, now, most = threading.Lock(), [0], [0]

    def work():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1

    run([(f"job-{n}", work) for n in range(20)], workers=3)
    assert most[0] <= 3


def test_one_that_hangs_is_left_behind():
    began = time.monotonic()
    taken, left = run(
        [("hangs", lambda: time.sleep(3)), ("fine", lambda: 1), ("after", lambda: 2, ["hangs"])], seconds=0.3
    )
    assert time.monotonic() - began < 2
    assert [name for name, _result, _error in taken] == ["fine"]
    assert left == ["hangs", "after"]


def test_a_job_that_waits_for_nobody_known_does_not_hold_up():
    assert run([("x", lambda: 1, ["nobody"])]) == ([], ["x"])


def test_limited():
    assert jobs.limited(lambda: 7, 5) == (True, 7)
    assert jobs.limited(lambda: time.sleep(2), 0.1) == (False, None)
    with pytest.raises(ZeroDivisionError):
        jobs.limited(lambda: 1 / 0, 5)
