# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which one and the same secret may be written."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..vocabulary import CUT

if TYPE_CHECKING:
    from collections.abc import Iterable

IN_BASE64 = "in base64"
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")


def encodings(value: str) -> Iterable[tuple[str, str]]:
    """Yield a secret in the ways in which it may be written, with what each is called."""
    raw = value.encode("utf-8", "surrogatepass")
    yield "", value
    yield "quoted for a URL", quote(value, safe="")
    yield "as JSON writes it", json.dumps(value, ensure_ascii=False)[1:-1]
    yield "as HTML writes it", html.escape(value)
    yield "in hexadecimal", raw.hex()
    for shift in range(3):
        # In the middle of something longer base64 depends on where the value begins; its edges do on the neighbours.
        coded = base64.b64encode(bytes(shift) + raw).decode().rstrip("=")
        inner = coded[(0, 2, 3)[shift] : len(coded) - 1]
        if len(inner) >= 8:
            yield IN_BASE64, inner


def unpacked(value: str) -> str:
    """Return the text that a value is the base64 of, '' if it is of none."""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except ValueError:
        return ""
    return text.strip() if text.isprintable() or "\n" in text else ""


def everywhere(text: str, found: Iterable[str]) -> str:
    """Return the text without these values, wherever and in whatever way they are written."""
    for value in sorted(found, key=len, reverse=True):
        for how, written in encodings(value):
            if written in text:
                text = _without_run(text, written) if how == IN_BASE64 else text.replace(written, CUT)
    return text


def _without_run(text: str, written: str) -> str:
    """Cut whole runs of base64 in which this stands: the letters at its edges belong to it in part."""
    made: list[str] = []
    done = at = 0
    while (at := text.find(written, done)) >= 0:
        start, end = at, at + len(written)
        while start > done and text[start - 1] in _BASE64:
            start -= 1
        while end < len(text) and text[end] in _BASE64:
            end += 1
        made += (text[done:start], CUT)
        done = end
    return "".join((*made, text[done:]))
