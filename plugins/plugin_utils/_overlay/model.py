# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of an overlay: its ends, what nodes lack of the ways to them, and what was examined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._evidence.overlay_facts import Device

CALICO, FLANNEL = "vxlan.calico", "flannel.1"
PORTS = {CALICO: 4789, FLANNEL: 8472}
# What of a way is amiss: all of it, its neighbour entry, its forwarding entry, routes, or it is not known what.
EVERYTHING, NEIGHBOUR, FDB, ROUTE, DIFFERS = "everything", "neighbour entry", "forwarding entry", "route", "way"


@dataclass(frozen=True)
class End:
    """A node's end of the overlay. name: the inventory's; record: the name on record.

    end, mac and address: the node's own address, and its device's MAC (without colons) and address, by the node's own
    word, else by what is registered; '' if not known. ends, macs, addresses: all that are told. ranges: what must be
    routed there; None: not known. device: as the node told of it; None if it did not.
    """

    name: str
    record: str
    end: str = ""
    mac: str = ""
    address: str = ""
    ends: frozenset[str] = frozenset()
    macs: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    ranges: tuple[str, ...] | None = None
    device: Device | None = None
    registered_mac: str = ""
    registered_address: str = ""


@dataclass(frozen=True)
class Lack:
    """What the node `at` lacks of the way to the node `to`. wrong: it is there, and is not what it should be.

    blame: the node whose fault it is, where one entry tells; '' where it does not.
    """

    at: str
    to: str
    what: str
    wrong: bool
    detail: str
    blame: str = ""


@dataclass(frozen=True)
class Silence:
    """An echo that got no answer by way of the overlay. below: what became of one by the underlay."""

    at: str
    to: str
    below: str


@dataclass(frozen=True)
class Overlay:
    """What was examined of one device on all nodes.

    vni, port: as they are configured, else as most devices have them. odd: by node how its device is made otherwise.
    readers: the nodes that told of their device; ways: how many ways they ought to have; examined: how many of these
    could be looked at. answered: echoes that were.
    """

    device: str
    vni: int | None = None
    port: int = 0
    ends: Mapping[str, End] = field(default_factory=dict)
    readers: tuple[str, ...] = ()
    ways: int = 0
    examined: int = 0
    lacks: tuple[Lack, ...] = ()
    odd: Mapping[str, str] = field(default_factory=dict)
    answered: int = 0
    silent: tuple[Silence, ...] = ()

    @property
    def flow(self) -> str:
        """What packet filters' verdicts call its packets."""
        return f"udp{self.port}"


@dataclass(frozen=True)
class Culprit:
    """The node that explains some lacks: it lacks them itself (own), or others lack the way to it."""

    name: str
    own: bool
    lacks: tuple[Lack, ...]
