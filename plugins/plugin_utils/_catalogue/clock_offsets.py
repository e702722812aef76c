# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far clocks are off: as measured, and by certificates whose dates somebody refuses."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from . import gate_signals, observed, words
from .gate_signals import CERTIFICATE_TIME
from .model import Seen

if TYPE_CHECKING:
    from collections.abc import Collection

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .model import Subject

# Beyond this, in seconds, logs of two nodes cannot be laid side by side; beyond the other, tokens and TLS suffer.
SKEW_SHOWS, SKEW_HURTS = 30, 300
SAYS_WHEN = re.compile(r"current time (\S+) is (after|before) (\S+)")


def skews(evidence: Evidence) -> dict[str, float]:
    """By node, how far its clock is ahead of what most nodes agree upon, where that is certain."""
    told = {
        node.name: (node.control.clock_ahead, node.control.clock_error)
        for node in evidence.nodes.values()
        if node.control.clock_ahead is not None
    }
    ahead = sorted(value for value, _error in told.values())
    usual = ahead[len(ahead) // 2] if len(ahead) > 2 else 0.0
    measured = {name: value - usual for name, (value, error) in told.items() if abs(value - usual) - error > SKEW_SHOWS}
    return {**behind_certificates(evidence, told), **measured}


def behind_certificates(evidence: Evidence, measured: Collection[str]) -> dict[str, float]:
    """By node, how far its clock lags at least, where a certificate that exists already is not yet valid by it.

    Nobody dates a certificate later than it is made. Where the clock was measured that says more.
    """
    found = {}
    for node in evidence.nodes.values():
        lags = [lag(line.text) for line in lines_on_dates(node)] if node.name not in measured else []
        if max(lags, default=0.0) > SKEW_SHOWS:
            found[node.name] = -max(lags)
    return found


def told_to_clients(evidence: Evidence, which: str) -> list[Seen]:
    """What kubectl says of the API server's certificate where it names the time it has and the certificate's end, which
    is "after" it, or begin, which is "before" it."""
    told = [one.said for one in observed.tried(evidence) if one.check == "api" and CERTIFICATE_TIME in one.said]
    dated = [(text, when) for text in told if (when := SAYS_WHEN.search(text)) is not None]
    return [Seen("", "kubectl", text) for text, when in dated if when.group(2) == which]


def lines_on_dates(node: Node) -> list[HostLine]:
    """The lines of a node's logs in which a certificate is refused for its dates."""
    # One that begins within seconds is valid by now: the clocks of who made it and of who read it are that far apart.
    told = [line for line in node.control.log if CERTIFICATE_TIME in line.text]
    return [line for line in told if not 0 < lag(line.text) <= SKEW_SHOWS]


def clock_is_off_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's clock is off, so that a certificate which is well may look expired, or not yet valid."""
    return [
        Seen(node.name, "clock", in_words(skew))
        for node in gate_signals.nodes_of(evidence, subject)
        if (skew := skews(evidence).get(node.name)) is not None and abs(skew) > SKEW_HURTS
    ]


def lag(text: str) -> float:
    """Return how long before a certificate's begin it was refused, in seconds; 0 if it was not for that."""
    when = SAYS_WHEN.search(text)
    if when is None or when.group(2) != "before":
        return 0.0
    now = _moment(when.group(1))
    # The line's end may be cut off.
    begins = _moment(when.group(3)) or _moment(f"{when.group(3)[:10]}T00:00:00Z")
    return (begins - now).total_seconds() if now is not None and begins is not None else 0.0


def _moment(stamp: str) -> datetime | None:
    """Return the moment of "2024-05-01T10:00:00Z" or "…+08:00", None if it is neither."""
    try:
        moment = datetime.fromisoformat(stamp.rstrip(".,;\"')\\").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def in_words(seconds: float) -> str:
    """Return an offset as people say it: "10 min behind"."""
    return f"{words.span(round(abs(seconds)))} {'ahead' if seconds > 0 else 'behind'}"
