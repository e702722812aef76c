# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letters that are others than they look: invisible ones between them, those of full width, and those written by their
number. A text is read and shared without them: no program of a node prints such."""

from __future__ import annotations

import re
import unicodedata

from .._texts import lines

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufe00-\ufe0f\ufeff]"
)
_WIDE = re.compile("[\uff01-\uff5e\u2024\ufe52\uff61]+")
_DIGITS = re.compile(r"[^\x00-\x7f]+")
# Only what names and addresses are made of: the signs of a page's own language stay.
_NUMBERED = re.compile(
    r"&#(?:[xX]0{0,4}([0-9a-fA-F]{2})|0{0,4}(\d{2,3}));|(?<!\\)\\u00([0-9a-fA-F]{2})|&(period|hyphen|colon);"
)
_NAMED = {"period": ".", "hyphen": "-", "colon": ":"}
_OF_NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:-_")


def plain(text: str) -> str:
    """Return the text with the letters that it looks to be made of; without terminal colours and carriage returns."""
    text = lines.plain(text)
    if not text.isascii():
        text = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found.group()).replace("\u3002", "."), text)
        text = _DIGITS.sub(lambda found: _decimal(found.group()), _INVISIBLE.sub("", text))
    return _NUMBERED.sub(_numbered, text) if "&" in text or "\\u00" in text else text


def _decimal(text: str) -> str:
    """Return digits of any script as those of ours; int() and the parsers of addresses read them, too."""
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in text)


def _numbered(match: re.Match[str]) -> str:
    hexadecimal, decimal, escaped, name = match.groups()
    letter = _NAMED[name] if name else chr(int(decimal) if decimal else int(hexadecimal or escaped, 16))
    return letter if letter in _OF_NAMES else match.group()
