# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was tried by hand with packets of different sizes, for the fault of paths that carry less than is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import observed, packet_signals
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence


def tried_sizes(evidence: Evidence) -> Iterator[Subject]:
    """What passes up to a size and is lost above it, all of it together."""
    found = observed.thresholds(evidence)
    if found:
        ends = {observed.what_and_where(end)[1] for one, _other in found for end in (one.source, one.target)}
        names = tuple(sorted(end for end in ends if end in evidence.nodes)) or packet_signals.names_of(evidence)
        passing, lost = found[0]
        where = {"nodes": list(names), "passes": passing.size, "lost": lost.size}
        yield Subject(names, (), where, None, {})


def _is_tried(subject: Subject) -> bool:
    return "passes" in subject.where


def size_decides(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The same passes up to a size and is lost from another one on."""
    if not _is_tried(subject):
        return []
    return [observed.seen(one) for pair in observed.thresholds(evidence) for one in pair][:4]


def larger_pings_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A larger ping passes (in pieces, unless it forbids that)."""
    lost = int(subject.where.get("lost") or 0)
    return [
        observed.seen(one)
        for one in observed.tried(evidence)
        if _is_tried(subject) and one.check == "ping" and one.result == observed.OPEN and (one.size or 0) > lost
    ][:2]


def a_tunnel_is_below(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The hosts have a tunnel of their own, below that of Calico's, which takes room from it."""
    if not _is_tried(subject):
        return []
    return [Seen(node.name, "links", name) for node in evidence.nodes.values() for name in node.sizes.links][:2]


def summary(subject: Subject) -> str:
    """What was found, in one sentence; '' for other subjects."""
    if not _is_tried(subject):
        return ""
    passes, lost = subject.where["passes"], subject.where["lost"]
    return (
        f"What is sent passes up to {passes} bytes and is lost from {lost} bytes on: the path carries less than "
        "is sent."
    )
