# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook as a user runs it on a lab."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ANSIBLE = ROOT / ".venv" / "bin" / "ansible-playbook"
LIMIT = 300  # seconds
NO_PYTHON = "/nonexistent/python3"


class Run(NamedTuple):
    """One run of the playbook diagnose: exit status, what was printed, and report.json ({} if none was written)."""

    status: int
    printed: str
    report: dict[str, Any]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The report's findings, best first."""
        found: list[dict[str, Any]] = self.report.get("findings", [])
        return found

    @property
    def causes(self) -> list[str]:
        """The ids of the findings that are causes and not mere guesses, best first."""
        return [item["fault"] for item in self.findings if item["role"] == "cause" and not item.get("guess")]


def diagnose(inventory: str, directory: Path, *arguments: str) -> Run:
    """Run the playbook as a user would, with report_dir set to the directory."""
    return run_playbook("diagnose", inventory, directory, *arguments)


def run_playbook(name: str, inventory: str, directory: Path, *arguments: str) -> Run:
    """Run a playbook of the collection that writes a report, likewise."""
    argv = [str(ANSIBLE), f"netmedic.calico.{name}", "-i", inventory, "-e", f"report_dir={directory}", *arguments]
    environ = {**os.environ, "ANSIBLE_FORKS": "10", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, check=False, env=environ)
    written = directory / "report.json"
    report = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}
    return Run(done.returncode, done.stdout + done.stderr, report)


def without_python(directory: Path, *names: str) -> tuple[str, str]:
    """Arguments that lay an inventory over the lab's by which Python is at no path of these nodes."""
    path = directory / "hidden.json"
    hosts = {name: {"ansible_python_interpreter": NO_PYTHON} for name in names}
    path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return "-i", str(path)
