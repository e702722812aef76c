# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role operator_migration by itself: what the operator waits for is told, and a node that fell between both
DaemonSets gets its calico-node back."""

from __future__ import annotations

import functools

from ansible_collections.netmedic.calico.tests.lab import cures
from lab import waiting
from lab.faults.operator_migration import LABEL

NODE = "node-4"
PODS = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dcalico-node"


run = functools.partial(cures.run, role="operator_migration")


def labels(lab):
    nodes = lab.api().get("/api/v1/nodes")["items"]
    return {one["metadata"]["name"]: (one["metadata"].get("labels") or {}).get(LABEL) for one in nodes}


def has_pod(lab):
    pods = [one for one in lab.api().get(PODS)["items"] if "deletionTimestamp" not in one["metadata"]]
    return any(one["spec"].get("nodeName") == NODE for one in pods)


def until(condition, what):
    waiting.until(lambda: "" if condition() else "not yet", what, 30)


def test_a_node_that_no_daemonset_wants_comes_back(lab, tmp_path):
    case = lab.make("operator_migration_stuck")
    lab.api().patch(f"/api/v1/nodes/{NODE}", {"metadata": {"labels": {LABEL: None}}})
    until(lambda: not has_pod(lab), "the pod to go")
    broken = labels(lab)
    foretold = run(lab, tmp_path, "--check")
    assert labels(lab) == broken
    journal = str(tmp_path / "journal.jsonl")
    done = run(lab, tmp_path, remediate_journal=journal)
    assert cures.changed(done) == 1
    assert cures.diffs(done) == cures.diffs(foretold) != []
    assert labels(lab) == {**broken, NODE: "pre-operator"}
    until(lambda: has_pod(lab), "the pod to come back")
    # What is left is a person's: the image that cannot be had.
    again = run(lab, tmp_path, rc=2)
    assert cures.changed(again) == 0
    assert "the move waits for what this role does not do" in again
    assert f"On {case.target} " in again
    undo = {"state": "undone", "journal": journal, "kubeconfig": cures.account(lab, "")}
    run(lab, tmp_path, task={"netmedic.calico.object_change": undo, "delegate_to": "localhost", "run_once": True})
    assert labels(lab) == broken
