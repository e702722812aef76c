# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make chaos`: repair every fault that has a repair while something goes wrong; write build/chaos.json.

    python3 -m chaos                        200 runs: each repair undisturbed, with rollback; then disturbed ones
    python3 -m chaos --runs 20 --seed 7     so many; the same seed draws the same
    python3 -m chaos "ssh cut" ufw          the runs in whose names one of the words stands
    python3 -m chaos --resume               only what build/chaos.json does not have as right yet
    python3 -m chaos --list                 the runs' names

Exit status: 0 if the cluster was never worse than before and every next run finished the work, 1 if not, 2 if a run
could not be measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from lab import Lab
from lab.errors import LabError
from scripts import lab_setup
from scripts.console import complain, headline, say
from scripts.paths import printable

from . import drawn
from .measure import Record, measure
from .results import RESULT, Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .drawn import Run

NODES = 4


def main(argv: Sequence[str]) -> int:
    """Measure what is wanted. The exit status."""
    wanted = _arguments(argv)
    chosen = drawn.named(drawn.runs(wanted.seed, wanted.runs), wanted.words)
    if not chosen:
        complain(f"No run has {' or '.join(wanted.words)} in its name; python3 -m chaos --list tells the names.")
        return 2
    if wanted.list:
        say("\n".join(run.name for run in chosen))
        return 0
    if problem := lab_setup.why_not():
        complain(f"Nothing was measured: {problem}.")
        return 2
    results = Results(wanted.seed)
    if wanted.resume:
        try:
            results.keep()
        except ValueError as problem:
            complain(f"Nothing was measured: {problem}.")
            return 2
    left = [run for run in chosen if run.name not in results.right()]
    headline(f"{len(left)} runs of {len(chosen)}, {wanted.jobs} labs at a time, drawn with seed {wanted.seed}")
    failures = _measure_all(left, wanted.jobs, results)
    return _told(results.of(run.name for run in chosen), failures)


def _told(records: Sequence[dict[str, Any]], failures: Sequence[str]) -> int:
    """Tell what came of the runs. The exit status."""
    right = sum(record["ok"] for record in records)
    headline(f"{right} of {len(records)} runs as they must be ({printable(RESULT)})")
    for disturbance, number in Counter(one["disturbance"] for one in records if not one["by_hand"]).items():
        say(f"  {number:4} {disturbance}")
    for failure in failures:
        complain(failure)
    return 2 if failures else 0 if right == len(records) else 1


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m chaos", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("words", nargs="*", help="words of the runs' names")
    parser.add_argument("--runs", type=int, default=200, help="how many runs are drawn (200)")
    parser.add_argument("--seed", type=int, default=1, help="by which they are drawn (1)")
    parser.add_argument("--jobs", type=int, default=2, help="how many labs side by side (2)")
    parser.add_argument("--resume", action="store_true", help="keep what build/chaos.json has as right already")
    parser.add_argument("--list", action="store_true", help="only tell the runs' names")
    return parser.parse_args(argv)


def _measure_all(chosen: Sequence[Run], jobs: int, results: Results) -> list[str]:
    """All runs, each on a lab of its own, some side by side; what could not be measured, in words."""
    failures: list[str] = []

    def work(run: Run, directory: str) -> None:
        try:
            with Lab.up(NODES, run.topology, directory) as lab:
                record = measure(lab, run)
            results.add(record)
            say(_line(record))
        except (LabError, OSError, ValueError, KeyError, subprocess.SubprocessError) as problem:
            failures.append(f"{run.name}: {problem}")
            say(f"  failed {failures[-1]}")

    lab_setup.spread(chosen, jobs, "chaos", work)
    return failures


def _line(record: Record) -> str:
    """A run in one line, and what is wrong below it."""
    word = "hand" if record.by_hand else "ok" if record.ok else "WRONG"
    told = [f"  {word:6}{record.name:85} rc {record.status:3} {record.seconds:6.1f} s"]
    told += [f"         {line}" for line in record.by_hand.splitlines()[:6]]
    for label in ("worse", "strange", "unfinished", "second", "back"):
        told += [f"         {label}: {text}" for text in getattr(record, label)[:6]]
    return "\n".join(told)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        complain("Interrupted; take down what is left with: make clean")
        sys.exit(130)
