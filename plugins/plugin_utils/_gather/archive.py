# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive on the controller: written whole or not at all, readable by nobody but the user."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .._render import places

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_PRIVATE = 0o600
_LEVEL = 6


def why_not(directory: str, mb: int) -> str:
    """Return why no archive of so many MiB can be written there, in a sentence; '' if it can. Nothing is left there."""
    path = Path(directory).expanduser().absolute()
    why = places.why_not(directory)
    if why:
        return f"The archive cannot be written into {path}: {why}. Give must_gather_dir another directory."
    there = places.existing(directory)
    free = shutil.disk_usage(there).free
    if free < mb * 1024 * 1024:
        return (
            f"The archive may take {mb} MiB, and {there} has only {free >> 20} MiB free. Make room, give "
            "must_gather_dir another directory, or lower must_gather_max_mb."
        )
    return ""


def write(directory: str, name: str, files: MutableMapping[str, str]) -> Path:
    """Write `name`.tar.gz, with all files below a folder `name`, and return its path. Raises OSError; then nothing of
    it is left."""
    folder = Path(directory).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            _pack(name, files, stream)
            stream.flush()
            os.fsync(stream.fileno())
        return _named(Path(made), folder, name)
    finally:
        Path(made).unlink(missing_ok=True)


def _named(made: Path, folder: Path, name: str) -> Path:
    """Give the file its name, a new one if somebody has it already."""
    number = 1
    while True:
        path = folder / (f"{name}.tar.gz" if number == 1 else f"{name}-{number}.tar.gz")
        try:
            # Unlike a rename, a link never replaces what is there.
            os.link(made, path)
        except FileExistsError:
            number += 1
        except OSError:
            # Some file systems have no links.
            if not path.exists():
                made.rename(path)
                return path
            number += 1
        else:
            return path


def _pack(name: str, files: MutableMapping[str, str], stream: IO[bytes]) -> None:
    with (
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=_LEVEL, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        # What tells of all others stands first, so that it is found without reading the rest.
        for path in sorted(files, key=lambda one: ("/" in one, one)):
            content = files[path].encode("utf-8", "replace")
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode = len(content), _PRIVATE
            archive.addfile(entry, io.BytesIO(content))
