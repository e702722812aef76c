# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A measured figure, and what the limit says to it."""

from __future__ import annotations

from typing import NamedTuple, TypedDict


class Entry(TypedDict):
    """A figure in build/bench.json. `limit` is null and `ok` true where a figure is only told."""

    value: float
    unit: str
    limit: float | None
    ok: bool


class Figure(NamedTuple):
    """One figure. `how` says in a sentence how it was measured."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    how: str = ""

    @property
    def ok(self) -> bool:
        """Whether it keeps its limit."""
        return self.limit is None or self.value <= self.limit

    def entry(self) -> Entry:
        """As it stands in build/bench.json."""
        return {"value": self.value, "unit": self.unit, "limit": self.limit, "ok": self.ok}

    def line(self) -> str:
        """As it is printed."""
        limit = "" if self.limit is None else f"limit {self.limit:g}, {'kept' if self.ok else 'EXCEEDED'}"
        return f"{self.name:40} {self.value:10.6g} {self.unit:8} {limit}".rstrip()
