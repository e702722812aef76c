# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dead man's switch: a process that makes the changes, and undoes them unless it hears in time that all is well.

It has no terminal, no open file of its parent's, a session of its own, and all code in memory, because Ansible removes
the files when the module ends. So it outlives the connection, sshd and the controller. It makes the changes itself: if
the connection is lost in the middle of them, they are made whole, or undone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

from .._host import detached
from . import record as records
from . import undo
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .record import Lock, Record, Store

_POLL = 0.25
_LOCK_PATIENCE = 20.0
# How long the module's answer may need to be out before its host can be cut off.
_FLUSHED = 0.3
_PARENT_PATIENCE = 5.0


def detach(work: Callable[[], None], keep: Collection[int] = ()) -> int:
    """Run work() in a process of its own and return its id once it can no longer be stopped by what happens to us.

    Of our open files it keeps those in `keep`. Raises RefusedError if there can be no such process.
    """
    try:
        return detached.start(work, keep)
    except OSError as error:
        raise RefusedError(f"no dead man's switch can be started: {error.strerror or error}") from None


class Switch:
    """What the process does. `record` is the armed record, as it was stored."""

    def __init__(self, store: Store, record: Record, lock: Lock, wait_for: int = 0) -> None:
        self._store, self._record, self._lock = store, record, lock
        self._wait_for = wait_for
        self._told_to_end = False

    def run(self) -> None:
        """Make the changes, wait for the confirmation, undo them if none comes."""
        signal.signal(signal.SIGTERM, self._end)  # the host is going down: what is not confirmed must not outlive that
        self._wait_for_answer()
        if not apply_all(self._store, self._record):
            return
        self._lock.let_go()
        if not self._confirmed():
            self._undo()

    def _end(self, _number: int, _frame: object) -> None:
        self._told_to_end = True

    def _wait_for_answer(self) -> None:
        """Wait until the module has ended, which has started us, and its answer is on its way."""
        deadline = time.monotonic() + _PARENT_PATIENCE
        while self._wait_for and os.path.isdir(f"/proc/{self._wait_for}") and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._wait_for:
            time.sleep(_FLUSHED)

    def _confirmed(self) -> bool:
        """Wait for the end of the time; return at once when the record is no longer armed."""
        seen = None
        while records.now() < self._record["until_seconds"] and not self._told_to_end:
            status = _stamp(self._store.path(self._record["id"]))
            if status != seen:
                seen = status
                if not self._is_armed():
                    return True
            time.sleep(_POLL)
        return False

    def _is_armed(self) -> bool:
        """Say whether this very change is neither confirmed nor undone yet; if nobody can tell, it is not."""
        try:
            current = self._store.load(self._record["id"])
        except RefusedError:
            return True
        if current is None or current.get("armed_at_seconds") != self._record["armed_at_seconds"]:
            return current is None
        return bool(current["state"] == records.ARMED)

    def _undo(self) -> None:
        # If somebody hangs with the lock in his hands, to undo is what counts.
        with contextlib.suppress(RefusedError):
            self._lock.take("the dead man's switch", self._record["id"], _LOCK_PATIENCE)
        if self._is_armed():
            finish(self._store, self._record, "it was not confirmed in time")
        self._lock.let_go()


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def apply_all(store: Store, record: Record) -> bool:
    """Make all changes of an armed record; if one cannot be made, undo those before it. Return whether all are made."""
    made = []
    try:
        for entry in record["changes"]:
            if record["within"] and records.now() >= record["until_seconds"]:
                raise RefusedError("the time to confirm was over before all changes were made")
            made.append(entry)
            undo.apply(entry)
        record["applied"] = True
        store.save(record)
    except RefusedError as error:
        finish(store, dict(record, changes=made), str(error), record)
        return False
    except Exception as error:  # noqa: BLE001 - nobody is there to see it; what was changed must be undone
        finish(store, dict(record, changes=made), f"{type(error).__name__}: {error}", record)
        return False
    return True


def finish(store: Store, record: Record, why: str, whole: Record | None = None) -> undo.Undone:
    """Undo the changes of an armed record, and write down how that went and why it was done.

    Changes that were confirmed earlier under the same id stay, and stay on record.
    """
    found = undo.undo(record["changes"])
    told = whole if whole is not None else record
    told.update(undone_at=records.moment(), why=why, problems=found.problems, left=found.left)
    if found.problems:
        told["state"] = records.FAILED
    elif told.get("earlier"):
        told.update(state=records.CONFIRMED, changes=told["earlier"], earlier=[], applied=True)
    else:
        told["state"] = records.UNDONE
    with contextlib.suppress(RefusedError):  # a full disk keeps nobody from undoing
        store.save(told)
    return found
