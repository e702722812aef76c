# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ip_autodetection by itself: every node gets its right address, and the fault is put back exactly."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures
from lab import waiting

FAULT = "wrong_ip_autodetection"
NODE = "node-2"
AGENT = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"


run = functools.partial(cures.run, role="ip_autodetection")


def template(lab):
    return lab.api().get(AGENT)["spec"]["template"]


def registered(lab):
    found = lab.api().get(f"/api/v1/nodes/{NODE}")["metadata"]["annotations"]
    return found["projectcalico.org/IPv4Address"].partition("/")[0]


@pytest.mark.thorough
def test_the_right_address_is_registered_and_the_fault_put_back(lab, tmp_path):
    lab.make(FAULT, NODE, "second-nic")
    broken, wrong = template(lab), registered(lab)
    assert wrong.startswith("192.168.77.")
    foretold = run(lab, tmp_path, "--check")
    assert (template(lab), registered(lab)) == (broken, wrong)
    journal = str(tmp_path / "journal")
    done = run(lab, tmp_path, remediate_journal=journal)
    assert cures.changed(done) == 1
    assert cures.diffs(done) == cures.diffs(foretold) != []
    assert registered(lab) == lab.plan.node(NODE).address
    assert cures.changed(run(lab, tmp_path)) == 0
    back = {"state": "undone", "journal": journal, "kubeconfig": "{{ collect_kubeconfig }}"}
    run(lab, tmp_path, task={"netmedic.calico.object_change": back}, hosts="localhost")
    assert template(lab) == broken
    waiting.until(lambda: "" if registered(lab) == wrong else "not yet", "the wrong address", 60)
