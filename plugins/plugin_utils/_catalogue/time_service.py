# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of clocks that nobody keeps right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import commands, words
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

NO_SERVICE = "no time service runs"


def unsynchronised_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose clock nobody keeps right; all of one kind together."""
    by_why: dict[str, list[Node]] = {}
    for node in evidence.nodes.values():
        if node.has_calico and node.clock and (not node.clock.running or node.clock.synchronised is False):
            by_why.setdefault(_clock_fault(node), []).append(node)
    for why, nodes in by_why.items():
        names = tuple(sorted(node.name for node in nodes))
        yield Subject(names, (), {"node": names[0], "nodes": list(names)}, nodes[0], why)


def _clock_fault(node: Node) -> str:
    clock = node.clock
    if clock is None or clock.service in ("", "none") or not clock.running:
        return NO_SERVICE
    return (
        "none of its time sources is usable" if clock.sources_reachable == 0 else "the time service is not synchronised"
    )


def no_time_service(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No time service runs on the node."""
    return _clock_seen(evidence, subject, running=False)


def time_service_has_no_source(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The time service runs and is not synchronised with any source."""
    return _clock_seen(evidence, subject, running=True)


def _clock_seen(evidence: Evidence, subject: Subject, *, running: bool) -> list[Seen]:
    nodes = [evidence.nodes[name] for name in subject.nodes]
    return [
        Seen(node.name, "time service", node.clock.why)
        for node in nodes
        if node.clock and node.clock.running is running
    ]


def started_recently(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The machine has only just started; synchronisation takes a minute or two."""
    nodes = [evidence.nodes[name] for name in subject.nodes]
    return [
        Seen(node.name, "uptime", f"up for {node.uptime_seconds} s")
        for node in nodes
        if node.uptime_seconds is not None and node.uptime_seconds < 120
    ]


def _time_commands(evidence: Evidence, subject: Subject) -> list[str]:
    if subject.about == NO_SERVICE:
        line, note = "sudo systemctl enable --now chrony", "the unit is chronyd on RHEL and its kin"
    else:
        line, note = "chronyc -n sources", "which servers it asks, and which of them answer"
    return [f"{commands.on_node(name, line)}   # {note}" for name in subject.nodes[:4]]


TIME_SYNC_MISSING = Fault(
    id="time_sync_missing",
    family="control_plane",
    title="The clock is not kept in step",
    severity="minor",
    role="contributing",
    means=(
        "Nothing keeps this node's clock right. That never breaks a BGP session, whose timers are local, but a "
        "clock that drifts off breaks "
        "certificates and tokens and makes logs of different nodes impossible to compare."
    ),
    subjects=unsynchronised_nodes,
    signals=(
        Signal(no_time_service, STRONG + MODERATE, required=True),
        Signal(time_service_has_no_source, STRONG + WEAK, required=True),
        Signal(started_recently, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"Nothing keeps the clock of {words.listed(subject.nodes)} right: {subject.about}."
    ),
    fix=Fix(
        action="enable_time_sync",
        text="Have a time service (chrony, say) installed and running, with servers that the node can reach.",
        risk="low",
        disrupts="nothing",
        commands=_time_commands,
        remedy=lambda evidence, subject: (
            Remedy("time_sync", {}, subject.nodes) if subject.about == NO_SERVICE else None
        ),
    ),
    verify="The time service reports itself synchronised.",
    prior=0.0,
    lookalikes=(Lookalike("clock_skew", "the clock is off by more than seconds already"),),
)

FAULTS = (TIME_SYNC_MISSING,)
