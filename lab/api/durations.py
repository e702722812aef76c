# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as `kubectl get` shows them. Pure. Source: k8s.io/apimachinery, pkg/util/duration (HumanDuration)."""

from __future__ import annotations

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 86400 * 365


def human(seconds: float) -> str:
    """For instance "5m", "2d3h", "3y20d"; as precise as the reader cares for."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    minutes, hours, days, years = whole // _MINUTE, whole // _HOUR, whole // _DAY, whole // _YEAR
    table = (
        (2 * _MINUTE, f"{whole}s"),
        (10 * _MINUTE, _two(minutes, "m", whole % _MINUTE, "s")),
        (3 * _HOUR, f"{minutes}m"),
        (8 * _HOUR, _two(hours, "h", minutes % 60, "m")),
        (2 * _DAY, f"{hours}h"),
        (8 * _DAY, _two(days, "d", hours % 24, "h")),
        (2 * _YEAR, f"{days}d"),
        (8 * _YEAR, _two(years, "y", days % 365, "d")),
    )
    return next((text for limit, text in table if whole < limit), f"{years}y")


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"
