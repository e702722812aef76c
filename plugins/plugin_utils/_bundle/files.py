# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a directory or an archive (tar, zip, one in the other), read without trusting it.

Nothing is unpacked. Links, devices, absolute paths and paths that lead out are passed over and listed, and so is what
goes beyond the limits: archives may be made to fill a machine. Of long logs only a digest is kept.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import posixpath
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from .._texts import recognise
from . import archives
from .decode import decoded, encoding
from .digest import KEPT, Digest
from .spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping
    from typing import IO, Any

__all__ = ["Files", "decoded", "read", "safe_path", "without_common_folder"]

MOST_FILES = 20_000
LARGEST_FILE = 64 * 1024 * 1024
MOST_BYTES = 512 * 1024 * 1024
# Of all logs together; when that is used up, of each further one so much.
MOST_OF_LOGS = 96 * 1024 * 1024
_LEAST_OF_A_LOG = 64 * 1024
# A longer text is a log, or it is read as a whole.
_LONG = 1024 * 1024
_HEAD = 256 * 1024
_PIECE = 1024 * 1024
# An archive in an archive is the most there is: one archive of each node in one of the cluster.
_DEEPEST = 2
# A header costs an archive almost nothing: those that are passed over count, too.
_MOST_ENTRIES = 5 * MOST_FILES
_LONGEST_NAME = 1024
_MARKS = ("bundle.json", "environment.yml")
_MOST_TOLD = 5_000
_TOO_LARGE = "too large"
# As tarfile words it.
_CUT_OFF = "unexpected end of data"


class Files(NamedTuple):
    """Texts by their path in the bundle; what was passed over, and what was read in part, as (path, why)."""

    texts: MutableMapping[str, str]
    refused: list[tuple[str, str]]
    shortened: list[tuple[str, str]]


