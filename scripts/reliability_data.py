# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What findings said and whether they were right: judging them, and the record of those not made anew at each check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

RECORD = ROOT / "tests" / "reliability.json"
UNDETERMINED = "undetermined"


class Told(NamedTuple):
    """One finding: the fault it names, how sure it was, whether it was a guess, and whether it was right."""

    fault: str
    confidence: float
    guess: bool
    right: bool


def judged(findings: Iterable[Mapping[str, Any]], right: Callable[[Mapping[str, Any]], bool]) -> list[Told]:
    """The findings that claim a cause, or claim rightly something else, each with the verdict on it.

    A consequence claims nothing of its own. What is called contributing, latent or no fault beside a cause may well be
    so, though nobody has looked: it counts only where it is what was to be found.
    """
    claims = [(one, right(one)) for one in findings if one["role"] != "consequence"]
    return [
        Told(one["fault"], one["confidence"], bool(one.get("guess")), good)
        for one, good in claims
        if good or one["role"] == "cause"
    ]


def read() -> dict[str, dict[str, list[Told]]]:
    """The record: by source ("matrix", "public") and row or case what was told."""
    if not RECORD.is_file():
        return {"matrix": {}, "public": {}}
    kept = json.loads(RECORD.read_text(encoding="utf-8"))
    return {
        source: {name: [Told(*one) for one in told] for name, told in rows.items()} for source, rows in kept.items()
    }


def write(record: Mapping[str, Mapping[str, Iterable[Told]]]) -> None:
    """Keep a record, a row or case a line, so that what changes is seen."""
    blocks = []
    for source, rows in sorted(record.items()):
        lines = [
            f"  {json.dumps(name)}: {json.dumps([list(one) for one in told])}" for name, told in sorted(rows.items())
        ]
        blocks.append(f" {json.dumps(source)}: {{\n" + ",\n".join(lines) + "\n }")
    RECORD.write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")
