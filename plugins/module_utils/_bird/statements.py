# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of BIRD's configuration may be kept: the statements that _bird/config.py reads, and nothing else.

A password may stand anywhere else: as a string or a number, under a constant's name, in a comment, in a file of its
own. So nothing is searched for; what is not known to be harmless is left out. The script for nodes without Python does
the same before anything leaves the node (without_passwords in collect/start.sh): change both or none.
"""

from __future__ import annotations

import re

_KEPT = ("neighbor", "local", "source", "multihop", "passive", "disabled", "direct", "ttl", "hold", "keepalive")
_KEPT_PAIRS = ("router id", "listen bgp")
_MARKS = (";", "{", "}")
_PIECE = re.compile(r"""(/\*|\*/|[;{}"#'])""")
_WORD = re.compile(r"[A-Za-z0-9_.:,()~!=<>+*?|&%/-]{1,64}\Z")
_PATH = re.compile(r"[A-Za-z0-9_.:+*@%=/ -]+\Z")
_DEVICE = re.compile(r"[A-Za-z0-9_.-]{1,15}\Z")
_REMARK = re.compile(r"[ \t]*(IPv[46] disabled on this node)")
_BLANKS = str.maketrans("\0\r\f\v", "    ")
_LONGEST_LINE = 65536
_MOST_WORDS, _MOST_OF_HEAD = 32, 5
_WIDEST = 16


def kept(text: str) -> str:
    """Return the text with what may be kept, each statement in the line where it ends."""
    if not text:
        return ""
    lines = text.translate(_BLANKS).split("\n")
    if lines[-1] == "":
        lines.pop()
    keeper = _Keeper()
    for number, line in enumerate(lines):
        if number:
            keeper.lines.append("")
        if len(line) > _LONGEST_LINE:
            keeper.put("")
            keeper.plain("hold too_long_a_line_and_all_below_it")
            break
        keeper.take(line)
    return keeper.end()


def _next(piece: str, pieces: list[str], start: int) -> int:
    """Where a piece is found next, or the end."""
    try:
        return pieces.index(piece, start)
    except ValueError:
        return len(pieces)


class _Keeper:
    """Cuts lines into statements; of these it keeps what may be kept."""

    def __init__(self) -> None:
        self.lines = [""]
        self._depth = 0
        self._in_comment = False
        self._begin()

    def _begin(self) -> None:
        self._words: list[str] = []
        self._secret = self._tunnel = False
        self._path = self._device = ""

    def end(self) -> str:
        """Return what is kept, with the statement that has no end."""
        if "#" in self.lines[-1] and (self._words or self._secret):
            self.lines.append("")
        self.put("")
        return "\n".join(self.lines) + "\n"

    def take(self, line: str) -> None:
        """Read one line."""
        pieces = _PIECE.split(line)
        number = 0
        while number < len(pieces):
            piece = pieces[number]
            number += 1
            if self._in_comment:
                self._in_comment = piece != "*/"
            elif piece == "/*":
                self._in_comment = True
            elif piece in _MARKS:
                self.put(piece)
            elif piece == "'":
                if pieces[number + 1 : number + 2] == [piece]:
                    self._word(pieces[number])
                    number += 2
            elif piece == "#":
                remark = _REMARK.match("".join(pieces[number:]))
                if remark is not None:
                    self._add(f"# {remark.group(1)}")
                return
            elif piece == '"':
                end = _next(piece, pieces, number)
                self._string("".join(pieces[number:end]))
                number = end + 1
            else:
                self.plain(piece)

    def plain(self, text: str) -> None:
        """Read what is neither quoted nor a mark."""
        for word in re.split(r"[ \t]+", text.strip(" \t")):
            if word:
                self._word(word)

    def _word(self, text: str) -> None:
        if self._secret or text == "password":
            self._secret = True
            return
        text = text if _WORD.match(text) else "_"
        self._tunnel = self._tunnel or "krt_tunnel" in text
        if len(self._words) < _MOST_WORDS:
            self._words.append(text)

    def _string(self, text: str) -> None:
        if self._secret:
            return
        if self._words == ["include"] and _PATH.match(text):
            self._path = text
        if self._tunnel and self._words[-1].endswith("=") and _DEVICE.match(text):
            self._device = text
        if len(self._words) < _MOST_WORDS:
            self._words.append('"cut"')

    def put(self, mark: str) -> None:
        """Keep what may be kept of the statement that ends with this mark."""
        told = self._told(mark)
        if mark == "{":
            self._add(f"{told} {mark}".lstrip())
            self._depth += 1
        elif mark == "}":
            if told:
                self._add(told)
                self.lines[-1] += " }"
            else:
                self._add(mark)
            self._depth = max(self._depth - 1, 0)
        elif told:
            self._add(told + mark)
        self._begin()

    def _told(self, mark: str) -> str:
        words = self._words
        told: list[str] = []
        if mark == "{" and words[:1] in (["protocol"], ["template"]):
            told = words[:_MOST_OF_HEAD]
        elif words and (words[0] in _KEPT or " ".join(words[:2]) in _KEPT_PAIRS):
            told = words
        if self._secret:
            return " ".join([*told, 'password "cut"'])
        if words[:1] == ["passwords"]:
            return "passwords"
        if told:
            return " ".join(told)
        if self._path and len(words) == 2:
            return f'include "{self._path}"'
        return f'krt_tunnel = "{self._device}"' if self._device else ""

    def _add(self, text: str) -> None:
        line = self.lines[-1]
        self.lines[-1] = (line + " " if line else "  " * min(self._depth - (text == "}"), _WIDEST // 2)) + text
