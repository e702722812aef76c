# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and names that a text still holds, in whatever way they are written: what the look for leaks looks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._inet import octets
from .disguised import DUMP, SEPARATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .schemes import Schemes

_ADDRESS = re.compile(
    r"(?<!\d)(?<!\d\.)(?<!\.[a-f]\.)\d{1,3}(?:([._-])\d{1,3})(?:\1\d{1,3}){2}(?!\d|(?:\.[0-9a-f]\b){2})"
)
# Wherever one may begin: a number before it may look like its first byte.
_JOINED = re.compile(r"(?<!\d)(?=(\d{1,3}([_-])\d{1,3}\2\d{1,3}\2\d{1,3})(?!\d))")
_JOINED_SIX = re.compile(r"(?<![0-9A-Za-z])(?=([0-9a-f]{1,4}(?:-[0-9a-f]{0,4}){2,8})-\d{1,3}(?![-\w]))")
_SIX = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{8})(?![0-9A-Za-z])")
_BARE_MAC = re.compile(r"(?<![0-9A-Fa-f.-])[0-9A-Fa-f]{12}(?![0-9A-Fa-f-])")
_NUMBER = re.compile(r"(?<![\w.])\d{7,10}(?![\w.])")
_PADDED = re.compile(r"(?<![\w.])0?\d{1,3}(?:\.0?\d{1,3}){3}(?![\w.])")
_BYTES = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){2,}[0-9A-Fa-f]{2}(?![\w:-])")
_SWITCH_MAC = re.compile(r"(?<![\w.])[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?![\w.])|\b[0-9A-Fa-f]{6}-[0-9A-Fa-f]{6}\b")
_SHORT_MAC = re.compile(r"(?<![\w:])[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}(?![\w:])")
_LONG_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32}(?![0-9A-Za-z])")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_EDGES = re.compile(r"[.-]")
_SEGMENT = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")
_CALICO_NODE = re.compile(r"(?<![A-Za-z0-9])calico-node-", re.IGNORECASE)


def addresses(text: str, forbidden: set[bytes]) -> Iterator[str]:
    """Yield the kinds of those addresses (as bytes) that a text of single words holds."""
    found4 = {*_matches(_ADDRESS, text), *(match.group(1) for match in _JOINED.finditer(text))}
    if any(octets(re.sub("[_-]", ".", found)) in forbidden for found in found4):
        yield "an IPv4 address"
    found6 = {match.group(1).replace("-", ":") for match in _JOINED_SIX.finditer(text)}
    found6.update(found for found in _matches(_SIX, text) if found.strip(":"))
    if any(octets(found) in forbidden for found in found6):
        yield "an IPv6 address"
    macs = {*_matches(_MAC, text), *_matches(_BARE_MAC, text), *_matches(_SWITCH_MAC, text)}
    if any(bytes.fromhex(re.sub("[:.-]", "", found)) in forbidden for found in macs):
        yield "a MAC address"
    short = (bytes(int(part, 16) for part in found.split(":")) for found in _matches(_SHORT_MAC, text))
    if any(raw in forbidden for raw in short):
        yield "a MAC address"
    if any(bytes.fromhex(found) in forbidden for found in set(_matches(_LONG_HEX, text))):
        yield "an IPv6 address in hexadecimal"
    for found in {match.group(1) for match in _HEX.finditer(text)}:
        raw = bytes.fromhex(found)
        if raw in forbidden or raw[::-1] in forbidden:
            yield "an IPv4 address in hexadecimal"
    if any(raw in forbidden for raw in _numbers(text)):
        yield "an IPv4 address as a number"
    if any(_holds(bytes.fromhex(re.sub("[:-]", "", found)), forbidden) for found in set(_matches(_BYTES, text))):
        yield "an address among other bytes"


def lines(text: str, forbidden: set[bytes]) -> Iterator[str]:
    """Yield the kinds of those addresses that stand in more than one word."""
    for match in SEPARATED.finditer(text):
        if octets(".".join(match.group(1, 3, 4, 5))) in forbidden:
            yield "an IPv4 address, taken apart"
    if any(_holds(bytes.fromhex(match.group(2)), forbidden) for match in DUMP.finditer(text)):
        yield "an address in a dump"


def _numbers(text: str) -> Iterator[bytes]:
    for found in set(_NUMBER.findall(text)):
        if int(found) < 1 << 32:
            yield int(found).to_bytes(4, "big")
    for found in set(_PADDED.findall(text)):
        parts = [int(part) for part in found.split(".")]
        if max(parts) < 256 and re.search(r"\b0\d", found):
            yield bytes(parts)


def _holds(raw: bytes, forbidden: set[bytes]) -> bool:
    """Say whether one of the addresses is among bytes; those of zeros but for the last one are everywhere."""
    return any(
        raw[at : at + size] in forbidden and any(raw[at : at + size - 1])
        for size in (4, 6, 16)
        for at in range(len(raw) - size + 1)
    )


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    return (match.group() for match in pattern.finditer(text))


def a_name(text: str, names: set[str]) -> bool:
    """Say whether one of the names, in small letters, stands in the text as a word or between dashes and dots."""
    if not names:
        return False
    longest = max(len(_EDGES.split(name)) for name in names)
    firsts = {_EDGES.split(name)[0] for name in names}
    text = _CALICO_NODE.sub("", text)
    for word in set(_WORD.findall(text.lower())):
        parts = _EDGES.split(word)
        if firsts.isdisjoint(parts):
            continue
        joined = re.split(r"([.-])", word)
        for at in range(0, len(joined), 2):
            if joined[at] in firsts:
                for end in range(at + 1, min(len(joined), at + 2 * longest) + 1, 2):
                    if "".join(joined[at:end]) in names:
                        return True
    return False


def one_like_them(text: str, schemes: Schemes) -> bool:
    """Say whether a name stands in the text that is written otherwise, or another of their scheme."""
    if not schemes:
        return False
    return any(schemes.find(word) or schemes.is_like(word) for word in set(_SEGMENT.findall(text)))
