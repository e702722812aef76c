# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zip without its list of contents, as when it was cut off on its way: what stands before each file tells of it.

Only what was stored or deflated is read; programs that collect evidence write nothing else.
"""

from __future__ import annotations

import functools
import struct
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCAL = struct.Struct("<4s5H3L2H")
_SIGN = b"PK\3\4"
_BEHIND = b"PK\7\x08"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZE_BEHIND, _UTF8 = 1, 8, 0x800
_IN_64_BITS = 0xFFFFFFFF
_PIECE = 64 * 1024


class _Header(NamedTuple):
    name: str
    flags: int
    method: int
    checksum: int
    size: int


def entries(stream: IO[bytes]) -> Iterator[tuple[str, Callable[[], IO[bytes] | None], str]]:
    """Yield name, how to open it, and why it cannot be read ('' if it can) of each file; one must be read before the
    next. Ends where the files do."""
    while (header := _header(stream)) is not None:
        content = _Content(stream, header)
        odd = "encrypted" if header.flags & _ENCRYPTED else ""
        if not header.name.endswith("/"):
            yield header.name.replace("\\", "/"), functools.partial(_itself, content), odd
        if not content.passed():
            return


def _header(stream: IO[bytes]) -> _Header | None:
    """Return what is told of the next file, None if there is no further one."""
    raw = stream.read(_LOCAL.size)
    if len(raw) < _LOCAL.size or not raw.startswith(_SIGN):
        return None
    _sign, _version, flags, method, _time, _date, checksum, packed, _size, of_name, of_more = _LOCAL.unpack(raw)
    name = stream.read(of_name)
    stream.read(of_more)
    return _Header(name.decode("utf-8" if flags & _UTF8 else "cp437", "replace"), flags, method, checksum, packed)


def _itself(content: _Content) -> IO[bytes]:
    return content  # type: ignore[return-value]


class _Content:
    """A file in the zip as a stream. Reading it raises EOFError if it is not there as a whole."""

    def __init__(self, stream: IO[bytes], header: _Header) -> None:
        self._stream, self._header = stream, header
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if header.method == _DEFLATED else None
        self._left, self._checksum, self._ended = header.size, 0, False

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, none at the end."""
        if self._ended:
            return b""
        return self._checked(self._stored(size) if self._inflate is None else self._inflated(self._inflate, size))

    def _checked(self, found: bytes) -> bytes:
        self._checksum = zlib.crc32(found, self._checksum)
        if self._ended and not self._header.flags & _SIZE_BEHIND and self._checksum != self._header.checksum:
            raise EOFError
        return found

    def _stored(self, size: int) -> bytes:
        if self._header.method != _STORED or self._header.size == _IN_64_BITS or self._header.flags & _SIZE_BEHIND:
            raise EOFError
        found = self._stream.read(min(size if size >= 0 else _PIECE, self._left))
        self._left -= len(found)
        self._ended = not self._left
        if not found and not self._ended:
            raise EOFError
        return found

    def _inflated(self, inflate: zlib._Decompress, size: int) -> bytes:
        found = b""
        while not found and not inflate.eof:
            piece = inflate.unconsumed_tail or self._stream.read(_PIECE)
            if not piece:
                raise EOFError
            found = inflate.decompress(piece, size if size > 0 else _PIECE)
        if inflate.eof:
            self._ended = True
            self._stream.seek(-len(inflate.unused_data), 1)
        return found

    def passed(self) -> bool:
        """Go behind this file; say whether that was possible."""
        try:
            while self.read(_PIECE):
                pass
        except (EOFError, OSError, zlib.error):
            return False
        if self._header.flags & _SIZE_BEHIND:
            self._behind()
        return self._ended

    def _behind(self) -> None:
        """Go behind what tells the sizes, which have 32 or 64 bits each, with or without a sign before them."""
        start = self._stream.tell()
        ahead = self._stream.read(28)
        least = 12 + 4 * ahead.startswith(_BEHIND)
        wide = ahead[least + 8 : least + 12].startswith(b"PK") and not ahead[least : least + 4].startswith(b"PK")
        self._stream.seek(start + least + 8 * wide)

    def __enter__(self) -> _Content:
        return self

    def __exit__(self, *_details: object) -> None:
        return None
