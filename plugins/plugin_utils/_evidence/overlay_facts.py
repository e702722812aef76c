# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node tells of its tunnels: the devices, what is wrong with them, the ways through them, and echoes.

The shapes are those of RV(ansible_facts.calico_node.overlay) and RV(ansible_facts.calico_node.host) of
M(netmedic.calico.node_facts). Everything here says "not told" by being empty or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.overlay_ways import UNDERLAY
from ...module_utils._host.overlay_ways import NONE, UNKNOWN
from ...module_utils._inet import octets
from . import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DIGITS = 4


@dataclass(frozen=True)
class Way:
    """The way to another node. Of end (its own address), mac and address (its device's) "-" is what is not there, "?"
    what is not known. mac has no colons."""

    end: str
    mac: str
    address: str
    destinations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Device:
    """A VXLAN device. ways: in full; digests: what stands for those that are whole and too many to be told, by end.

    untold: what of fdb, neighbours and routes is not known. left_out: how many ways are not told at all.
    """

    name: str
    mac: str = ""
    vni: int | None = None
    port: int | None = None
    local: str = ""
    mtu: int | None = None
    up: bool = True
    addresses: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    left_out: int = 0


@dataclass(frozen=True)
class Trouble:
    """A tunnel device in trouble. problem: missing, down, no_address, local_not_here, local_differs; '' for none."""

    name: str
    problem: str
    needed: str = ""
    local: str = ""


@dataclass(frozen=True)
class OverlayFacts:
    """All of it, of one node. echoes: by way ("underlay", or a device) the addresses that were asked, with the result.

    tunnels_told: that no trouble is told means that there is none.
    """

    devices: Mapping[str, Device] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    echoes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    use_pod_cidr: bool = False

    def echo(self, way: str, address: str) -> str:
        """What became of an echo: answered, silent, unreachable, not_tried; '' if none was sent."""
        return self.echoes.get(way, {}).get(address, "")


def read(facts: Mapping[str, Any]) -> OverlayFacts:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    about = plain.mapping(facts.get("calico_node"))
    host, told = plain.mapping(about.get("host")), plain.mapping(about.get("overlay"))
    devices = plain.mapping(told.get("devices"))
    return OverlayFacts(
        devices={name: _device(name, plain.mapping(item)) for name, item in devices.items() if isinstance(item, dict)},
        troubles=tuple(
            Trouble(
                plain.text(item.get("name")),
                plain.text(item.get("problem")),
                plain.text(item.get("needed")),
                plain.text(item.get("local")),
            )
            for item in plain.mappings(host.get("tunnels"))
        ),
        echoes={way: _echoes(plain.mapping(results)) for way, results in plain.mapping(told.get("echoes")).items()},
        use_pod_cidr=plain.mapping(host.get("cni")).get("use_pod_cidr") is True,
    )


def _device(name: str, item: Mapping[str, Any]) -> Device:
    return Device(
        name=name,
        mac=plain.text(item.get("mac")),
        vni=plain.integer(item.get("vni")),
        port=plain.integer(item.get("port")) or None,
        local=plain.text(item.get("local")),
        mtu=plain.integer(item.get("mtu")),
        up=item.get("up") is not False,
        addresses=plain.texts(item.get("addresses")),
        ways=tuple(_ways(plain.texts(item.get("ways")))),
        digests=_digests(plain.mapping(item.get("ends")), plain.text(item.get("digests"))),
        untold=frozenset(plain.texts(item.get("untold"))),
        left_out=plain.count(item.get("ways_left_out")),
    )


def _ways(texts: tuple[str, ...]) -> Iterator[Way]:
    for text in texts:
        words = text.split(" ")
        if len(words) == 4:
            end, mac, address, destinations = words
            named = [one for one in destinations.split(",") if one and one != NONE]
            yield Way(end, mac, address, tuple(address + one if one.startswith("/") else one for one in named))


def _digests(packed: Mapping[str, Any], digits: str) -> dict[str, str]:
    ordered = sorted(plain.unpacked(packed), key=octets)
    pieces = [digits[start : start + _DIGITS] for start in range(0, len(digits), _DIGITS)]
    return dict(zip(ordered, pieces, strict=False)) if len(ordered) == len(pieces) else {}


def _echoes(results: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for result, packed in results.items():
        found.update(dict.fromkeys(plain.unpacked(packed), result))
    return found


__all__ = ["NONE", "UNDERLAY", "UNKNOWN", "Device", "OverlayFacts", "Trouble", "Way", "read"]
