# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways through VXLAN devices to other nodes, as facts, and a few echoes along them.

An echo by way of the overlay is an ICMP packet like those of pods: nothing is changed by it. Each node asks those that
follow it in the order of addresses, so that however many nodes there are, all are asked, and few packets are sent.
"""

from __future__ import annotations

import binascii

from .._host import overlay_ways
from .._inet import octets
from .._record import NamedTuple
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Dict

    from .._host.links import Network
    from .._host.netlink import Netlink
    from .._host.overlay_ways import Device, Entries, Row
    from .._probe.echo import EchoProber
    from .sources import Sources

    Facts = Dict[str, Any]

_MOST_ROWS = 64
MOST_ASKED = 8
UNDERLAY = "underlay"
_RATE = 100.0


class Found(NamedTuple):
    """One device with its ways."""

    device: Device
    rows: list[Row]
    untold: tuple[str, ...] = ()


def read(connection: Netlink, network: Network) -> list[Found]:
    """Return all devices with their ways. Raises OSError if the kernel does not answer."""
    devices = overlay_ways.devices(connection, network)
    return joined(devices, overlay_ways.entries(connection, network, devices)) if devices else []


def joined(devices: Sequence[Device], entries: Mapping[str, Entries]) -> list[Found]:
    """Put devices and what there is for them together."""
    return [Found(one, overlay_ways.rows(entries[one.name]), entries[one.name].untold) for one in devices]


def facts(found: Sequence[Found]) -> Facts:
    """Return calico_node.overlay.devices, by name."""
    return {one.device.name: _facts(one) for one in found}


def _facts(found: Found) -> Facts:
    """Return one device: mac, vni, port, local, mtu, addresses; up only if it is not; ways (see overlay_ways.Row.text).

    Of more than a few ways only those are told in full that are not whole; of the others the ends (packed), and in the
    order of these four hexadecimal digits each: the lower half of the CRC-32 of its text.
    """
    device = found.device
    known: Facts = {"mac": device.mac, "mtu": device.mtu, "addresses": device.addresses, "untold": list(found.untold)}
    if device.made is not None:
        known.update({"vni": device.made.identifier, "port": device.made.port, "local": device.made.local})
    known = {name: value for name, value in known.items() if value not in ("", [], None)}
    if not device.up:
        known["up"] = False
    whole: dict[str, Row] = {}
    if len(found.rows) > _MOST_ROWS:
        ends = [row.end for row in found.rows]
        whole = {row.end: row for row in found.rows if row.whole and ends.count(row.end) == 1}
        known["ends"] = pack(whole)
        known["digests"] = "".join(digest(whole[end].text) for end in sorted(whole, key=octets))
    full = [row.text for row in found.rows if row.end not in whole]
    known["ways"] = full[:_MOST_ROWS]
    if len(full) > _MOST_ROWS:
        known["ways_left_out"] = len(full) - _MOST_ROWS
    return known


def digest(text: str) -> str:
    """Return what stands for a way: four hexadecimal digits."""
    return f"{binascii.crc32(text.encode('utf-8', 'replace')) & 0xFFFF:04x}"


class Round:
    """Echoes to a few other nodes by way of the underlay and of each device: let loop.run() drive its `probers`."""

    def __init__(self, found: Sequence[Found], own: Mapping[str, str], sources: Sources, timeout: float) -> None:
        self._asked: list[tuple[str, EchoProber, list[str]]] = []
        chosen = {one.device.name: _next(one, own) for one in found if one.device.up}
        below = {row.end: one.device for one in found for row in chosen.get(one.device.name, ())}
        ways = {name: [(row.address, "") for row in some] for name, some in chosen.items()}
        ways[UNDERLAY] = [(end, device.made.local if device.made else "") for end, device in below.items()]
        for name, pairs in ways.items():
            prober = self._started(pairs, timeout, sources) if pairs else None
            if prober is not None:
                self._asked.append((name, prober, [peer for peer, _source in pairs]))

    @staticmethod
    def _started(pairs: Sequence[tuple[str, str]], timeout: float, sources: Sources) -> EchoProber | None:
        from .._probe import echo, loop

        return loop.start("overlay_echoes", lambda: echo.EchoProber(pairs, timeout, _RATE), sources)

    @property
    def probers(self) -> list[EchoProber]:
        """What is to be driven."""
        return [prober for _name, prober, _peers in self._asked]

    def facts(self) -> Facts:
        """Return calico_node.overlay.echoes: by way, addresses (packed) by what came of it."""
        told: Facts = {}
        for name, prober, peers in self._asked:
            by_result: dict[str, list[str]] = {}
            for peer, result in zip(peers, prober.results):
                by_result.setdefault(result, []).append(peer)
            told[name] = {result: pack(asked) for result, asked in by_result.items()}
        return told


def _next(found: Found, own: Mapping[str, str]) -> list[Row]:
    """Return the ways to those who follow this node in the order of their addresses, and then to the first ones."""
    local = found.device.made.local if found.device.made and found.device.made.local else own.get("ipv4", "")
    whole = {row.end: row for row in found.rows if row.whole and octets(row.end) and octets(row.address)}
    ordered = sorted(whole, key=octets)
    later = [end for end in ordered if octets(end) > octets(local)]
    ring = later + [end for end in ordered if octets(end) < octets(local)]
    return [whole[end] for end in ring[:MOST_ASKED]]
