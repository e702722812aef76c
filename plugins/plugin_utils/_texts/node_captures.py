# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What captures (tcpdump) of a node show, summed up: who sends what to whom, and with what checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import recognise, tcpdump

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .tcpdump import Packet

    Facts = dict[str, Any]

NAME = "tcpdump.txt"
_KIND = "tcpdump"
_MOST_GROUPS = 40
_MOST_TEXTS = 16
_RIGHT = ("sum ok]", "(correct)")
_WRONG = ("[bad ", "(incorrect")
_HIGHEST_OF_SERVICES = 32767


def facts(texts: Mapping[str, str]) -> list[Facts]:
    """Return calico_node.host.captured: one entry per protocol, sender, receiver and port, those with most packets
    first. The texts of captures are told by what is in them."""
    groups: dict[tuple[str, str, str, int], Facts] = {}
    for text in _captures(texts):
        for packet in tcpdump.parse(text).value.packets:
            key = (packet.protocol, packet.source, packet.destination, _port(packet))
            entry = groups.get(key)
            if entry is None:
                entry = groups[key] = {
                    name: value
                    for name, value in zip(("protocol", "source", "destination", "port"), key, strict=True)
                    if value
                }
                entry["packets"] = 0
            _add(entry, packet)
    return sorted(groups.values(), key=lambda entry: -int(entry["packets"]))[:_MOST_GROUPS]


def _captures(texts: Mapping[str, str]) -> Iterator[str]:
    found = 0
    for name, text in texts.items():
        named = name.rpartition("/")[2].startswith(_KIND)
        likely = "." not in name or name.endswith((".txt", ".log"))
        if named or (likely and " > " in text[:4000] and recognise.recognise(text, name) == _KIND):
            found += 1
            yield text
            if found >= _MOST_TEXTS:
                return


def _port(packet: Packet) -> int:
    """Return the port of the service: that of the two which no client would choose."""
    ports = [port for port in (packet.destination_port, packet.source_port) if port]
    return next((port for port in ports if port <= _HIGHEST_OF_SERVICES), ports[0] if ports else 0)


def _add(entry: Facts, packet: Packet) -> None:
    entry["packets"] += 1
    told = {
        "good_checksums": any(words in packet.info for words in _RIGHT),
        "bad_checksums": any(words in packet.info for words in _WRONG),
        "opens": packet.flags == "S" or "echo request" in packet.info,
        "answers": packet.flags == "S." or "echo reply" in packet.info,
        "resets": "R" in packet.flags,
        "inner_opens": "Flags [S]," in packet.inner,
        "inner_accepts": "Flags [S.]," in packet.inner,
        "inner_pings": "echo request" in packet.inner,
        "inner_echoes": "echo reply" in packet.inner,
    }
    for name, seen in told.items():
        if seen:
            entry[name] = entry.get(name, 0) + 1
    if packet.inner:
        entry.setdefault("inner", packet.inner[:80])
