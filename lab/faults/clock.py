# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's clock is not synchronised."""

from __future__ import annotations

from ..readiness import clock_missing
from .model import Case, Fault, Variant, listener

_STOPPED, _UNREACHABLE = "stopped", "unreachable"


def _table(case: Case) -> str:
    return f"ip ntp_filter_{case.node.number}"


def _stop(case: Case) -> None:
    if case.variant == _STOPPED:
        case.run(["sv", "down", "chronyd"])
        return
    table = _table(case)
    for command in (
        f"nft add table {table}",
        f"nft add chain {table} input {{ type filter hook input priority 0 ; policy accept ; }}",
        f"nft add rule {table} input ip saddr {case.node.address} udp dport 123 drop",
    ):
        case.run(command.split(), case.lab.fabric)
    # A synchronised chronyd coasts for long; one that starts anew does not know the time.
    case.run(["sv", "restart", "chronyd"])


def _start(case: Case) -> None:
    if case.variant == _STOPPED:
        case.try_run(["sv", "up", "chronyd"])
        return
    case.try_run(["nft", "delete", "table", *_table(case).split()], case.lab.fabric)
    # Polls slow down while nobody answers.
    case.try_run(["sv", "restart", "chronyd"])


def _missing(case: Case) -> str:
    return "" if clock_missing(case.machine) else f"chrony on {case.target} is still synchronised"


MISSING = Fault(
    id="time_sync_missing",
    description="the node's clock is not synchronised",
    inject=_stop,
    heal=_start,
    missing=_missing,
    default=listener,
    variants=(
        Variant(_STOPPED, "chronyd is stopped"),
        Variant(_UNREACHABLE, "chronyd runs and its server cannot be reached"),
    ),
    breaks_sessions=False,
)
