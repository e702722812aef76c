# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of nodes that are cut from each other in BGP's sense, and which node cannot learn whose routes.

How routes pass from node to node stands in `spread`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .spread import Graph, bits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .expected import Expected

_MOST_NAMED = 8


@dataclass(frozen=True)
class Blind:
    """Nodes that do not learn the routes of others. each_other: nor of one another.

    through: some of their own peers that do have the routes and do not pass them on.
    """

    nodes: tuple[str, ...]
    misses: tuple[str, ...]
    each_other: bool = False
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parts:
    """How the nodes of one family hang together.

    groups: nodes that learn the routes of the same nodes and are learnt by the same ones, largest group first; one
    group if all is well. islands: nodes that some chain of sessions connects, whatever it passes on. blind: who lacks
    whose routes for certain; doubtful: who gets them only if routers outside the cluster pass them on.
    """

    family: str
    groups: tuple[tuple[str, ...], ...] = ()
    islands: tuple[tuple[str, ...], ...] = ()
    blind: tuple[Blind, ...] = ()
    doubtful: tuple[Blind, ...] = ()

    @property
    def whole(self) -> bool:
        """Every node learns the routes of every other one."""
        return not self.blind and not self.doubtful


def parts(expected: Expected, family: str, broken: Mapping[str, Collection[str]] | None = None) -> Parts:
    """How the nodes of a family hang together by the expected sessions, less those that are broken.

    broken: node to the nodes that it has no established session with, such as Comparison.broken of a family.
    """
    graph = Graph(expected, family)
    graph.cut(broken or {})
    certain = graph.learners(routers=False)
    possible = graph.learners(routers=True) if graph.routers and not _complete(graph, certain) else certain
    doubtful = [one & ~other for one, other in zip(possible, certain, strict=True)]
    return Parts(
        family=family,
        groups=_groups(graph, possible),
        islands=_islands(graph),
        blind=tuple(_blind(graph, [graph.everyone & ~one for one in possible], possible)),
        doubtful=tuple(_blind(graph, doubtful, certain)),
    )


def _complete(graph: Graph, learners: list[int]) -> bool:
    return all(one | 1 << number == graph.everyone for number, one in enumerate(learners))


def _named(graph: Graph, value: int) -> tuple[str, ...]:
    return tuple(graph.names[number] for number in bits(value & graph.everyone))


def _transposed(sets: list[int], own: bool) -> list[int]:
    """From "who is in the set of each" to "in whose sets each is". own: each counts as in its own set, to group alike.

    Sets that are alike but for their own bit are handled at once, so that a star or two halves of a mesh cost little.
    """
    grouped: dict[int, int] = {}
    for number, value in enumerate(sets):
        key = value | 1 << number if own else value
        grouped[key] = grouped.get(key, 0) | 1 << number
    found = [0] * len(sets)
    for value, origins in grouped.items():
        for number in bits(value):
            if number < len(found):
                found[number] |= origins
    return [value & ~(1 << number) for number, value in enumerate(found)]


def _blind(graph: Graph, missing: list[int], learners: list[int]) -> Iterator[Blind]:
    """Who lacks whose routes. missing: for each node, those that do not learn its routes."""
    lacking = _transposed([value & ~(1 << number) for number, value in enumerate(missing)], own=True)
    same: dict[int, list[int]] = {}
    for number, value in enumerate(lacking):
        if value:
            same.setdefault(value, []).append(number)
    alike: dict[int, list[int]] = {}
    for value, numbers in list(same.items()):
        if len(numbers) == 1:
            alike.setdefault(value | 1 << numbers[0], []).append(numbers[0])
        else:
            yield _blind_group(graph, numbers, value, learners, each_other=False)
    for value, numbers in alike.items():
        yield _blind_group(graph, numbers, value, learners, each_other=len(numbers) > 1)


def _blind_group(graph: Graph, numbers: list[int], misses: int, learners: list[int], *, each_other: bool) -> Blind:
    own = sum(1 << number for number in numbers)
    misses &= ~own
    origin = next(bits(misses or own & ~(1 << numbers[0])), None)
    having = learners[origin] if origin is not None else 0
    through = graph.peers(numbers[0]) & having
    names = tuple(graph.names[number] for number in numbers)
    return Blind(names, _named(graph, misses), each_other, _named(graph, through)[:_MOST_NAMED])


def _groups(graph: Graph, learners: list[int]) -> tuple[tuple[str, ...], ...]:
    """Nodes that learn, and are learnt by, the same ones."""
    learnt = _transposed(learners, own=True)
    found: dict[tuple[int, int], list[str]] = {}
    for number, name in enumerate(graph.names):
        bit = 1 << number
        found.setdefault((learners[number] | bit, learnt[number] | bit), []).append(name)
    return tuple(sorted(map(tuple, found.values()), key=lambda names: (-len(names), names)))


def _islands(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Nodes that a chain of sessions connects."""
    left = (1 << len(graph.internal)) - 1
    found = []
    while left & graph.everyone:
        island = border = left & -left
        while border:
            reached = 0
            for number in bits(border):
                reached |= graph.peers(number)
                if reached & left == left:
                    break
            border = reached & left & ~island
            island |= border
        left &= ~island
        found.append(_named(graph, island))
    return tuple(sorted(filter(None, found), key=lambda names: (-len(names), names)))
