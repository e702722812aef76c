# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is new, gone or comes and goes since the earlier reports, and since when what is there has been there.

A report carries what the ones before it found, so that the newest one is enough; more of them make it longer.
"""

from __future__ import annotations

import contextlib
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SCHEMA = "netmedic.calico.report/v1"
MOST_RUNS = 100
MOST_FILES = 200
LARGEST = 64 * 1024 * 1024
# A finding that came so often within the runs that are known comes and goes.
COMES_OFTEN = 2


class Run(NamedTuple):
    """One diagnosis: when it was made, its verdict, what it found, each as fault@node, and whether the API was read."""

    at: str
    verdict: str
    found: frozenset[str]
    api: bool = True

    def entry(self) -> dict[str, Any]:
        """As a report carries it."""
        return {"at": self.at, "verdict": self.verdict, "found": sorted(self.found), "api": self.api}


def earlier(directory: str) -> tuple[list[Run], list[str]]:
    """The runs that the reports in a directory tell of, oldest first, and what could not be read, in words.

    A directory that is not there yet holds none. Files that are no reports of ours are passed over in silence.
    """
    runs: dict[str, Run] = {}
    problems = []
    try:
        files = sorted(Path(directory).glob("*.json"))[:MOST_FILES] if directory else []
    except OSError as error:
        return [], [f"{directory} cannot be read: {error.strerror or error}"]
    for path in files:
        try:
            about = path.stat()
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
                continue
            report = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            if path.name == "report.json":
                problems.append(f"{path.name} of an earlier run cannot be read; the history begins anew")
            continue
        for run in _runs(report):
            runs.setdefault(run.at, run)
    return [runs[at] for at in sorted(runs)][-MOST_RUNS:], problems


def _runs(report: Any) -> Iterable[Run]:
    if not isinstance(report, dict) or report.get("schema") != SCHEMA or not isinstance(report.get("findings"), list):
        return
    carried = report.get("history")
    runs: Any = carried.get("runs") if isinstance(carried, dict) else None
    for item in runs if isinstance(runs, list) else ():
        if isinstance(item, dict) and isinstance(item.get("at"), str) and isinstance(item.get("found"), list):
            found = frozenset(map(str, item["found"]))
            yield Run(item["at"], str(item.get("verdict", "")), found, item.get("api") is not False)
    if all(isinstance(report.get(key), str) for key in ("generated_at", "verdict")):
        with contextlib.suppress(KeyError, TypeError, AttributeError):
            yield run_of(report)


def run_of(report: Mapping[str, Any]) -> Run:
    """What a report found, consequences and guesses left out."""
    found = frozenset(key for key, _item in _keyed(report))
    return Run(report["generated_at"], report["verdict"], found, bool(report["coverage"]["api"]["reached"]))


def _keyed(report: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for item in report["findings"]:
        if item["role"] != "consequence" and not item.get("guess"):
            for node in item["nodes"] or [""]:
                yield f"{item['fault']}@{node}", item


def compare(report: dict[str, Any], runs: Sequence[Run], problems: Iterable[str] = ()) -> None:
    """Put the history into a report: runs before it, what is new, gone and flapping, and since when each finding is."""
    now = run_of(report)
    before = [run for run in runs if run.at < now.at]
    last = before[-1] if before else None
    left = last.found - now.found if last else frozenset()
    unseen = frozenset(key for key in left if not _could_be_seen(key, report, last))
    report["history"] = {
        "runs": [run.entry() for run in before],
        "compared_with": last.at if last else "",
        "new": sorted(now.found - last.found) if last else [],
        "gone": sorted(left - unseen),
        "not_checked": sorted(unseen),
        "flapping": sorted(key for key in now.found.union(*(run.found for run in before)) if _flaps(key, before, now)),
        "problems": list(problems),
    }
    for key, item in _keyed(report):
        since = _since(key, before, now)
        item["since"] = min(since, item.get("since", since))


def _could_be_seen(key: str, report: Mapping[str, Any], last: Run | None) -> bool:
    """Whether this time everything was read that the finding may have been made of: else it is not gone for sure."""
    nodes = report["coverage"]["nodes"]
    away = {one["node"] for one in nodes["missing"]}
    fewer = last is not None and last.api and not report["coverage"]["api"]["reached"]
    return not fewer and key.partition("@")[2] not in away


def _since(key: str, before: Sequence[Run], now: Run) -> str:
    """When it was first found without having been away since."""
    since = now.at
    for run in reversed(before):
        if key not in run.found:
            break
        since = run.at
    return since


def _flaps(key: str, before: Sequence[Run], now: Run) -> bool:
    """It came more than once: found, away, and found again."""
    there = [key in run.found for run in (*before, now)]
    return sum(1 for was, is_now in zip([False, *there], there, strict=False) if is_now and not was) >= COMES_OFTEN
