# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was changed on this host, by whom, and what was there before: one file for each change, and one lock for all.

    /var/lib/netmedic-calico/changes/<id>.json      {"state": "armed|confirmed|undone|failed", "changes": [...], ...}
    /run/netmedic-calico.lock                       held while something is being changed

Times that are compared are seconds since the boot, of a clock that nobody sets and that runs while the host sleeps;
with the boot's own id, since it begins anew with each.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import time

from .._host.processes import read_text
from . import files
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Record = dict[str, Any]

ARMED, CONFIRMED, UNDONE, FAILED = "armed", "confirmed", "undone", "failed"
FOLDER = "/var/lib/netmedic-calico/changes"
LOCK = "/run/netmedic-calico.lock"
SCHEMA = 1
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}\Z")
_ENDING = ".json"
_MOST = 16 * 1024 * 1024
_TICK = 0.05


def now() -> float:
    """Return the seconds since the boot, those included in which the host slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Return what tells this boot from any other."""
    return read_text("/proc/sys/kernel/random/boot_id").strip()


def moment(ahead: float = 0.0) -> str:
    """Return the time, RFC 3339 in UTC, `ahead` seconds from now, for people."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead))


def check_id(name: str) -> None:
    """Refuse what is no id."""
    if not _ID.match(name):
        raise RefusedError(f"the id {name[:100]!r} is not made of letters, digits, dots, dashes and underscores alone")


class Store:
    """The records of this host."""

    def __init__(self, folder: str = FOLDER, lock: str = LOCK) -> None:
        self.folder = folder
        self.lock = lock

    def path(self, name: str) -> str:
        """Return where the record of a change is."""
        return os.path.join(self.folder, name + _ENDING)

    def load(self, name: str) -> Record | None:
        """Return a record, None if there is none. Raises RefusedError if it cannot be read."""
        try:
            with open(self.path(name), encoding="utf-8") as stream:
                found = json.loads(stream.read(_MOST))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise RefusedError(f"the record {self.path(name)} cannot be read: {error}") from None
        if not isinstance(found, dict) or found.get("schema") != SCHEMA or not isinstance(found.get("changes"), list):
            raise RefusedError(f"the record {self.path(name)} is not one of this version")
        return found

    def names(self) -> list[str]:
        """Return the ids of all records."""
        try:
            found = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RefusedError(f"{self.folder} cannot be read: {error.strerror}") from None
        ids = (name[: -len(_ENDING)] for name in found if name.endswith(_ENDING))
        return sorted(name for name in ids if _ID.match(name))

    def save(self, record: Record) -> None:
        """Write a record as a whole, onto the disk. Raises RefusedError."""
        text = json.dumps(record, separators=(",", ":"))
        files.replace(self.path(record["id"]), text.encode(), 0o600, os.geteuid(), os.getegid())

    def prepare(self, size: int) -> None:
        """Make the folder. Raises RefusedError if there is no room for a record, or it may not be written."""
        try:
            os.makedirs(os.path.dirname(self.folder), 0o700, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.folder, 0o700)
            os.chmod(self.folder, 0o700)
        except OSError as error:
            raise RefusedError(f"no record can be kept in {self.folder}: {error.strerror}") from None
        files.check_writable(self.path("record"), size)

    def check(self, size: int) -> None:
        """Refuse what prepare() would refuse; nothing is written."""
        folder = self.folder
        while not os.path.isdir(folder) and folder != "/":
            folder = os.path.dirname(folder)
        try:
            files.check_writable(os.path.join(folder, "record"), size)
        except RefusedError as error:
            raise RefusedError(f"no record can be kept in {self.folder}: {error}") from None


class Lock:
    """The lock of this host. It is the open file's: who inherits that holds it, too, until both have closed it."""

    def __init__(self, store: Store) -> None:
        self._path = store.lock
        self.descriptor = -1

    def take(self, who: str, name: str, patience: float = 0.0) -> None:
        """Take the lock, or refuse with who has it and since when."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise RefusedError(f"{self._path} cannot be opened: {error.strerror}") from None
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.EACCES) and time.monotonic() < deadline:
                    time.sleep(_TICK)
                    continue
                told = os.pread(descriptor, 4096, 0).decode("utf-8", "replace")
                os.close(descriptor)
                raise RefusedError(f"this host is being changed by {told or 'somebody'}") from None
        self.descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{who} since {moment()} ({name}, process {os.getpid()})".encode(), 0)

    def let_go(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def is_overdue(record: Record) -> bool:
    """Say whether a record was not confirmed within its time."""
    if record.get("state") != ARMED:
        return False
    return record.get("boot_id") != boot_id() or now() >= float(record.get("until_seconds", 0.0))


def as_told(record: Record) -> str:
    """Return who made a change and since when, for a sentence."""
    return f"{record.get('holder') or 'somebody'} since {record.get('armed_at', '?')} (change {record.get('id')})"
