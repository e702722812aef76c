# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which established sessions both ends agree about. In a mesh nearly all do, so only what is missing is looked at.

A node of a mesh of n nodes lacks few of the n: to go through what it lacks, and not through what it has, makes the
join linear in what is wrong. A node with few sessions (a client of route reflectors) has few to go through.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .address_set import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .model import Daemon, Node


class End(NamedTuple):
    """A node's BIRD of one family, and the address by which it speaks."""

    node: Node
    daemon: Daemon
    own: str


@dataclass
class Agreement:
    """Established ends by whether the other end says so, too.

    agreed: their number. alone: the number of those whose other end was not read. doubtful: (end, peer's address) where
    the other end was read and does not have the session established.
    """

    agreed: int = 0
    alone: int = 0
    doubtful: list[tuple[End, str]] = field(default_factory=list)


def compare(ends: Iterable[End], owners: Mapping[str, Node]) -> Agreement:
    """Compare what all ends of one family say of their established sessions."""
    found = Agreement()
    everyone = list(ends)
    speakers = {end.own: end for end in everyone if owners.get(end.own) is end.node}
    spoken = AddressSet.of(speakers)
    lacking, few = _who_lacks(speakers, spoken)
    for end in everyone:
        own_set = AddressSet.of([end.own])
        common = (end.daemon.established & spoken) - own_set
        if speakers.get(end.own) is end:
            silent = _silent_towards(end, common, speakers, lacking, few)
            found.agreed += len(common) - len(silent)
            found.doubtful.extend((end, peer) for peer in silent)
            rest: Iterable[str] = end.daemon.established - common
        else:
            rest = end.daemon.established
        _one_by_one(found, end, rest, owners)
    return found


def _who_lacks(speakers: Mapping[str, End], spoken: AddressSet) -> tuple[dict[str, list[str]], list[str]]:
    """By address the speakers that lack it as an established peer; and those that lack most, which have few instead."""
    lacking: dict[str, list[str]] = {}
    few = []
    for own, end in speakers.items():
        missed = spoken - end.daemon.established
        if len(missed) > len(end.daemon.established):
            few.append(own)
            continue
        for address in missed:
            lacking.setdefault(address, []).append(own)
    return lacking, few


def _silent_towards(
    end: End, common: AddressSet, speakers: Mapping[str, End], lacking: Mapping[str, list[str]], few: Iterable[str]
) -> list[str]:
    """Of an end's established peers, all of them speakers, those that do not have the session established."""
    if len(common) <= len(speakers) // 2:
        return [peer for peer in common if end.own not in speakers[peer].daemon.established]
    silent = [peer for peer in lacking.get(end.own, ()) if peer in common]
    silent += [peer for peer in few if peer in common and end.own not in speakers[peer].daemon.established]
    return silent


def _one_by_one(found: Agreement, end: End, peers: Iterable[str], owners: Mapping[str, Node]) -> None:
    """Peers by another address than the one they speak by, or that were not read."""
    for peer in peers:
        other = owners.get(peer)
        if other is None or other is end.node:
            found.alone += 1
        elif (daemon := other.daemons.get(end.daemon.family)) is not None and end.own in daemon.established:
            found.agreed += 1
        else:
            found.doubtful.append((end, peer))


def by_family(ends: Iterable[End]) -> Iterator[list[End]]:
    """The ends of each family."""
    families: dict[str, list[End]] = {}
    for end in ends:
        families.setdefault(end.daemon.family, []).append(end)
    yield from families.values()
