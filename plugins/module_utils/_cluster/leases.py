# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When each kubelet was last heard of. In a large cluster those who were heard of just now are only counted."""

from __future__ import annotations

import calendar
import time
from email.utils import parsedate

from .packing import FEWEST
from .shapes import mapping, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .lists import Got

# A Lease's usual length, in seconds: kubelet renews it every ten.
FRESH = 40


def without_fresh(got: Got, date: str) -> Got:
    """Return the leases without those renewed within FRESH seconds of `date` (the API server's Date header, '' if it is
    not known, then of the newest), if there are many."""
    if len(got.objects) < FEWEST:
        return got
    moments = [_renewed(one) for one in got.objects]
    now = _moment_of_header(date) or max((moment for moment in moments if moment is not None), default=0)
    kept = [one for one, moment in zip(got.objects, moments) if moment is None or not -FRESH < now - moment < FRESH]
    left_out = len(got.objects) - len(kept)
    detail = f"{left_out} that were renewed within {FRESH} s are not listed. {got.detail}".strip()
    return got._replace(objects=kept, detail=detail if left_out else got.detail)


def _renewed(lease: dict[str, Any]) -> int | None:
    """Return when a pruned lease was renewed, in Unix seconds."""
    try:
        found = time.strptime(word(mapping(lease.get("spec")).get("renewTime")), "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
    return calendar.timegm(found)


def _moment_of_header(date: str) -> int:
    found = parsedate(date) if len(date) < 60 else None
    try:
        return calendar.timegm(found) if found else 0
    except (ValueError, OverflowError):
        return 0
