# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old facts are, and whether they are too old to be believed."""

from __future__ import annotations

from datetime import datetime, timezone

AHEAD_ALLOWED = 300


def age(stamp: str, now: datetime) -> float | None:
    """Seconds since a time stamp of RFC 3339 in UTC; None if it is none."""
    taken = when(stamp)
    return (now - taken).total_seconds() if taken is not None else None


def when(stamp: str) -> datetime | None:
    """The moment that a time stamp of RFC 3339 in UTC tells; None if it is none."""
    try:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def why_refused(age: float | None, max_age: int, what: str) -> str:
    """Why facts of this age from a cache are refused, or ''. what: how a sentence on them begins ("its facts")."""
    if age is None:
        return f"{what} in the cache carry no time"
    if age < -AHEAD_ALLOWED:
        return f"{what} in the cache are stamped {int(-age)} s in the future, so that their age is not known"
    return f"{what} in the cache are {int(age)} s old, more than the {max_age} s allowed" if age > max_age else ""
