# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzes one target in this process, with atheris; started by `python -m fuzz` for each target in turn.

    python -m fuzz.worker TARGET SECONDS CORPUS CRASHES

What breaks a property is saved, one input for each place, and fuzzing goes on. CRASHES/TARGET.json tells what was found
so far: libFuzzer ends the process without a last word.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

from fuzz import mutate, properties, seeds
from fuzz.targets import BY_NAME, COLLECTION, Target

MOST_MEMORY = 1024  # MiB, of the whole process
BACKSTOP = 60  # seconds for one input that not even a signal breaks off
# The parser runs with its branches counted, which makes it several times slower.
FACTOR = 4.0
_REPORT_EVERY = 0.5


class Finder:
    """Checks inputs and keeps the smallest that broke a property at each place."""

    def __init__(self, target: Target, crashes: Path) -> None:
        self.target = target
        self.folder = crashes / target.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._result = crashes / f"{target.name}.json"
        self._runs = 0
        self._reported = 0.0
        self._found: dict[tuple[str, str], tuple[int, str, Path]] = {}

    def one(self, data: bytes) -> None:
        """Check one input."""
        self._runs += 1
        try:
            properties.check(self.target, data, FACTOR)
        except properties.BrokenError as broken:
            self._save(data, broken)
        if time.monotonic() - self._reported > _REPORT_EVERY:
            self.report()

    def _save(self, data: bytes, broken: properties.BrokenError) -> None:
        key = (broken.kind, broken.place)
        known = self._found.get(key)
        if known is not None and known[0] <= len(data):
            return
        path = self.folder / f"{broken.kind}-{hashlib.sha256(data).hexdigest()[:12]}"
        path.write_bytes(data)
        if known is not None:
            known[2].unlink(missing_ok=True)
        self._found[key] = (len(data), str(broken), path)
        self.report()

    def report(self) -> None:
        """Write down what was found so far."""
        found = [{"what": what, "file": str(path)} for _size, what, path in self._found.values()]
        self._result.write_text(json.dumps({"runs": self._runs, "found": found}), encoding="utf-8")
        self._reported = time.monotonic()


def main(name: str, seconds: str, corpus: str, crashes: str) -> None:
    """Fuzz one target for some seconds. Does not return: libFuzzer ends the process."""
    import atheris

    target = BY_NAME[name]
    finder = Finder(target, Path(crashes))
    _plant(target, Path(corpus))
    # The parsers are imported when they are first called: here.
    with atheris.instrument_imports(include=[COLLECTION.rpartition(".")[0]]):
        for data in (b"", *seeds.of(target)):
            finder.one(data)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={seeds.LARGEST}",
        f"-rss_limit_mb={MOST_MEMORY}",
        f"-timeout={BACKSTOP}",
        f"-artifact_prefix={finder.folder}/",
        "-verbosity=0",
    ]
    # By name each time: atheris replaces the function when it starts.
    vary = mutate.mutator(target, lambda data, most: bytes(atheris.Mutate(data, most)))
    atheris.Setup([sys.argv[0], *options, corpus], finder.one, custom_mutator=vary)
    atheris.Fuzz()


def _plant(target: Target, corpus: Path) -> None:
    """Put the seeds into the corpus."""
    corpus.mkdir(parents=True, exist_ok=True)
    for data in seeds.of(target):
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
