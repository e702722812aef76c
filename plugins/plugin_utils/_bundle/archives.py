# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a directory, a tar or a zip, entry by entry, and streams without their compression.

Nothing is unpacked to disk, and nothing is believed that an archive says of itself: what is read is bounded by whoever
reads it, and what is passed over by the limits here.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from . import cut_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    NotImplementedError,
)
# What a compressed stream may unpack to in all, and how much more than it has read that may be: above what gzip can do,
# so that only others are stopped early.
MOST_UNPACKED = 3 * 1024 * 1024 * 1024
_MOST_TIMES = 1500
_UNSUSPICIOUS = 64 * 1024 * 1024
# tarfile reads headers of whatever size they claim to have.
_LARGEST_PIECE = 2 * 1024 * 1024
_LARGEST_CATALOGUE = 32 * 1024 * 1024
_PIECE = 1024 * 1024
_ZIP_END = b"PK\5\6"


class Entry(NamedTuple):
    """A file: its path, `open` (None: it cannot be), why it is not a plain file ('' if it is one), and where it leads
    to if it is a link."""

    name: str
    open: Callable[[], IO[bytes] | None]
    odd: str = ""
    target: str = ""


class Unpacked:
    """A stream without its compression that only goes forward, and not for ever.

    Of one that is cut off or damaged what stands before that place is given, and then `broken` is set. `last` is what
    was read last.
    """

    def __init__(self, stream: Any, raw: Any) -> None:
        self._stream, self._raw, self._at = stream, raw, 0
        self.broken = False
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, fewer only at the end. Raises one of UNREADABLE if there are none at all."""
        if not 0 <= size <= _LARGEST_PIECE:
            raise OSError("too large")
        content = self._whole(size)
        self._at += len(content)
        self._check()
        self.last = content
        return content

    def _whole(self, size: int) -> bytes:
        """A reader of many bytes at once would lose those before the place at which the stream breaks."""
        if self._stream is self._raw:
            return bytes(self._stream.read(size))
        found = bytearray()
        try:
            while not self.broken and len(found) < size:
                piece = self._stream.read1(size - len(found))
                if not piece:
                    break
                found += piece
        except UNREADABLE:
            if not self._at and not found:
                raise
            self.broken = True
        return bytes(found)

    def _check(self) -> None:
        packed = self._raw.tell()
        if self._at > MOST_UNPACKED or (self._at > _UNSUSPICIOUS and self._at > _MOST_TIMES * packed):
            raise OSError("too large")

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position counted from the beginning, onwards."""
        if whence or offset < 0 or offset > MOST_UNPACKED:
            raise OSError("too large")
        if self._stream is self._raw:
            self._at = int(self._stream.seek(offset))
            return self._at
        if offset < self._at:
            self._at, self.broken = int(self._stream.seek(offset)), False
        while self._at < offset and self.read(min(offset - self._at, _PIECE)):
            pass
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def close(self) -> None:
        """Give back what is open."""
        self._stream.close()
        self._raw.close()

    def __enter__(self) -> Unpacked:
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()


def compression(head: bytes) -> str:
    """Return how a stream is compressed, by how it begins: gzip, bz2, xz or ''."""
    for mark, name in ((b"\x1f\x8b\x08", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz")):
        if head.startswith(mark):
            return name
    return ""


def unpacked(raw: Any, kind: str) -> Unpacked:
    """Return a stream, which is at its beginning, without its compression."""
    openers: dict[str, Callable[[Any], Any]] = {"gzip": gzip.GzipFile, "bz2": bz2.BZ2File, "xz": lzma.LZMAFile}
    stream = gzip.GzipFile(fileobj=raw) if kind == "gzip" else openers[kind](raw) if kind else raw
    return Unpacked(stream, raw)


def is_tar(head: bytes) -> bool:
    """Say whether a text begins as a tar does."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except UNREADABLE:
        return False
    return True


def is_zip(head: bytes) -> bool:
    """Say whether a text begins as a zip does."""
    return head.startswith((b"PK\3\4", _ZIP_END))


def of_directory(place: Path) -> Iterator[Entry]:
    """Yield what lies in a directory and below; links are not followed."""
    for folder, folders, names in os.walk(place, followlinks=False):
        links = sorted(name for name in folders if (Path(folder) / name).is_symlink())
        folders[:] = sorted(set(folders) - set(links))
        for name in [*sorted(names), *links]:
            path = Path(folder) / name
            shown = path.relative_to(place).as_posix()
            kind = stat.S_IFMT(path.lstat().st_mode)
            if kind == stat.S_IFLNK:
                yield Entry(shown, _nothing, "a link", os.readlink(path))
            else:
                odd = "" if kind == stat.S_IFREG else "not a plain file"
                yield Entry(shown, functools.partial(_opened, path), odd)


def of_tar(stream: Unpacked) -> Iterator[Entry]:
    """Yield what is in a tar, of which each entry must be read before the next one. Raises one of UNREADABLE; EOFError
    behind the last entry, if the tar does not end there as tars do."""
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
        for member in archive:
            # tarfile remembers every header: of these there may be any number.
            archive.members = []
            if member.isdir():
                continue
            if member.issym() or member.islnk():
                inside = "" if member.issym() else "/"
                yield Entry(member.name, _nothing, "a link", inside + member.linkname)
            elif not member.isreg() or member.issparse():
                yield Entry(member.name, _nothing, "not a plain file")
            else:
                yield Entry(member.name, functools.partial(archive.extractfile, member))
    # tarfile takes whatever is no header for the end. The right one is a block of zeros.
    if stream.last != bytes(tarfile.BLOCKSIZE):
        raise EOFError


def of_zip(stream: IO[bytes]) -> Iterator[Entry]:
    """Yield what is in a zip. Raises one of UNREADABLE; of one without its list of contents, which is at its end, after
    the last entry that is whole."""
    _check_catalogue(stream)
    try:
        archive = zipfile.ZipFile(stream)
    except zipfile.BadZipFile:
        stream.seek(0)
        yield from (Entry(*entry) for entry in cut_zip.entries(stream))
        raise
    with archive:
        for entry in archive.infolist():
            # Windows' own tools write its separators.
            name = entry.filename.replace("\\", "/")
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if entry.is_dir():
                continue
            if kind == stat.S_IFLNK:
                yield Entry(name, _nothing, "a link", "/")
            elif kind not in (0, stat.S_IFREG):
                yield Entry(name, _nothing, "not a plain file")
            elif entry.flag_bits & 1:
                yield Entry(name, _nothing, "encrypted")
            else:
                yield Entry(name, functools.partial(archive.open, entry))


def _check_catalogue(stream: IO[bytes]) -> None:
    """Raise OSError for a zip whose list of contents alone would fill the memory."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(size - 66_000, 0))
    end = stream.read()
    at = end.rfind(_ZIP_END)
    claimed = struct.unpack_from("<L", end, at + 12)[0] if 0 <= at <= len(end) - 16 else 0
    if claimed != 0xFFFFFFFF and claimed > _LARGEST_CATALOGUE:
        raise OSError("too large")
    if claimed == 0xFFFFFFFF and size > _LARGEST_CATALOGUE:
        raise OSError("too large")
    stream.seek(0)


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _nothing() -> None:
    return None
