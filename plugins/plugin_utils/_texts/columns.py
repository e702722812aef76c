# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of kubectl and calicoctl: columns under their heads, aligned by spaces (old releases: by tabs)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from . import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

# Heads of two words, for tables whose runs of spaces were lost on the way.
_TWO_WORDS = ("LAST SEEN", "FIRST SEEN", "NOMINATED NODE", "READINESS GATES", "NODE SELECTOR")
_HEAD = re.compile(r"\s*[A-Z][A-Z0-9_.-]*(?:\s+[A-Z][A-Z0-9_.()-]*)+\s*$")
_RESTARTED = re.compile(r"(\d+) \((\S+ ago)\)")
# No name of an object has one of these signs at its end: this is the next prompt, of whatever shell.
_PROMPT = re.compile(r"(?:[\w.:@~\\/-]+ )?[\w.:@~\\/()\[\]-]*[#$%>](?:\s|$)")
# Columns that are the last one and hold words; others hold one.
_OF_WORDS = frozenset(("MESSAGE", "INFO", "COMMAND", "CMD", "SELECTOR", "NODE-SELECTOR", "DESCRIPTION", "CONDITIONS"))
_WIDE = re.compile(r"\t+ *| {2,}")


class Row(NamedTuple):
    """One row: the number of its line and its cells by the heads of their columns ("LAST SEEN" -> "LAST-SEEN")."""

    line: int
    text: str
    cells: dict[str, str] | None


class Head(NamedTuple):
    """The columns of a table: their heads, and where these begin."""

    names: list[str]
    starts: list[int]


def rows(text: str, wanted: frozenset[str]) -> Iterator[Row]:
    """Yield the rows of all tables in a text whose heads have all of the columns `wanted`; `cells` is None for a line
    that is in no such table."""
    head: Head | None = None
    last = 0
    for number, raw in lines.numbered(text):
        # A table ends where something else was typed.
        head, last = head if number == last + 1 else None, number
        line = raw.expandtabs(8)
        if not line.strip():
            continue
        found = head_of(line)
        if found is not None and len(found.names) > 1:
            head = found if wanted.issubset(found.names) else None
            continue
        yield Row(number, raw, cells(head, line) if head is not None else None)


def head_of(line: str) -> Head | None:
    """Return the columns that a line of capitals begins, None if it is no such line."""
    if not _HEAD.match(line) or len(line) > 1000:
        return None
    marked = line
    for name in _TWO_WORDS:
        marked = marked.replace(name, name.replace(" ", "-"))
    found = [(match.group(), match.start()) for match in re.finditer(r"\S+", marked)]
    return Head([name for name, _start in found], [start for _name, start in found])


def cells(head: Head, line: str) -> dict[str, str] | None:
    """Return the cells of a row, None if it does not fit under the head."""
    if _PROMPT.match(line):
        return None
    if is_aligned(head, line):
        ends = [*head.starts[1:], len(line)]
        return {name: line[start:end].strip() for name, start, end in zip(head.names, head.starts, ends, strict=True)}
    values = _WIDE.split(line.strip())
    if len(values) != len(head.names):
        joined = _RESTARTED.sub(r"\1_(\2", line.strip()).replace(" ago", "_ago")
        values = [
            value.replace("_", " ") if "_(" in value else value for value in joined.split(None, len(head.names) - 1)
        ]
    if len(values) != len(head.names) or (" " in values[-1] and head.names[-1] not in _OF_WORDS):
        return None
    return dict(zip(head.names, values, strict=True))


def is_aligned(head: Head, line: str) -> bool:
    """Say whether cells begin where the heads of their columns do."""
    aligned = all(start > len(line) or line[start - 1] == " " for start in head.starts[1:])
    return aligned and not (head.starts[0] == 0 and line[:1] == " ")


def shown(value: str | None) -> str:
    """Return a cell's value, '' for what kubectl and calicoctl print where there is none."""
    return "" if value in (None, "<none>", "<unset>", "<unknown>", "<nil>") else str(value)
