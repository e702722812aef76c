# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make fuzz`: look for inputs that make a parser raise, hang or grow without bound.

    python -m fuzz                   every target, FUZZ_SECONDS (360) shared among them
    python -m fuzz TARGET …          some of them
    python -m fuzz --list            names of the targets
    python -m fuzz --replay FILE …   give saved inputs to the parser again; the folder's name is the target's

Inputs that broke something are in build/fuzz/crashes/<target>. When it is fixed, they go to
tests/unit/fuzz/regressions/<target>, where the unit tests try them for ever. Inputs that reached new code are kept in
build/fuzz/corpus for the next time.
Exit status: 0 nothing found, 1 something found, 2 it could not be run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz import properties
from fuzz.targets import BY_NAME
from scripts.console import complain, headline, run, say, show_tail
from scripts.environment import collection_tree
from scripts.paths import BUILD, LOGS, ROOT, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

HOME = BUILD / "fuzz"
REQUIREMENTS = ROOT / "requirements-fuzz.txt"
SECONDS = 360.0
# Starting one takes two or three seconds, so that less than this finds nothing.
LEAST_SECONDS = 1.0
PATIENCE = 120


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for. The exit status."""
    if arguments[:1] == ["--list"]:
        say("\n".join(BY_NAME))
        return 0
    if arguments[:1] == ["--replay"]:
        return replay([Path(argument) for argument in arguments[1:]])
    unknown = [name for name in arguments if name not in BY_NAME]
    if unknown:
        complain(f"There is no target {unknown[0]}; python -m fuzz --list names them all.")
        return 2
    try:
        seconds = float(os.environ.get("FUZZ_SECONDS") or SECONDS)
    except ValueError:
        complain(f"FUZZ_SECONDS is a number of seconds, not {os.environ['FUZZ_SECONDS']}.")
        return 2
    packages, problem = _packages()
    if problem:
        complain(problem)
        return 2
    return fuzz(arguments or list(BY_NAME), seconds, packages)


def fuzz(names: Sequence[str], seconds: float, packages: Path) -> int:
    """Fuzz the targets one after the other. The exit status."""
    share = max(seconds / len(names), LEAST_SECONDS)
    headline(f"Fuzzing {len(names)} parsers, {share:.1f} s each")
    crashes = HOME / "crashes"
    runs, found, failures = 0, 0, 0
    for name in names:
        told = _one(name, share, packages, crashes)
        broken = [f"{item['what']}\n      {printable(Path(item['file']))}" for item in told["found"]]
        if told["ended"]:
            failures += 1
            broken.append(told["ended"])
        runs += told["runs"]
        found += len(told["found"])
        say(f"    {name:26} {told['runs']:9,} inputs   {f'{len(broken)} FOUND' if broken else 'nothing found'}")
        for line in broken:
            say(f"      {line}")
    say(f"    {len(names)} parsers, {runs:,} inputs, {found + failures} found")
    if found or failures:
        say(f"    try them again: .venv/bin/python -m fuzz --replay {printable(crashes)}/*/*")
    return 1 if found or failures else 0


def _one(name: str, seconds: float, packages: Path, crashes: Path) -> dict[str, Any]:
    """Fuzz one target in a process of its own: how many inputs it had, what was found, how it ended if not well."""
    shutil.rmtree(crashes / name, ignore_errors=True)
    result = crashes / f"{name}.json"
    result.unlink(missing_ok=True)
    log = LOGS / "fuzz" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-B", "-m", "fuzz.worker", name, str(round(seconds) or 1), str(HOME / "corpus" / name)]
    ended = ""
    with log.open("wb") as stream:
        try:
            done = subprocess.run(
                [*argv, str(crashes)],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(packages), str(ROOT), str(collection_tree())))},
                timeout=seconds + PATIENCE,
            )
            if done.returncode:
                ended = f"ended with status {done.returncode}, see {printable(log)}"
        except subprocess.TimeoutExpired:
            ended = f"did not end, see {printable(log)}"
    try:
        told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {"runs": 0, "found": []}
    return {**told, "ended": ended}


def replay(paths: Sequence[Path]) -> int:
    """Give saved inputs to their parsers again, without the fuzzer. The exit status."""
    broken = 0
    sys.path[:0] = [str(ROOT), str(collection_tree())]
    for path in paths:
        target = BY_NAME.get(path.resolve().parent.name)
        if target is None:
            complain(f"{path}: its folder is not called like a target; python -m fuzz --list names them all.")
            return 2
        started = time.process_time()
        try:
            properties.check(target, path.read_bytes())
        except properties.BrokenError as error:
            broken += 1
            say(f"{printable(path)}: {error}")
        else:
            say(f"{printable(path)}: holds, {time.process_time() - started:.3f} s")
    return 1 if broken else 0


def _packages() -> tuple[Path, str]:
    """The folder with atheris, installed there if it is not yet, and why that cannot be done ('' if it is there)."""
    folder = HOME / f"packages-{sys.version_info[0]}.{sys.version_info[1]}"
    stamp, wanted = folder / ".made-from", REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return folder, ""
    headline("Installing the fuzzer into build/fuzz")
    shutil.rmtree(folder, ignore_errors=True)
    log = LOGS / "fuzz-setup.log"
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:"]
    done = run([*pip, "--target", str(folder), "-r", str(REQUIREMENTS)], log=log, cwd=ROOT)
    if done.status:
        show_tail(done, log)
        return folder, (
            "Nothing was fuzzed: pip could not install atheris (see above). It is made for Linux on x86-64 and "
            "Python 3.11 to 3.13."
        )
    stamp.write_text(wanted, encoding="utf-8")
    return folder, ""


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        complain("Interrupted; what was found so far is in build/fuzz/crashes.")
        sys.exit(130)
