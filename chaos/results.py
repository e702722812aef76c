# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""build/chaos.json: what came of the runs so far, of which commit, so that hours of runs can be made in parts."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from scripts.paths import BUILD, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .measure import Record

RESULT = BUILD / "chaos.json"


class Results:
    """The file and what stands in it: `seed`, and of each run its Record, `ok` and `commit`, the one it was measured
    on ("+" behind it: with changes that were in no commit)."""

    def __init__(self, seed: int, path: Path = RESULT) -> None:
        self._seed = seed
        self._path = path
        self._commit = _commit()
        self._runs: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def keep(self) -> None:
        """Begin with what stands in the file, if its runs were drawn with the same seed. ValueError: no such file, or
        one of another seed."""
        try:
            result = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"{self._path.name} does not exist: there is nothing to go on with") from None
        if result["seed"] != self._seed:
            raise ValueError(f"{self._path.name} was drawn with seed {result['seed']}, not {self._seed}")
        self._runs = {run["name"]: run for run in result["runs"]}

    def add(self, record: Record) -> None:
        """Write what came of a run, at once: whoever breaks off keeps what there is."""
        with self._lock:
            self._runs[record.name] = {**record._asdict(), "ok": record.ok, "commit": self._commit}
            self._path.parent.mkdir(exist_ok=True)
            part = self._path.with_suffix(".part")
            result = {"seed": self._seed, "runs": list(self._runs.values())}
            part.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
            part.replace(self._path)

    def right(self) -> frozenset[str]:
        """The names of the runs that were as they must be."""
        return frozenset(name for name, run in self._runs.items() if run["ok"])

    def of(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """What came of these runs, of those that were made."""
        return [self._runs[name] for name in names if name in self._runs]


def _commit() -> str:
    """The commit that is measured."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD")
    return f"{commit}+" if commit and git("status", "--porcelain", "--untracked-files=no") else commit or "unknown"
