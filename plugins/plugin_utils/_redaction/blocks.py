# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long texts in pieces, cut where no reader's eye would join two lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._texts import columns

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 512 * 1024
# So much longer a piece may be if there is no better place.
_PATIENCE = 512 * 1024
# A line that begins something: none that is indented, an item of a list, a bracket, or a line of base64.
_BEGINS = re.compile(r"\n(?=[A-Za-z0-9<(*][^\n]{0,200}?[ :=])")
_ENDS_OPEN = (":", "=", "|", ">", "\\", ",", "{", "[", "(", "-")
_NEAR = 64 * 1024


def of(text: str, size: int = SIZE) -> Iterator[str]:
    """Yield the pieces of a text, which together are the text, each of about `size` letters."""
    start = 0
    while len(text) - start > size:
        end = _end(text, start, start + size)
        yield text[start:end]
        start = end
    if text[start:] or not start:
        yield text[start:]


def _end(text: str, start: int, after: int) -> int:
    """Return where a piece ends: behind the end of a line from `after` on."""
    limit = after + _PATIENCE
    if _in_table(text, start, after):
        blank = text.find("\n\n", after, limit)
        if blank >= 0:
            return blank + 2
    for match in _BEGINS.finditer(text, after, limit):
        at = match.start()
        before = text[text.rfind("\n", start, at) + 1 : at].rstrip()
        if not before.endswith(_ENDS_OPEN) and not _in_key(text, max(start, at - _NEAR), at):
            return at + 1
    newline = text.find("\n", limit)
    return newline + 1 if newline >= 0 else len(text)


def _in_key(text: str, start: int, at: int) -> bool:
    """Say whether a key or a certificate has begun, and not ended."""
    return text.rfind("-----BEGIN ", start, at) > text.rfind("-----END ", start, at)


def _in_table(text: str, start: int, at: int) -> bool:
    """Say whether this place is in a table: lines under a head in capitals, up to a blank one."""
    begin = max(text.rfind("\n\n", start, at), start)
    newline = text.find("\n", at)
    at = newline if newline >= 0 else len(text)
    return any(line.isupper() and columns.head_of(line) is not None for line in text[begin:at].split("\n"))
