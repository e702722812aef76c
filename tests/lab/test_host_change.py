# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_change over real SSH: faults healed in one task, hosts that undo what cuts them off or is never confirmed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time

import pytest

from scripts.paths import ROOT, VENV

BIRD = "/var/run/calico/bird.ctl"
RECORDS = "/var/lib/netmedic-calico/changes"
DROP_SSH = {
    "kind": "iptables_rule",
    "program": "iptables-nft",
    "chain": "INPUT",
    "rule": "-p tcp --dport 22 -j DROP",
}
RULES = "iptables-nft-save | grep -v ^#; iptables-legacy-save | grep -v ^#; nft list ruleset"


@pytest.fixture
def healthy(lab):
    yield lab
    for node in lab.nodes:
        lab.exec(node.name, ["rm", "-rf", RECORDS], check=False)


def playbook(lab, tmp_path, node, **options):
    """The command that makes one task of host_change."""
    task = {"netmedic.calico.host_change": dict({"id": "lab"}, **options), "register": "out"}
    told = {"ansible.builtin.debug": {"msg": "RESULT={{ out | to_json }}"}, "when": "true"}
    play = [{"hosts": node, "gather_facts": False, "tasks": [dict(task, ignore_errors=True), told]}]
    path = tmp_path / f"{options.get('id', 'lab')}-{options.get('state', 'applied')}.json"
    path.write_text(json.dumps(play))
    return [str(VENV / "bin" / "ansible-playbook"), "-i", lab.inventory, str(path)]


ENVIRONMENT = {"ANSIBLE_CONFIG": str(ROOT / "scripts" / "lab.cfg"), "ANSIBLE_TIMEOUT": "4"}


def change(lab, tmp_path, node, *changes, check=False, **options):
    """Run one task and return what it returned."""
    if changes:
        options["changes"] = list(changes)
    argv = [*playbook(lab, tmp_path, node, **options), *(["--check"] if check else [])]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, **ENVIRONMENT}, cwd=ROOT
    )
    assert "RESULT=" in done.stdout, done.stdout + done.stderr
    text = json.JSONDecoder().raw_decode(done.stdout[done.stdout.index('{\n    "msg": "RESULT=') :])[0]["msg"]
    return json.loads(text.partition("=")[2])


def rules(lab, node):
    text = lab.exec(node, ["sh", "-c", RULES]).stdout
    return re.sub(r"\[\d+:\d+\]|packets \d+ bytes \d+", "", text)


def peers(lab, node):
    """The other nodes' addresses, those that dial this node first."""
    return [other.address for other in lab.nodes if other.name != node]


def opening(program, addresses):
    made = {"kind": "iptables_rule", "program": program, "chain": "INPUT", "comment": "netmedic.calico"}
    return [
        dict(made, rule=f"-s {one}/32 -p tcp -m tcp --dport 179 -j ACCEPT", opens=[{"peers": [one], "port": 179}])
        for one in addresses
    ]


def test_a_firewall_is_opened_and_the_sessions_come_up_in_one_task(healthy, tmp_path):
    lab, node = healthy, "node-2"
    lab.make("tcp179_blocked_host_firewall", node, "iptables-nft")
    before = rules(lab, node)
    wanted = opening("iptables-nft", peers(lab, node))
    foretold = change(lab, tmp_path, node, *wanted, check=True)
    assert rules(lab, node) == before
    done = change(lab, tmp_path, node, *wanted, expect=peers(lab, node))
    assert not done["failed"], done
    assert (done["state"], done["gate"]["missing"]) == ("confirmed", [])
    assert done["diff"] == foretold["diff"]
    again = change(lab, tmp_path, node, *wanted, expect=peers(lab, node))
    assert not again["changed"]
    assert change(lab, tmp_path, node, state="undone")["changed"]
    assert rules(lab, node) == before


@pytest.mark.thorough
def test_ufw_is_opened_in_its_own_words(healthy, tmp_path):
    lab, node = healthy, "node-2"
    lab.make("tcp179_blocked_host_firewall", node, "ufw")
    wanted = [
        {
            "kind": "ufw_rule",
            "protocol": "tcp",
            "source": one,
            "port": "179",
            "comment": "BGP",
            "opens": [{"peers": [one], "port": 179}],
        }
        for one in peers(lab, node)
    ]
    before = lab.exec(node, ["cat", "/etc/ufw/user.rules"]).stdout
    done = change(lab, tmp_path, node, *wanted, expect=peers(lab, node))
    assert done["state"] == "confirmed", done
    assert change(lab, tmp_path, node, state="undone")["changed"]
    assert lab.exec(node, ["cat", "/etc/ufw/user.rules"]).stdout == before


