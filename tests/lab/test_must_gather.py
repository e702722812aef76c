# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of a broken mesh, as a user makes it: it gives the same diagnosis, and the mesh is left as it was."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline
from ansible_collections.netmedic.calico.tests.lab.test_harmless import all_sessions, everything, unchanged
from matrix.diagnosis import ANSIBLE, LIMIT, without_python
from scripts.paths import ROOT

LOGS = "/var/log/pods/kube-system_calico-node-abcde_1"
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: x, user: x}}]
clusters: [{name: x, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: x, user: {token: x}}]
"""


@pytest.fixture
def gather(lab, tmp_path):
    """Run the playbook as a user would: its exit status, what was printed, the archive ('' if none was written)."""

    def run(*arguments):
        folder = tmp_path / "archives"
        argv = [str(ANSIBLE), "netmedic.calico.must_gather", "-i", lab.inventory, "-e", f"must_gather_dir={folder}"]
        environ = {**os.environ, "ANSIBLE_FORKS": "10", "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            [*argv, *arguments], capture_output=True, text=True, timeout=LIMIT, check=False, env=environ, cwd=ROOT
        )
        written = sorted(folder.glob("*")) if folder.is_dir() else []
        assert len(written) <= 1
        return done.returncode, done.stdout + done.stderr, str(written[0]) if written else ""

    return run


def unpack(path):
    with tarfile.open(path) as archive:
        told = {one.name.partition("/")[2]: archive.extractfile(one) for one in archive.getmembers()}
        return {name: stream.read().decode() for name, stream in told.items()}


def of_report(report):
    # Two runs, one after the other: how sure they are may differ by what BIRD was just doing, and only the first may
    # tell that the lab was started a moment ago.
    told = [one for one in report["findings"] if one["severity"] != "info"]
    return [(one["fault"], one["nodes"], one["severity"], one["where"]) for one in told]


def test_the_archive_gives_the_diagnosis_of_the_live_run_and_the_mesh_is_as_before(lab, diagnose, gather):
    lab.exec("node-2", ["mkdir", "-p", f"{LOGS}/calico-node"])
    secret = "2026-01-01 00:00:00.000 [INFO][1] felix/config.go 1: EtcdPassword=CANARY token: CANARY"
    for number in ("0", "1"):
        lab.exec("node-2", ["sh", "-c", f"echo '{secret} log {number}' >{LOGS}/calico-node/{number}.log; sleep 0.01"])
    try:
        lab.make("tcp179_blocked_host_firewall", "node-2", "iptables-nft")
        live = diagnose()
        before, sessions = everything(lab), all_sessions(lab)
        status, said, path = gather("-e", "must_gather_max_nodes=2")
        assert everything(lab) == before
        assert all(unchanged(sessions[name], after) for name, after in all_sessions(lab).items())
    finally:
        lab.exec("node-2", ["rm", "-r", LOGS])

    assert (status, os.stat(path).st_mode & 0o777) == (0, 0o600), said
    assert live.causes[0] == "tcp179_blocked_host_firewall"
    found = offline.analysed(path).report
    assert of_report(found)[0] == of_report(live.report)[0]
    assert sorted(map(str, of_report(found))) == sorted(map(str, of_report(live.report)))
    assert found["verdict"] == live.report["verdict"]
    files = unpack(path)
    nodes = {one["node"]: one for one in json.loads(files["index.json"])["nodes"]}
    assert nodes["node-2"]["read_because"] == "finding tcp179_blocked_host_firewall"
    assert sum("read_because" in one for one in nodes.values()) == 2
    assert all(one["facts"] for one in nodes.values())
    assert "--dport 179 -j DROP" in files["nodes/node-2/iptables-save.txt"]
    assert "log 1" not in files[f"nodes/node-2/more/pods/{LOGS.rpartition('/')[2]}/calico-node/0.log"]
    assert "calico-node.log" in {one["file"] for one in nodes["node-2"]["outputs"]}
    assert "cluster/ippools.json" in files
    assert "CANARY" not in "".join(files.values()) + said
    # What travelled as one long text is on no terminal.
    assert not re.search(r"[A-Za-z0-9+/=]{2000}", said)


def test_without_the_api_a_node_and_a_python_the_rest_is_gathered_and_it_is_said(lab, gather, tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    lab.exec("node-3", ["sh", "-c", "sv down sshd; kill $(pidof sshd)"], check=False)
    try:
        hidden = without_python(tmp_path, "node-4")
        status, said, path = gather("-e", f"collect_kubeconfig={kubeconfig}", *hidden)
    finally:
        lab.exec("node-3", ["sv", "up", "sshd"])

    assert status == 0, said
    files = unpack(path)
    index = json.loads(files["index.json"])
    nodes = {one["node"]: one for one in index["nodes"]}
    assert index["api"]["reached"] is False
    # On a machine under load it is not even told that nobody listens there.
    assert index["api"]["why"]
    assert "API      not read" in said
    assert nodes["node-3"]["why_no_facts"].startswith("unreachable")
    assert "node-3: no facts: unreachable" in said
    assert index["not_read"]["unreachable"] == ["node-3"]
    # Of node-3, or of one that was started a moment ago and is told of for that.
    assert nodes["node-1"]["read_because"].startswith("it is a peer of node-")
    assert nodes["node-4"]["facts"]
    assert "no usable Python" in nodes["node-4"]["problem"]
    assert "nodes/node-4/birdcl-protocols.txt" in files
    assert not [name for name in files if name.startswith("nodes/node-3/")]
    assert offline.analysed(path).report["coverage"]["nodes"]["collected"] == 3


def test_a_mistake_is_told_before_any_node_is_asked(lab, gather):
    status, said, path = gather("-e", "must_gather_nodes=node-1,node-77")

    assert (status, path) == (2, "")
    assert "must_gather_nodes names node-77, which is no host of the cluster" in said
    assert "Read everything this node can tell" not in said
