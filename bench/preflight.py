# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall time of `preflight` beside `diagnose` on the same lab nodes, and what judging the matrix of 1,000 hosts takes.

Both playbooks run with as many forks as there are nodes, pipelining, and SSH connections that are open already, in
turns. Before BIRD was ever started the hosts hold all ports, which is the good case; in the lab Calico runs, so that
the third round, which asks the listeners whom they heard, is in the figure.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from typing import TYPE_CHECKING

from ansible_collections.netmedic.calico.plugins.module_utils._preflight.masks import as_text
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import read, ways
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight.reach import Reach, taking_part
from bench.figure import Figure
from bench.wall_time import SETTINGS, ansible_program, environment
from lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from lab.progress import Say

NODES = 50
LIMIT = 1.5
HOSTS = 1000
ROUNDS = 3
STATE = "/run/netmedic-lab-bench-preflight"
HOW = f"median of {ROUNDS} runs of each in turns, {NODES} nodes, forks = nodes, SSH connections warm for both"


def figures(say: Say) -> Iterator[Figure]:
    """Seconds of both, their ratio, and the processor time of the matrix."""
    yield Figure(
        f"preflight_matrix_cpu_seconds_{HOSTS}_hosts", round(_judging(), 3), "s", how="all pairs open, one run"
    )
    with Lab.up(NODES, state=STATE, say=say) as lab:
        common = ["-i", lab.inventory, "-f", str(NODES), "-e", "report_fail_on=never"]
        _timed([ansible_program("ansible"), "all", "-m", "ansible.builtin.ping", *common[:4]])
        seconds: dict[str, list[float]] = {"diagnose": [], "preflight": []}
        for turn in range(1, ROUNDS + 1):
            say(f"round {turn} of {ROUNDS}")
            for name, found in seconds.items():
                found.append(_timed([ansible_program("ansible-playbook"), f"netmedic.calico.{name}", *common]))
    diagnose, preflight = (statistics.median(found) for found in seconds.values())
    yield Figure(f"preflight_seconds_{NODES}_nodes", round(preflight, 3), "s", how=HOW)
    yield Figure(f"preflight_to_diagnose_{NODES}_nodes", round(preflight / diagnose, 3), "ratio", LIMIT, HOW)


def _judging() -> float:
    """Processor seconds to read what 1,000 hosts told and to look at all pairs."""
    hostvars = dict(_hosts(HOSTS))
    began = time.process_time()
    reach = Reach(taking_part(read.hosts(hostvars, list(hostvars), {})), ways.wanted({}))
    if list(reach.troubles()):
        raise RuntimeError("the matrix of hosts between which all is open has troubles")
    return time.process_time() - began


def _hosts(count: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The variables of hosts between which all is open."""
    names = ways.wanted({}).names
    for at in range(count):
        others = as_text(((1 << count) - 1) & ~(1 << at))
        facts = {"calico_preflight": {"token": f"{at:016x}"}}
        yield (
            f"node-{at}",
            {
                "ansible_host": f"10.{at // 250}.{at % 250}.1",
                "preflight_listened": {"ansible_facts": facts},
                "preflight_probed": {"ways": {name: {"open": others} for name in names}},
            },
        )


def _timed(argv: Sequence[str]) -> float:
    """Wall time of a command that must succeed."""
    began = time.monotonic()
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment(SETTINGS))
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with status {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    return time.monotonic() - began
