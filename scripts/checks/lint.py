# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Form, lint and types: every tool counts as one test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scripts import site as site_builder
from scripts.checks.outcome import Outcome, single, skipped, total
from scripts.console import Done, run, say, show_tail
from scripts.environment import collection_tree
from scripts.paths import BUILD, LOGS, NAME, NAMESPACE, ROOT, VENV, venv_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TYPED_ON_NODES_AND_CONTROLLER = ("plugins",)
TYPED_AROUND_IT = ("lab", "scripts", "bench", "fuzz", "matrix", "chaos")


def ruff_format(paths: Sequence[str]) -> Outcome:
    """All Python is formatted by ruff."""
    return _tool("ruff format", ["ruff", "format", "--check", *(paths or ["."])])


def ruff_check(paths: Sequence[str]) -> Outcome:
    """Ruff finds nothing to complain of."""
    return _tool("ruff check", ["ruff", "check", *(paths or ["."])])


def yamllint(paths: Sequence[str]) -> Outcome:
    """All YAML is well formed."""
    return _tool("yamllint", ["yamllint", "--strict", *(paths or ["."])])


def ansible_lint(paths: Sequence[str]) -> Outcome:
    """Profile production, nothing excluded."""
    return _tool("ansible-lint", ["ansible-lint", "--offline", "--nocolor", "-q", *paths])


def changelog(_paths: Sequence[str]) -> Outcome:
    """The change fragments are well formed."""
    return _tool("antsibull-changelog", ["antsibull-changelog", "lint"])


def plugin_docs(_paths: Sequence[str]) -> Outcome:
    """The documentation of plugins, modules and roles is complete and its references lead somewhere."""
    return _tool("antsibull-docs", ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."])


def generated_docs(_paths: Sequence[str]) -> Outcome:
    """The fault pages and their table are what the catalogue says, the reliability table what the cases tell,
    the policies what the linter's rules say."""
    pages = _tool("generated docs", ["python", "-m", "scripts.fault_pages", "--check"])
    pages = pages.plus(_tool("policies", ["python", "-m", "scripts.policies", "--check"]))
    return pages.plus(_tool("reliability table", ["python", "-m", "scripts.reliability", "--check"]))


def site(_paths: Sequence[str]) -> Outcome:
    """The documentation site can be built, and Sphinx has nothing to warn of."""
    problem = site_builder.prepare()
    return skipped("site", problem) if problem else single("site", passed=site_builder.main() == 0)


def mypy(paths: Sequence[str]) -> Outcome:
    """The types fit: strict in the core, the lab and the tools."""
    inside = [path for path in paths if path.startswith("plugins")] if paths else TYPED_ON_NODES_AND_CONTROLLER
    around = [path for path in paths if not path.startswith("plugins")] if paths else TYPED_AROUND_IT
    return total([*_mypy_of_the_collection(inside), *_mypy_of_programs(around)])


def _mypy_of_the_collection(paths: Sequence[str]) -> list[Outcome]:
    """Types of the collection's code, under the names that Ansible gives to its modules."""
    if not paths:
        return []
    tree = collection_tree()
    here = f"ansible_collections/{NAMESPACE}/{NAME}"
    return [_mypy("mypy of the collection", [f"{here}/{path}" for path in paths], tree, tree)]


def _mypy_of_programs(paths: Sequence[str]) -> list[Outcome]:
    """Types of the programs beside the collection."""
    there = [path for path in paths if (ROOT / path).exists()]
    if not there:
        return []
    return [_mypy("mypy of the programs", there, ROOT, collection_tree())]


def _mypy(name: str, paths: Sequence[str], cwd: Path, search: Path) -> Outcome:
    """Run mypy with the project's settings."""
    cache = BUILD / "mypy" / name.replace(" ", "-")
    argv = ["mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(cache), *paths]
    return _tool(name, argv, cwd=cwd, env={"MYPYPATH": f"{search}:{cwd}"})


def _tool(name: str, argv: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Outcome:
    """Run one of the virtual environment's programs; show what it says only if it fails."""
    log = LOGS / f"{name.replace(' ', '-')}.log"
    done = run([venv_program(argv[0]), *argv[1:]], log=log, cwd=cwd, env={**venv_path(), **(env or {})})
    passed = done.status == 0
    if not passed:
        _explain(name, done, log)
    return single(name, passed=passed)


def _explain(name: str, done: Done, log: Path) -> None:
    """Show a failed tool's words."""
    say(f"    {name} ended with status {done.status}:")
    show_tail(done, log)


def venv_path() -> dict[str, str]:
    """Environment in which programs find their helpers in the virtual environment."""
    return {"PATH": f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}"}
