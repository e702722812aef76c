# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether files can be written into a folder on the controller: asked before the work of which they are to tell."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def existing(directory: str) -> Path:
    """Return the folder, or of those above it the first one that is there."""
    there = Path(directory).expanduser().absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    return there


def why_not(directory: str, names: Iterable[str] = ()) -> str:
    """Return why nothing, or none of these files, can be written there, in half a sentence; '' if it can. Nothing is
    made or left there. That a disk is full, or will be, is not seen."""
    there = existing(directory)
    if not there.is_dir():
        return f"{there} is no directory"
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        return why if there == Path(directory).expanduser().absolute() else f"in {there}: {why}"
    taken = [name for name in names if (Path(directory).expanduser() / name).is_dir()]
    return f"{', '.join(taken)} is a directory there" if taken else ""
