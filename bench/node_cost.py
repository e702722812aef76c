# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one pass of `node_facts` costs a large node: processor time there, bytes of facts."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import large_node
from bench.figure import Figure
from bench.wall_time import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lab import Lab
    from lab.progress import Say

PEERS, RULES = 1000, 10_000
LIMIT_BYTES = 8 * 1024
LIMIT_CPU_SECONDS = 0.5
ROUNDS = 5
REMOTE_TMP = "/run/bench-ansible"

# Runs the module as Ansible left it on the node; tells its processor time, with that of all programs it called.
MEASURE = """
import json, resource, subprocess, sys
def used():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
seconds = []
for _ in range(int(sys.argv[2])):
    before = used()
    done = subprocess.run([sys.executable, sys.argv[1]], stdout=subprocess.PIPE, check=True)
    seconds.append(used() - before)
print(json.dumps({"seconds": seconds, "result": json.loads(done.stdout)}))
"""


def figures(say: Say) -> Iterator[Figure]:
    """Bytes and processor seconds of node_facts."""
    how = (
        f"a lab node with {PEERS} established peers (emulated BIRD, real TCP sessions) and {RULES} iptables rules; the "
        f"module as Ansible sends it, median of {ROUNDS} runs, with the programs it calls"
    )
    with large_node.running(STATE, PEERS, RULES, say) as lab:
        say("measuring node_facts")
        measured = _measure(lab)
    facts = measured["result"]["ansible_facts"]
    _must_be_healthy(facts)
    size = len(json.dumps(facts, separators=(",", ":")).encode())
    yield Figure(f"facts_bytes_{PEERS}_peers", size, "bytes", LIMIT_BYTES, how)
    for name, fact in sorted(facts.items()):
        yield Figure(f"facts_bytes_{name}", len(json.dumps(fact, separators=(",", ":")).encode()), "bytes", how=how)
    seconds = statistics.median(measured["seconds"])
    yield Figure(f"node_cpu_seconds_{RULES}_rules_{PEERS}_peers", round(seconds, 3), "s", LIMIT_CPU_SECONDS, how)


def _measure(lab: Lab) -> Any:
    """Let Ansible put the module on the node and leave it there, then run it under our own watch."""
    ansible = str(Path(sys.executable).with_name("ansible"))
    argv = [ansible, large_node.NODE, "-i", lab.inventory, "-m", "netmedic.calico.node_facts"]
    settings = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": REMOTE_TMP, "ANSIBLE_NOCOLOR": "1"}
    without_pipelining = ["-e", json.dumps({"ansible_pipelining": False})]
    done = subprocess.run(
        [*argv, *without_pipelining], check=False, capture_output=True, text=True, env={**os.environ, **settings}
    )
    if done.returncode:
        raise RuntimeError(f"node_facts failed: {(done.stdout + done.stderr)[-1500:]}")
    found = lab.exec(large_node.NODE, ["find", REMOTE_TMP, "-name", "AnsiballZ_node_facts.py"], check=True)
    module = found.stdout.split()[0]
    watched = lab.exec(large_node.NODE, ["python3", "-c", MEASURE, module, str(ROUNDS)], check=True, timeout=300)
    return json.loads(watched.stdout)


def _must_be_healthy(facts: Any) -> None:
    """The figures mean nothing if the node does not see its peers."""
    peers = facts["calico_bgp"]["daemons"]["ipv4"]["peers"]
    if peers["established"] != PEERS:
        raise RuntimeError(f"node_facts saw {peers['established']} established peers instead of {PEERS}")
