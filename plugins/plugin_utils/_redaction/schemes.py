# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are written otherwise than they are (berlinDb7), and others of the same scheme (berlin-db-12).

A name tells something only if there is more in it than words of everybody's: node-1 is nobody's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable

_ATOM = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z0-9]")
_PART = re.compile(r"[a-z]+")
_DIGITS = re.compile(r"\d+")
_NUMBERED = re.compile(r"([a-z]{4,})(?:[-_][a-z0-9]+){0,5}?[-_]?\d{1,4}$")
_LEAST = 5
_LEAST_LETTERS = 8
_MOST_ATOMS = 60


class Schemes:
    """How a set of names, in small letters, is made."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        self._shapes: set[str] = set()
        self._firsts: set[str] = set()
        for name in names:
            if "." in name or not tells(name):
                continue
            squeezed = re.sub("[-_]", "", name)
            numbered = bool(_DIGITS.search(name))
            if len(squeezed) >= (_LEAST if numbered else _LEAST_LETTERS) and (numbered or squeezed != name):
                self._names.setdefault(squeezed, name)
            if numbered:
                self._shapes.add(_DIGITS.sub("0", name))
                first = _NUMBERED.match(name)
                if first and first.group(1) not in vocabulary.COMMON | vocabulary.NO_NAMES:
                    self._firsts.add(first.group(1))
        self._most = max((len(_ATOM.findall(name)) for name in self._names.values()), default=0)
        # Whether one may be written without digits or dashes, so that it looks like any word.
        self.of_letters = any(name.isalpha() for name in self._names)

    def __bool__(self) -> bool:
        return bool(self._names or self._shapes)

    def find(self, word: str) -> tuple[int, int, str] | None:
        """Return where in a word one of the names stands, written otherwise, and that name; None if none does."""
        atoms = _ATOM.findall(word) if self._most else []
        if len(atoms) > _MOST_ATOMS:
            return None
        start = 0
        for at, atom in enumerate(atoms):
            squeezed, end = "", start
            for one in atoms[at : at + 2 * self._most] if atom.isalnum() else ():
                end += len(one)
                squeezed += one.lower() if one.isalnum() else "" if one in "-_" else "."
                if squeezed in self._names and one.isalnum():
                    return start, end, self._names[squeezed]
            start += len(atom)
        return None

    def is_like(self, word: str) -> bool:
        """Say whether a whole word is made as the names are: of the same parts but for numbers, or beginning alike and
        with a number at its end."""
        if not self._shapes or not word[-1:].isdigit():
            return False
        folded = word.lower()
        first = _NUMBERED.match(folded)
        return _DIGITS.sub("0", folded) in self._shapes or (first is not None and first.group(1) in self._firsts)


def tells(name: str) -> bool:
    """Say whether some word in a name is not one that everybody uses."""
    words = _PART.findall(name)
    return any(len(word) > 2 and word not in vocabulary.COMMON and word not in vocabulary.NO_NAMES for word in words)


def spelled(made: str, like: str) -> str:
    """Return what replaces a name in the way in which the name was written."""
    if "-" in like:
        return made
    joined = made.lower().replace("-", "_" if "_" in like else "")
    return joined.upper() if like.isupper() else joined.capitalize() if like[:1].isupper() else joined
