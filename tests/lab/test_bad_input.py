# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and inventories that are not as they should be: a clear sentence each, and the rest of the report intact."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from matrix.diagnosis import diagnose as playbook


def missing(run):
    return {item["node"]: item["why"] for item in run.report["coverage"]["nodes"]["missing"]}


def test_an_empty_inventory_is_refused_in_one_sentence(lab, tmp_path):
    empty = tmp_path / "hosts.yml"
    empty.write_text("all:\n  hosts: {}\n", encoding="utf-8")
    run = playbook(str(empty), tmp_path)
    assert run.status == 2
    assert "There is no node to diagnose" in run.printed


def test_an_inventory_that_is_not_there_is_refused_in_one_sentence(lab, tmp_path):
    run = playbook(str(tmp_path / "nowhere.yml"), tmp_path)
    assert run.status != 0
    assert "There is no node to diagnose" in run.printed


def test_a_node_without_ssh_does_not_stop_the_rest(lab, diagnose):
    lab.exec("node-3", ["sh", "-c", "sv down sshd; kill $(pidof sshd)"], check=False)
    try:
        run = diagnose()
    finally:
        lab.exec("node-3", ["sv", "up", "sshd"])
    assert "unreachable" in missing(run)["node-3"]
    assert run.report["coverage"]["nodes"]["collected"] == 3
    assert run.report["verdict"] == "undetermined"


def test_a_node_whose_python_is_gone_is_read_without(lab, diagnose, tmp_path):
    lab.exec("node-2", ["mv", "/usr/bin/python3", "/usr/bin/python3.away"])
    bundle = tmp_path / "bundle"
    run = diagnose("-e", f"collect_bundle_dir={bundle}")
    assert missing(run) == {}
    assert run.report["verdict"] == "healthy", run.printed
    told, now = evidence.evidence(read.read(str(bundle)))
    again = analyse(told, now)
    assert (again["verdict"], again["findings"]) == (run.report["verdict"], run.report["findings"])
    assert (bundle / "nodes" / "node-2" / "birdcl-protocols.txt").is_file()


@pytest.fixture(autouse=True)
def python_back(lab):
    yield
    lab.exec("node-2", ["sh", "-c", "test ! -e /usr/bin/python3.away || mv /usr/bin/python3.away /usr/bin/python3"])


def test_a_socket_of_garbage_is_reported_and_the_rest_is_intact(lab, diagnose):
    fake = (
        "import os,socket\n"
        "os.path.exists('/run/calico/bird.ctl') and os.rename('/run/calico/bird.ctl', '/run/calico/bird.away')\n"
        "s=socket.socket(socket.AF_UNIX); s.bind('/run/calico/bird.ctl'); s.listen(5)\n"
        "while True:\n"
        "    c,_=s.accept(); c.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n' * 50); c.close()\n"
    )
    lab.exec("node-4", ["sh", "-c", f'setsid python3 -c "{fake}" </dev/null >/dev/null 2>&1 & echo $! >/run/fake.pid'])
    try:
        run = diagnose()
    finally:
        restore = "kill $(cat /run/fake.pid); rm -f /run/calico/bird.ctl; mv /run/calico/bird.away /run/calico/bird.ctl"
        lab.exec("node-4", ["sh", "-c", restore])
    assert run.report["coverage"]["nodes"]["collected"] == 4
    told = [
        source
        for source in run.report["coverage"]["sources"]
        if source["node"] == "node-4" and source["status"] != "ok"
    ]
    assert any("bird" in source["source"] for source in told), run.printed


def test_without_root_the_report_says_what_was_not_read(lab, diagnose, tmp_path):
    lab.exec("node-1", ["sh", "-c", "id visitor 2>/dev/null || useradd -m visitor"])
    become = {"all": {"hosts": {"node-1": {"ansible_become": True, "ansible_become_user": "visitor"}}}}
    (tmp_path / "more.yml").write_text(json.dumps(become), encoding="utf-8")
    run = diagnose("-i", str(tmp_path / "more.yml"), "--limit", "node-1")
    assert run.report["coverage"]["nodes"]["collected"] == 1, run.printed
    failed = [source for source in run.report["coverage"]["sources"] if source["status"] == "failed"]
    assert any("root" in source["detail"] for source in failed), run.printed
    assert run.report["verdict"] != "healthy"


def test_check_mode_gives_the_same_report(lab, diagnose, tmp_path):
    run = diagnose("--check")
    assert run.status == 0, run.printed
    assert "HEALTHY" in run.printed


def test_a_limit_that_leaves_out_localhost_does_not_cost_the_api(diagnose):
    run = diagnose("--limit", "node-1")
    assert run.status == 0, run.printed
    assert "the Kubernetes API knows 4 node(s)" in run.printed


def test_a_bundle_that_would_leak_costs_the_bundle_and_not_the_diagnosis(lab, diagnose, tmp_path):
    hidden = tmp_path / "environment.yml"
    address = lab.exec("node-1", ["hostname", "-I"]).stdout.split()[0]
    # Longer than what is taken apart and put together again.
    coded = base64.b64encode(f"dial {address} now{'a' * 80_000}".encode()).decode()
    hidden.write_text(f"# {coded}\n", encoding="utf-8")
    bundle = tmp_path / "bundle"
    options = {"collect_bundle_dir": bundle, "collect_bundle_environment": hidden, "collect_bundle_redact": "true"}
    run = diagnose(*(word for name, value in options.items() for word in ("-e", f"{name}={value}")))
    assert run.status == 2
    assert run.report["verdict"] == "healthy", run.printed
    assert "environment.yml still holds an IPv4 address in base64 in line 1" in run.printed
    assert not bundle.exists()


def test_a_boolean_of_the_command_line_is_one(diagnose):
    run = diagnose("-e", "report_redact=true")
    assert (run.status, run.report["verdict"]) == (0, "healthy"), run.printed
    assert "node-1" not in json.dumps(run.report)
