# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of hosts, each known by a number, as the bits of a whole number; in facts as hexadecimal text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def mask(numbers: Iterable[int]) -> int:
    """Return the set of these numbers."""
    found = 0
    for one in numbers:
        found |= 1 << one
    return found


def numbers(of: int) -> Iterator[int]:
    """The numbers of a set, the least first."""
    while of:
        lowest = of & -of
        yield lowest.bit_length() - 1
        of ^= lowest


def as_text(of: int) -> str:
    """Return a set as facts have it."""
    return format(of, "x")


def as_texts(masks: Mapping[str, int]) -> dict[str, str]:
    """Return sets by name as facts have them, without those that are empty."""
    return {name: as_text(of) for name, of in sorted(masks.items()) if of}
