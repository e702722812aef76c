# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as files on the controller."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._patch.make import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._patch.model import Patch

REPORT = "report.json"


def save_json(report: Mapping[str, Any], directory: str, *, write: bool) -> tuple[Path, bool]:
    """Write report.json, whole or not at all, and make its directory. The path, and whether that changes anything.

    With write False nothing is written. OSError where the directory cannot be made or written.
    """
    path = Path(directory) / REPORT
    content = (json.dumps(report, indent=2, sort_keys=False, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    changed = not path.is_file() or path.read_bytes() != content
    if write and changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    return path, changed


def save_patches(patches: Iterable[Patch], directory: str, *, write: bool) -> bool:
    """Write patch files into a folder of a report, in the place of those of an earlier one; say whether that changes
    anything. OSError where it cannot be done."""
    folder = Path(directory) / FOLDER
    wanted = {patch.name: patch.text.encode("utf-8", "replace") for patch in patches}
    ours = (path for pattern in ("*.patch", "[0-9]*-*.yaml") for path in folder.glob(pattern))
    there = {path.name: path.read_bytes() for path in ours if path.is_file()}
    if write and wanted != there:
        for name in there.keys() - wanted.keys():
            (folder / name).unlink()
        for name, content in wanted.items():
            folder.mkdir(parents=True, exist_ok=True)
            _replace(folder / name, content)
    return wanted != there


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
