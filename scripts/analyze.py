# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make analyze`: find the causes in evidence bundles, without a cluster.

What is wanted stands in the environment, where make puts it: BUNDLE (one path, or several parted by blanks),
REPORT_DIR, ARGS. Exit status: that of ansible-playbook; 2 if the request cannot be carried out; 130 after Ctrl-C.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts import environment, make_variables
from scripts.console import UserError, complain, headline, say
from scripts.paths import NAME, NAMESPACE, ROOT, VENV, printable, venv_program

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAYBOOK = f"{NAMESPACE}.{NAME}.analyze"
# What Ansible takes for a template, also in a path that somebody else has named.
TEMPLATE = ("{{", "{%", "{#")
SETTINGS = ROOT / "scripts" / "lab.cfg"


class Request(NamedTuple):
    """What the user asked for."""

    bundles: tuple[str, ...]
    report_dir: Path
    arguments: tuple[str, ...]


def read_request(wanted: Mapping[str, str]) -> Request:
    """Read and check what is wanted. UserError says in one sentence what is wrong with it."""
    told = wanted.get("BUNDLE", "").strip()
    if not told:
        raise UserError("BUNDLE is missing: make analyze BUNDLE=path, a directory, an archive or a text.")
    # A path may have blanks in it; several paths are parted by them.
    paths = [told] if Path(told).expanduser().exists() else _split("BUNDLE", told)
    places = [Path(path).expanduser().absolute() for path in paths]
    absent = [path for path, place in zip(paths, places, strict=True) if not place.exists()]
    # One that is absent among others has a report that says so, and never stops the others.
    if len(absent) == len(paths):
        raise UserError(f"BUNDLE={absent[0]}: there is no such file or folder.")
    report_dir = Path(wanted.get("REPORT_DIR", "").strip() or "report").expanduser().absolute()
    if report_dir.exists() and not report_dir.is_dir():
        raise UserError(f"REPORT_DIR={report_dir} is a file; give a folder.")
    for path in (*places, report_dir):
        if any(sign in str(path) for sign in TEMPLATE):
            raise UserError(f"{path}: Ansible would run what stands in braces there. Give it another name.")
    return Request(tuple(map(str, places)), report_dir, tuple(_split("ARGS", wanted.get("ARGS", ""))))


def _split(name: str, text: str) -> list[str]:
    """Split a variable as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as problem:
        raise UserError(f"{name}={text} cannot be split into words: {problem}.") from None


def analyze(request: Request) -> int:
    """Set up what is missing, then run the playbook at the user's terminal. Its exit status."""
    environment.prepare(environment.USE)
    headline(f"Analysing {', '.join(printable(Path(path)) for path in request.bundles)}")
    told = json.dumps({"analyze_bundles": request.bundles, "report_dir": str(request.report_dir)})
    path = f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}"
    settings = {} if "ANSIBLE_CONFIG" in os.environ else {"ANSIBLE_CONFIG": str(SETTINGS)}
    argv = [venv_program("ansible-playbook"), PLAYBOOK, "-i", "localhost,", "-e", told, *request.arguments]
    status = subprocess.run(argv, env={**os.environ, "PATH": path, **settings}, check=False).returncode
    say(f"The whole reports: {printable(request.report_dir)}")
    return status


def main() -> int:
    """Do what the environment asks for. The exit status."""
    try:
        make_variables.check(os.environ)
        return analyze(read_request(os.environ))
    except UserError as problem:
        complain(str(problem))
        return problem.status
    except KeyboardInterrupt:
        complain("Interrupted.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
