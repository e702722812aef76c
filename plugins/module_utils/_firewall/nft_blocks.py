# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in braces in nft's own language: where it begins and ends, and the heads of chains and sets."""

from __future__ import annotations

from .._numbers import is_integer, is_whole
from . import nft_expressions
from .nft_words import Cursor, UnreadableError, plain, substituted, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_OF_BRIDGE = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}


def pieces(words: Sequence[str], begin: int, end: int) -> list[tuple[int, int]]:
    """Cut words where a line or a semicolon ends outside of braces; each piece ends with its closing brace, too."""
    found = []
    start, depth = begin, 0
    for position in range(begin, end):
        word = words[position]
        if word == "{":
            depth += 1
        elif word == "}":
            depth = max(depth - 1, 0)
        elif depth == 0 and word in {"\n", ";"}:
            if position > start:
                found.append((start, position))
            start = position + 1
    if end > start:
        found.append((start, end))
    return found


def inside(words: Sequence[str], begin: int, end: int) -> tuple[int, int]:
    """Return where what stands in braces begins and ends; one that is never closed ends with the text."""
    while begin < end and words[begin] == "\n":
        begin += 1
    if begin >= end or words[begin] != "{":
        return end, end
    depth = 0
    for position in range(begin, end):
        depth += {"{": 1, "}": -1}.get(words[position], 0)
        if depth == 0:
            return begin + 1, position
    return begin + 1, end


def describe_chain(chain: dict[str, Any], words: list[str]) -> None:
    """Take in "type filter hook input priority filter + 10" and "policy drop"."""
    cursor = Cursor([word for word in words if word not in {"\n", ";"}])
    while cursor.peek():
        word = cursor.take()
        if word in {"type", "hook"}:
            chain[word] = cursor.take()
        elif word in {"device", "devices"}:
            cursor.accept("=")
            devices = [
                plain(one) for one in (cursor.group() if cursor.peek() == "{" else [cursor.take()]) if one != ","
            ]
            chain["dev"] = devices[0] if len(devices) == 1 else devices
        elif word == "priority":
            chain["prio"] = _priority(cursor)
        elif word == "policy":
            chain["policy"] = cursor.take()
    if "hook" in chain:
        chain.setdefault("policy", "accept")


def _priority(cursor: Cursor) -> int:
    word = cursor.take()
    known = dict(_PRIORITIES, **_OF_BRIDGE) if word == "out" else _PRIORITIES
    if word not in known:
        base, sign, more = word, "", ""
        for candidate in ("+", "-"):  # filter+10, written without spaces
            name, found, number = word.partition(candidate)
            if found and name in known:
                base, sign, more = name, candidate, number
        if base not in known:
            if not is_integer(word):
                raise UnreadableError(f"priority {word}")
            return int(word)
        return known[base] + int(sign + more) if is_whole(more) else known[base]
    following = cursor.peek()
    if following in {"+", "-"}:
        cursor.take()
        number = cursor.take()
        return known[word] + (int(following + number) if is_whole(number) else 0)
    return known[word]


def set_body(words: list[str], variables: dict[str, list[str]]) -> dict[str, Any]:
    """Return what is between the braces of a set, as far as it decides about packets."""
    body: dict[str, Any] = {}
    for begin, end in pieces(words, 0, len(words)):
        cursor = Cursor(substituted(words[begin:end], variables))
        word = cursor.take()
        if word == "elements":
            cursor.expect("=")
            body["elem"] = nft_expressions.elements(cursor.group())
        elif word in {"type", "typeof", "flags"}:
            body[word] = text(cursor.rest())
    return body
