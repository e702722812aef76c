# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what worked before a change works again after it: less than a ledger, for while one waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOTHING: dict[str, Any] = {"findings": []}


def worse(before: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]], *, renumbered: bool = False) -> list[str]:
    """A sentence for each session and route that these nodes had and have no more.

    before: as `ledger.working` tells it. renumbered: nodes may have other addresses now, so sessions are counted.
    """
    earlier = {node: plain.mapping(state) for node, state in before.items() if node in facts}
    now = ledger.working(facts)
    if renumbered:
        return list(_fewer(earlier, now))
    found: list[str] = ledger.ledger(earlier, now, _NOTHING, _NOTHING)["worse"]
    return found


def _fewer(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for node, families in before.items():
        for family, state in families.items():
            was, left = ledger.sessions(state), ledger.sessions(plain.mapping(plain.mapping(now.get(node)).get(family)))
            if len(left) < len(was):
                yield f"{node} has {len(left)} {family} sessions, {len(was)} before"
