# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cells are made of: times as ages, and values deep in objects. Pure."""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING, Any

from .durations import human

if TYPE_CHECKING:
    from .entry import Object

NONE = "<none>"
UNKNOWN = "<unknown>"


def age(obj: Object, now: float) -> str:
    """How long the object has been there."""
    return since((obj.get("metadata") or {}).get("creationTimestamp"), now)


def since(stamp: Any, now: float) -> str:
    """How long ago a time of RFC 3339 was."""
    seconds = _seconds(stamp)
    return UNKNOWN if seconds is None else human(now - seconds)


def _seconds(stamp: Any) -> float | None:
    try:
        return calendar.timegm(time.strptime(str(stamp)[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None


def part(obj: Any, *path: str) -> Any:
    """A value deep in an object, None if something on the way is missing."""
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def items(obj: Any, *path: str) -> list[Any]:
    """A list deep in an object, [] if it is not there."""
    found = part(obj, *path)
    return found if isinstance(found, list) else []


def number(obj: Any, *path: str) -> int:
    """A number deep in an object, 0 if it is not there."""
    found = part(obj, *path)
    return found if isinstance(found, int) else 0
