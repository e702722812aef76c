# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a node's clock is off the controller's, as exactly as one question and its answer can tell."""

from __future__ import annotations

import math
import time
from typing import Any

from . import plain

_ROUNDING = 0.001  # nodes tell their time in thousandths of a second
_SET = 0.25  # seconds: more than this no clock gains in eight minutes that the kernel slews (at most 500 ppm)


class Question:
    """A question that is being asked: when it was sent, and when it was answered."""

    def __init__(self) -> None:
        """It is sent now."""
        self._sent = time.time()
        self._began = time.monotonic()

    def answered(self) -> tuple[float, float] | None:
        """Return when it was sent and, which is now, answered. None if our own clock was set meanwhile: what it said
        at first is then no measure of what it says now."""
        lasted = time.monotonic() - self._began
        if abs(time.time() - self._sent - lasted) > _SET:
            return None
        return self._sent, self._sent + lasted


def offset(facts: dict[str, Any], sent: float, answered: float) -> tuple[float, float] | None:
    """Return how many seconds the node's clock is ahead of ours (negative: behind), and by how many that may be wrong.

    `facts` are those of node_facts, asked for at `sent` and had at `answered`, by our clock. The node looked at itself
    some time between them, from the moment its facts were begun until they were taken: so its clock is neither ahead by
    more than it would be had the pass begun at once, nor by less than had it ended only just now. None if the facts do
    not say, or its clock was set meanwhile.
    """
    node = plain.mapping(facts.get("calico_node"))
    ended, lasted = _number(node.get("taken_at_epoch")), _number(node.get("duration_seconds"))
    if ended is None or lasted is None:
        return None
    most, least = ended - lasted - sent, ended - answered
    if most + 2 * _ROUNDING < least:
        return None
    return round((most + least) / 2, 3), round(max(most - least, 0.0) / 2 + _ROUNDING, 3)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and abs(value) < 1e12 else None
