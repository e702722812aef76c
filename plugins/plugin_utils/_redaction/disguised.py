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
from . import dumps
from .vocabulary import CUT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

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
# As people write of a subnet: 10.20.30.x, 10.20.30.*, 10.20.x.x, 10.20.30.[1-9], and "10.20.30." as they look for it.
_PARTLY = re.compile(
    r"(?<![\w.])(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)(?=((?:\.(?:[xX]{1,3}|[nN]|\*)){1,2})(?![\w.])|\.[\[({]\d|\.(?:[\s\"'|)]|$))"
)
# Bytes as Go prints them.
_BYTES = re.compile(r"\[\d{1,3}(?: \d{1,3}){3,4000}\]")
_LONGEST = 100_000
_MOST_KNOWN = 20_000


class Disguised:
    """Takes the disguise off, has what is below replaced, and puts it on again. `plain` redacts a text; `secrets` are
    known ones."""

    def __init__(self, speller: Speller, plain: Callable[[str], str], secrets: Collection[str] = ()) -> None:
        self._speller, self._plain, self._secrets = speller, plain, secrets
        self._known: dict[str, str] = {}
        self._prefixes: set[bytes] | None = None

    def replaced(self, text: str) -> str:
        """Return the text without what was to be replaced in it, in these forms."""
        if "%" in text:
            text = QUOTED.sub(self._quoted, text)
        text = SEPARATED.sub(self._separated, text)
        text = _PARTLY.sub(self._partly, text)
        if "[" in text:
            text = _BYTES.sub(self._listed, text)
        text = dumps.replaced(DUMP.sub(self._dumped, text), self._tells)
        return CODED.sub(self._coded, text)

    def _tells(self, run: str) -> bool:
        return self._plain(run) != run or any(secret in run for secret in self._secrets)

    def _separated(self, match: re.Match[str]) -> str:
        raw = octets(".".join(match.group(1, 3, 4, 5)))
        # What has blanks and commas may be four numbers.
        if not raw or (match.group(2)[0] in ", " and raw not in self._speller.seen):
            return match.group()
        return match.group(2).join(map(str, self._speller.addresses.raw(raw)))

    def _partly(self, match: re.Match[str]) -> str:
        """Versions look the same: only if an address begins so that stands somewhere as a whole."""
        parts = match.group(1).split(".")
        left = (match.group(2) or ".").count(".")
        if len(parts) + left != 4 or any(int(part) > 255 for part in parts):
            return match.group()
        if self._prefixes is None:
            self._prefixes = {raw[:size] for raw in self._speller.seen if len(raw) == 4 for size in (2, 3)}
        raw = bytes(map(int, parts))
        if raw not in self._prefixes:
            return match.group()
        made = self._speller.addresses.network(raw + bytes(4 - len(raw)), 8 * len(raw))
        return ".".join(map(str, made[: len(raw)]))

    def _listed(self, match: re.Match[str]) -> str:
        numbers = list(map(int, match.group()[1:-1].split()))
        if max(numbers) > 255:
            return match.group()
        raw = bytes(numbers)
        if raw in self._speller.seen:
            made = self._speller.addresses.raw(raw)
        elif raw.isascii() and raw.decode().isprintable() and self._tells(raw.decode()):
            made = self._plain(raw.decode()).encode("ascii", "replace")
            made = made if made != raw else CUT.encode()
        else:
            return match.group()
        return f"[{' '.join(map(str, made))}]"

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
