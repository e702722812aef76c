# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`calicoctl ipam show`, with or without --show-blocks (calicoctl/commands/ipam/show.go, releases 3.0 to 3.33)."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import lines, words
from .parsed import Parsed, Problems

_CELLS = re.compile(r"[|│]")
_RULE = re.compile(r"\s*[-+=|┌┬┐├┼┤└┴┘─│╭╮╰╯]{3,}\s*$")
_USED = re.compile(r"(\d{1,12})(?: \(\d{1,3}%\))?$")
_POOL, _BLOCK = "IP Pool", "Block"


class Usage(NamedTuple):
    """One row: the range, whether it is a pool (else a block of one), how many addresses it has, how many are in use;
    None for numbers that are too large to be printed whole, as those of IPv6 are."""

    cidr: str
    is_pool: bool
    total: int | None
    used: int | None


def parse(text: str) -> Parsed[tuple[Usage, ...]]:
    """Return the rows in the order printed."""
    problems = Problems()
    found: list[Usage] = []
    for number, line in lines.numbered(text):
        cells = [cell.strip() for cell in _CELLS.split(line)[1:-1]]
        if not line.strip() or _RULE.match(line) or cells[:1] == ["GROUPING"]:
            continue
        cidr = words.prefix(cells[1]) if len(cells) == 5 and cells[0] in (_POOL, _BLOCK) else None
        if cidr is None:
            problems.add(number, line, "no pool or block")
            continue
        used = _USED.match(cells[3])
        count = int(used.group(1)) if used is not None else None
        found.append(Usage(f"{cidr[0]}/{cidr[1]}", cells[0] == _POOL, words.number(cells[2]), count))
    return Parsed(tuple(found), problems.found())
