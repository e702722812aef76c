# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ippool_encapsulation by itself: the pool gets its mode, and the fault is put back exactly."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures
from lab.api_client import CALICO

FAULT = "encapsulation_disabled_but_needed"
NODE = "node-2"
POOL = "default-ipv4-ippool"


run = functools.partial(cures.run, role="ippool_encapsulation")


def spec(lab):
    return lab.api().get(f"{CALICO}/ippools/{POOL}")["spec"]


@pytest.mark.parametrize("topology", ["two_subnets"])
def test_a_pool_is_encapsulated_between_subnets_and_put_back(lab, tmp_path, topology):
    lab.make(FAULT, NODE, "router")
    broken = spec(lab)
    assert broken["ipipMode"] == "Never"
    closed = ["iptables-nft", "-I", "INPUT", "-p", "udp", "--dport", "4789", "-j", "DROP"]
    lab.exec(NODE, closed)
    try:
        told = run(lab, tmp_path, rc=2, ippool_encapsulation_vxlan="CrossSubnet")
    finally:
        lab.exec(NODE, ["iptables-nft", "-D", *closed[2:]])
    assert f"{NODE} drops VXLAN (UDP 4789)" in told
    foretold = run(lab, tmp_path, "--check")
    assert spec(lab) == broken
    journal = str(tmp_path / "journal")
    done = run(lab, tmp_path, remediate_journal=journal)
    assert cures.changed(done) == 1
    assert cures.diffs(done) == cures.diffs(foretold) != []
    assert spec(lab) == {**broken, "ipipMode": "CrossSubnet"}
    assert cures.changed(run(lab, tmp_path)) == 0
    back = {"state": "undone", "journal": journal, "kubeconfig": "{{ collect_kubeconfig }}"}
    run(lab, tmp_path, task={"netmedic.calico.object_change": back}, hosts="localhost")
    assert spec(lab) == broken
