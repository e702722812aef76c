# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a directory or an archive (tar, zip), read without trusting it.

Nothing is unpacked. Links, devices, absolute paths and paths that lead out are passed over and listed, and so is what
goes beyond the limits: archives may be made to fill a machine.
"""

from __future__ import annotations

import bz2
import contextlib
import functools
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

MOST_FILES = 20_000
LARGEST_FILE = 64 * 1024 * 1024
MOST_BYTES = 512 * 1024 * 1024
# A header costs an archive almost nothing: those that are passed over count, too.
_MOST_ENTRIES = 5 * MOST_FILES
_LONGEST_NAME = 1024
_UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


class Files(NamedTuple):
    """Texts by their path in the bundle, and what was passed over, as (path, why)."""

    texts: dict[str, str]
    refused: list[tuple[str, str]]


class _Collector:
    """Takes in files as far as the limits go."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.refused: list[tuple[str, str]] = []
        self._left = MOST_BYTES
        self._entries = 0
        self._more = 0

    def refuse(self, name: str, why: str) -> None:
        """Note what was passed over; only so much of it by name."""
        if len(self.refused) < 100:
            self.refused.append((name[:200], why))
        else:
            self._more += 1

    def goes_on(self) -> bool:
        """Count one more entry; say whether it is still within the limits."""
        self._entries += 1
        if self._entries <= _MOST_ENTRIES and len(self.texts) < MOST_FILES:
            return True
        self.refuse("", f"more than {MOST_FILES} files: the rest was not read")
        return False

    def take(self, name: str, open_it: Callable[[], IO[bytes] | None]) -> None:
        """Read one file, unless its name or size forbids it."""
        path = safe_path(name)
        if not path:
            self.refuse(name, "a path that leads out of the bundle")
            return
        limit = min(LARGEST_FILE, self._left)
        try:
            stream = open_it()
            if stream is None:
                self.refuse(name, "cannot be read")
                return
            with stream:
                content = stream.read(limit + 1)
        except _UNREADABLE as error:
            self.refuse(name, f"cannot be read: {type(error).__name__}")
            return
        if len(content) > limit:
            self.refuse(name, "too large")
            # It has cost its time, and would again: many of them are as bad as one.
            self._left -= min(self._left, limit)
            return
        self._left -= len(content)
        self.texts.setdefault(path, decoded(content))

    def files(self) -> Files:
        """Return what was read, below the folder that everything lies in, if there is one such."""
        if self._more:
            self.refused.append(("", f"{self._more} more were passed over"))
        return Files(without_common_folder(self.texts), self.refused)


def read(path: str) -> Files:
    """Return the files at `path`: a directory, a tar (also compressed), a zip, or a single file.

    Raises OSError if there is nothing to read. What an archive is, is told by its content.
    """
    place = Path(path).expanduser()
    taken = _Collector()
    if place.is_dir():
        _directory(place, taken)
        return taken.files()
    with place.open("rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(f"{path} is neither a directory nor a file")
    if zipfile.is_zipfile(place):
        _zip(place, taken)
    elif _is_tar(place):
        _tar(place, taken)
    else:
        taken.take(place.name, lambda: place.open("rb"))
        return Files(taken.texts, taken.refused)
    return taken.files()


def safe_path(name: str) -> str:
    """Return the path in its plain form, '' if it is absolute or leads out of where it stands."""
    if not name or len(name) > _LONGEST_NAME or "\0" in name or "\\" in name:
        return ""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        return ""
    return "" if str(path) == "." else str(path)


def without_common_folder(texts: dict[str, str]) -> dict[str, str]:
    """Return the texts without the folder that an archive was made of; nodes/ and cluster/ are no such folder."""
    heads = {name.partition("/")[0] for name in texts if "/" in name}
    if len(heads) != 1 or heads & {"nodes", "cluster"} or any("/" not in name for name in texts):
        return texts
    return {name.partition("/")[2]: text for name, text in texts.items()}


def decoded(content: bytes) -> str:
    """Return a file as text: UTF-8, or UTF-16 as Windows' shells write it; what is neither is replaced."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


class _Bounded:
    """A stream for tarfile that gives out at most so much at once, and so much in all.

    tarfile reads headers of whatever size they claim to have, and passes over a member by unpacking it.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes."""
        if not 0 <= size <= LARGEST_FILE + 1 or self._stream.tell() + size > 2 * MOST_BYTES:
            raise OSError("too large")
        content: bytes = self._stream.read(size)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position counted from the beginning."""
        if whence or not 0 <= offset <= 2 * MOST_BYTES:
            raise OSError("too large")
        position: int = self._stream.seek(offset)
        return position

    def tell(self) -> int:
        """Return the position."""
        position: int = self._stream.tell()
        return position

    def close(self) -> None:
        """Give back what is open."""
        self._stream.close()


def _unpacked(place: Path) -> Any:
    """Return the stream of an archive without its compression, as far as tarfile needs one."""
    with place.open("rb") as stream:
        head = stream.read(6)
    if head[:2] == b"\x1f\x8b":
        return _Bounded(gzip.open(place))
    if head[:3] == b"BZh":
        return _Bounded(bz2.open(place))
    return _Bounded(lzma.open(place) if head == b"\xfd7zXZ\0" else place.open("rb"))


def _is_tar(place: Path) -> bool:
    try:
        with contextlib.closing(_unpacked(place)) as stream:
            tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    except _UNREADABLE:
        return False
    return True


def _directory(place: Path, taken: _Collector) -> None:
    for folder, folders, names in os.walk(place, followlinks=False):
        folders[:] = sorted(name for name in folders if not (Path(folder) / name).is_symlink())
        for name in sorted(names):
            if not taken.goes_on():
                return
            path = Path(folder) / name
            shown = path.relative_to(place).as_posix()
            if not stat.S_ISREG(path.lstat().st_mode):
                taken.refuse(shown, "not a plain file")
            else:
                taken.take(shown, _opener(path))


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _tar(place: Path, taken: _Collector) -> None:
    try:
        with contextlib.closing(_unpacked(place)) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                if not taken.goes_on():
                    return
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    taken.refuse(member.name, "not a plain file")
                elif member.size > LARGEST_FILE:
                    taken.refuse(member.name, "too large")
                else:
                    taken.take(member.name, functools.partial(archive.extractfile, member))
    except _UNREADABLE as error:
        taken.refuse(place.name, f"the archive is broken: {type(error).__name__}")


def _zip(place: Path, taken: _Collector) -> None:
    try:
        with zipfile.ZipFile(place) as archive:
            for entry in archive.infolist():
                if not taken.goes_on():
                    return
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if entry.is_dir():
                    continue
                if kind not in (0, stat.S_IFREG) or entry.flag_bits & 1:
                    taken.refuse(entry.filename, "not a plain file")
                elif entry.file_size > LARGEST_FILE:
                    taken.refuse(entry.filename, "too large")
                else:
                    taken.take(entry.filename, functools.partial(archive.open, entry))
    except _UNREADABLE as error:
        taken.refuse(place.name, f"the archive is broken: {type(error).__name__}")
