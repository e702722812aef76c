# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of nft's own language, and a place in a row of them.

Quoted words keep their opening quote, so that `"accept"` is a name and `accept` a verdict. The end of a line is a word
too, because it ends a rule.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Words = Sequence[str]

# A comment, a line that goes on, an end of line, something quoted, punctuation, a word.
_WORD = re.compile(
    r'#[^\n]*|\\\r?\n|(\n)|("[^"\n]*)"?|([!<>=]=|<<|>>|[{};,()=<>&|^!])|([^\s{};,()="#&|^<>!\\]+)',
)
_MOST_WORDS = 4_000_000
_MOST_SUBSTITUTED = 100_000
_NESTED = 16


class UnreadableError(ValueError):
    """These words are not understood."""


def split(text: str) -> tuple[list[str], list[int]]:
    """Return the words of `text` and the line (from 1) on which each stands."""
    words: list[str] = []
    lines: list[int] = []
    line = 1
    for found in _WORD.finditer(text):
        end, quoted, mark, word = found.groups()
        if end or quoted is not None or mark or word:
            words.append(end or quoted or mark or word)
            lines.append(line)
            if len(words) >= _MOST_WORDS:
                break
        if end or found.group().endswith("\n"):
            line += 1
    return words, lines


class Cursor:
    """A place in a row of words; "" stands behind the last one."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.position = 0

    def peek(self, ahead: int = 0) -> str:
        """Return the next word, or the one after `ahead` others."""
        position = self.position + ahead
        return self.words[position] if position < len(self.words) else ""

    def take(self) -> str:
        """Return the next word and go on. Raises UnreadableError behind the last one."""
        word = self.peek()
        if not word:
            raise UnreadableError("it ends early")
        self.position += 1
        return word

    def accept(self, *words: str) -> str:
        """Take the next word if it is one of `words`; return it, or "" if it is not."""
        word = self.peek()
        if word and word in words:
            self.position += 1
            return word
        return ""

    def expect(self, word: str) -> None:
        """Take the next word, which has to be this one. Raises UnreadableError if it is not."""
        if not self.accept(word):
            raise UnreadableError(f"{word} expected")

    def rest(self) -> list[str]:
        """Take all words that are left."""
        found = list(self.words[self.position :])
        self.position = len(self.words)
        return found

    def group(self) -> list[str]:
        """Take what stands between the brace that comes next and the one that closes it."""
        self.expect("{")
        begin, depth = self.position, 1
        while depth:
            word = self.take()
            depth += {"{": 1, "}": -1}.get(word, 0)
        return list(self.words[begin : self.position - 1])


def text(words: Words) -> str:
    """Return words as a line for people."""
    return " ".join(f'{word}"' if word[:1] == '"' else word for word in words if word != "\n")


def plain(word: str) -> str:
    """Return a word without the quote that marks it."""
    return word[1:] if word[:1] == '"' else word


def substituted(words: Words, variables: Mapping[str, Words]) -> list[str]:
    """Put what variables stand for in their places. Raises UnreadableError for one that is not defined."""
    found = list(words)
    for _time in range(_NESTED):
        if not any(word[:1] == "$" for word in found):
            return found
        result: list[str] = []
        for word in found:
            if word[:1] != "$":
                result.append(word)
            elif word[1:] in variables:
                result.extend(variables[word[1:]])
            else:
                raise UnreadableError(f"{word} is not defined")
            if len(result) > _MOST_SUBSTITUTED:
                raise UnreadableError("too long with its variables")
        found = result
    raise UnreadableError("variables stand for each other")
