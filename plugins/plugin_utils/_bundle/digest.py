# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A long log in little memory: its beginning, its newest lines, and of what lies between the newest telling lines.

The readers of logs look at the last 256 KiB and at one hour (see _host.log_lines), so that more would help nobody.
Bytes are looked at in blocks and never line by line: telling lines are rare, and finding a word in a block costs next
to nothing.
"""

from __future__ import annotations

import collections

from ...module_utils._bird.log import MARKERS

# What a log's digest is made of. At its beginning a program tells what it decided.
KEPT = 240 * 1024
_HEAD = 16 * 1024
_LONGEST_LINE = 16 * 1024
_BLOCK = 256 * 1024
# So many lines of a block with the same word are kept: where every line has it, it tells nothing.
_MOST_HITS = 64
_SERIOUS = ("[ERROR]", "[FATAL]", "[PANIC]", "utodetect", "is not ready", "x509: ", "nauthorized", "forbidden")
_WORDS = tuple(word.encode() for word in (*MARKERS, *_SERIOUS) if word not in ("Started", ", line "))


class Digest:
    """Takes a log in pieces, as bytes; `size` is how long it is, `telling` how many lines were kept of its middle."""

    def __init__(self, kept: int = KEPT) -> None:
        self.size = 0
        self.telling = 0
        self._head = b""
        self._limit = min(_HEAD, kept // 8)
        self._most_told = self._most_tail = (kept - self._limit) // 2
        self._rest = b""
        self._tail: collections.deque[bytes] = collections.deque()
        self._tail_size = 0
        self._told: collections.deque[bytes] = collections.deque()
        self._told_size = 0

    def feed(self, piece: bytes) -> None:
        """Take in the next piece."""
        self.size += len(piece)
        lacking = self._limit - len(self._head)
        if lacking > 0:
            self._head += piece[:lacking]
            piece = piece[lacking:]
        for start in range(0, len(piece), _BLOCK):
            self._block(piece[start : start + _BLOCK])

    def _block(self, piece: bytes) -> None:
        """Cut at the end of a line; what follows waits for its end, unless it has none."""
        whole, newline, self._rest = (self._rest + piece).rpartition(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = self._rest[:_LONGEST_LINE]
        if not newline:
            return
        self._tail.append(whole + newline)
        self._tail_size += len(whole) + 1
        while self._tail_size - len(self._tail[0]) >= self._most_tail:
            block = self._tail.popleft()
            self._tail_size -= len(block)
            self._note(block)

    def _note(self, block: bytes) -> None:
        """Keep the telling lines of a block that lies further back than the newest lines."""
        for line in telling_lines(block):
            self._told.append(line)
            self._told_size += len(line)
            self.telling += 1
        while self._told_size > self._most_told:
            self._told_size -= len(self._told.popleft())
            self.telling -= 1

    def content(self) -> bytes:
        """Return what is kept, in the log's order; the lines are whole, but for the last one."""
        tail = b"".join(self._tail)
        if len(tail) > self._most_tail:
            older, tail = tail[: -self._most_tail], tail[-self._most_tail :]
            cut, newline, tail = tail.partition(b"\n")
            self._note(older + cut + newline)
        middle = bool(self._told) or self.size > len(self._head) + len(tail) + len(self._rest)
        # A line of the beginning that goes on in what was left out would be glued to another one.
        head = self._head.rpartition(b"\n")[0] + b"\n" if middle else self._head
        return head + b"".join(self._told) + tail + self._rest


def telling_lines(block: bytes) -> list[bytes]:
    """Return those whole lines of a block, in their order, that have a word which readers of logs look for."""
    found: dict[int, bytes] = {}
    for word in _WORDS:
        at, hits = block.rfind(word), 0
        while at >= 0 and hits < _MOST_HITS:
            start = block.rfind(b"\n", 0, at) + 1
            end = block.find(b"\n", at) + 1 or len(block)
            found.setdefault(start, block[start:end][-_LONGEST_LINE:])
            hits += 1
            at = block.rfind(word, 0, start)
    return [found[start] for start in sorted(found)]
