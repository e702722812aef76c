# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong while a repair runs."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from lab import waiting
from lab.api import control
from lab.errors import LabError
from lab.faults import machine_off

from . import drawn, standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab
    from lab.topology import Node

    from .drawn import Run
    from .playbooks import Outcome, Running

# What a repair of one fault takes that nobody disturbs, in seconds; a moment is a part of it.
USUAL = 30.0
_BOOT = 30.0  # seconds until a machine has the interfaces that it comes up with
_API = (
    {"what": "throttle", "every": 3, "retry_after": 1},
    {"what": "error", "status": 500, "every": 3},
    {"what": "error", "status": 503, "for_seconds": 20},
    {"what": "conflict", "count": 4},
    {"what": "lost", "count": 1, "dry_run": False},
    {"what": "down", "how": "unanswered", "for_seconds": 5},
)


def undisturbed(_lab: Lab, _run: Run, _node: Node, start: Callable[[], Running]) -> Outcome:
    """Nothing goes wrong."""
    return start().wait()


def controller_killed(_lab: Lab, run: Run, _node: Node, start: Callable[[], Running]) -> Outcome:
    """The machine that Ansible runs on is gone from a moment on."""
    running = start()
    running.wait_until(run.moment * USUAL)
    running.kill()
    return running.wait()


def ssh_cut(lab: Lab, run: Run, node: Node, start: Callable[[], Running]) -> Outcome:
    """The node's SSH is gone, for a while, when a change of it is armed; of what arms none, at some moment."""
    running = start()
    end = time.monotonic() + (1 + run.moment) * USUAL
    while not running.ended and time.monotonic() < end and not standing.armed(lab):
        time.sleep(0.1)
    lab.exec(node.name, ["sv", "down", "sshd"])
    lab.exec(node.name, ["sh", "-c", "kill $(pidof sshd) 2>/dev/null"])
    running.wait_until(5 + run.moment * 2 * USUAL)
    lab.exec(node.name, ["sv", "up", "sshd"])
    return running.wait()


def api_errors(lab: Lab, run: Run, _node: Node, start: Callable[[], Running]) -> Outcome:
    """The API throttles, fails, tells of conflicts, falls silent, or loses its answers."""
    path = lab.state.path("api") / control.SOCKET
    control.call(path, "PUT", "/disturbances", [_API[int(run.moment * len(_API)) % len(_API)]])
    try:
        return start().wait()
    finally:
        control.call(path, "DELETE", "/disturbances")


def node_dies(lab: Lab, run: Run, node: Node, start: Callable[[], Running]) -> Outcome:
    """The machine of another node is switched off at some moment, and on again after the run."""
    chosen = next(each for each in lab.nodes if each != node)
    running = start()
    running.wait_until(run.moment * USUAL)
    had = _interfaces(lab, chosen)
    machine_off.off(lab, chosen)
    try:
        return running.wait()
    finally:
        machine_off.on(lab, chosen)
        # Felix makes the overlay's some time later.
        with suppress(LabError):
            waiting.until(lambda: " ".join(had - _interfaces(lab, chosen)), "interfaces", _BOOT, every=0.5)


def _interfaces(lab: Lab, node: Node) -> frozenset[str]:
    return frozenset(lab.exec(node.name, ["ls", "/sys/class/net"]).stdout.split())


def two_runs(_lab: Lab, run: Run, _node: Node, start: Callable[[], Running]) -> Outcome:
    """Two people repair at the same time."""
    first = start()
    first.wait_until(run.moment * 5)
    second = start()
    return max(first.wait(), second.wait(), key=lambda one: one.status)


DISTURBANCES = {
    drawn.UNDISTURBED: undisturbed,
    drawn.KILLED: controller_killed,
    drawn.CUT: ssh_cut,
    drawn.TOLD_OFF: api_errors,
    drawn.DIES: node_dies,
    drawn.TWICE: two_runs,
}
