# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook preflight on a lab whose BIRD runs, as before an upgrade: no session notices, nothing is left."""

from __future__ import annotations

import time

from matrix.diagnosis import run_playbook
from tests.lab.test_harmless import all_sessions, bird_log, unchanged

RULES = (
    "add table inet preflight_test; add chain inet preflight_test c { type filter hook input priority 0; };"
    "add rule inet preflight_test c ip saddr 10.200.0.9 tcp dport 179 drop;"
    "add rule inet preflight_test c ip protocol 4 drop"
)


def left(lab, node):
    """Processes, folders and ports of a listener."""
    shown = lab.exec(
        node, ["sh", "-c", "ls -d /run/netmedic-preflight-* 2>/dev/null; cat /proc/net/raw /proc/net/udp"]
    ).stdout
    return [line for line in shown.splitlines() if "netmedic" in line or ":12B5 " in line or ":2118 " in line]


def gone(lab, seconds):
    deadline = time.monotonic() + seconds
    while any(left(lab, node.name) for node in lab.nodes):
        assert time.monotonic() < deadline, {node.name: left(lab, node.name) for node in lab.nodes}
        time.sleep(0.5)


def test_all_pairs_are_probed_and_no_session_notices(lab, tmp_path):
    sessions = all_sessions(lab)
    logs = {node.name: bird_log(lab, node.name) for node in lab.nodes}

    run = run_playbook("preflight", lab.inventory, tmp_path)

    assert run.status == 0, run.printed
    # Of which parts the kernel under the lab lacks no lab can make good.
    assert {item["fault"] for item in run.findings} <= {"kernel_module_missing"}, run.printed
    assert {way: one["open"] for way, one in run.report["preflight"]["matrix"]["ways"].items()} == dict.fromkeys(
        ("tcp179", "tcp5473", "udp4789", "udp8472", "ipip"), 12
    )
    assert all(unchanged(sessions[name], after) for name, after in all_sessions(lab).items())
    assert {node.name: bird_log(lab, node.name) for node in lab.nodes} == logs
    gone(lab, 10)


def test_what_is_blocked_is_found_at_its_place_and_a_host_that_is_gone_stops_nobody(lab, tmp_path):
    lab.exec("node-2", ["nft", RULES])
    lab.exec("node-4", ["sh", "-c", "sv down sshd; kill $(pidof sshd)"], check=False)
    try:
        run = run_playbook("preflight", lab.inventory, tmp_path, "-e", "preflight_flavour=ipip")
    finally:
        lab.exec("node-4", ["sv", "up", "sshd"])
        lab.exec("node-2", ["nft", "delete", "table", "inet", "preflight_test"])

    assert run.status == 2, run.printed
    found = {(item["fault"], tuple(item["nodes"])) for item in run.findings}
    assert {one for one in found if one[0] != "kernel_module_missing"} == {
        ("tcp179_blocked_host_firewall", ("node-2",)),
        ("ipip_blocked", ("node-2",)),
        ("preflight.host_not_probed", ("node-4",)),
    }, run.printed
    gone(lab, 10)


def test_bad_plans_are_told_in_a_sentence(lab, tmp_path):
    run = run_playbook("preflight", lab.inventory, tmp_path, "-e", "preflight_flavour=calico")
    assert run.status == 2
    assert "preflight_flavour" in run.printed
    assert "ipip, vxlan, bgp, canal" in run.printed
    empty = tmp_path / "hosts.yml"
    empty.write_text("all:\n  hosts: {}\n", encoding="utf-8")
    assert "There is no host to look at" in run_playbook("preflight", str(empty), tmp_path).printed
