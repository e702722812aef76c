# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in a text in disguise: quoted for URLs, in base64, in dumps, or with dots that are none.

Words are told by their letters; here are the forms in which a word is not made of them.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ...module_utils._inet import octets

if TYPE_CHECKING:
    from collections.abc import Callable

    from .spelling import Speller

# 10[.]20[.]30[.]40 as reports on attacks have it, 10\.20\.30\.40 as patterns do, and lists of bytes.
SEPARATED = re.compile(
    r"(?<![\d.])(\d{1,3})(\[\.\]|\(\.\)|\[dot\]|\\{1,4}\.|%2[Ee]| \. |, ?)(\d{1,3})\2(\d{1,3})\2(\d{1,3})"
    r"(?!\d)(?![\d.]{0,20}\d)"
)
_OF_URLS = r"[\w.~:/?#@!$&()*+;=,%-]"
# It begins where what may be in a URL begins: tried at each letter of it, a long one would take its length squared.
QUOTED = re.compile(rf"(?<!{_OF_URLS})(?=[^%\s]{{0,2000}}%[0-9A-Fa-f]{{2}}){_OF_URLS}{{3,20000}}")
CODED = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{12,}={0,2}(?![A-Za-z0-9+/=_-])")
# tcpdump -x and hexdump: where it is, then bytes in ones or twos.
DUMP = re.compile(
    r"(?m)^([ \t]*(?:0x)?[0-9a-f]{4,8}:?[ \t]+)"
    r"([0-9a-f]{2}(?:[0-9a-f]{2})?(?: {1,2}[0-9a-f]{2}(?:[0-9a-f]{2})?){3,15})(?![^ \n|])"
)
_LONGEST = 100_000
_MOST_KNOWN = 20_000


class Disguised:
    """Takes the disguise off, has what is below replaced, and puts it on again. `plain` redacts a text."""

    def __init__(self, speller: Speller, plain: Callable[[str], str]) -> None:
        self._speller, self._plain = speller, plain
        self._known: dict[str, str] = {}

    def replaced(self, text: str) -> str:
        """Return the text without what was to be replaced in it, in these forms."""
        if "%" in text:
            text = QUOTED.sub(self._quoted, text)
        text = SEPARATED.sub(self._separated, text)
        text = DUMP.sub(self._dumped, text)
        return CODED.sub(self._coded, text)

    def _separated(self, match: re.Match[str]) -> str:
        raw = octets(".".join(match.group(1, 3, 4, 5)))
        # What has blanks and commas may be four numbers.
        if not raw or (match.group(2)[0] in ", " and raw not in self._speller.seen):
            return match.group()
        return match.group(2).join(map(str, self._speller.addresses.raw(raw)))

    def _quoted(self, match: re.Match[str]) -> str:
        try:
            bare = unquote(match.group(), errors="strict")
        except UnicodeDecodeError:
            return match.group()
        made = self._plain(bare) if bare.isprintable() else bare
        return match.group() if made == bare else quote(made, safe="/?#&=:;,+@!$()*~")

    def _dumped(self, match: re.Match[str]) -> str:
        made = self._speller.rare.within(bytes.fromhex(match.group(2)))
        if made is None:
            return match.group()
        digits = iter(made.hex())
        return match.group(1) + "".join(next(digits, "") if sign != " " else sign for sign in match.group(2))

    def _coded(self, match: re.Match[str]) -> str:
        found = match.group()
        made = self._known.get(found)
        if made is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            made = self._known[found] = self._recoded(found)
        return made

    def _recoded(self, found: str) -> str:
        inner = decoded(found) if len(found) < _LONGEST else ""
        made = self._plain(inner) if inner else ""
        if made == inner:
            return found
        coded = base64.b64encode(made.encode("utf-8", "replace")).decode()
        if "-" in found or "_" in found:
            coded = coded.replace("+", "-").replace("/", "_")
        return coded if found.endswith("=") or not len(found) % 4 else coded.rstrip("=")


def decoded(found: str) -> str:
    """Return the text that this is the base64 of, "" if it is of none."""
    try:
        raw = base64.b64decode(found.replace("-", "+").replace("_", "/") + "=" * (-len(found) % 4), validate=True)
        text = raw.decode("ascii")
    except ValueError:
        return ""
    return text if text.replace("\n", " ").replace("\t", " ").isprintable() else ""
