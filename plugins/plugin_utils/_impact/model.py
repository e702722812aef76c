# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a loss really breaks, kept small: sets and counts. Pairs of nodes are told one by one only when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Carrier:
    """Who makes the routes to a pool's pods. encapsulation: none, ipip, vxlan (with "-cross-subnet"), wireguard.

    programmed_by: bird, felix, both, nobody, or others (flannel, a cloud's own network). assumed: nothing tells it.
    """

    pool: str
    cidr: str
    encapsulation: str
    programmed_by: str
    assumed: bool = False

    @property
    def needs_bgp(self) -> bool:
        """Without a session there is no route to these pods."""
        return self.programmed_by == "bird"


@dataclass(frozen=True)
class Impact:
    """What the loss of sessions, or of nodes, means. Nodes bear the inventory's names.

    isolated: nodes without any session left; their pods and all others' are cut from each other.
    gone: nodes that are down as a whole. cut: of the other nodes, whose pods each of them cannot reach, and the other
    way round (each pair stands at both). fewer_ways: nodes that lost a reflector or router and have another one left.
    nobodys: addresses in the mesh that no Node has, and so maybe no machine.
    blocks: the address blocks of the nodes concerned that only BGP makes reachable. everyone: all nodes that are known.
    pods_cut_off: pods on isolated or lost nodes; pods_partly: pods on nodes that are cut from some others only;
    services: Services with an endpoint on such nodes, counted once for each node, so an upper bound.
    kept_seconds: for how long at most routes of sessions that broke uncleanly are still kept (graceful restart).
    """

    bgp_matters: bool
    isolated: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    cut: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fewer_ways: tuple[str, ...] = ()
    nobodys: tuple[str, ...] = ()
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    everyone: frozenset[str] = frozenset()
    pods_cut_off: int = 0
    pods_partly: int = 0
    services: int = 0
    counted: bool = False
    kept_seconds: int | None = None
    carriers: tuple[Carrier, ...] = ()
    keeps: tuple[str, ...] = ()
    summary: str = ""

    @property
    def pairs(self) -> int:
        """How many pairs of nodes are cut from each other."""
        apart = len(self.isolated) + len(self.gone)
        rest = max(len(self.everyone) - apart, 0)
        return apart * rest + apart * (apart - 1) // 2 + sum(len(others) for others in self.cut.values()) // 2

    def unreachable_from(self, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The nodes whose pods cannot be reached from a node, each with its blocks as far as they are known."""
        apart = {*self.isolated, *self.gone}
        others = self.everyone - {name} if name in apart else (apart | self.cut.get(name, frozenset())) - {name}
        for other in sorted(others):
            yield other, self.blocks.get(other, ())
