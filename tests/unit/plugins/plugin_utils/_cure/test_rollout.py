# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long calico-node's pods may take to be made anew, and what is still to come."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import objects
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import rollout


def strategy(kube, kind="RollingUpdate", **more):
    kube.objects["daemonsets"][0]["spec"]["updateStrategy"] = {"type": kind, **more}


@pytest.mark.parametrize(("most", "expected"), [(1, 6060), (10, 660), ("25%", 300), ("odd", 6060)])
def test_a_minute_for_those_that_are_restarted_together(kube, most, expected):
    kube.objects["daemonsets"][0]["status"]["desiredNumberScheduled"] = 100
    strategy(kube, rollingUpdate={"maxUnavailable": most})
    assert rollout.seconds(kube.cluster()) == expected


def test_a_small_cluster_gets_five_minutes(kube):
    assert rollout.seconds(kube.cluster()) == rollout.seconds(None) == 300


def test_what_is_still_to_come(kube):
    before = kube.cluster()
    found = kube.objects["daemonsets"][0]
    found["metadata"]["generation"] = 2
    found["status"].update(observedGeneration=1, updatedNumberScheduled=0)
    assert list(rollout.waits(kube.cluster(), before)) == [
        "DaemonSet calico-node was not looked at by its controller yet"
    ]
    found["status"].update(observedGeneration=2, updatedNumberScheduled=4, numberReady=2)
    assert list(rollout.waits(kube.cluster(), before)) == ["DaemonSet calico-node has 2 ready pods, and had 4 before"]
    waits = list(rollout.waits(kube.cluster(), before, 3))
    assert waits[0] == "the operator has not changed DaemonSet calico-node yet"
    strategy(kube, rollout.ON_DELETE)
    assert list(rollout.waits(kube.cluster(), before)) == []
    gone = objects.read({"reached": False, "why": "refused"})
    assert list(rollout.waits(gone, before)) == ["the API does not tell of calico-node: refused"]
