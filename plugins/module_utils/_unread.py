# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a parser could not read, beside what it could: lines by their numbers, as the field `unread` of what it returns.

A source whose text had such lines has the status "unrecognised": half an answer must not pass for a whole one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence, Tuple

    Unread = List[Tuple[int, str]]

MOST = 20
_LONGEST = 100
_SECRETS = ("password", "passwd", "secret", "token", "private key", "key-data")


def note(unread: Unread, number: int, line: str) -> None:
    """Note that line `number`, counted from 1, could not be read; those beyond MOST are left out."""
    if len(unread) < MOST:
        unread.append((number, line.strip()[:_LONGEST]))


def said(unread: Sequence[tuple[int, str]]) -> str:
    """Return half a sentence about the first of these lines, without what follows a word for a secret."""
    number, line = unread[0]
    lower = line.lower()
    ends = [lower.index(word) + len(word) for word in _SECRETS if word in lower]
    if ends:
        line = line[: min(ends)] + "…"
    more = f", nor were {len(unread) - 1} more" if len(unread) > 1 else ""
    return f"line {number} was not understood{more}: {line}"
