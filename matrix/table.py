# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix as people and programs read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .measure import Record

_WORDS = {True: "yes", False: "NO", None: "-"}


def line(record: Record) -> str:
    """A row as it is printed when it is done."""
    if record.skipped:
        return f"{record.name}: cannot be made: {record.skipped}"
    confidence = "-" if record.confidence is None else f"{record.confidence:.2f}"
    return (
        f"{'ok' if record.ok else 'WRONG':6}{record.name:70} first {_WORDS[record.found_first]:4}"
        f"node {_WORDS[record.right_node]:4}place {_WORDS[record.right_place]:4}{confidence:>5} {record.seconds:5.1f} s"
        f"{f'  {record.disturbed} sessions disturbed' if record.disturbed else ''}"
        f"{f'  also called a cause: {chr(44).join(record.wrong)}' if record.wrong else ''}"
        f"{'' if record.found_first else f'  found: {chr(44).join(record.found[:4])}'}"
    )


def entries(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The rows as build/matrix.json has them."""
    return [{**record._asdict(), "ok": record.ok} for record in records]


def summary(records: Sequence[Record]) -> Iterator[str]:
    """How many rows are right, and by how sure the findings were how many of them are: a reliability table."""
    made = [record for record in records if not record.skipped]
    yield f"{sum(record.ok for record in made)} of {len(made)} rows right, {len(records) - len(made)} cannot be made"
    for low, high in ((0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0)):
        some = [record for record in made if record.confidence is not None and low <= record.confidence < high]
        if some:
            right = sum(record.found_first and record.right_node for record in some)
            yield f"    confidence {low:.1f} to {high:.1f}: {right} of {len(some)} right"
