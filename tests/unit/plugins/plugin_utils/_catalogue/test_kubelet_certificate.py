# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests for a kubelet that says that its own certificate is past its end."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import recognise, systemctl_status

JOURNAL = """\
Nov 21 20:58:40 wrk-2 kubelet[51223]: E1121 20:58:40.101223   51223 bootstrap.go:265] part of the existing bootstrap \
client certificate in /etc/kubernetes/kubelet.conf is expired: 2026-11-20 09:12:44 +0000 UTC
"""
NODES = """\
NAME    STATUS     ROLES           AGE   VERSION
kcp-1   Ready      control-plane   41d   v1.28.4
wrk-2   {state:<8}   <none>          41d   v1.28.4
"""


def findings(tmp_path, state):
    (tmp_path / "wrk-2").mkdir()
    (tmp_path / "wrk-2" / "journal.txt").write_text(JOURNAL, encoding="utf-8")
    if state:
        (tmp_path / "nodes.txt").write_text(NODES.format(state=state), encoding="utf-8")
    return offline.analysed(str(tmp_path)).report["findings"]


@pytest.mark.parametrize("state", ["NotReady", ""])
def test_the_certificate_is_the_reason(tmp_path, state):
    first = findings(tmp_path, state)[0]
    assert (first["fault"], first["nodes"]) == ("certificate_expired", ["wrk-2"])
    assert first["confidence"] > 0.9
    assert "2026-11-20" in first["summary"]
    commands = "\n".join(first["fix"]["commands"])
    assert "kubeadm kubeconfig user --org system:nodes --client-name system:node:wrk-2" in commands
    assert "delete pod" not in commands


def test_a_node_that_is_ready_has_another_one_by_now(tmp_path):
    found = {one["fault"]: one["confidence"] for one in findings(tmp_path, "Ready")}
    assert found.get("certificate_expired", 0) < 0.5


STATUS = """\
● kubelet.service - kubelet: The Kubernetes Node Agent
     Loaded: loaded (/lib/systemd/system/kubelet.service; enabled; preset: enabled)
     Active: {active} since Sat 2026-11-21 20:58:40 UTC; 3s ago
    Process: 51223 ExecStart=/usr/bin/kubelet (code=exited, status=1/FAILURE)
   Main PID: 51223 (code=exited, status=1/FAILURE)
"""
DOWN = "activating (auto-restart) (Result: exit-code)"


def kubelets(tmp_path, active, state, more=""):
    (tmp_path / "wrk-2").mkdir()
    (tmp_path / "wrk-2" / "status.txt").write_text(STATUS.format(active=active) + more, encoding="utf-8")
    (tmp_path / "nodes.txt").write_text(NODES.format(state=state), encoding="utf-8")
    return {one["fault"]: one for one in offline.analysed(str(tmp_path)).report["findings"]}


def test_a_kubelet_that_does_not_run_is_told_by_its_unit(tmp_path):
    found = kubelets(tmp_path, DOWN, "NotReady")["kubelet_not_ready"]
    assert found["confidence"] > 0.5
    assert "kubelet.service is activating (auto-restart) (exit-code)" in str(found["evidence"])


def test_one_that_runs_is_no_reason(tmp_path):
    found = kubelets(tmp_path, "active (running)", "NotReady")
    assert "kubelet.service" not in str(found["kubelet_not_ready"]["evidence"])


def test_a_unit_alone_is_no_fault_of_a_node_that_is_ready(tmp_path):
    assert "kubelet_not_ready" not in kubelets(tmp_path, DOWN, "Ready")


def test_what_it_wrote_of_late_tells_more(tmp_path):
    assert "certificate_expired" in kubelets(tmp_path, DOWN, "NotReady", "\n" + JOURNAL)


def test_units_are_read_as_systemctl_prints_them():
    text = "$ systemctl status kubelet\n" + STATUS.format(active=DOWN)
    assert recognise.recognise(text) == "systemctl-status"
    parsed = systemctl_status.parse(text)
    assert parsed.value == (("kubelet", "activating", "auto-restart", "exit-code"),)
    assert not parsed.problems
    assert not systemctl_status.parse(STATUS.format(active="active (running)")).value[0].is_down
