# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact statistics on small tables of two by two, in whole numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def tail(total: int, having: int, drawn: int, seen: int) -> float:
    """The probability of at least so many with a property among so many drawn at random (hypergeometric).

    That is Fisher's exact test, one-sided: what affected nodes have more rarely than others explains nothing at them
    (that they lack something is a property of its own).
    """
    least, most = max(seen, drawn - (total - having), 0), min(having, drawn)
    if least > most:
        return 0.0
    ways = math.comb(having, least) * math.comb(total - having, drawn - least)
    found = ways
    for hit in range(least, most):
        # Each number of ways from the one before it: an exact division of whole numbers.
        ways = ways * (having - hit) * (drawn - hit) // ((hit + 1) * (total - having - drawn + hit + 1))
        found += ways
    return min(found / math.comb(total, drawn), 1.0)


def holm(p_values: Sequence[float], tested: int) -> list[float]:
    """Each p-value, in the given order, corrected for so many tests by Holm's method.

    What is called true at a corrected value of 0.05 or less holds a false one in at most one of twenty reports, however
    the properties depend on each other. tested: with those of which no value is given, which are never called true.
    """
    corrected = [0.0] * len(p_values)
    worst = 0.0
    for place, number in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        worst = max(worst, min(p_values[number] * (tested - place), 1.0))
        corrected[number] = worst
    return corrected
