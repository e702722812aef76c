# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, seen from the repository root."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
JUNIT = BUILD / "junit"

NAMESPACE, NAME = "netmedic", "calico"


def venv_program(name: str) -> str:
    """Path of a program in the virtual environment."""
    return str(VENV / "bin" / name)


def printable(path: Path) -> str:
    """A path as a person at the repository root would write it."""
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)
