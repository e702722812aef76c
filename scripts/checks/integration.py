# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-test integration`: every target counts as one test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scripts import machine
from scripts.checks import workshop
from scripts.checks.outcome import Outcome, Skip, skipped
from scripts.console import run, say, show_tail
from scripts.paths import LOGS, ROOT, venv_program

if TYPE_CHECKING:
    from collections.abc import Sequence

STARTED = re.compile(r"^Running (\S+) integration test (?:role|script)", re.MULTILINE)
FAILED = re.compile(
    r"^FATAL: The \d+ integration test\(s\) listed below \(out of \d+\) failed[^\n]*\n((?:\S+\n?)+)", re.MULTILINE
)

# The targets prove what users see on a host without Calico. In namespaces of their own they see neither the
# processes of a lab which may be up nor the machine's network.
APART = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
LOOPBACK_UP = ["sh", "-c", 'ip link set lo up; exec "$@"', "sh"]


def integration(names: Sequence[str]) -> Outcome:
    """Run the integration targets on a clean copy of the sources, against this host."""
    targets = sorted(path.name for path in (ROOT / "tests" / "integration" / "targets").iterdir() if path.is_dir())
    if not targets:
        return skipped("integration", "there are no targets")
    if " " in str(ROOT):
        reason = "ansible-test integration cannot run in a folder whose path has a blank in it"
        return Outcome(skipped=tuple(Skip(f"integration {name}", reason) for name in names or targets))
    log = LOGS / "integration.log"
    argv = [venv_program("ansible-test"), "integration", "--color", "no", "--continue-on-error", "--python", "default"]
    with workshop.prepared() as env:
        done = run([*_apart(), *argv, *names], log=log, cwd=workshop.COPY, env=env)
    if done.status:
        show_tail(done, log, 60)
    return _count(done.output, done.status)


def _apart() -> list[str]:
    """What to run ansible-test under."""
    problem = machine.has_namespaces()
    if not problem and machine.find_program("ip"):
        return [*APART, *LOOPBACK_UP]
    say(f"    in the machine's own namespaces, because {problem or 'the program ip is missing'}")
    return []


def _count(output: str, status: int) -> Outcome:
    """Count the targets by what ansible-test printed."""
    started = list(dict.fromkeys(STARTED.findall(output)))
    listed = FAILED.search(output)
    failed = [name for name in started if listed and name in listed.group(1).split()]
    if status and not failed:
        failed = started[-1:] or ["integration: ansible-test did not start"]
    passed = [name for name in started if name not in failed]
    return Outcome(passed=len(passed), failed=tuple(f"integration {name}" for name in failed))
