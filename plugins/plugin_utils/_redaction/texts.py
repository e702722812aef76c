# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole text, redacted: secrets cut, then word by word; columns stay under their heads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._texts import columns, lines
from .disguised import Disguised

if TYPE_CHECKING:
    from .learn import Names
    from .secrets.cutter import Secrets
    from .spelling import Speller
    from .words import Words

_BEFORE = (
    r"(?:(?m:^)|(?<=@)|(?<=[\"'])|(?<=  )|(?<=: )|(?<=\[)|(?<=, )|(?<=- )|(?<=\t)"
    r"|(?<=node=)|(?<=host=)|(?<=NAME=)|(?<=name=)|(?<=override=)"
    r"|(?<=[Nn]ode/)|(?<=[Nn]ode )|(?<=host:)|(?<=kubelet, )|(?<=Linux )|(?<=\d\d:\d\d:\d\d )|(?<=:node:))"
)
_AFTER = r"(?=[\"',\]]|\s*$|  |\t|/\d|:~|\]|:[/~]| [\w./()-]+(?:\[\d+\])?: | \d+\.\d+|\\\")"
_WIDEST = 3


class _Row(NamedTuple):
    """A row of a table: its cells, and the line without laying it out, if these stood elsewhere than the heads."""

    cells: list[str]
    line: str


class Texts:
    """Redacts texts by what was learnt before."""

    def __init__(self, words: Words, names: Names, secrets: Secrets, speller: Speller) -> None:
        self.words, self.speller, self._names, self._secrets = words, speller, names, secrets
        self._word = words.pattern
        self._disguised = Disguised(speller, self.text, secrets.found)
        self._spaced_word = re.compile(self._word.pattern + r"(?P<space> {2,}(?=\S))?")
        alternatives = "|".join(sorted(map(re.escape, names.common), key=len, reverse=True))
        self._common = re.compile(rf"{_BEFORE}({alternatives}){_AFTER}", re.MULTILINE) if alternatives else None

    def is_common(self, word: str) -> bool:
        """Say whether a node is called by this word, by which others call other things."""
        return word in self._names.common

    def text(self, found: str) -> str:
        """Return a text, or a value, redacted."""
        return self.without_names(self._secrets.cut(found))

    def without_names(self, text: str) -> str:
        """Return a text whose secrets are cut already without names and addresses."""
        text = self._disguised.replaced(text)
        if "\n" in text and any(line.isupper() for line in text[:100_000].split("\n")):
            return self._with_tables(text)
        return self._plain(text)

    def words_of(self, text: str) -> str:
        """Return a name of something (a key, a part of a path) without the names and addresses in it."""
        return self._word.sub(lambda match: self.words(match.group()), text)

    def _plain(self, text: str) -> str:
        if self._common is not None:
            text = self._common.sub(lambda match: self.words.named(match.group()), text)
        return self._spaced_word.sub(self._spaced, text) if "  " in text else self.words_of(text)

    def _spaced(self, match: re.Match[str]) -> str:
        """Replace a word, and take from the spaces behind it, or add to them, what the column needs."""
        space = match["space"]
        if space is None:
            return self.words(match[0])
        word = match.group()[: -len(space)]
        made = self.words(word)
        if len(made) == len(word):
            return made + space
        return made + " " * max(2, len(space) + len(word) - len(made))

    def _with_tables(self, text: str) -> str:
        """Lay tables out anew: their readers go by where the heads of columns stand."""
        made: list[str] = []
        plain: list[str] = []
        table: list[_Row | str] = []
        head: columns.Head | None = None
        for line in text.split("\n"):
            bare = line.rstrip("\r").expandtabs(8)
            found = columns.head_of(bare) if bare.isupper() else None
            if (found is not None and len(found.names) > 2) or not bare.strip():
                made += self._closed(plain, table)
                head = found
                if found is None:
                    plain.append(line)
                else:
                    names = [one.replace("-", " ") if one in _TWO_WORDS else self.words_of(one) for one in found.names]
                    table.append(_Row(names, self._plain(line)))
            elif head is None:
                plain.append(line)
            elif lines.command(line) is not None:
                # A table ends where something else was typed.
                made += self._closed(plain, table)
                head = None
                plain.append(line)
            else:
                table.append(self._row(head, line, bare))
        return "\n".join((*made, *self._closed(plain, table)))

    def _closed(self, plain: list[str], table: list[_Row | str]) -> list[str]:
        """Return what was gathered, and begin anew."""
        made = ([self._plain("\n".join(plain))] if plain else []) + ([_laid_out(table)] if table else [])
        plain.clear()
        table.clear()
        return made

    def _row(self, head: columns.Head, line: str, bare: str) -> _Row | str:
        """Return a row of a table, or a line between its rows."""
        cells = columns.cells(head, bare)
        if cells is None:
            return self._plain(line)
        own = "" if columns.is_aligned(head, bare) else self._plain(line)
        return _Row([self._cell(cells[name]) for name in head.names], own)

    def _cell(self, cell: str) -> str:
        return self.words.named(cell) if self.is_common(cell) else self.words_of(cell)


_TWO_WORDS = frozenset(("LAST-SEEN", "FIRST-SEEN", "NOMINATED-NODE", "READINESS-GATES"))


def _laid_out(table: list[_Row | str]) -> str:
    """Return a table, its first row being its head, with columns as wide as their cells are now."""
    rows = [row for row in table if isinstance(row, _Row)]
    if len(rows) == 1:  # Capitals are not always the head of something.
        return "\n".join(row if isinstance(row, str) else row.line for row in table)
    widths = [max(map(len, column)) + _WIDEST for column in zip(*(row.cells for row in rows), strict=True)]
    head = columns.Head(rows[0].cells, [sum(widths[:at]) for at in range(len(widths))])
    table[0] = _Row(rows[0].cells, "")
    return "\n".join(row if isinstance(row, str) else _spelled(row, head, widths) for row in table)


def _spelled(row: _Row, head: columns.Head, widths: list[int]) -> str:
    """Return a row below its head. A line that says the same as it is stays so: it may be none of the table's."""
    if row.line and columns.cells(head, row.line) == dict(zip(head.names, row.cells, strict=True)):
        return row.line
    return "".join(cell.ljust(width) for cell, width in zip(row.cells, widths, strict=True)).rstrip()
