# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes as text, in whatever encoding somebody's machine wrote them."""

from __future__ import annotations

import codecs

_LOOKED_AT = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes that no text has: all control characters but those of terminals and of lines.
_CONTROL = bytes(set(range(32)) - set(b"\0\b\t\n\v\f\r\x1b"))


def encoding(head: bytes) -> str:
    """Return the encoding of a text by how it begins, '' if that is no text at all."""
    head = head[:_LOOKED_AT]
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if not head:
        return "utf-8"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 5 > len(head) and min(even, odd) * 50 < len(head):
        # Of Latin letters in two bytes, one of both is nothing.
        return "utf-16-le" if odd > even else "utf-16-be"
    if (even + odd) * 3 > len(head) or (len(head) - len(head.translate(None, _CONTROL))) * 20 > len(head):
        return ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        # A few broken letters are those of a text that was cut; many are another alphabet's.
        broken = head.decode("utf-8", "replace").count("\ufffd")
        letters = sum(1 for byte in head if byte >= 0x80)
        return "cp1252" if broken * 3 > letters else "utf-8"
    return "utf-8"


def decoded(content: bytes) -> str:
    """Return a file as text; what no encoding explains is replaced."""
    return content.decode(encoding(content) or "utf-8", "replace").removeprefix("\ufeff")
