# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pieces of wording that the catalogue's sentences share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .._evidence.evidence import Evidence
    from .._evidence.model import Protocol
    from .._evidence.rules import Rule
    from .._evidence.sessions import Session

SHOWN = 4


def listed(names: Iterable[str]) -> str:
    """A few names in a row; many are cut short with their number."""
    found = list(dict.fromkeys(names))
    if not found:
        return "none"
    if len(found) > SHOWN + 1:
        return f"{', '.join(found[:SHOWN])} and {len(found) - SHOWN} more"
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def plural(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(seconds: int) -> str:
    """A length of time in the unit a person would use."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def peers_of(evidence: Evidence, name: str, sessions: Sequence[Session]) -> list[str]:
    """The other ends of a node's sessions, by name."""
    found = []
    for session in sessions:
        side = session.side_of(name)
        if side:
            found.append(evidence.name_at(session.other(side)))
    return found


def state(protocol: Protocol) -> str:
    """A protocol's state the way BIRD prints it."""
    shown = protocol.bgp_state or protocol.state
    return f"{shown}, {protocol.last_error}" if protocol.last_error else shown


def rule_place(rule: Rule) -> str:
    """A rule's place: backend, table, chain, number."""
    number = f"rule {rule.number}" if rule.number else "policy"
    return f"{rule.backend} {rule.table} {rule.chain} {number}"


def rule_and_owner(rule: Rule) -> str:
    """A rule's place, and the program it belongs to where that is known."""
    return f"{rule_place(rule)}, of {rule.owner}" if rule.owner not in ("", "unknown") else rule_place(rule)