class _Collector:
    """Takes in files as far as the limits go."""

    def __init__(self, texts: MutableMapping[str, str] | None = None) -> None:
        self.texts: MutableMapping[str, str] = {} if texts is None else texts
        self.refused: list[tuple[str, str]] = []
        self.shortened: list[tuple[str, str]] = []
        self._links: list[tuple[str, str]] = []
        self._left = MOST_BYTES
        self._logs_left = MOST_OF_LOGS
        self._streamed = archives.MOST_UNPACKED
        self._entries = 0
        self._more = 0

    def refuse(self, name: str, why: str) -> None:
        """Note what was passed over; only so much of it by name."""
        if len(self.refused) < _MOST_TOLD:
            self.refused.append((name[:200], why))
        else:
            self._more += 1

    def goes_on(self) -> bool:
        """Count one more entry; say whether it is still within the limits."""
        self._entries += 1
        if self._entries <= _MOST_ENTRIES and len(self.texts) < MOST_FILES:
            return True
        if self._entries <= _MOST_ENTRIES + 1:
            self.refuse("", f"more than {MOST_FILES} files: the rest was not read")
            self._entries = _MOST_ENTRIES + 1
        return False

    def take_all(self, entries: Iterable[archives.Entry], below: str, depth: int, of: str = "") -> None:
        """Take the files of a directory or an archive, which has the path `below` in the bundle ('' for its root) and
        is called `of`."""
        before = len(self.texts)
        try:
            for entry in entries:
                if not self.goes_on():
                    return
                self._entry(entry, below, depth)
        except archives.UNREADABLE as error:
            whole = len(self.texts) - before
            if whole and _said(error) != _TOO_LARGE:
                told = "1 whole file" if whole == 1 else f"{whole} whole files"
                self.refuse(of, f"the rest of this archive, which is cut off or damaged; {told} of it could be read")
            else:
                self.refuse(of, f"the archive is broken: {_said(error)}")

    def _entry(self, entry: archives.Entry, below: str, depth: int) -> None:
        path = safe_path(entry.name)
        if not path:
            self.refuse(below + entry.name, "a path that leads out of the bundle")
        elif entry.target:
            self._links.append((below + path, below + posixpath.join(posixpath.dirname(path), entry.target)))
        elif entry.odd:
            self.refuse(below + path, entry.odd)
        elif below + path in self.texts:
            self.refuse(below + path, "a second file of this name")
        else:
            self.take(below + path, entry.open, depth)

    def take(self, path: str, open_it: Callable[[], IO[bytes] | None], depth: int) -> None:
        """Read one file, unless its size or content forbids it."""
        try:
            stream = open_it()
            if stream is None:
                self.refuse(path, "cannot be read")
                return
            with stream:
                self._content(path, stream, depth)
        except archives.UNREADABLE as error:
            self.refuse(path, f"cannot be read: {_said(error)}")

    def _content(self, path: str, stream: IO[bytes] | archives.Unpacked, depth: int) -> None:
        head = _up_to(stream, _HEAD)
        kind = archives.compression(head)
        if kind or archives.is_zip(head) or archives.is_tar(head):
            self._nested(path, stream, head, kind, depth)
            return
        code = encoding(head)
        if not code:
            self.refuse(path, "not a text")
        elif len(head) < _HEAD:
            self._keep(path, decoded(head), len(head))
        else:
            self._long(path, stream, head, code)

    def _keep(self, path: str, text: str, size: int) -> None:
        if size > self._left:
            self.refuse(path, "too large, with all that was read before")
            return
        self._left -= size
        if path in self.texts:
            self.refuse(path, "a second file of this name")
        else:
            self.texts[path] = text

    def _long(self, path: str, stream: IO[bytes] | archives.Unpacked, head: bytes, code: str) -> None:
        """Read a text of some length: as a whole, or if it is a log, the digest of it."""
        known = recognise.recognise(decoded(head), path)
        if known == "log" or not known:
            self._log(path, stream, head, code, known)
            return
        limit = min(LARGEST_FILE, self._left)
        content = head + _up_to(stream, max(limit + 1 - len(head), 0))
        if len(content) > limit:
            self.refuse(path, "too large")
            # It has cost its time, and would again: many of them are as bad as one.
            self._left -= min(self._left, limit)
            return
        self._keep(path, decoded(content), len(content))

    def _log(self, path: str, stream: IO[bytes] | archives.Unpacked, head: bytes, code: str, known: str) -> None:
        digest = Digest(KEPT if self._logs_left > KEPT else _LEAST_OF_A_LOG)
        # Words are looked for in UTF-8.
        turn = codecs.getincrementaldecoder(code)("replace") if code.startswith("utf-16") else None
        piece = head
        while piece:
            digest.feed(turn.decode(piece).encode("utf-8", "replace") if turn else piece)
            self._streamed -= len(piece)
            if self._streamed < 0:
                self.refuse(path, "too large, with all that was read before: only its beginning was read")
                break
            piece = stream.read(_PIECE) if known or digest.size < LARGEST_FILE else b""
        content = digest.content()
        self._logs_left -= min(self._logs_left, len(content))
        self._keep(path, content.decode("utf-8", "replace") if turn else decoded(content), len(content))
        if digest.size > len(content):
            told = f"{digest.telling} telling lines before them" if digest.telling else "nothing telling before them"
            self.shortened.append(
                (path, f"Of {digest.size / 1e6:.1f} MB its beginning and its newest lines were read, and {told}.")
            )

    def _nested(self, path: str, stream: IO[bytes] | archives.Unpacked, head: bytes, kind: str, depth: int) -> None:
        """Read an archive or a compressed text in the bundle."""
        if depth >= _DEEPEST:
            self.refuse(path, "archives lie in one another too deeply")
            return
        limit = min(LARGEST_FILE, self._left)
        content = head + _up_to(stream, limit + 1 - len(head))
        if len(content) > limit:
            self.refuse(path, "an archive that is too large to lie in another one")
            self._left -= min(self._left, limit)
            return
        self.opened(path, io.BytesIO(content), kind, depth + 1)

    def opened(self, path: str, raw: Any, kind: str, depth: int) -> None:
        """Read a compressed text, a tar, compressed or not, or a zip."""
        if not kind and archives.is_zip(_peek(raw, 4)):
            self.take_all(archives.of_zip(raw), _below(path, depth), depth, path)
            return
        with contextlib.closing(archives.unpacked(raw, kind)) as stream:
            head = stream.read(_HEAD)
            if archives.is_tar(head):
                stream.seek(0)
                self.take_all(archives.of_tar(stream), _below(path, depth), depth, path)
                return
            plain = _plain_name(path)
            self.take(plain, lambda: _Joined(head, stream), depth)  # type: ignore[arg-type,return-value]
            if stream.broken and plain in self.texts:
                self.shortened.append((plain, "It is cut off or damaged: what stands before that place was read."))

    def files(self) -> Files:
        """Return what was read, below the folder that everything lies in, if there is one such."""
        for path, target in self._links:
            # What a link leads to is read where it lies.
            if posixpath.normpath(target) not in self.texts:
                self.refuse(path, "a link")
        if self._more:
            self.refused.append(("", f"{self._more} more were passed over"))
        return Files(without_common_folder(self.texts), self.refused, self.shortened)


