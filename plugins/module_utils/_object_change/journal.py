# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is about to be changed and what became of it, in a file, so that a run that is killed leaves its record.

JSON lines, each on the disk before anything that follows from it is done:

    {"schema": "netmedic.calico.journal/v1", "begun": "2026-11-21T00:00:00Z"}      a task begins
    {"number": 1, "intends": {entry of a record}}                                  before each attempt to write
    {"number": 1, "made": {entry of a record}}  or  {"number": 1, "not_made": "why"}
    {"undone": "2026-11-21T00:10:00Z"}                                             everything above was put back

An intention without an outcome may have been carried out or not; by how the object is that is told when it is undone.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time

from .._cluster import problems
from .._cluster.problems import ApiError
from .._cluster.shapes import mapping, word
from . import records
from .resources import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .settling import Settled

SCHEMA = "netmedic.calico.journal/v1"
_MOST = 64 * 1024 * 1024
_MODE = 0o600


class Journal:
    """A file to which is added. It is opened by begin(), and not written in check mode."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        self._number = 0
        self._open: set[int] = set()

    def begin(self) -> None:
        """Open the file and write the first line. Raises ApiError if that cannot be done."""
        try:
            self._descriptor = os.open(
                self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, _MODE
            )
            os.fchmod(self._descriptor, _MODE)
            self._mend()
            self._write({"schema": SCHEMA, "begun": _now()})
            _sync_folder(self._path)
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def _mend(self) -> None:
        """End a line that a killed task has left half written."""
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            os.write(self._descriptor, b"\n")

    def next(self) -> None:
        """Turn to the next change."""
        self._number += 1

    def intends(self, settled: Settled) -> None:
        """Write down what is about to be made of an object. Raises ApiError if that cannot be done: then it must not
        be made."""
        self._open.add(self._number)
        try:
            self._write({"number": self._number, "intends": records.entry(settled._replace(unsure=True))})
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def made(self, settled: Settled) -> str:
        """Write down what became of it. Returns why that could not be written, '' if it was."""
        if not settled.changed:
            return self._outcome({"not_made": "it is as wanted already"})
        self._open.add(self._number)
        return self._outcome({"made": records.entry(settled)})

    def not_made(self, why: str) -> str:
        """Write down that it was not made. Returns why that could not be written, '' if it was."""
        return self._outcome({"not_made": why})

    def _outcome(self, told: Mapping[str, Any]) -> str:
        if self._number not in self._open:
            return ""
        self._open.discard(self._number)
        try:
            self._write({"number": self._number, **told})
        except OSError as error:
            return _unwritable(self._path, error).sentence
        return ""

    def _write(self, line: Mapping[str, Any]) -> None:
        data = (json.dumps(line, separators=(",", ":")) + "\n").encode()
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class NoJournal(Journal):
    """In the place of a journal where none is wanted."""

    def begin(self) -> None:
        """Open nothing."""

    def _write(self, line: Mapping[str, Any]) -> None:
        del line


def journal(path: str | None) -> Journal:
    """Return the journal that is kept in a file, or one that is kept nowhere."""
    return Journal(path) if path else NoJournal("")


def check(path: str) -> None:
    """Raise ApiError if begin() would, as far as that can be told without writing."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.islink(path) or (os.path.lexists(path) and not os.path.isfile(path)):
        raise refused(f"The journal {path} cannot be written: it is no regular file.")
    try:
        room = os.statvfs(folder)
        code = 0 if os.access(path if os.path.lexists(path) else folder, os.W_OK) else errno.EACCES
        if room.f_flag & os.ST_RDONLY:
            code = errno.EROFS
        elif room.f_blocks and not room.f_bavail:
            code = errno.ENOSPC
    except OSError as error:
        code = error.errno or errno.EIO
    if code:
        raise _unwritable(path, OSError(code, os.strerror(code)))


def read(path: str) -> list[dict[str, Any]]:
    """Return the record of all that was made and not undone since, in order. Raises ApiError for what is no journal."""
    try:
        # What is no regular file could keep us waiting for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            text = stream.read(_MOST + 1)
    except OSError as error:
        raise refused(f"The journal {path} cannot be read: {error.strerror}.") from None
    if len(text) > _MOST:
        raise refused(f"The journal {path} is larger than {_MOST >> 20} MiB.")
    return record(path, text.decode("utf-8", "replace"))


def mark_undone(path: str) -> None:
    """Write down that everything was put back. Where that cannot be written the objects tell it as well."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.write(descriptor, (json.dumps({"undone": _now()}) + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def record(path: str, text: str) -> list[dict[str, Any]]:
    """Return what a journal's text tells, as read() does. Raises ApiError. Pure."""
    found: list[dict[str, Any]] = []
    pending: dict[Any, dict[str, Any]] = {}
    for line in _lines(path, text):
        number = line.get("number")
        if "begun" in line or "undone" in line:
            found = [] if "undone" in line else [*found, *pending.values()]
            pending = {}
        elif "intends" in line:
            pending[number] = mapping(line["intends"])
        elif "made" in line:
            pending.pop(number, None)
            found.append(mapping(line["made"]))
        else:
            pending.pop(number, None)
    return [*found, *pending.values()]


def _lines(path: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield the lines. One that was cut off when its task was killed is passed over: what it was to announce was not
    begun. It is the last, or that of the next task follows."""
    lines = text.split("\n")
    torn = 0
    for number, line in enumerate(lines, 1):
        told = _parsed(line)
        if told is None:
            torn = torn or (number if line else 0)
            continue
        if (number == 1 and told.get("schema") != SCHEMA) or (torn and "begun" not in told):
            raise refused(f"The journal {path} is none of this collection, or was changed: see line {torn or 1}.")
        torn = 0
        yield told


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(found, dict) and ("begun" in found or "undone" in found or isinstance(found.get("number"), int))
    return found if ours else None


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _sync_folder(path: str) -> None:
    descriptor = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: str, error: OSError) -> ApiError:
    return ApiError(problems.CONFIG, f"The journal {path} cannot be written: {word(error.strerror) or error}.")
