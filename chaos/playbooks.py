# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks remediate and rollback as a user runs them, and what kills them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from lab.processes import stat_fields
from matrix.diagnosis import ANSIBLE

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

LIMIT = 400  # seconds
# What a user allows who wants all repaired. A lab has few nodes.
ALLOWED = ("-e", "remediate_apply=true", "-e", "remediate_max_risk=high", "-e", "remediate_max_nodes=100%")
_WITH_PASSWORDS = ("bgp_password_secret_unreadable",)
_PLAN = re.compile(r"^ *Plan: .*?(?=^(?:TASK|PLAY) )", re.MULTILINE | re.DOTALL)
_CHANGED = re.compile(r"^\S+\s+: ok=\d+\s+changed=(\d+)", re.MULTILINE)


class Outcome(NamedTuple):
    """Exit status (negative: the signal that ended it) and what was printed."""

    status: int
    printed: str

    @property
    def changed(self) -> int:
        """How many tasks changed something, by the recap."""
        return sum(int(number) for number in _CHANGED.findall(self.printed))

    @property
    def told(self) -> str:
        """The last lines, for a person."""
        return " | ".join(line.strip() for line in self.printed.splitlines() if line.strip())[-1500:]

    @property
    def plan(self) -> str:
        """What the plan says."""
        found = _PLAN.search(self.printed)
        return found[0].strip() if found else self.told


class Running:
    """A playbook that runs."""

    def __init__(self, playbook: str, inventory: str, log: Path, *arguments: str) -> None:
        argv = [str(ANSIBLE), f"netmedic.calico.{playbook}", "-i", inventory, *arguments]
        environ = {**os.environ, "ANSIBLE_FORKS": "10", "ANSIBLE_NOCOLOR": "1"}
        self._log = log
        with open(log, "wb") as out:
            self._process = subprocess.Popen(
                argv, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environ
            )

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def wait(self) -> Outcome:
        """Wait for its end."""
        try:
            status = self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            status = self._process.wait(10)
        return Outcome(status, self._log.read_text(encoding="utf-8", errors="replace"))

    def wait_until(self, seconds: float) -> None:
        """Wait so long, or until it ends."""
        end = time.monotonic() + seconds
        while not self.ended and time.monotonic() < end:
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it and all that it has started, as when the machine it runs on loses its power."""
        for pid in [self._process.pid, *_descendants(self._process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def remediate(lab: Lab, directory: Path, fault: str, log: Path) -> Running:
    """Start a repair of all that may be repaired, by somebody who has looked whether there is this fault."""
    agreed = ("-e", f"remediate_consent={fault}")
    return Running("remediate", lab.inventory, log, *_arguments(lab, directory, fault), *ALLOWED, *agreed)


def rollback(lab: Lab, directory: Path, fault: str, run: str, log: Path) -> Running:
    """Start putting back what a run has changed."""
    return Running("rollback", lab.inventory, log, *_arguments(lab, directory, fault), "-e", f"rollback_run={run}")


def _arguments(lab: Lab, directory: Path, fault: str) -> list[str]:
    """With the account that the role remediate carries a manifest for; passwords are for the administrator to see."""
    kubeconfig = lab.kubeconfig if fault in _WITH_PASSWORDS else f"{lab.kubeconfig}-netmedic-remediate"
    return ["-e", f"collect_kubeconfig={kubeconfig}", "-e", f"remediate_dir={directory}"]


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        fields = stat_fields(int(entry)) if entry.isdecimal() else None
        if fields is not None:
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found
