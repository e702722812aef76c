# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role stale_nodes by itself: a Node whose machine is gone leaves the mesh, and is made anew as it was."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures
from lab import birdc, waiting
from lab.faults.membership import GHOST
from lab.services import SOCKETS

FAULT = "stale_node_in_mesh"
NODES = "/api/v1/nodes"
PEERS = "/apis/crd.projectcalico.org/v1/bgppeers"
PEER = {
    "apiVersion": "crd.projectcalico.org/v1",
    "kind": "BGPPeer",
    "metadata": {"name": "of-the-ghost"},
    "spec": {"node": GHOST, "peerIP": "10.200.0.254", "asNumber": 64600},
}


run = functools.partial(cures.run, role="stale_nodes")


def objects(lab):
    """Nodes and BGPPeers without what the server counts and what controllers write."""
    found = {}
    for one in [*lab.api().get(NODES)["items"], *lab.api().get(PEERS)["items"]]:
        meta, spec = one["metadata"], one.get("spec") or {}
        kept = {key: value for key, value in spec.items() if key != "taints"}
        found[meta["name"]] = [meta.get("labels"), meta.get("annotations"), kept]
    return found


def peers(lab):
    return set(birdc.sessions(lab.machine("node-2"), SOCKETS["ipv4"]))


@pytest.mark.thorough
def test_a_node_that_is_gone_leaves_the_mesh_and_comes_back(lab, tmp_path):
    lab.make(FAULT, variant="node-object")
    lab.api().create(PEERS, PEER)
    try:
        broken, dialled = objects(lab), peers(lab)
        names = {"stale_nodes_names": [GHOST]}
        foretold = run(lab, tmp_path, "--check", **names)
        assert f"{GHOST} is gone: its kubelet is silent for 2 h and nobody answers for 10.200.0.200" in foretold
        assert objects(lab) == broken
        journal = str(tmp_path / "journal.jsonl")
        done = run(lab, tmp_path, remediate_journal=journal, **names)
        assert cures.changed(done) == 1
        assert cures.diffs(done) == cures.diffs(foretold) != []
        assert "Deleted, in this order: BGPPeer of-the-ghost and Node node-gone." in done
        assert set(broken) - set(objects(lab)) == {GHOST, "of-the-ghost"}
        waiting.until(lambda: "" if len(peers(lab)) < len(dialled) else "not yet", "the ghost to leave", 30)
        again = run(lab, tmp_path, **names)
        assert cures.changed(again) == 0
        assert "10.244.200.0/26" in again
        undo = {"state": "undone", "journal": journal, "kubeconfig": cures.account(lab, "")}
        run(lab, tmp_path, task={"netmedic.calico.object_change": undo, "delegate_to": "localhost", "run_once": True})
        assert objects(lab) == broken
    finally:
        lab.api().delete(f"{PEERS}/of-the-ghost")
