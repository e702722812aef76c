# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests: all of them on the controller's Python, those of the node code on every other Python at hand."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from typing import TYPE_CHECKING

from scripts import machine
from scripts.checks.outcome import Outcome, from_junit, skipped, total
from scripts.console import run, say, show_tail, side_by_side
from scripts.environment import collection_tree
from scripts.paths import BUILD, JUNIT, LOGS, ROOT, venv_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NODE_TESTS = "tests/unit/plugins/module_utils"
NODE_TEST_REQUIREMENTS = ROOT / "tests" / "node-requirements.txt"
# What kubectl does is the same whatever Python has started it: the oldest one and the controller's do.
SLOW_AND_ALIKE = "the_real_one"
NO_TESTS = 5  # pytest's exit status


def unit(paths: Sequence[str]) -> Outcome:
    """Every test under tests/unit, on the Python of the virtual environment."""
    workers = ["-n", "auto"] if machine.processors() > 1 and not paths else []
    with tempfile.TemporaryDirectory(prefix="nm-") as place:  # short: tests put sockets there
        arguments = [*workers, f"--basetemp={place}/t", *(paths or ["tests/unit"])]
        return pytest("unit", venv_program("python"), arguments)


def unit_on_outermost_pythons(paths: Sequence[str]) -> Outcome:
    """The node code's tests on the oldest and the newest Python here. What both can do, those between can: that they
    read and import it is seen by ansible-test."""
    others = [version for version in _others() if version in {python.version for python in machine.interpreters()}]
    return _on_each(others[:1] + others[1:][-1:], paths)


def unit_on_other_pythons(paths: Sequence[str]) -> Outcome:
    """The node code's tests on every other Python from 3.7 on; those that are not here are named."""
    return _on_each(_others(), paths)


def _others() -> list[tuple[int, int]]:
    """Versions of Python that nodes have and the controller here has not, oldest first."""
    controller = machine.controller_python()
    return sorted(version for version in machine.NODE_PYTHONS if controller is None or version != controller.version)


def _on_each(versions: Sequence[tuple[int, int]], paths: Sequence[str]) -> Outcome:
    """The node code's tests on these Pythons."""
    found = {python.version: python for python in machine.interpreters()}

    def one(version: tuple[int, int]) -> Outcome:
        name = f"Python {version[0]}.{version[1]}"
        if version not in found:
            return skipped(f"node code on {name}", "this Python is not on this machine")
        selected = [] if version == min(found) else ["-k", f"not {SLOW_AND_ALIKE}"]
        return _on(found[version], name, [*selected, *(paths or [NODE_TESTS])])

    # Each is one process, so that as many of them as there are processors do not wait for each other.
    return total(side_by_side([partial(one, version) for version in versions], machine.processors()))


def pytest(
    suite: str,
    python: str,
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Outcome:
    """Run pytest, keep its JUnit report, count its tests. `prefix` is a program to run it under."""
    log, report = LOGS / f"{suite}.log", JUNIT / f"{suite}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    argv = [*prefix, python, "-m", "pytest", "-v", f"--junitxml={report}", *arguments]
    done = run(argv, log=log, cwd=ROOT, env=env)
    if done.status == NO_TESTS:
        return skipped(suite, "there are no such tests")
    if done.status:
        show_tail(done, log)
    if not report.exists():
        return Outcome(failed=(f"{suite}: pytest ended with status {done.status} before it ran a test",))
    outcome = from_junit(report, suite=suite)
    if done.status and not outcome.failed:
        return outcome.plus(Outcome(failed=(f"{suite}: pytest ended with status {done.status}",)))
    return outcome


def _on(python: machine.Interpreter, name: str, arguments: Sequence[str]) -> Outcome:
    """Run the node code's tests on one other Python."""
    home = BUILD / "pythons" / name.replace(" ", "-").lower()
    problem = _prepare(python, home)
    if problem:
        return skipped(f"node code on {name}", problem)
    say(f"    {name}")
    env = {"PYTHONPATH": str(collection_tree()), "PYTHONDONTWRITEBYTECODE": "1"}
    return pytest(f"unit-{home.name}", str(home / "bin" / "python"), ["-p", "no:cacheprovider", *arguments], env=env)


def _prepare(python: machine.Interpreter, home: Path) -> str:
    """Make a virtual environment with pytest for a Python. Why it cannot be done, or ''."""
    stamp = home / ".made-from"
    wanted = f"{python.path}\n{home}\n{NODE_TEST_REQUIREMENTS.read_text(encoding='utf-8')}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return ""
    say(f"    installing pytest for {python.path}")
    shutil.rmtree(home, ignore_errors=True)
    log = LOGS / f"{home.name}-setup.log"
    if run([python.path, "-m", "venv", str(home)], log=log, cwd=ROOT).status:
        return "it cannot make a virtual environment (venv or ensurepip is missing)"
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    if run([*pip, "-r", str(NODE_TEST_REQUIREMENTS)], log=log, cwd=ROOT).status:
        return f"pip could not install pytest for it, see build/logs/{log.name}"
    stamp.write_text(wanted, encoding="utf-8")
    return ""
