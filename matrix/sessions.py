# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The BGP sessions of a lab at a moment, and which of them a diagnosis has disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab import birdc

if TYPE_CHECKING:
    from lab import Lab
    from lab.machine import Machine


# So often BIRD is asked: on a busy machine it may not answer within the time that one question has.
_TRIES = 4


class Row(NamedTuple):
    """A line of `show protocols` of an established session: since when it is (HH:MM:SS or a date).

    BIRD's word beside it ("wait", "feed", "up") is not kept: it tells how far the exchange of routes has got, which
    goes on by itself after a session has come up.
    """

    since: str

    def same_as(self, later: Row) -> bool:
        """Whether nothing happened in between.

        BIRD 1.6 works `since` out anew at every reply, from whole seconds of two clocks, of which it reads the one when
        the other has moved on (sysdep/unix/io.c, update_times_gettime): where both do so at nearly the same moment,
        `since` jumps by a second.
        """
        return self.since == later.since or abs(_seconds(self.since) - _seconds(later.since)) <= 1


Sessions = dict[tuple[str, str], Row]


def established(lab: Lab) -> Sessions:
    """The established sessions of all nodes whose BIRD answers, by node and protocol."""
    found: Sessions = {}
    for node in lab.nodes:
        machine = lab.machine(node.name)
        if not machine.running:
            continue
        rows = [line.split() for line in _protocols(machine)]
        found.update(
            ((node.name, row[0]), Row(row[4])) for row in rows if row[5:6] == ["Established"] and row[1] == "BGP"
        )
    return found


def _protocols(machine: Machine) -> list[str]:
    """The lines of `show protocols`, none of a BIRD that does not run. One that is only slow has lost no session."""
    for _attempt in range(_TRIES):
        try:
            return birdc.ask(machine, "show protocols")
        except birdc.BirdError:
            continue
    return []


def disturbed(before: Sessions, after: Sessions) -> list[tuple[str, str]]:
    """The sessions that went down, or came up anew, in between."""
    return sorted(key for key, row in before.items() if key not in after or not row.same_as(after[key]))


def _seconds(clock: str) -> float:
    """Seconds since midnight; a date is at no time of the day."""
    parts = clock.split(":")
    return (
        sum(float(part) * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
        if len(parts) == 3
        else float("inf")
    )
