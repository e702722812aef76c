# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks remediate and rollback: shown, made, proven, put back exactly, made again; stopped at a failed step."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures, playing
from lab.api_client import CALICO
from scripts.paths import VENV

BLOCKED, CLOSED = "node-2", "node-3"
# /proc counts what is loaded and the files' times; neither is a setting.
STATE = (
    "iptables-nft-save; iptables-legacy-save; nft list ruleset; sysctl -ae | grep -E 'ip_forward|conf.*forwarding'; "
    "cd /etc; find sysctl.conf sysctl.d iptables ufw -type f 2>/dev/null | sort | xargs md5sum"
)
POOL = f"{CALICO}/ippools/default-ipv4-ippool"


@pytest.fixture
def cluster(lab):
    yield lab
    for node in lab.nodes:
        lab.exec(node.name, ["sh", "-c", f"rm -rf {cures.RECORDS} /etc/sysctl.d/zz-netmedic-calico.conf"], check=False)


@pytest.fixture
def play(cluster, tmp_path):
    """Run one of the playbooks."""

    def run(name, *arguments, **variables):
        return playing.Playing(cluster, tmp_path, name, *arguments, **variables).wait()

    return run


def settings(lab):
    """Rules, kernel settings and files of all nodes, without counters and times."""
    told = {node.name: lab.exec(node.name, ["sh", "-c", f"{STATE}; true"]).stdout for node in lab.nodes}
    return {name: cures.lasting(text) for name, text in told.items()}


def runs(tmp_path):
    return sorted((path for path in (tmp_path / "runs").glob("*") if (path / "plan.json").exists()), key=str)


def test_shown_made_put_back_and_made_again(cluster, play, tmp_path):
    lab = cluster
    lab.make("tcp179_blocked_host_firewall", BLOCKED, "iptables-nft")
    lab.make("ip_forward_off", CLOSED)
    broken = settings(lab)
    allowed = {"remediate_apply": True, "remediate_max_nodes": "2"}

    shown = play("remediate", "--check", **allowed)
    assert shown.status == 0, shown.text
    assert settings(lab) == broken
    assert not (tmp_path / "runs").exists()

    # A step that fails ends it: what is after it is not begun, and the host undoes it by itself.
    stopped = play(
        "remediate",
        **allowed,
        host_network_expect=["10.200.0.250"],
        host_network_gate_seconds=2,
        host_network_confirm_within=20,
    )
    assert stopped.status == 2, stopped.text
    assert settings(lab) == broken
    assert "Not begun: bgp_firewall" in stopped.text
    assert "host_network (step 1, node-3) failed: After 2 seconds BGP sessions that were expected" in stopped.text

    made = play("remediate", **allowed)
    assert made.status == 0, made.text
    assert made.changes == shown.changes != []
    healed = settings(lab)
    assert {name for name, told in healed.items() if told != broken[name]} == {BLOCKED, CLOSED}
    run = runs(tmp_path)[-1]
    ledger = json.loads((run / "ledger.json").read_text(encoding="utf-8"))
    assert (ledger["worse"], ledger["sessions"]["after"]) == ([], 12)
    assert {"tcp179_blocked_host_firewall@node-2", "ip_forward_off@node-3"} <= set(ledger["findings"]["gone"])
    assert (run / "bundle" / "nodes" / BLOCKED / "facts.json").is_file()

    again = play("remediate", **allowed)
    assert again.status == 0, again.text
    assert "Plan: nothing is to be repaired" in again.text
    assert settings(lab) == healed

    back = play("rollback", rollback_run=run.name)
    assert back.status == 0, back.text
    assert settings(lab) == broken
    assert settings(lab) != healed

    forward = play("remediate", **allowed, remediate_approved=json.loads((run / "plan.json").read_text())["id"])
    assert forward.status == 0, forward.text
    assert settings(lab) == healed
    play("rollback", rollback_run=str(runs(tmp_path)[-1]))


@pytest.mark.thorough
def test_objects_are_put_back_unless_somebody_else_has_changed_them(cluster, play, tmp_path):
    lab = cluster
    kept = tmp_path / "runs" / "20260102T030405Z-abcdef"
    kept.mkdir(parents=True)
    (kept / "plan.json").write_text(
        json.dumps({"run": kept.name, "lock": "kube-system", "steps": [{"role": "netmedic.calico.x", "hosts": []}]})
    )
    change = {"action": "patch", "api_version": "crd.projectcalico.org/v1", "kind": "IPPool"}
    change.update(
        name="default-ipv4-ippool", patch={"metadata": {"labels": {"a": "b"}}, "spec": {"natOutgoing": False}}
    )
    task = {"changes": [change], "journal": str(kept / "objects.jsonl")}
    task["kubeconfig"] = cures.account(lab)
    argv = [str(VENV / "bin" / "ansible"), "localhost", "-m", "netmedic.calico.object_change", "-a", json.dumps(task)]
    before = lab.api().get(POOL)
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, **playing.ENVIRONMENT}, cwd=tmp_path)
    assert lab.api().get(POOL)["spec"]["natOutgoing"] is False

    lab.api().patch(POOL, {"metadata": {"labels": {"a": "other"}}})
    refused = play("rollback", rollback_run=kept.name)
    assert refused.status == 2, refused.text
    assert (
        "metadata.labels.a of IPPool default-ipv4-ippool is not put back: somebody has changed it since" in refused.text
    )
    assert lab.api().get(POOL)["spec"]["natOutgoing"] is False

    lab.api().patch(POOL, {"metadata": {"labels": {"a": "b"}}})
    back = play("rollback", rollback_run=kept.name)
    assert back.status == 0, back.text
    assert lab.api().get(POOL)["spec"] == before["spec"]
    assert lab.api().get(POOL)["metadata"].get("labels", {}) == before["metadata"].get("labels", {})
