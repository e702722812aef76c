# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts by node, and memory that does not grow with what is counted."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import counting, happenings


def table(*rows):
    columns = ("Name", "Ready", "Status", "Restarts", "Age", "IP", "Node")
    cells = [[*("p", "1/1", state, "0", "1d"), address, node] for state, address, node in rows]
    return {
        "kind": "Table",
        "columnDefinitions": [{"name": name} for name in columns],
        "rows": [{"cells": one} for one in cells],
    }


def test_pods():
    pods = counting.Pods(["10.0.0.1"])
    pods.take(
        table(
            ("Running", "10.244.0.1", "n1"),
            ("CrashLoopBackOff", "10.244.0.2", "n1"),
            ("Running", "10.0.0.1", "n1"),
            ("Completed", "10.244.0.3", "n1"),
            ("Pending", "<none>", "<none>"),
            ("Running", "10.244.1.1", "n2"),
        )
    )
    calico = [{"spec": {"nodeName": "n2"}, "status": {"podIP": "10.244.1.1", "phase": "Running"}}]
    assert pods.by_node == {"n1": 2, "n2": 1}
    assert pods.others(calico) == {"n1": 2}
    assert pods.seen == 6
    pods.begin()
    assert (pods.others([]), pods.seen) == ({}, 0)


@pytest.mark.parametrize(
    "page", [{}, {"kind": "Table"}, {"items": [None, 5, {}, {"spec": 5}]}, table(), {"kind": "Table", "rows": 5}]
)
def test_pages_of_any_shape(page):
    for counter in (counting.Pods([]), counting.Endpoints(), happenings.Newest(), happenings.Newest(["x"])):
        counter.take(page)
        counter.take({**page, "rows": [None, {"cells": [5]}]})


def piece(service, *nodes, ready=True):
    endpoints = [{"nodeName": node, "conditions": {"ready": ready}} for node in nodes]
    return {"metadata": {"namespace": "n", "labels": {"kubernetes.io/service-name": service}}, "endpoints": endpoints}


def test_services():
    counter = counting.Endpoints()
    counter.take({"items": [piece("a", "n1", "n1", "n2"), piece("b", "n1"), piece("c", "n3", ready=False)]})
    counter.take({"items": [piece("a", "n1", "n3")]})
    assert counter.by_node == {"n1": 2, "n2": 1, "n3": 1}


def test_no_more_is_kept_of_many_services():
    counter = counting.Endpoints()
    for number in range(5000):
        counter.take({"items": [piece(f"service-{number}", f"n{number % 10}")]})
    assert counter.by_node == {f"n{number}": 500 for number in range(10)}
    assert len(counter._nodes_of) <= 512


def event(at, kind="Node", name="n1", sort="Warning", **more):
    return {
        "involvedObject": {"kind": kind, "name": name},
        "type": sort,
        "lastTimestamp": f"2026-11-21T{at:06}Z",
        **more,
    }


def test_the_newest_events_are_kept():
    keep = happenings.Newest()
    keep.take({"items": [event(number) for number in range(1000)] + [event(5, sort="Normal"), event(5, kind="Pod")]})
    found = keep.found()
    assert len(found) == happenings.MOST_WARNINGS + 1
    assert found[0]["lastTimestamp"] == "2026-11-21T000999Z"
    assert found[-1]["type"] == "Normal"


def test_events_of_calico_only():
    keep = happenings.Newest(["calico-node", "calico-typha"])
    names = ("calico-node-x", "calico-typha-5f-y", "coredns-z")
    keep.take({"items": [event(1, "Pod", name) for name in names] + [event(1, "Secret", "calico-node-x")]})
    assert [one["involvedObject"]["name"] for one in keep.found()] == ["calico-typha-5f-y", "calico-node-x"]


def test_when_an_event_was_seen_last():
    assert (
        happenings.time_of({"eventTime": "2026-11-21T00:00:00.000000Z", "series": {"lastObservedTime": "2026-11-22"}})
        == "2026-11-22"
    )
    assert happenings.time_of({}) == ""


def test_counting_takes_no_room_per_pod():
    pods = counting.Pods([])
    for _number in range(50):
        pods.take(table(*[("Running", f"10.244.{n // 200}.{n % 200}", f"n{n % 7}") for n in range(500)]))
    assert sum(pods.by_node.values()) == 25_000
    assert sys.getsizeof(pods.by_node) < 2000
