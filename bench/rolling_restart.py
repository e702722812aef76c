# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling restart of the whole mesh costs those who use it: packets between pods that were not answered.

From each node each other node's pod is asked ten times a second, over the routes that BIRD has put into the kernel.
The role `rolling_restart` replaces all BIRDs, then all pods of calico-node, one node after the other. At the end BIRD
of one node is ended by SIGTERM, which graceful restart does not cover, to show that the probes notice a lost route.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figure import Figure
from bench.wall_time import SETTINGS, ansible_program, environment
from lab.lab import Lab
from lab.topology import POD_POOL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.progress import Say

NODES = 4
PROBES = "/run/netmedic-bench-probes"
STATE = "/run/netmedic-lab-bench"
INTERVAL = 0.1
# Without BIRD's route a packet would find its way by the default route and the lab's router, and nobody would notice.
ONLY_BY_BIRD = (
    f"ip rule add pref 100 to {POD_POOL} lookup main suppress_prefixlength 0; "
    f"ip rule add pref 101 to {POD_POOL} unreachable"
)
HOW = (
    f"{NODES} nodes in full mesh, each asks each other's pod every {INTERVAL:g} s (ICMP echo); nodes one after the "
    "other; a probe that is not answered is lost"
)


def figures(say: Say) -> Iterator[Figure]:
    """Lost probes and seconds per node, for BIRDs and for pods; and the lost ones without graceful restart."""
    with Lab.up(NODES, state=STATE, say=say) as lab:
        for node in lab.nodes:
            lab.exec(node.name, ["sh", "-c", ONLY_BY_BIRD])
        for rung in ("bird", "pod"):
            say(f"replacing every {rung}")
            _start(lab)
            began = time.monotonic()
            _restart(lab, rung)
            seconds = time.monotonic() - began
            asked, lost = _stop(lab)
            yield Figure(f"rolling_restart_{rung}_probes", asked, "", how=HOW)
            yield Figure(f"rolling_restart_{rung}_lost", lost, "probes", 0.0, HOW)
            yield Figure(f"rolling_restart_{rung}_seconds_per_node", round(seconds / NODES, 1), "s", how=HOW)
        say("ending one BIRD by SIGTERM")
        _start(lab)
        lab.exec(lab.nodes[1].name, ["sv", "restart", "bird"])
        time.sleep(15)
        yield Figure("restart_by_sigterm_lost", _stop(lab)[1], "probes", how=HOW)


def _restart(lab: Lab, rung: str) -> None:
    """The role as a user has it, with the account that may delete pods."""
    told = {
        "rolling_restart_force": True,
        "rolling_restart_from": rung,
        "rolling_restart_to": rung,
        "collect_kubeconfig": f"{STATE}/kubeconfig-netmedic-remediate",
    }
    with tempfile.TemporaryDirectory(prefix="nm-") as folder:
        play = Path(folder) / "play.json"
        roles = ["netmedic.calico.rolling_restart"]
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "roles": roles}]), encoding="utf-8")
        argv = [ansible_program("ansible-playbook"), "-i", lab.inventory, str(play), "-e", json.dumps(told)]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment(SETTINGS))
    if done.returncode:
        raise RuntimeError(f"rolling_restart ended with status {done.returncode}: {done.stdout[-1500:]}")


def _pairs(lab: Lab) -> Iterator[tuple[str, str, str]]:
    for one in lab.nodes:
        for other in lab.nodes:
            if one != other:
                yield one.name, other.pod_address, f"{PROBES}/{other.name}"


def _start(lab: Lab) -> None:
    for name, address, path in _pairs(lab):
        line = f"mkdir -p {PROBES}; ping -n -i {INTERVAL:g} -w 900 {address} > {path} 2>&1 & echo $! > {path}.pid"
        lab.exec(name, ["sh", "-c", line])


def _stop(lab: Lab) -> tuple[int, int]:
    """End the probes: how many there were, and how many were not answered. The last one may still be on its way."""
    asked = lost = 0
    for name, _address, path in _pairs(lab):
        gone = f"while kill -0 $(cat {path}.pid) 2>/dev/null; do sleep 0.05; done"
        text = lab.exec(name, ["sh", "-c", f"kill -INT $(cat {path}.pid); {gone}; cat {path}"]).stdout
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", text)}
        sent = re.search(r"(\d+) packets transmitted", text)
        if sent is None or not answered:
            raise RuntimeError(f"no probe from {name} was answered at all: {text[-300:]}")
        asked += int(sent[1]) - 1
        lost += len(set(range(1, int(sent[1]))) - answered)
    return asked, lost
