# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make matrix`: inject every fault, print what was found, write build/matrix.json.

    python3 -m matrix                       every fault alone, the healthy ones, sampled pairs
    python3 -m matrix as_mismatch @vxlan    the rows in whose names one of the words stands
    python3 -m matrix --everywhere          each fault on each topology where it can be
    python3 -m matrix --pairs 40 --seed 7   that many pairs; the same seed draws the same
    python3 -m matrix --list                the rows' names

Exit status: 0 if every row is right, 1 if one is not, 2 if a row could not be measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import TYPE_CHECKING

from lab import Lab
from lab.errors import LabError
from scripts import lab_setup
from scripts.console import complain, headline, say
from scripts.paths import BUILD, printable

from . import odd, rows, table
from .measure import Record, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .rows import Row

NODES = 4
# A lab is taken down after so many rows, so that two of them side by side end at about the same time.
ROWS_OF_A_LAB = 12
RESULT = BUILD / "matrix.json"


def main(argv: Sequence[str]) -> int:
    """Measure what is wanted. The exit status."""
    wanted = _arguments(argv)
    chosen = rows.named(
        [*odd.rows(), *rows.alone(wanted.everywhere), *rows.pairs(wanted.seed, wanted.pairs)], wanted.rows
    )
    if not chosen:
        complain(f"No row has {' or '.join(wanted.rows)} in its name; python3 -m matrix --list tells the names.")
        return 2
    if wanted.list:
        say("\n".join(row.name for row in chosen))
        return 0
    if problem := lab_setup.why_not():
        complain(f"Nothing was measured: {problem}.")
        return 2
    headline(f"{len(chosen)} rows, {wanted.jobs} labs at a time, pairs drawn with seed {wanted.seed}")
    records, failures = _measure_all(chosen, wanted.jobs)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(table.entries(records), indent=2) + "\n", encoding="utf-8")
    headline(f"The matrix (also in {printable(RESULT)})")
    for text in [*map(table.line, records), *table.summary(records)]:
        say(f"  {text}")
    for failure in failures:
        complain(failure)
    return 2 if failures else 0 if all(record.ok for record in records) else 1


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m matrix", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("rows", nargs="*", help="words of the rows' names")
    parser.add_argument("--everywhere", action="store_true", help="each fault on each topology where it can be")
    parser.add_argument("--pairs", type=int, default=20, help="how many pairs of faults (20)")
    parser.add_argument("--seed", type=int, default=1, help="by which the pairs are drawn (1)")
    parser.add_argument("--jobs", type=int, default=2, help="how many labs side by side (2)")
    parser.add_argument("--list", action="store_true", help="only tell the rows' names")
    return parser.parse_args(argv)


def _measure_all(chosen: Sequence[Row], jobs: int) -> tuple[list[Record], list[str]]:
    """All rows, on some labs side by side; what could not be measured, in words."""
    found: dict[str, Record] = {}
    failures: list[str] = []

    def work(lot: list[Row], directory: str) -> None:
        for record in _measure_lot(lot, directory, failures):
            found[record.name] = record
            say(f"  {table.line(record)}")

    lab_setup.spread(_lots(chosen), jobs, "matrix", work)
    return [found[row.name] for row in chosen if row.name in found], failures


def _lots(chosen: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows that can share a lab."""
    kinds: dict[tuple[str, int], list[Row]] = {}
    for row in chosen:
        kinds.setdefault((row.topology, _nodes(row)), []).append(row)
    for alike in kinds.values():
        yield from (alike[start : start + ROWS_OF_A_LAB] for start in range(0, len(alike), ROWS_OF_A_LAB))


def _nodes(row: Row) -> int:
    return (0 if row.injections else odd.of(row).nodes) or NODES


def _measure_lot(lot: Sequence[Row], directory: str, failures: list[str]) -> Iterator[Record]:
    """Some rows on one lab; a lab that could not be healed is replaced."""
    left = list(lot)
    while left:
        row = left[0]
        try:
            with Lab.up(_nodes(row), row.topology, directory) as lab:
                while left:
                    row = left.pop(0)
                    yield measure(lab, row)
        except (LabError, OSError, ValueError, KeyError, subprocess.SubprocessError) as problem:
            failures.append(f"{row.name}: {problem}")
            if left[:1] == [row]:
                left.pop(0)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        complain("Interrupted; take down what is left with: make clean")
        sys.exit(130)
