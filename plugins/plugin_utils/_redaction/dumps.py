# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and secrets in dumps of bytes (xxd, hexdump, tcpdump -x), where they may go on in the next row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROW = re.compile(
    r"(?m)^([ \t]*(?:(?:0x)?[0-9a-fA-F]{4,8}(?::[ \t]+|[ \t]+))??)"
    r"((?:[0-9a-fA-F]{2}){1,2}(?: {1,2}(?:[0-9a-fA-F]{2}){1,2}){1,15})(?![^ \t\n])"
    r"(?:[ \t]([^\n]{1,80}))?$"
)
_PAIR = re.compile(r"[0-9a-fA-F]{2}")
_RUN = re.compile(rb"[!-~]{4,}")
_HIDDEN = "*"
# What ends the letters of a row, and begins them.
_EDGES = {"|": "|", "<": ">"}
_MOST_ROWS = 4096


class _Row(NamedTuple):
    """A row of a dump: where its bytes stand in the text, the bytes, where they stand as letters (-1: nowhere), and
    whether they are in words of two."""

    places: list[int]
    raw: bytes
    letters: int
    words: bool


def replaced(text: str, tells: Callable[[str], bool]) -> str:
    """Return the text with those runs of letters hidden in its dumps of which `tells` says that they tell something."""
    made: list[str] | None = None
    for block in _blocks(text):
        for turned in (False, True) if all(row.words for row in block) else (False,):
            for place in _told(block, turned, tells):
                made = list(text) if made is None else made
                made[place.start : place.stop] = _HIDDEN if len(place) == 1 else f"{ord(_HIDDEN):02x}"
    return text if made is None else "".join(made)


def _blocks(text: str) -> Iterator[list[_Row]]:
    """Yield rows that follow each other."""
    block: list[_Row] = []
    end = -1
    for match in _ROW.finditer(text):
        if block and (match.start() != end + 1 or len(block) >= _MOST_ROWS):
            yield block
            block = []
        block.append(_row(match))
        end = match.end()
    if block:
        yield block


def _row(match: re.Match[str]) -> _Row:
    pairs = list(_PAIR.finditer(match.string, match.start(2), match.end(2)))
    raw = bytes(int(pair.group(), 16) for pair in pairs)
    shown = (match.group(3) or "") if (match.group(3) or "").strip() else ""
    sign = _EDGES.get(shown[-1:], "")
    first = len(shown) - len(raw) - len(sign)
    fits = first > 0 and (shown[first - 1] == sign if sign else shown[:first].isspace())
    words = all(len(word) == 4 for word in match.group(2).split())
    return _Row([pair.start() for pair in pairs], raw, match.start(3) + first if fits else -1, words)


def _told(block: list[_Row], turned: bool, tells: Callable[[str], bool]) -> Iterator[range]:
    """Yield the places in the text of what is to be hidden: two digits, or one letter."""
    order = [(row, at ^ 1 if turned and at ^ 1 < len(row.raw) else at) for row in block for at in range(len(row.raw))]
    for run in _RUN.finditer(bytes(row.raw[at] for row, at in order)):
        if tells(run.group().decode("ascii")):
            for row, at in order[run.start() : run.end()]:
                yield range(row.places[at], row.places[at] + 2)
                if row.letters >= 0:
                    yield range(row.letters + at, row.letters + at + 1)
