# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the matrix: what is broken where. Pure data."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, NamedTuple

from lab.faults.registry import FAULTS
from lab.topology import TOPOLOGIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.faults.model import Fault

FIRST = "one_subnet"
WITHOUT_BIRD = ("vxlan", "canal")
# Where a variant brings a second fault with it (routers outside know the cluster by its AS number), or needs a mesh.
UNFIT = {
    ("bird_reload_stuck", "as"): ("external_router", "two_subnets"),
    ("tcp179_latent_one_way_block", "iptables-nft"): ("route_reflectors",),
}
# Sessions by BGPPeers, which both ends dial and which not every two nodes have: the lab's faults that break sessions
# wait for those of a mesh.
WITHOUT_MESH = ("route_reflectors",)
# Without any session no other fault's sessions can fail.
NOT_IN_PAIRS = ("mesh_disabled_no_peers",)
# The first keeps BIRD from giving the kernel routes, which the kernel refuses by the second.
NOT_TOGETHER = ({"bgpconfig_service_cidr_contains_pods", "no_encap_next_hop_not_onlink"},)
# Of a pair each fault is on a node of its own.
NODES_OF_A_PAIR = ("node-2", "node-4")


class Injection(NamedTuple):
    """A fault to make: its id and variant, and the node (None: the fault's own choice)."""

    fault: str
    variant: str
    node: str | None = None


class Row(NamedTuple):
    """A lab of a topology with faults in it, or with none; then `oddity` names what is odd but sound of it."""

    topology: str
    injections: tuple[Injection, ...] = ()
    oddity: str = ""

    @property
    def name(self) -> str:
        """As it is told: fault-variant+fault-variant@topology."""
        what = "+".join(f"{each.fault}-{each.variant}" for each in self.injections)
        return f"{what or self.oddity or 'healthy'}@{self.topology}"


def alone(everywhere: bool = False) -> list[Row]:
    """Each variant of each fault on the topology that it needs; if `everywhere`, on each one where it can be."""
    rows = []
    for fault in FAULTS:
        for variant in fault.variants:
            shapes = [variant.topology] if variant.topology else _shapes(everywhere)
            unfit = {*UNFIT.get((fault.id, variant.name), ())}
            if fault.breaks_sessions and not variant.topology:
                unfit.update(WITHOUT_MESH)
            rows += [Row(shape, (Injection(fault.id, variant.name),)) for shape in shapes if shape not in unfit]
    return rows


def _shapes(everywhere: bool) -> list[str]:
    """Topologies for what needs none of its own: those in which BIRD carries the routes."""
    return [shape.name for shape in TOPOLOGIES if shape.name not in WITHOUT_BIRD] if everywhere else [FIRST]


def pairs(seed: int, count: int) -> list[Row]:
    """Pairs of different faults on different nodes, drawn at random; the same seed draws the same."""
    eligible = [
        fault
        for fault in FAULTS
        if fault.default and fault.variants[0].topology in ("", FIRST) and fault.id not in NOT_IN_PAIRS
    ]
    there = [two for two in itertools.permutations(eligible, 2) if {each.id for each in two} not in NOT_TOGETHER]
    drawn = random.Random(seed).sample(there, count)  # noqa: S311
    return [_pair(one, other) for one, other in drawn]


def _pair(one: Fault, other: Fault) -> Row:
    first, second = NODES_OF_A_PAIR
    return Row(
        FIRST,
        (
            Injection(one.id, one.variants[0].name, first),
            Injection(other.id, other.variants[0].name, second),
        ),
    )


def named(rows: Iterable[Row], words: Sequence[str]) -> list[Row]:
    """The rows in whose names one of the words stands; all of them without words."""
    return [row for row in rows if not words or any(word in row.name for word in words)]
