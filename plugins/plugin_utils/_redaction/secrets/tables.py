# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in tables: below the head of a column that is named so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..._texts import columns
from ..vocabulary import CUT
from . import judge

if TYPE_CHECKING:
    from .kept import Kept

_CELL = re.compile(r"[A-Za-z][\w .-]{0,40}$")
_SIGNS = (",", ";", "\t", "|")
_RULE = re.compile(r"[-+|: =]+$")
_LONGEST_HEAD = 1000
_WORDS = ("pass", "pwd", "secret", "token", "key", "credential", "psk", "auth", "cookie")


def cut(text: str, folded: str, kept: Kept) -> str:
    """Return the text without what stands in such columns. `folded`: it, or more than it, in small letters."""
    if not any(word in folded for word in _WORDS):
        return text
    made: list[str] = []
    table: _Table | None = None
    for line in text.split("\n"):
        row = table.row(line, kept) if table is not None and not _RULE.match(line) else line
        if row is None or table is None:
            table = _headed(line)
        made.append(line if row is None else row)
    return "\n".join(made)


class _Table:
    """A table whose columns are parted by a sign, or by blanks where `head` is given."""

    def __init__(self, sign: str, names: list[str], head: columns.Head | None = None) -> None:
        self._sign, self._head, self._count = sign, head, len(names)
        self._places = [at for at, name in enumerate(names) if judge.is_named(name)]

    def row(self, line: str, kept: Kept) -> str | None:
        """Return a row without its secrets, None if this is none."""
        if self._head is not None:
            return self._below(self._head, line, kept)
        cells = _parted(line, self._sign)
        if len(cells) != self._count:
            return None
        for at in self._places:
            cells[at] = _without(cells[at], kept)
        return self._sign.join(cells)

    def _below(self, head: columns.Head, line: str, kept: Kept) -> str | None:
        cells = columns.cells(head, line) if line.strip() else None
        if cells is None:
            return None
        for at in self._places:
            value = cells[head.names[at]]
            if _without(value, kept) != value:
                line = line.replace(value, CUT.ljust(len(value)))
        return line


def _parted(line: str, sign: str) -> list[str]:
    """Return the cells of a line; a sign between double quotes parts nothing."""
    cells: list[str] = []
    for part in line.split(sign):
        if cells and cells[-1].count('"') % 2:
            cells[-1] += sign + part
        else:
            cells.append(part)
    return cells


def _headed(line: str) -> _Table | None:
    """Return the table that a line is the head of, None if it is none with a secret's column."""
    folded = line.lower()
    if len(line) > _LONGEST_HEAD or not any(word in folded for word in _WORDS):
        return None
    for sign in _SIGNS:
        names = [cell.strip(" \t\"'") for cell in line.split(sign)] if sign in line else []
        if len(names) > 1 and all(_CELL.match(name) for name in _without_edges(names)):
            return _Table(sign, names) if any(map(judge.is_named, names)) else None
    head = columns.head_of(line) if line.isupper() else None
    if head is None or len(head.names) < 2 or not any(map(judge.is_named, head.names)):
        return None
    return _Table("", head.names, head)


def _without_edges(names: list[str]) -> list[str]:
    """Return the names of columns; nothing stands before the first sign and behind the last one of "| a | b |"."""
    return names[not names[0] : len(names) - (not names[-1])]


def _without(cell: str, kept: Kept) -> str:
    bare = cell.strip(" \t\"'")
    if len(bare) < 3 or judge.harmless(bare):
        return cell
    kept.take(bare)
    return cell.replace(bare, CUT)
