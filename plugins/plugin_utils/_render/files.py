# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as files on the controller."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._patch.make import FOLDER
from .formats import Wanted, rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .._patch.model import Patch

USUAL = Wanted()


class Saved(NamedTuple):
    """What was written: the paths, that of the first form first, whether that changed anything, and which forms of an
    incomplete report could not be made, in words."""

    paths: list[Path]
    changed: bool
    problem: str = ""


class NotWrittenError(OSError):
    """Some files could not be written. `failed`: why, by name; `written`: those that are there."""

    def __init__(self, failed: Mapping[str, str], written: Sequence[str]) -> None:
        self.failed, self.written = failed, written
        super().__init__(errno.EIO, "; ".join(f"{', '.join(names)}: {why}" for why, names in self.reasons().items()))

    def reasons(self) -> dict[str, list[str]]:
        """Return the names of the files by why they could not be written."""
        found: dict[str, list[str]] = {}
        for name, why in self.failed.items():
            found.setdefault(why, []).append(name)
        return found


def save_report(
    report: Mapping[str, Any], directory: str, formats: Iterable[str], wanted: Wanted = USUAL, *, write: bool
) -> Saved:
    """Write a report in these forms, each file whole or not at all, and make its directory.

    With write False nothing is written. NotWrittenError where a file cannot be. Where a report is not whole,
    report.json is written all the same.
    """
    chosen = list(formats)
    problem = ""
    try:
        contents = rendered(report, chosen, wanted)
    except ValueError as error:
        problem = str(error)
        contents = rendered(report, [form for form in chosen if form == "json"], wanted)
    changed = save_files(contents, directory, write=write)
    return Saved([Path(directory) / name for name in contents], changed, problem)


def save_files(contents: Mapping[str, bytes], directory: str, *, write: bool) -> bool:
    """Write files by their names, each whole or not at all, and make their directory; say whether it changes anything.

    With write False nothing is written. What can be written is, also where others cannot: then NotWrittenError tells
    which.
    """
    changed: list[str] = []
    failed: dict[str, str] = {}
    for name, content in contents.items():
        path = Path(directory) / name
        try:
            if path.is_file() and path.read_bytes() == content:
                continue
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
                _replace(path, content)
            changed.append(name)
        except OSError as error:
            failed[name] = error.strerror or str(error)
    if failed:
        raise NotWrittenError(failed, [name for name in contents if name not in failed])
    return bool(changed)


def save_patches(patches: Iterable[Patch], directory: str, *, write: bool) -> bool:
    """Write patch files into a folder of a report, in the place of those of an earlier one; say whether that changes
    anything. OSError where it cannot be done."""
    folder = Path(directory) / FOLDER
    wanted = {patch.name: patch.text.encode("utf-8", "replace") for patch in patches}
    ours = (path for pattern in ("*.patch", "[0-9]*-*.yaml") for path in folder.glob(pattern))
    there = {path.name: path.read_bytes() for path in ours if path.is_file()}
    if write and wanted != there:
        for name in there.keys() - wanted.keys():
            (folder / name).unlink(missing_ok=True)  # another run may be at it, too
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
