# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make clean`: remove what make has made in this folder, and take the lab down. Sources and reports elsewhere stay."""

from __future__ import annotations

import shutil
import sys

from lab import image, lifecycle
from lab.errors import LabError
from lab.state import State
from scripts import machine
from scripts.console import headline, say
from scripts.paths import ROOT, printable

MADE = (".venv", "build", "report", ".ansible", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache")


def main() -> int:
    """Clean up. The exit status: 1 if a lab is up and could not be taken down."""
    status = _lab_down()
    headline("Removing what make has made here")
    for name in MADE:
        path = ROOT / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            say(f"    {printable(path)}")
    for cache in [path for path in ROOT.rglob("__pycache__") if path.is_dir()]:
        shutil.rmtree(cache)
    if image.directory().is_dir():
        say(f"    The lab's image stays for the next time; to remove it too: rm -rf {image.cache_directory()}")
    return status


def _lab_down() -> int:
    """Take the lab down if there is one and we may."""
    state = State()
    if not machine.is_root():
        if state.directory.is_dir():
            say(f"    A lab is up in {state.directory}; only root can take it down: sudo make lab-down")
        return 0
    try:
        lifecycle.down(state, say)
    except LabError as problem:
        say(f"    The lab could not be taken down: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
