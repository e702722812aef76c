# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a facts module on a lab node as Ansible does, under our own watch: processor time, wall time, memory, facts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.lab import Lab

REMOTE_TMP = "/run/bench-ansible"

# Runs the module as Ansible left it on the node; tells its processor time with that of all programs it called, its wall
# time, and the memory of the largest process among them.
_WATCH = """
import json, resource, subprocess, sys, time
def used():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
seconds, wall = [], []
for _ in range(int(sys.argv[2])):
    before, began = used(), time.monotonic()
    done = subprocess.run([sys.executable, sys.argv[1]], stdout=subprocess.PIPE, check=True)
    seconds.append(used() - before)
    wall.append(time.monotonic() - began)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"seconds": seconds, "wall": wall, "peak": peak, "facts": json.loads(done.stdout)["ansible_facts"]}))
"""


class Watched(NamedTuple):
    """Some runs of the module: processor and wall seconds of each, KiB of the largest process, facts of the last."""

    seconds: list[float]
    wall: list[float]
    peak: int
    facts: dict[str, Any]


class Module:
    """A module of this collection, put on a node by Ansible and left there."""

    def __init__(self, lab: Lab, node: str, name: str, arguments: Mapping[str, Any]) -> None:
        self._lab, self._node = lab, node
        folder = f"{REMOTE_TMP}/{name}-{len(arguments)}"
        ansible = str(Path(sys.executable).with_name("ansible"))
        argv = [ansible, node, "-i", lab.inventory, "-m", f"netmedic.calico.{name}"]
        argv += ["-a", json.dumps(arguments)] if arguments else []
        settings = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": folder, "ANSIBLE_NOCOLOR": "1"}
        without_pipelining = ["-e", json.dumps({"ansible_pipelining": False})]
        done = subprocess.run(
            [*argv, *without_pipelining], check=False, capture_output=True, text=True, env={**os.environ, **settings}
        )
        if done.returncode:
            raise RuntimeError(f"{name} failed: {(done.stdout + done.stderr)[-1500:]}")
        found = lab.exec(node, ["find", folder, "-name", f"AnsiballZ_{name}.py"], check=True)
        self._path = found.stdout.split()[0]

    def run(self, rounds: int) -> Watched:
        """Run it so many times."""
        argv = ["python3", "-c", _WATCH, self._path, str(rounds)]
        watched = self._lab.exec(self._node, argv, check=True, timeout=300)
        return Watched(**json.loads(watched.stdout))


def established(facts: Any) -> int:
    """How many established peers the node saw; most figures mean nothing if it does not see them."""
    daemon = facts["calico_bgp"]["daemons"].get("ipv4", {})
    return int(daemon.get("peers", {}).get("established", 0))
