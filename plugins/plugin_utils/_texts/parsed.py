# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every parser of a text returns."""

from __future__ import annotations

import dataclasses
import re
from typing import Generic, TypeVar

ValueT_co = TypeVar("ValueT_co", covariant=True)

MOST_PROBLEMS = 20
LONGEST_TEXT = 120
_SECRET = re.compile(r"(?i)(password|passwd|secret|token|private.key|BEGIN [A-Z ]{0,20}KEY).+")


@dataclasses.dataclass(frozen=True)
class Problem:
    """One line that a parser could not read.

    `line` counts from 1 (0: the text as a whole), `text` is the line, at most LONGEST_TEXT characters of it, `why` half
    a sentence for a person.
    """

    line: int
    text: str
    why: str


@dataclasses.dataclass(frozen=True)
class Parsed(Generic[ValueT_co]):
    """What a text says (`value`, described by each parser) and what of it could not be read (at most MOST_PROBLEMS)."""

    value: ValueT_co
    problems: tuple[Problem, ...] = ()


def shown(text: str) -> str:
    """Return a line as a problem shows it: short, and without what follows a word for a secret."""
    return _SECRET.sub(r"\1…", text.strip()[: 4 * LONGEST_TEXT])[:LONGEST_TEXT]


class Problems:
    """Collects problems while a text is read; those beyond MOST_PROBLEMS are only counted."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._more = 0

    def add(self, line: int, text: str, why: str) -> None:
        """Note that line number `line` could not be read, and why."""
        if len(self._found) < MOST_PROBLEMS:
            self._found.append(Problem(line, shown(text), why))
        else:
            self._more += 1

    def found(self) -> tuple[Problem, ...]:
        """Return what was noted; if that was more than is kept, a last entry says how many more."""
        if not self._more:
            return tuple(self._found)
        return (*self._found, Problem(0, "", f"{self._more} more lines could not be read"))