@pytest.mark.thorough
def test_a_gate_that_is_not_passed_undoes(healthy, tmp_path):
    lab, node = healthy, "node-2"
    before = rules(lab, node)
    harmless = {"kind": "sysctl", "key": "net.ipv4.conf.eth0.log_martians", "value": "1"}
    done = change(lab, tmp_path, node, harmless, expect=["10.200.0.250"], gate_seconds=3, confirm_within=20)
    assert done["failed"]
    assert done["msg"] == (
        "After 3 seconds BGP sessions that were expected are not established: 10.200.0.250. The change was undone."
    )
    assert rules(lab, node) == before
    assert lab.exec(node, ["cat", "/proc/sys/net/ipv4/conf/eth0/log_martians"]).stdout.strip() == "0"


@pytest.fixture
def node(healthy):
    """A node with an empty table of iptables; without one there is no chain for a rule, and none is made."""
    healthy.exec("node-3", ["iptables-nft", "-P", "INPUT", "ACCEPT"])
    yield "node-3"
    healthy.exec("node-3", ["nft", "delete", "table", "ip", "filter"])


def test_what_cuts_the_host_off_is_undone_by_itself(healthy, tmp_path, node):
    lab = healthy
    before = rules(lab, node)
    done = change(lab, tmp_path, node, DROP_SSH, confirm_within=18, gate_seconds=6)
    ended = time.monotonic()
    assert done["failed"]
    # The host may be back before the task gives up; then it tells so itself.
    words = ("it was not confirmed in time", f"The host undoes the change by itself at {done['armed_until']}.")
    assert any(one in done["msg"] for one in words)
    while rules(lab, node) != before and time.monotonic() - ended < 30:
        time.sleep(1)
    assert rules(lab, node) == before
    assert change(lab, tmp_path, node, state="status")["state"] == "undone"


def test_a_controller_that_dies_leaves_nothing_behind(healthy, tmp_path, node):
    lab = healthy
    before = rules(lab, node)
    harmless = dict(DROP_SSH, rule="-p tcp --dport 9 -j DROP")
    argv = playbook(lab, tmp_path, node, changes=[harmless], expect=["10.200.0.250"], confirm_within=16, gate_seconds=6)
    process = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, env={**os.environ, **ENVIRONMENT}, cwd=ROOT, start_new_session=True
    )
    deadline = time.monotonic() + 15
    while rules(lab, node) == before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)
    deadline = time.monotonic() + 20
    while rules(lab, node) != before:
        assert time.monotonic() < deadline
        time.sleep(0.3)


@pytest.mark.thorough
def test_who_comes_second_is_refused(healthy, tmp_path, node):
    lab = healthy
    before = rules(lab, node)
    harmless = dict(DROP_SSH, rule="-p tcp --dport 9 -j DROP")
    first = change(lab, tmp_path, node, harmless, keep=False, holder="alice@desk", confirm_within=120)
    assert (first["failed"], first["state"]) == (False, "armed")
    second = change(lab, tmp_path, node, harmless, id="other", holder="bob@desk")
    assert second["failed"]
    expected = (
        rf"this host is being changed by alice@desk since \S+Z \(change lab\), until {first['armed_until']} unless"
    )
    assert re.match(expected, second["msg"]), second["msg"]
    assert change(lab, tmp_path, node, state="undone")["changed"]
    assert rules(lab, node) == before


def test_a_read_only_etc_is_refused_before_the_first_change(healthy, tmp_path, node):
    lab = healthy
    before = rules(lab, node)
    lab.exec(node, ["sh", "-c", "mkdir -p /etc/iptables; mount -t tmpfs tmpfs /etc/iptables"])
    try:
        lab.exec(node, ["sh", "-c", "echo a > /etc/iptables/f; mount -o remount,ro /etc/iptables"])
        file = {"kind": "file", "path": "/etc/iptables/f", "content": "b\n"}
        done = change(lab, tmp_path, node, dict(DROP_SSH, rule="-p tcp --dport 9 -j DROP"), file)
        assert done["failed"]
        assert done["msg"] == (
            "change 2: /etc/iptables/f cannot be written: /etc/iptables is on a read-only file system"
        )
        assert rules(lab, node) == before
    finally:
        lab.exec(node, ["umount", "/etc/iptables"])


def test_bird_is_told_and_a_hung_one_is_ended(healthy, tmp_path):
    lab, node = healthy, "node-2"
    name = f"Mesh_{peers(lab, node)[0].replace('.', '_')}"
    told = {"kind": "bird", "command": "restart", "protocol": name}
    done = change(lab, tmp_path, node, told, confirm_within=45, gate_seconds=30)
    assert done["state"] == "confirmed", done
    pid = int(lab.exec(node, ["pidof", "bird"]).stdout.split()[0])
    lab.exec(node, ["kill", "-STOP", str(pid)])
    started = int(lab.exec(node, ["cat", f"/proc/{pid}/stat"]).stdout.rpartition(")")[2].split()[19])
    end = {"kind": "signal", "pid": pid, "started": started, "signal": "KILL"}
    done = change(lab, tmp_path, node, end, expect=peers(lab, node), confirm_within=60, gate_seconds=45)
    assert done["state"] == "confirmed", done
    assert done["changes"][0]["undoable"] is False
    assert change(lab, tmp_path, node, {"kind": "service", "service": "chronyd", "run": "restarted"}, confirm_within=0)[
        "changed"
    ]
