# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole text, redacted: secrets cut, then word by word; columns stay under their heads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._texts import columns

if TYPE_CHECKING:
    from .learn import Names
    from .secrets import Secrets
    from .spelling import Speller
    from .words import Words

_BEFORE = (
    r"(?:(?m:^)|(?<=@)|(?<=[\"'])|(?<=  )|(?<=: )|(?<=\[)|(?<=, )|(?<=- )|(?<=\t)"
    r"|(?<=node=)|(?<=host=)|(?<=NAME=)|(?<=name=)|(?<=override=)"
    r"|(?<=[Nn]ode/)|(?<=[Nn]ode )|(?<=host:)|(?<=kubelet, )|(?<=Linux )|(?<=\d\d:\d\d:\d\d )|(?<=:node:))"
)
_AFTER = r"(?=[\"',\]]|\s*$|  |\t|/\d|:~|\]|:[/~]| [\w./()-]+(?:\[\d+\])?: | \d+\.\d+|\\\")"
_WIDEST = 3


class Texts:
    """Redacts texts by what was learnt before."""

    def __init__(self, words: Words, names: Names, secrets: Secrets, speller: Speller) -> None:
        self.words, self.speller, self._names, self._secrets = words, speller, names, secrets
        self._word = words.pattern
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
        table: list[list[str] | str] = []
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
                    table.append(found.names)
            elif head is None:
                plain.append(line)
            else:
                cells = columns.cells(head, bare)
                table.append(self._plain(line) if cells is None else [self._cell(cells[name]) for name in head.names])
        return "\n".join((*made, *self._closed(plain, table)))

    def _closed(self, plain: list[str], table: list[list[str] | str]) -> list[str]:
        """Return what was gathered, and begin anew."""
        made = ([self._plain("\n".join(plain))] if plain else []) + ([_laid_out(table)] if table else [])
        plain.clear()
        table.clear()
        return made

    def _cell(self, cell: str) -> str:
        return self.words.named(cell) if self.is_common(cell) else self.words_of(cell)


_TWO_WORDS = frozenset(("LAST-SEEN", "FIRST-SEEN", "NOMINATED-NODE", "READINESS-GATES"))


def _laid_out(table: list[list[str] | str]) -> str:
    table[0] = [name.replace("-", " ") if name in _TWO_WORDS else name for name in table[0]]
    rows = [row for row in table if isinstance(row, list)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        row
        if isinstance(row, str)
        else "".join(cell.ljust(width + _WIDEST) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
