# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of clocks that are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import clock_offsets, commands, gate_signals, words
from .certificates import log_tells_of_certificate
from .clock_offsets import SKEW_HURTS, SKEW_SHOWS, behind_certificates, in_words, lag, lines_on_dates
from .cni_token import plugin_is_unauthorized
from .model import MODERATE, STRONG, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

_CLIENT = "the machine that asked the API server"
_LOOK = "date -u; timedatectl; chronyc tracking"


def skewed_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose clock is far off that of the others, and apart from them where kubectl was run."""
    found = clock_offsets.skews(evidence)
    if found:
        yield gate_signals.at(evidence, found, found)
    lags = [clock_offsets.lag(seen.detail) for seen in clock_offsets.told_to_clients(evidence, "before")]
    if max(lags, default=0.0) > SKEW_SHOWS:
        yield gate_signals.at(evidence, (), {_CLIENT: -max(lags)})


def clock_is_far_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's clock is off by more than the question and its answer can have taken."""
    return [
        Seen(name, "clock", in_words(seconds))
        for name, seconds in sorted(subject.about.items())
        if name in evidence.nodes and evidence.nodes[name].control.clock_ahead is not None
    ]


def certificate_is_of_its_future(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A certificate that is in use already is not yet valid by the clock of who refuses it."""
    if not subject.nodes:
        return clock_offsets.told_to_clients(evidence, "before")[:1]
    behind = behind_certificates(evidence, ())
    return [seen for name in subject.nodes if name in behind for seen in _told_before(evidence.nodes[name])][:2]


def _told_before(node: Node) -> list[Seen]:
    return [gate_signals.seen_line(node, line) for line in lines_on_dates(node) if lag(line.text) > SKEW_SHOWS]


def nothing_keeps_it_right(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No time service keeps the clock right."""
    return [
        Seen(node.name, "time service", node.clock.why)
        for node in gate_signals.nodes_of(evidence, subject)
        if node.clock and (not node.clock.running or node.clock.synchronised is False)
    ]


def something_refuses_the_time(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Programs there refuse certificates or tokens for their dates."""
    return log_tells_of_certificate(evidence, subject) + plugin_is_unauthorized(evidence, subject)


def half_of_the_nodes_are_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Half of the nodes or more are off: rather the controller's clock is wrong, or the others'."""
    told = [node for node in evidence.nodes.values() if node.control.clock_ahead is not None]
    doubtful = 2 * len(subject.nodes) >= len(told)
    return [Seen("", "clock", f"{len(subject.nodes)} of {len(told)} nodes")] if doubtful and len(told) > 1 else []


def _skew_severity(evidence: Evidence, subject: Subject) -> str:
    """major where something refuses the time already, else minor. Of where kubectl was run, only a refusal tells."""
    refused = not subject.nodes or something_refuses_the_time(evidence, subject)
    return "major" if max(map(abs, subject.about.values())) > SKEW_HURTS and refused else "minor"


def _skew_role(evidence: Evidence, subject: Subject) -> str:
    """cause where programs refuse certificates or tokens by it, contributing beside BGP sessions in trouble."""
    alone = not subject.sessions and _skew_severity(evidence, subject) == "major"
    return "cause" if alone else "contributing"


def _begin_anew(evidence: Evidence, subject: Subject) -> Remedy | None:
    """The time service started, where it does not run, or restarted, where it does not follow its sources."""
    names = tuple(
        node.name
        for node in gate_signals.nodes_of(evidence, subject)
        if node.clock
        and (not node.clock.running or (node.clock.synchronised is False and node.clock.sources_reachable))
    )
    return Remedy("time_sync", {"time_sync_restart": True}, names) if names else None


CLOCK_SKEW = Fault(
    id="clock_skew",
    family="control_plane",
    title="The node's clock is off",
    severity="minor",
    role="contributing",
    means=(
        "The clock is off by half a minute or more. BGP does not care, its timers are local; but certificates and "
        "tokens are refused, leases look old, and logs of different nodes cannot be compared."
    ),
    subjects=skewed_nodes,
    signals=(
        Signal(clock_is_far_off, STRONG + MODERATE, required=True),
        Signal(certificate_is_of_its_future, STRONG + MODERATE, required=True),
        Signal(nothing_keeps_it_right, MODERATE),
        Signal(something_refuses_the_time, MODERATE),
        Signal(half_of_the_nodes_are_off, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        "The clock is off on "
        + words.listed(f"{name} ({in_words(seconds)})" for name, seconds in sorted(subject.about.items()))
        + ". That alone breaks no BGP session."
    ),
    severity_rule=_skew_severity,
    role_rule=_skew_role,
    fix=Fix(
        action="set_clock",
        text="Have a time service set the clock right and keep it so; then restart only what failed for its TLS.",
        risk="low",
        disrupts="programs that dislike a clock which jumps",
        commands=lambda evidence, subject: (
            [commands.on_node(name, line) for name in subject.nodes[:2] for line in (_LOOK, "sudo chronyc makestep")]
            or [_LOOK]
        ),
        remedy=_begin_anew,
    ),
    verify="The clock agrees with the other nodes' to within a second.",
    prior=0.0,
    lookalikes=(
        Lookalike("time_sync_missing", "nothing keeps the clock right, and it is not off yet"),
        Lookalike("certificate_expired", "the clock is right, and the certificate is past its end"),
    ),
    explains=("certificate_expired", "cni_token_expired"),
)

FAULTS = (CLOCK_SKEW,)
