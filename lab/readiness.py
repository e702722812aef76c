# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cluster is as it should be: every BGP session established, sshd listening, chrony synchronised.

Everything is read from outside or with one command per node; nothing is disturbed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import birdc, overlay, peerings
from .errors import LabError
from .machine import Machine
from .services import SOCKETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .state import State
    from .topology import Plan

_SSH_PORT = "0016"
_LISTEN = "0A"


def expected_sessions(view: Mapping[str, Any], name: str) -> dict[str, int]:
    """How many sessions a node shall have, by address family; `view` as for `bird_config.render`."""
    if not peerings.has_bird(view["nodes"][name]):
        return {}
    families = [peerings.IPV4]
    if any(node.get("address6") for node in view["nodes"].values()):
        families.append(peerings.IPV6)
    return {family: len({each.name for each in peerings.of(view, name, family)}) for family in families}


def sessions_missing(machine: Machine, expected: Mapping[str, int]) -> str:
    """Words for what keeps a node from having the `expected` established sessions and no other; "" if nothing does."""
    return next(filter(None, (_missing(machine, family, count) for family, count in expected.items())), "")


def _missing(machine: Machine, family: str, expected: int) -> str:
    try:
        found = birdc.sessions(machine, SOCKETS[family])
    except (birdc.BirdError, LabError) as error:
        return f"{machine.name}: {error}"
    down = [session for session in found.values() if not session.settled]
    if down:
        first = down[0]
        words = f"{first.name} {first.bgp_state or first.state} {first.last_error}".strip()
        return f"{machine.name}: {len(down)} of {len(found)} sessions not up ({words})"
    if len(found) != expected:
        return f"{machine.name}: {len(found)} sessions configured, {expected} expected"
    return ""


def ssh_missing(machine: Machine) -> str:
    """Words if nothing listens on port 22 in the node, else ""."""
    try:
        table = machine.process.pid
        with open(f"/proc/{table}/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file]
    except (OSError, LabError) as error:
        return f"{machine.name}: {error}"
    if any(row[1].endswith(f":{_SSH_PORT}") and row[3] == _LISTEN for row in rows[1:]):
        return ""
    return f"{machine.name}: sshd does not listen yet"


def clock_missing(machine: Machine) -> str:
    """Words if the node's chronyd is not synchronised, else ""."""
    try:
        # Comma-separated: reference id, name, stratum, …, leap status last
        done = machine.exec(["chronyc", "-n", "-c", "tracking"], check=False, timeout=10)
    except LabError as error:
        return f"{machine.name}: {error}"
    fields = done.stdout.strip().split(",")
    if done.returncode == 0 and len(fields) > 3 and fields[-1] != "Not synchronised":
        return ""
    return f"{machine.name}: chrony is not synchronised"


def overlay_missing(state: State, plan: Plan) -> str:
    """Words for the first node that cannot reach all others through the overlay, else "" (or where there is none)."""
    device = overlay.device(plan)
    for node in plan.nodes if device else ():
        shown = Machine(state, node.name).exec(["ip", "route", "show", "dev", device], check=False).stdout
        count = sum(" onlink" in line for line in shown.splitlines())
        if count != len(plan.nodes) - 1:
            return f"{node.name}: {count} of {len(plan.nodes) - 1} routes by way of {device}"
    return ""


class Pending:
    """Asks only those that were not ready the last time, and says what is missing in one line."""

    def __init__(
        self, machines: Iterable[Machine], sessions: Mapping[str, Mapping[str, int]] | None, clock: bool = True
    ) -> None:
        """`sessions`: by node what `expected_sessions` says of it, None: do not look."""
        machines = list(machines)
        self._sessions = sessions
        self._bgp = machines if sessions is not None else []
        self._ssh = machines
        self._clock = machines if clock else []

    def missing(self) -> str:
        """For `waiting.until`."""
        reasons = []
        self._ssh, words = _left(self._ssh, ssh_missing)
        reasons += words
        self._bgp, words = _left(
            self._bgp, lambda machine: sessions_missing(machine, (self._sessions or {}).get(machine.name, {}))
        )
        reasons += words
        # Asking chrony costs a process per node: only once the sessions are there.
        if not self._bgp:
            self._clock, words = _left(self._clock, clock_missing)
            reasons += words
        elif self._clock and not reasons:
            reasons.append("chrony not asked yet")
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return reasons[0] + more if reasons else ""


def _left(machines: list[Machine], missing: Callable[[Machine], str]) -> tuple[list[Machine], list[str]]:
    left, words = [], []
    for machine in machines:
        reason = missing(machine)
        if reason:
            left.append(machine)
            words.append(reason)
    return left, words
