# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long `remediate` takes until all sessions are established, beside `diagnose` and BIRD's own reconnect time.

One of 20 lab nodes drops BGP. The clock runs from the start of ansible-playbook to the moment at which no node has a
session that is down; the proof that follows is timed, too, and has no limit of its own. BIRD's reconnect time is what
it takes on the same nodes from the moment at which the rule is taken away by hand.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING

from bench.figure import Figure
from bench.wall_time import SETTINGS, ansible_program, environment
from lab import birdc
from lab.lab import Lab
from lab.services import SOCKETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.progress import Say

NODES = 20
NODE = "node-2"
FAULT, VARIANT = "tcp179_blocked_host_firewall", "iptables-nft"
STATE = "/run/netmedic-lab-bench-remediation"
PATIENCE = 300
HOW = f"{FAULT} on 1 of {NODES} nodes, forks = nodes, SSH connections warm, one run"


def figures(say: Say) -> Iterator[Figure]:
    """Seconds to diagnose, to reconnect, to repair; and the ratio of the last to twice the first and the second."""
    with Lab.up(NODES, state=STATE, say=say) as lab, tempfile.TemporaryDirectory() as kept:
        common = ["-i", lab.inventory, "-f", str(NODES)]
        subprocess.run([ansible_program("ansible"), "all", "-m", "ansible.builtin.ping", *common], check=True,
                       capture_output=True, env=environment(SETTINGS))  # fmt: skip
        lab.make(FAULT, NODE, VARIANT)
        say("diagnosing")
        diagnosed, _up = _timed(lab, ["diagnose", *common, "-e", "report_fail_on=never"])
        say("repairing")
        account = lab.state.path("kubeconfig-netmedic-remediate")
        wishes = ["-e", "remediate_apply=true", "-e", f"remediate_dir={kept}", "-e", f"collect_kubeconfig={account}"]
        whole, repaired = _timed(lab, ["remediate", *common, *wishes])
        run = max(os.listdir(kept))
        say("putting the fault back, and taking it away by hand")
        _timed(lab, ["rollback", *common, *wishes[2:], "-e", f"rollback_run={run}"])
        lab.heal()
        lab.make(FAULT, NODE, VARIANT)
        lab.exec(NODE, ["iptables-nft", "-I", "INPUT", "-p", "tcp", "--dport", "179", "-j", "ACCEPT"])
        reconnected = _until_up(lab, time.monotonic())
        lab.exec(NODE, ["iptables-nft", "-D", "INPUT", "-p", "tcp", "--dport", "179", "-j", "ACCEPT"])
    yield Figure("remediate_diagnose_seconds", round(diagnosed, 2), "s", how=HOW)
    yield Figure("remediate_reconnect_seconds", round(reconnected, 2), "s", how=HOW)
    yield Figure("remediate_sessions_up_seconds", round(repaired, 2), "s", 2 * diagnosed + reconnected, HOW)
    yield Figure("remediate_whole_seconds", round(whole, 2), "s", how=HOW)


def _timed(lab: Lab, arguments: list[str]) -> tuple[float, float]:
    """Wall time of a playbook, and when in it all sessions were up (its end if they never were)."""
    began = time.monotonic()
    up: list[float] = []
    watch = threading.Thread(target=lambda: up.append(_until_up(lab, began)), daemon=True)
    if arguments[0] == "remediate":
        watch.start()
    argv = [ansible_program("ansible-playbook"), f"netmedic.calico.{arguments[0]}", *arguments[1:]]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment(SETTINGS))
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    if watch.is_alive():
        watch.join(5.0)
    return seconds, up[0] if up else seconds


def _until_up(lab: Lab, began: float) -> float:
    """Seconds since `began` when all sessions of the node are up."""
    while time.monotonic() - began < PATIENCE:
        try:
            found = birdc.sessions(lab.machine(NODE), SOCKETS["ipv4"])
        except birdc.BirdError:
            found = {}
        if len(found) == NODES - 1 and all(one.established for one in found.values()):
            break
        time.sleep(0.1)
    return time.monotonic() - began
