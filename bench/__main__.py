# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measure, print, and write build/bench.json.

    python3 -m bench              every figure
    python3 -m bench node_cost    some of them: node_cost, silent_peers, alternative, cluster_info, expected_sessions,
                                  analysis, offline_bundle, wall_time, preflight, remediation, report_files,
                                  rolling_restart

Exit status: 0 if every limit is kept, 1 if one is exceeded, 2 if something could not be measured.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from bench import (
    alternative,
    analysis,
    cluster_info,
    expected_sessions,
    node_cost,
    offline_bundle,
    preflight,
    remediation,
    report_files,
    rolling_restart,
    silent_peers,
    wall_time,
)
from lab.errors import LabError
from scripts import lab_setup
from scripts.console import complain, headline, say
from scripts.paths import BUILD, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.figure import Figure
    from lab.progress import Say

MEASUREMENTS: dict[str, Callable[[Say], Iterator[Figure]]] = {
    "node_cost": node_cost.figures,
    "silent_peers": silent_peers.figures,
    "alternative": alternative.figures,
    "cluster_info": cluster_info.figures,
    "expected_sessions": expected_sessions.figures,
    "analysis": analysis.figures,
    "offline_bundle": offline_bundle.figures,
    "wall_time": wall_time.figures,
    "preflight": preflight.figures,
    "remediation": remediation.figures,
    "report_files": report_files.figures,
    "rolling_restart": rolling_restart.figures,
}
RESULT = BUILD / "bench.json"


def main(wanted: Sequence[str]) -> int:
    """Measure what is wanted. The exit status."""
    unknown = [name for name in wanted if name not in MEASUREMENTS]
    if unknown:
        complain(f"{unknown[0]} is not measured. There are: {', '.join(MEASUREMENTS)}.")
        return 2
    if problem := lab_setup.why_not():
        complain(f"Nothing was measured: {problem}.")
        return 2
    figures: list[Figure] = []
    failures = []
    for name in wanted or MEASUREMENTS:
        headline(f"Measuring {name.replace('_', ' ')}")
        try:
            for figure in MEASUREMENTS[name](lambda line: say(f"    {line}")):
                figures.append(figure)
                say(f"  {figure.line()}")
        except (LabError, RuntimeError, OSError) as problem:
            failures.append(f"{name} could not be measured: {problem}")
    _write(figures)
    _show(figures, failures)
    if failures:
        return 2
    return 0 if all(figure.ok for figure in figures) else 1


def _write(figures: Sequence[Figure]) -> None:
    """Write build/bench.json."""
    RESULT.parent.mkdir(exist_ok=True)
    entries = {figure.name: figure.entry() for figure in figures}
    RESULT.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def _show(figures: Sequence[Figure], failures: Sequence[str]) -> None:
    """Print all figures and how they were measured."""
    headline(f"Figures (also in {printable(RESULT)})")
    for figure in figures:
        say(f"  {figure.line()}")
    for how in dict.fromkeys(figure.how for figure in figures if figure.how):
        of = [figure.name for figure in figures if figure.how == how]
        say(f"  {of[0]}{f' and {len(of) - 1} more' if len(of) > 1 else ''}: {how}")
    for failure in failures:
        complain(failure)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        complain("Interrupted; the lab was taken down.")
        sys.exit(130)
