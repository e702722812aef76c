# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefix-preserving permutations of addresses, as Crypto-PAn makes them (Xu, Fan, Ammar and Moon, 2002).

Whether a bit is turned depends on the bits before it and on the key. So two addresses have exactly as many first bits
in common afterwards as before. Where no bit may be turned, addresses keep their meaning: blocks with a meaning stay
themselves, and so do the last bits, by which networks, gateways and broadcast addresses are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .keyed import Keyed


_MOST_KNOWN = 50_000


class Block(NamedTuple):
    """A prefix that is mapped to itself; `whole` if also every address in it is."""

    first: int
    length: int
    whole: bool


class Tree:
    """A permutation of numbers of `width` bits. `free` says whether a bit may be turned at all: it is asked for a bit's
    place, counted from the left, and the bits before it."""

    def __init__(
        self, keyed: Keyed, what: str, width: int, blocks: Iterable[Block], free: Callable[[int, int], bool]
    ) -> None:
        self._keyed, self._what, self._width, self._free = keyed, what, width, free
        self._fixed: set[tuple[int, int]] = {(0, 0)}
        self._whole: set[tuple[int, int]] = set()
        # At the first place that is free a bit is always turned, so that no address stays what it is.
        self._turned: set[tuple[int, int]] = set()
        for block in blocks:
            prefix = block.first >> (width - block.length)
            self._fixed.update((at, prefix >> (block.length - at)) for at in range(block.length))
            (self._whole if block.whole else self._turned).add((block.length, prefix))
        for at, prefix in list(self._fixed):
            self._turned.update(((at + 1, prefix << 1), (at + 1, prefix << 1 | 1)))
        self._turned -= self._fixed | self._whole
        self._known: dict[tuple[int, int], int] = {}

    def __call__(self, number: int) -> int:
        """Return what the number becomes."""
        made = 0
        for place in range(self._width):
            before = number >> (self._width - place)
            if (place, before) in self._whole:
                rest = self._width - place
                return made << rest | number & ((1 << rest) - 1)
            bit = number >> (self._width - place - 1) & 1
            made = made << 1 | bit ^ self._turn(place, before)
        return made

    def _turn(self, place: int, before: int) -> int:
        spot = (place, before)
        if spot in self._fixed or not self._free(place, before):
            return 0
        if spot in self._turned:
            return 1
        # One hash serves the 255 places of a byte behind the same bytes.
        start, rest = place // 8 * 8, place % 8
        key = (start, before >> rest)
        if key not in self._known:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            of = start.to_bytes(1, "big") + key[1].to_bytes(16, "big")
            self._known[key] = int.from_bytes(self._keyed.bytes(self._what, of), "big")
        return self._known[key] >> ((1 << rest) - 1 + (before & ((1 << rest) - 1))) & 1
