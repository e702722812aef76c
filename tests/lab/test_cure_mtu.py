# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role mtu by itself: an MTU that cannot be used goes, and the fault is put back exactly."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures

FAULT = "mtu_misconfigured_value"
NODE = "node-2"
SYSTEM = "kube-system"


run = functools.partial(cures.run, role="mtu")


def settings(lab):
    api = lab.api()
    agent = api.get(f"/apis/apps/v1/namespaces/{SYSTEM}/daemonsets/calico-node")
    return api.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/calico-config")["data"], agent["spec"]["template"]


@pytest.mark.thorough
def test_an_mtu_that_does_not_fit_goes_and_comes_back(lab, tmp_path):
    lab.make(FAULT, NODE, "config-map")
    broken = settings(lab)
    foretold = run(lab, tmp_path, "--check")
    assert settings(lab) == broken
    journal = str(tmp_path / "journal")
    done = run(lab, tmp_path, remediate_journal=journal)
    assert cures.changed(done) == 1
    assert cures.diffs(done) == cures.diffs(foretold) != []
    assert settings(lab)[0] == {**broken[0], "veth_mtu": "0"}
    assert cures.changed(run(lab, tmp_path)) == 0
    back = {"state": "undone", "journal": journal, "kubeconfig": "{{ collect_kubeconfig }}"}
    run(lab, tmp_path, task={"netmedic.calico.object_change": back}, hosts="localhost")
    assert settings(lab) == broken
