# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook in a real ansible-rulebook: an alert of Calico's, posted as by Alertmanager, starts one diagnosis."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.tests.lab.awx_jobs import TOOLS
from scripts.paths import ROOT, VENV

PROGRAM = Path(TOOLS) / "bin" / "ansible-rulebook"
RULEBOOK = ROOT / "extensions" / "eda" / "rulebooks" / "alertmanager.yml"
TOKEN = "canary-of-a-token"
LIMIT = 240  # seconds
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(
        not PROGRAM.exists(),
        reason=f"{PROGRAM} is missing: python3.11 -m venv build/awx && "
        "build/awx/bin/pip install -r requirements-awx.txt",
    ),
    pytest.mark.skipif(not shutil.which("java"), reason="java is missing, on which ansible-rulebook's rules run"),
]


def alert(name, status="firing"):
    """What Alertmanager posts, version 4 of its webhook."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="' + name + '"}',
        "status": status,
        "receiver": "netmedic",
        "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org",
        "alerts": [{"status": status, "labels": {"alertname": name, "severity": "critical"}, "annotations": {}}],
    }


def post(port, body, token=TOKEN):
    """The status of the answer, 0 while nobody listens."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/alerts",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def until(condition, what, log):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"{what}\n{log.read_text(encoding='utf-8')}"
        time.sleep(0.5)


@pytest.fixture
def listening(lab, tmp_path):
    """The port of an ansible-rulebook with our rulebook, the folder of its reports, and its log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    reports, log, told = tmp_path / "reports", tmp_path / "log", tmp_path / "vars.yml"
    told.write_text(json.dumps({"netmedic_port": port, "netmedic_token": TOKEN, "netmedic_report_dir": str(reports)}))
    path = f"{VENV / 'bin'}:{Path(TOOLS) / 'bin'}:{os.environ['PATH']}"
    argv = [str(PROGRAM), "-r", str(RULEBOOK), "-i", lab.inventory, "--vars", str(told), "--print-events"]
    with log.open("wb") as out:
        running = subprocess.Popen(
            argv, stdout=out, stderr=subprocess.STDOUT, cwd=tmp_path, env={**os.environ, "PATH": path}
        )
    try:
        until(lambda: running.poll() is not None or post(port, {}, "wrong") == 401, "it does not listen", log)
        assert running.poll() is None, log.read_text(encoding="utf-8")
        yield port, reports / "report.json", log
    finally:
        running.terminate()
        running.wait()


def test_an_alert_starts_one_diagnosis(listening):
    port, report, log = listening
    assert post(port, alert("NetmedicCalicoCritical")) == 200
    assert post(port, alert("CalicoNodeUnavailable", "resolved")) == 200
    time.sleep(5)
    assert not report.exists()
    assert "PLAY [" not in log.read_text(encoding="utf-8")
    for _each in range(3):
        assert post(port, alert("CalicoNodeUnavailable")) == 200
    until(report.exists, "no report was written", log)
    assert json.loads(report.read_text(encoding="utf-8"))["verdict"] == "healthy"
    time.sleep(10)
    assert log.read_text(encoding="utf-8").count("PLAY [Diagnose Calico's BGP mesh]") == 1
