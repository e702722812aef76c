# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall time of `diagnose` against `ansible -m ping` on the same lab nodes.

Both run with as many forks as there are nodes, pipelining, and SSH connections which one ping has opened before. They
take turns, so that what else the machine does falls on both; the ratio is that of the medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figure import Figure
from lab.lab import Lab
from scripts.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.progress import Say

SIZES = (4, 20, 50)
ROUNDS = 3
# The budget is for 50 nodes; with a few, most of the time is the constant start of ansible-playbook.
LIMITS = {50: 1.5}
STATE = "/run/netmedic-lab-bench"
SETTINGS = {"ANSIBLE_CONFIG": str(ROOT / "scripts" / "lab.cfg"), "ANSIBLE_NOCOLOR": "1"}
HOW = f"median of {ROUNDS} runs of each in turns, forks = nodes, SSH connections warm for both"


def figures(say: Say) -> Iterator[Figure]:
    """The ratio for each number of nodes, with the seconds behind it."""
    for size in SIZES:
        with Lab.up(size, state=STATE, say=say) as lab:
            ping, diagnose = _seconds(lab.inventory, size, say)
        yield Figure(f"ping_seconds_{size}_nodes", round(ping, 3), "s", how=HOW)
        yield Figure(f"diagnose_seconds_{size}_nodes", round(diagnose, 3), "s", how=HOW)
        yield Figure(f"diagnose_to_ping_{size}_nodes", round(diagnose / ping, 3), "ratio", LIMITS.get(size), HOW)


def _seconds(inventory: str, forks: int, say: Say) -> tuple[float, float]:
    """Median seconds of ping and of diagnose."""
    common = ["-i", inventory, "-f", str(forks)]
    ping = [ansible_program("ansible"), "all", "-m", "ansible.builtin.ping", *common]
    diagnose = [ansible_program("ansible-playbook"), "netmedic.calico.diagnose", *common]
    _timed(ping)  # opens the connections
    pings, diagnoses = [], []
    for turn in range(1, ROUNDS + 1):
        say(f"{forks} nodes, round {turn} of {ROUNDS}")
        pings.append(_timed(ping))
        diagnoses.append(_timed(diagnose))
    return statistics.median(pings), statistics.median(diagnoses)


def _timed(argv: Sequence[str]) -> float:
    """Wall time of a command that must succeed."""
    started = time.monotonic()
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment(SETTINGS))
    seconds = time.monotonic() - started
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with status {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    return seconds


def ansible_program(name: str) -> str:
    """A program of Ansible's, beside the Python that runs us."""
    return str(Path(sys.executable).with_name(name))


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our environment with some settings more."""
    return {**os.environ, **settings}
