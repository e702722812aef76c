# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which properties some nodes share, tested against all other nodes.

A property is an attribute with a value ("kernel", "6.1"). One that exactly the same nodes have as another one is the
same question, asked once and told under both names. Whether a property can say anything at all follows from how many
nodes have it, before it is looked at which ones; only such are counted as tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .exact import holm, tail

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

# Corrected for all that was tested.
SURPRISING = 0.05
# What fewer of the affected share, or what the others have nearly as often, is no hint, however certain.
MOST_OF_THEM = 0.5
TIMES_AS_OFTEN = 2
MOST_TOLD = 3
LEAST_AFFECTED = 2
# Values of what one has or has not, and of what one is or is not.
HERE, NONE, NOT = "yes", "none", "no"


class Shared(NamedTuple):
    """A property that affected nodes share: how many of how many have it, and how many of how many others.

    Counted are the nodes of which it is known. p_value: how probable it is that a random choice of as many nodes would
    share it as often; corrected: how probable it is that any of all the properties looked at would be shared so.
    """

    attribute: str
    value: str
    affected: int
    of: int
    elsewhere: int
    others: int
    p_value: float
    corrected: float = 0.0

    @property
    def told(self) -> str:
        """The property for a person, as what one has: "kernel 6.1", "a pod of speaker"."""
        return worded(self._asdict())


def worded(shared: Mapping[str, Any]) -> str:
    """A property for a person, as what one has: "kernel 6.1", "joined within the last day", "no pod of speaker".

    shared: an entry of the report's commonality.
    """
    attribute, value = str(shared["attribute"]), str(shared["value"])
    words = {HERE: attribute, NONE: f"no {attribute.removeprefix('a ')}", NOT: f"not {attribute}"}
    return words.get(value, f"{attribute} {value}")


class Table:
    """The properties of all nodes. Linear in nodes and properties."""

    def __init__(self, properties: Mapping[str, Mapping[str, str]]) -> None:
        """properties: by node the value of each attribute that is known of it."""
        self._known: dict[str, set[str]] = {}
        having: dict[tuple[str, str], set[str]] = {}
        for node, told in properties.items():
            for attribute, value in told.items():
                self._known.setdefault(attribute, set()).add(node)
                having.setdefault((attribute, value), set()).add(node)
        self._questions: dict[tuple[frozenset[str], frozenset[str]], list[tuple[str, str]]] = {}
        everyone = {attribute: frozenset(known) for attribute, known in self._known.items()}
        for name, nodes in having.items():
            if LEAST_AFFECTED <= len(nodes) < len(everyone[name[0]]):
                self._questions.setdefault((frozenset(nodes), everyone[name[0]]), []).append(name)

    def shared(self, affected: Collection[str], groups: int = 1) -> list[Shared]:
        """What these nodes share and the others do not, the least accidental first; at most three.

        groups: how many groups of nodes are looked at for the same report; the correction is for all of them.
        """
        chosen = frozenset(affected)
        found: list[list[Shared]] = []
        for (having, known), names in self._questions.items():
            counted = _count(chosen, having, known)
            if counted is not None:
                affected_there, of, elsewhere, others, p_value = counted
                found.append([Shared(*name, affected_there, of, elsewhere, others, p_value) for name in names])
        corrected = holm([same[0].p_value for same in found], groups * len(self._questions))
        told = [
            one._replace(corrected=value)
            for same, value in zip(found, corrected, strict=True)
            if value <= SURPRISING
            for one in same
        ]
        return sorted(told, key=lambda one: one.p_value)[:MOST_TOLD]


def _count(
    chosen: frozenset[str], having: frozenset[str], known: frozenset[str]
) -> tuple[int, int, int, int, float] | None:
    """Count who has a property, and how probable that is; None where it would be no hint."""
    number = len(chosen & known)
    affected = len(chosen & having)
    others, elsewhere = len(known) - number, len(having) - affected
    if affected < LEAST_AFFECTED or affected <= MOST_OF_THEM * number or not others:
        return None
    if affected * others < TIMES_AS_OFTEN * elsewhere * number:
        return None
    return affected, number, elsewhere, others, tail(len(known), len(having), number, affected)


def distinct(groups: Iterable[Collection[str]]) -> list[frozenset[str]]:
    """Groups of nodes large enough to share something, each once, in their order."""
    return list(dict.fromkeys(frozenset(group) for group in groups if len(group) >= LEAST_AFFECTED))
