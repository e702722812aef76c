# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make setup`: everything the other targets need, made or installed if it is missing; at once if nothing is.

Installed by apt, where we are root on a machine that has it: only programs, never a service. The daemons and firewalls
that the lab and the tests use (BIRD, chrony, ufw, nftables …) live in the lab's image and nowhere else.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from scripts import environment, lab_setup, machine
from scripts.console import UserError, complain, headline, run, say, show_tail
from scripts.machine import Tool
from scripts.paths import LOGS, NAME, NAMESPACE, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

SSH = Tool("ssh", "openssh-client", "reaching nodes")
FOR_CHECKS = (
    Tool("git", "git", "ansible-test"),
    Tool("kubectl", "kubernetes-client", "the tests of the lab's API"),
    Tool("shellcheck", "shellcheck", "ansible-test's shellcheck"),
)
QUIET_APT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}


def prepare_machine(level: str, *, for_lab: bool) -> list[str]:
    """Install missing programs where that is possible. Sentences about what remains missing, and what for."""
    tools: tuple[Tool, ...] = lab_setup.TOOLS if for_lab else (SSH,)
    if level == environment.DEVELOP:
        tools += FOR_CHECKS
    missing = [tool for tool in tools if machine.find_program(tool.program) is None]
    packages = sorted({tool.package for tool in missing})
    if not environment.can_make_venv() and machine.find_program("python3"):
        packages.append("python3-venv")
    if packages and machine.is_root() and machine.has_apt():
        _install(packages)
        missing = [tool for tool in missing if machine.find_program(tool.program) is None]
    return _sentences(missing)


def _install(packages: Sequence[str]) -> None:
    """Install Debian packages, without what they only recommend."""
    headline(f"Installing with apt-get: {', '.join(packages)}")
    log = LOGS / "apt.log"
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    done = run(install, log=log, cwd=ROOT, env=QUIET_APT)
    if done.status:  # the list of packages is absent or out of date on a fresh machine
        say("    fetching the list of packages first")
        if run(["apt-get", "update"], log=log, cwd=ROOT, env=QUIET_APT).status == 0:
            done = run(install, log=log, cwd=ROOT, env=QUIET_APT)
    if done.status:
        show_tail(done, log, 10)
        say("    apt-get could not install them; going on without")


def _sentences(missing: Sequence[Tool]) -> list[str]:
    """What is missing, what it is for, and the command that brings it."""
    return [
        f"Missing: {tool.program}, needed for {tool.needed_for}. On Debian: "
        f"{'' if machine.is_root() else 'sudo '}apt-get install {tool.package}"
        for tool in missing
    ]


def main(arguments: Sequence[str]) -> int:
    """Set up. With --develop also what the checks need. The exit status."""
    level = environment.DEVELOP if "--develop" in arguments else environment.USE
    for sentence in prepare_machine(level, for_lab=True):
        say(f"    {sentence}")
    environment.prepare(level)
    lab_setup.prepare_image()
    problem = lab_setup.why_not()
    headline("Ready")
    say(f"    your own nodes: .venv/bin/ansible-playbook {NAMESPACE}.{NAME}.diagnose -i INVENTORY")
    if problem:
        say(f"    no embedded lab: {problem}. Without it work: diagnosing your own nodes, all checks that need no lab.")
    else:
        say("    embedded lab:   make diagnose")
    return 0


def _interrupt(_signal: int, _frame: object) -> None:
    """End as on Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    os.chdir(ROOT)
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as stop:
        complain(str(stop))
        sys.exit(stop.status)
    except KeyboardInterrupt:
        complain("Interrupted; run make setup again to go on where it stopped.")
        sys.exit(130)
