# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `kubectl get` shows of a pod's state, of ages, and of custom kinds."""

from __future__ import annotations

import pytest

from lab.api import jsonpath
from lab.api.durations import human
from lab.api.pod_cells import pod

NOW = 1_000_000_000.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (135, "2m15s"),
        (700, "11m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (47 * 3600, "47h"),
        (50 * 3600, "2d2h"),
        (400 * 86400, "400d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_durations(seconds, text):
    assert human(seconds) == text


def container(state, *, ready=False, restarts=0, last=None):
    found = {"name": "c", "ready": ready, "restartCount": restarts, "state": state}
    return {**found, "lastState": {"terminated": last}} if last else found


RUNNING = {"running": {"startedAt": "2001-09-09T01:46:40Z"}}
WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


@pytest.mark.parametrize(
    ("status", "cells"),
    [
        ({"phase": "Pending"}, ["0/1", "Pending", "0"]),
        ({"phase": "Running", "containerStatuses": [container(RUNNING, ready=True)]}, ["1/1", "Running", "0"]),
        (
            {
                "phase": "Running",
                "containerStatuses": [container(WAITING, restarts=3, last={"finishedAt": "2001-09-09T01:45:40Z"})],
            },
            ["0/1", "CrashLoopBackOff", "3 (60s ago)"],
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [container({"waiting": {"reason": "PodInitializing"}})]},
            ["0/1", "Init:0/1", "0"],
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [container({"terminated": {"exitCode": 1}})]},
            ["0/1", "Init:ExitCode:1", "0"],
        ),
        (
            {"phase": "Failed", "containerStatuses": [container({"terminated": {"signal": 9}})]},
            ["0/1", "Signal:9", "0"],
        ),
        ({"phase": "Failed", "reason": "Evicted"}, ["0/1", "Evicted", "0"]),
    ],
)
def test_a_pods_state(status, cells):
    obj = {"metadata": {"name": "p"}, "spec": {"containers": [{}], "initContainers": [{}]}, "status": status}
    assert pod(obj, NOW)[:3] == cells
    obj["metadata"]["deletionTimestamp"] = "2001-09-09T01:46:40Z"
    assert pod(obj, NOW)[1] == "Terminating"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".spec.cidr", "10.0.0.0/8"),
        (".spec.nothing.more", None),
        (".status.conditions[?(@.type=='Ready')].status", "True"),
        (".status.conditions[?(@.type=='Other')].status", None),
        (".metadata.annotations.a\\.b/c", None),
        (".metadata.annotations['a.b/c']", "x"),
    ],
)
def test_paths(path, value):
    obj = {
        "metadata": {"annotations": {"a.b/c": "x"}},
        "spec": {"cidr": "10.0.0.0/8"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert jsonpath.first(obj, path) == value
