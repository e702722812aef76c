# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role node_recovery by itself: cordoned, saved, replaced, uncordoned; or left alone."""

from __future__ import annotations

import functools
import subprocess

from ansible_collections.netmedic.calico.tests.lab import cures
from lab import birdc

NODE = "node-2"


run = functools.partial(cures.run, role="node_recovery")


def kubectl(lab, *words):
    done = subprocess.run(
        ["kubectl", "--kubeconfig", cures.account(lab, ""), *words], capture_output=True, text=True, check=True
    )
    return done.stdout


def pod(lab):
    where = ("-A", "-l", "k8s-app=calico-node", "--field-selector", f"spec.nodeName={NODE}")
    return kubectl(lab, "get", "pods", *where, "-o", "jsonpath={.items[*].metadata.uid}")


def test_a_bad_node_is_cordoned_saved_replaced_and_uncordoned(lab, tmp_path):
    lab.make("bird_not_running", NODE)
    before, bundle = pod(lab), tmp_path / "bundle"
    said = run(lab, tmp_path, rc=2)
    assert ("give node_recovery_bundle_dir" in said, cures.changed(said)) == (True, 0)
    said = run(lab, tmp_path, "--check", node_recovery_bundle_dir=str(bundle))
    assert (pod(lab), bundle.exists()) == (before, False), said
    run(lab, tmp_path, node_recovery_bundle_dir=str(bundle))
    assert (bundle / "nodes" / NODE / "facts.json").exists()
    assert pod(lab) not in ("", before)
    assert all(one.established for one in birdc.sessions(lab.machine(NODE)).values())
    assert kubectl(lab, "get", "node", NODE, "-o", "jsonpath={.spec.unschedulable}") == ""
    assert cures.changed(run(lab, tmp_path, node_recovery_bundle_dir=str(bundle))) == 0
