# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What probes say in the first seconds after a start, where all is well by now: from events and logs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._texts import readiness
from . import gate_signals, words
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence

# What a probe says of a BIRD that has only just begun, or has not yet; and what it says of one whose sessions come up.
_BEGINNING = ("refused", "no_socket", "graceful_restart")
_COMING = (*_BEGINNING, "not_established")
# A probe that has failed so often did not meet the first seconds of a start.
_FEW = 10
_LINES = ("calico_not_ready", "calico_not_live")


def old_complaints(evidence: Evidence) -> Iterator[Subject]:
    """What probes said of BIRD where every session that is known of is Established."""
    if evidence.table.down or not evidence.table.established:
        return
    said = [one for one in _said(evidence) if one[2] in _COMING]
    if said and not _told_of_now(evidence):
        known = [seen.node for seen, _count, _why in said if seen.node]
        names = tuple(dict.fromkeys(known)) or tuple(evidence.nodes)
        yield Subject(names, (), {"nodes": list(names)}, evidence.nodes.get(names[0]), None)


def _said(evidence: Evidence) -> list[tuple[Seen, int, str]]:
    """What probes said of BIRD: the observation, how often, and why."""
    found = [
        (Seen(event.node, "events", event.message), event.count, told.reason)
        for event in (evidence.cluster.events if evidence.cluster else ())
        for told in readiness.read(event.message)[:1]
        if told.component.startswith("bird")
    ]
    for node in evidence.nodes.values():
        for line in node.control.lines(*_LINES):
            told_there = readiness.read(line.text)[:1]
            found += [(gate_signals.seen_line(node, line), line.count, told.reason) for told in told_there]
    return found


def _told_of_now(evidence: Evidence) -> bool:
    """The pods themselves tell: of those that are not ready it is no matter of the past, of others nobody needs it."""
    pods = evidence.cluster.pods_of("calico-node") if evidence.cluster else ()
    return any(pod.phase == "Running" for pod in pods)


def probe_failed_at_a_start(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A probe found no BIRD yet, as it does in the first seconds after a start."""
    return [seen for seen, _count, why in _of(evidence, subject) if why in _BEGINNING][:3]


def probe_failed_before_sessions_were_up(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A probe found sessions that were not Established yet."""
    return [seen for seen, _count, why in _of(evidence, subject) if why not in _BEGINNING][:3]


def sessions_are_up_now(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Every session that is known of is Established."""
    number = evidence.table.established
    return [Seen("", "bird", words.plural(number, "session"))] if subject.about is None else []


def it_failed_often(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The probe has failed too often for the first seconds of one start."""
    return [
        Seen(seen.node, seen.source, f"{count} times") for seen, count, _why in _of(evidence, subject) if count > _FEW
    ]


def _of(evidence: Evidence, subject: Subject) -> list[tuple[Seen, int, str]]:
    return [one for one in _said(evidence) if one[2] in _COMING] if subject.about is None else []
