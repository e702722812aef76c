# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fact cache has of the hosts, and how old that is: told before a diagnosis stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import kept
from .age import AHEAD_ALLOWED, age, why_refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_COLLECT = (
    "Run netmedic.calico.collect on these hosts first, with the same fact cache "
    "(in AWX: 'Enable fact storage' on both job templates, and one inventory)."
)
_NAMED = 5


def told(hostvars: Mapping[str, Any], hosts: Sequence[str], now: datetime, max_age: int) -> tuple[list[str], str]:
    """Sentences on what the cache has of these hosts, and why nothing can be made of it ('' if something can)."""
    ages = {host: age(kept.taken_at(hostvars[host]), now) for host in hosts if kept.taken_at(hostvars[host])}
    known = sorted(seconds for seconds in ages.values() if seconds is not None)
    if not ages:
        return [], f"The fact cache has nothing of any of these {len(hosts)} hosts. {_COLLECT}"
    lines = [f"Facts of {len(ages)} of {len(hosts)} node(s) are in the cache{_span(known)}."]
    absent = [host for host in hosts if host not in ages]
    if absent:
        lines.append(f"Nothing is in the cache of {_names(absent)}.")
    refused = [host for host, seconds in ages.items() if why_refused(seconds, max_age, "its facts")]
    if len(refused) == len(ages):
        return lines, _all_refused(known, max_age)
    if refused:
        lines.append(
            f"Refused, as they are not of the last {max_age} s (diagnose_max_age): those of {_names(refused)}."
        )
    return lines, ""


def _span(known: Sequence[float]) -> str:
    past = [int(seconds) for seconds in known if seconds >= -AHEAD_ALLOWED]
    ahead = f", {len(known) - len(past)} of them stamped in the future" if len(past) < len(known) else ""
    if not past:
        return ahead
    newest, oldest = max(past[0], 0), max(past[-1], 0)
    return f", {newest} s old{ahead}" if newest == oldest else f", {newest} s to {oldest} s old{ahead}"


def _all_refused(known: Sequence[float], max_age: int) -> str:
    past = [int(seconds) for seconds in known if seconds >= -AHEAD_ALLOWED]
    if known and not past:
        return (
            "All facts in the cache are refused: they are stamped in the future, so that their age is not known. See "
            f"that the clocks of this machine and of the one that ran netmedic.calico.collect are right. {_COLLECT}"
        )
    newest = f"the newest are {past[0]} s old" if past else "when they were taken is not known"
    allow = " Or allow older ones: -e diagnose_max_age=SECONDS" if past else ""
    return f"All facts in the cache are refused: {newest}, and diagnose_max_age allows {max_age} s. {_COLLECT}{allow}"


def _names(hosts: Sequence[str]) -> str:
    more = len(hosts) - _NAMED
    return ", ".join(hosts[:_NAMED]) + (f" and {more} more" if more > 0 else "")
