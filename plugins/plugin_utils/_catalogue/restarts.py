# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults the role rolling_restart repairs, and how far up its ladder it may go for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import agent_pod
from .model import Remedy

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence
    from .model import Subject

ROLE = "rolling_restart"


def climb(evidence: Evidence, subject: Subject, first: str, last: str) -> Remedy | None:
    """The rungs of the ladder that may be taken at a place; None for hosts that were not read."""
    names = tuple(name for name in subject.nodes if name in evidence.nodes)
    return Remedy(ROLE, {f"{ROLE}_from": first, f"{ROLE}_to": last}, names) if names else None


def start_bird(evidence: Evidence, subject: Subject) -> Remedy | None:
    """BIRD started where something stopped it, which runit does not undo. A BIRD that its configuration stops ends
    again, and where there is none confd is at fault."""
    node = subject.node
    if node is None or node.log_lines("config_error") or node.tools.no_calico:
        return None
    daemons = [one for one in node.daemons.values() if not one.running]
    if any(one.config.duplicate_names or one.config.unbalanced or not one.config.path for one in daemons):
        return None
    return climb(evidence, subject, "bird", "pod" if agent_pod.pod_of(evidence, node.name) else "bird")


def replace_bird(evidence: Evidence, subject: Subject) -> Remedy | None:
    """A BIRD that hangs replaced by a new one, if that would start."""
    node = subject.node
    if node is None or any(one.config.duplicate_names or one.config.unbalanced for one in node.daemons.values()):
        return None
    return climb(evidence, subject, "bird", "bird")


def reload_bird(evidence: Evidence, subject: Subject) -> Remedy | None:
    """BIRD told to read its configuration, if nothing shows that it would refuse it."""
    daemon = subject.about
    if daemon is None or daemon.config.duplicate_names or daemon.config.unbalanced:
        return None
    return climb(evidence, subject, "reload", "reload")
