# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks remediate and rollback on a lab, as the account that may repair; all of one test in one folder."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
from typing import NamedTuple

from ansible_collections.netmedic.calico.tests.lab import cures
from scripts.paths import VENV

ENVIRONMENT = {**cures.ENVIRONMENT, "ANSIBLE_NOCOLOR": "1"}
LIMIT = 300  # seconds


class Done(NamedTuple):
    """A playbook that has run."""

    status: int
    text: str

    @property
    def changes(self):
        """What a difference shows, line by line, but for times of restarts."""
        return [line for line in self.text.splitlines() if re.match(r"[+-](?![+-]{2} )", line)]


@contextlib.contextmanager
def starter(lab, folder):
    """What starts playbooks, of which none outlives a test that fails."""
    started = []

    def start(name, *arguments, **variables):
        started.append(Playing(lab, folder, name, *arguments, **variables))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.end()


class Playing:
    """A playbook that runs."""

    def __init__(self, lab, folder, name, *arguments, **variables):
        given = {"remediate_dir": str(folder / "runs"), "collect_kubeconfig": cures.account(lab), **variables}
        argv = [str(VENV / "bin" / "ansible-playbook"), f"netmedic.calico.{name}", "-i", lab.inventory]
        argv += ["-e", json.dumps(given), *arguments]
        self._log = folder / f"{name}-{time.monotonic_ns()}.log"
        with open(self._log, "wb") as out:
            self.process = subprocess.Popen(
                argv, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **ENVIRONMENT}, cwd=folder
            )

    @property
    def text(self):
        """What it has printed by now."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words, limit=240):
        """Wait until it has printed this, or the time is over."""
        end = time.monotonic() + limit
        while words not in self.text:
            assert time.monotonic() < end, self.text
            assert self.process.poll() is None, self.text
            time.sleep(0.05)

    def end(self):
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait(self):
        """Wait for its end."""
        try:
            return Done(self.process.wait(LIMIT), self.text)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
