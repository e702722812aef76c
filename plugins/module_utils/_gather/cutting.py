# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounds in size: of what is too long the beginning and the end are kept, and the gap is marked."""

from __future__ import annotations

import os
import stat

from .._record import NamedTuple

MARK = "[… {0} bytes cut here by netmedic.calico …]"
_WORST = len(MARK) + 16
# A log's end tells more than its beginning, which says how the program was started.
_HEAD_OF_LOG = 0.1
_HEAD_OF_OUTPUT = 0.5


class Read(NamedTuple):
    """What was read of a file: its text, and its size in bytes; `cut`: the middle is missing."""

    text: str
    size: int
    cut: bool


def head_and_tail(text: str, most: int, log: bool = False) -> tuple[str, bool]:
    """Return a text of at most `most` bytes of UTF-8, in whole lines where it has lines, and whether it was cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return text, False
    room = max(most - _WORST, 0)
    head = int(room * (_HEAD_OF_LOG if log else _HEAD_OF_OUTPUT))
    return _joined(raw[:head], raw[len(raw) - (room - head) :], len(raw)), True


def read_file(path: str, most: int, log: bool = False) -> Read:
    """Return at most `most` bytes of a regular file. Raises OSError."""
    # What is no regular file is not even opened: to open a watchdog's device, say, starts it.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(0, "not a regular file, which is not read")
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        found = os.fstat(descriptor)
        # Files of /proc and /sys have no size; what is appended meanwhile is not read.
        raw = os.pread(descriptor, most + 1, 0)
        size = max(found.st_size, len(raw))
        if len(raw) <= most:
            return Read(raw.decode("utf-8", "replace"), len(raw), False)
        room = max(most - _WORST, 0)
        head = int(room * (_HEAD_OF_LOG if log else _HEAD_OF_OUTPUT))
        tail = os.pread(descriptor, room - head, max(size - (room - head), head))
        return Read(_joined(raw[:head], tail, size), size, True)
    finally:
        os.close(descriptor)


def _joined(head: bytes, tail: bytes, size: int) -> str:
    """Return both parts without the lines that were cut through, and between them how much is missing."""
    whole = head[: head.rfind(b"\n") + 1] or head
    rest = tail[tail.find(b"\n") + 1 :] or tail
    mark = MARK.format(size - len(whole) - len(rest))
    gap = "" if not whole or whole.endswith(b"\n") else "\n"
    # A letter that was cut through becomes "?", which takes no more room.
    return f"{_text(whole)}{gap}{mark}\n{_text(rest)}"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "ignore")