class _Joined:
    """What was read of a stream already, and then the rest of it."""

    def __init__(self, head: bytes, stream: archives.Unpacked) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes."""
        piece, self._head = self._head[:size], self._head[size:]
        return piece or self._stream.read(size)

    def __enter__(self) -> _Joined:
        return self

    def __exit__(self, *_details: object) -> None:
        return None


def read(path: str, into: MutableMapping[str, str] | None = None) -> Files:
    """Return the files at `path`: a directory, a tar (also compressed), a zip, or a single file.

    `into`: what is to hold their texts, such as an empty Spool. Raises OSError if there is nothing to read. What an
    archive is, is told by its content.
    """
    place = Path(path).expanduser()
    taken = _Collector(into)
    if place.is_dir():
        taken.take_all(archives.of_directory(place), "", 0)
        return taken.files()
    with place.open("rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(f"{path} is neither a directory nor a file")
        head = _up_to(stream, _HEAD)
        stream.seek(0)
        kind = archives.compression(head)
        try:
            if kind or archives.is_zip(head) or archives.is_tar(head):
                taken.opened(place.name, stream, kind, 0)
                return taken.files()
        except archives.UNREADABLE as error:
            taken.refuse(place.name, f"the archive is broken: {_said(error)}")
            return taken.files()
        taken.take(place.name, lambda: stream, 0)
    return Files(taken.texts, taken.refused, taken.shortened)


def safe_path(name: str) -> str:
    """Return the path in its plain form, '' if it is absolute or leads out of where it stands."""
    if not name or len(name) > _LONGEST_NAME or "\0" in name or "\\" in name:
        return ""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        return ""
    return "" if str(path) == "." else str(path)


def without_common_folder(texts: MutableMapping[str, str]) -> MutableMapping[str, str]:
    """Return the texts without the folders that they were packed in. What lies beside these, such as what a Mac adds to
    an archive, stays where it is."""
    folder = _packed_in(texts)
    if not folder:
        return texts
    bare = {name: name.removeprefix(folder) for name in texts}
    names = {name: name if short in texts else short for name, short in bare.items()}
    if isinstance(texts, Spool):
        texts.rename(names)
        return texts
    return {names[name]: text for name, text in texts.items()}


def _packed_in(names: Iterable[str]) -> str:
    """Return the folder, with its slash, in which a bundle lies: that of its index or its environment.yml, else
    the one that all have in common; nodes/ and cluster/ are no such folder."""
    paths = list(names)
    marked = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] in _MARKS}
    if marked:
        only = marked.pop()
        return f"{only}/" if only and not marked else ""
    heads = {path.partition("/")[0] for path in paths if "/" in path}
    if len(heads) != 1 or heads & {"nodes", "cluster"} or any("/" not in path for path in paths):
        return ""
    return f"{heads.pop()}/"


def _up_to(stream: IO[bytes] | archives.Unpacked | _Joined, size: int) -> bytes:
    """Return the next `size` bytes, fewer only at the end."""
    found = bytearray()
    while len(found) < size:
        piece = stream.read(min(size - len(found), _PIECE))
        if not piece:
            break
        found += piece
    return bytes(found)


def _peek(raw: Any, size: int) -> bytes:
    head: bytes = raw.read(size)
    raw.seek(0)
    return head


def _below(path: str, depth: int) -> str:
    """Return where the files of an archive lie in the bundle: an archive in it is a folder there."""
    return f"{path}/" if depth else ""


def _plain_name(path: str) -> str:
    stem, dot, ending = path.rpartition(".")
    return stem if dot and ending.lower() in ("gz", "bz2", "xz") else path


def _said(error: BaseException) -> str:
    if isinstance(error, EOFError) or str(error) == _CUT_OFF:
        return "it is cut off"
    return _TOO_LARGE if str(error) == _TOO_LARGE else type(error).__name__
