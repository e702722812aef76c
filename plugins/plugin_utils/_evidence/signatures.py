# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions the kernel's counters of refused TCP MD5 signatures are about.

The counters are a host's, not a peer's: one dialler with a wrong password makes them grow at every listener that it
dials, and there nothing tells whether other diallers' segments were refused as well or never came. So the diallers and
listeners that explain most are found first, and what a counter grew by beyond theirs is evidence against others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .sessions import Session, Side

FORMS = ("failure", "unexpected", "not_found")


@dataclass(frozen=True)
class Blame:
    """Nodes that explain refused signatures, the sessions that go with it, and the forms of the mismatch.

    doubtful: keys of the sessions about which the counters tell nothing, because they grew by no more than other
    diallers explain. fewer: the listeners that counted fewer refusals than these sessions have diallers.
    """

    names: tuple[str, ...]
    sessions: tuple[Session, ...]
    forms: tuple[str, ...]
    doubtful: frozenset[tuple[str, str, str]]
    fewer: tuple[str, ...]


class _Entry(NamedTuple):
    """A session that may fail for its password. configured: the ends' configurations alone tell so."""

    session: Session
    names: tuple[str, str]
    dialler: Side
    listener: Side
    form: str
    configured: bool

    @property
    def grew(self) -> int:
        """By how much the listener's counter of this form grew."""
        node = self.listener.node
        return node.md5[self.form].grew if node and self.form in node.md5 else 0


def password(side: Side, peer: str) -> bool | None:
    """Whether an end has a password for the other; None where nothing tells."""
    if side.protocol and side.protocol.password is not None:
        return side.protocol.password
    if side.daemon is None or not side.daemon.config.passwords:
        return None
    if side.daemon.config.passwords == "some":
        return peer in side.daemon.config.with_password
    return side.daemon.config.passwords == "all"


def blames(down: Iterable[Session], labels: Callable[[Session], tuple[str, str]]) -> tuple[Blame, ...]:
    """The fewest nodes that explain the sessions which may fail for their passwords, the heaviest first."""
    remaining = [entry for session in down for entry in _entries(session, labels(session))]
    diallers: dict[str, int] = {}
    found: list[Blame] = []
    while remaining:
        weight = _weights(remaining)
        if max(sessions for _explained, sessions in weight.values()) == 1:
            found.extend(_blame(entry.names, [entry], diallers) for entry in remaining)
            break
        heaviest = max(weight.values())
        leader = min(name for name, value in weight.items() if value == heaviest)
        taken = [entry for entry in remaining if leader in entry.names]
        others = set.intersection(*(set(entry.names) for entry in taken)) - {leader}
        found.append(_blame((leader, *sorted(others)), taken, diallers))
        for entry in taken:
            diallers[entry.listener.address] = diallers.get(entry.listener.address, 0) + 1
        remaining = [entry for entry in remaining if entry not in taken]
    return tuple(found)


def _entries(session: Session, names: tuple[str, str]) -> list[_Entry]:
    """The session as one that may fail for its password, or nothing."""
    side, other = next(ends for ends in session.sides() if session.dials(ends[0]))
    form, configured = _form(side, other)
    return [_Entry(session, names, side, other, form, configured)] if form else []


def _form(dialler: Side, listener: Side) -> tuple[str, bool]:
    """Which form the configuration of both ends and the listener's counters show, or ''; whether the former do."""
    dials, listens = password(dialler, listener.address), password(listener, dialler.address)
    if dials is not None and listens is not None and dials != listens:
        return ("unexpected" if dials else "not_found"), True
    counters = listener.node.md5 if listener.node else {}
    grown = [form for form in FORMS if form in counters and counters[form].grew]
    if dials and listens:
        return ("failure" if "failure" in grown else ""), False
    if (dials is False and listens is False) or _is_dead(listener, dialler.address):
        return "", False
    if not grown or (listens is None and dials is None and len(grown) > 1):
        return "", False
    return grown[0], False


def _is_dead(side: Side, peer: str) -> bool:
    """The peer's host answers nothing, so that no segment of its can have been counted."""
    reach = side.node.reachability.get(peer) if side.node else None
    return reach is not None and reach.echo != "answered" and reach.neighbour in ("failed", "incomplete", "none")


def _weights(entries: Iterable[_Entry]) -> dict[str, tuple[int, int]]:
    """How much each node explains, and its sessions. At a listener it explains no more than were refused there."""
    sessions: dict[str, int] = {}
    at_listener: dict[str, list[_Entry]] = {}
    for entry in entries:
        for name in set(entry.names):
            sessions[name] = sessions.get(name, 0) + 1
        if not entry.configured:
            at_listener.setdefault(entry.listener.label, []).append(entry)
    unexplained = {name: max(len(some) - some[0].grew, 0) for name, some in at_listener.items()}
    return {name: (number - unexplained.get(name, 0), number) for name, number in sessions.items()}


def _blame(names: tuple[str, ...], taken: list[_Entry], diallers: dict[str, int]) -> Blame:
    doubtful = frozenset(
        entry.session.key
        for entry in taken
        if not entry.configured and entry.grew <= diallers.get(entry.listener.address, 0) * _most_syns(entry.listener)
    )
    counted: dict[str, list[_Entry]] = {}
    for entry in taken:
        if not entry.configured:
            counted.setdefault(entry.listener.label, []).append(entry)
    fewer = tuple(name for name, some in counted.items() if some[0].grew < len(some))
    forms = tuple(sorted({entry.form for entry in taken}))
    return Blame(names, tuple(entry.session for entry in taken), forms, doubtful, fewer)


def _most_syns(listener: Side) -> int:
    """The most SYNs that one dialler sends while the listener's counters are watched.

    The kernel repeats a SYN after 1, 2 and 4 s, and after 5 s (Calico's timer) BIRD tries anew: never two in a second.
    """
    return int(listener.node.md5_seconds) + 1 if listener.node else 1
