# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of what stands against an upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .finding import finding

if TYPE_CHECKING:
    from .._cluster.model import Workload

Severity = str
FAULT = "preflight.upgrade"


def obstacle(severity: Severity, summary: str, fix: str, lines: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A finding on the upgrade, of no host in particular unless `nodes` is given."""
    nodes = more.pop("nodes", [])
    fields = {
        "title": "The upgrade meets an obstacle",
        "means": "An upgrade replaces calico-node on one node after the other. What stops it half-way leaves nodes of "
        "two kinds, and sessions that restart meanwhile.",
        **more,
    }
    return finding(fields.pop("fault", FAULT), severity, nodes, summary, fix, lines, **fields)


def shown(one: Workload) -> str:
    """A workload as people name it."""
    return f"{one.kind} {one.namespace}/{one.name}"
