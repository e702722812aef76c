# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that stand behind their names, on the same line or below."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..vocabulary import CUT
from . import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .kept import Kept

_VALUE = r"""(\\{0,7}"(?:[^"\\\n]|\\(?!\\{0,6}"))*\\{0,7}"|'[^'\n]*'|[^\s,;&"'{}\[\]()<>|]+)"""
# name=value, name: value, "name": "value"; which names are meant says judge.is_named().
_NAME = re.compile(r"""(?<![\w.-])([\w.-]{1,200}\\{0,7}["']?[ \t]*(?:[:=]|:=|=>)[ \t]*)""")
_NAMED = re.compile(_NAME.pattern + r"""(\$[({]\w+[)}](?![\w$/.-])|""" + _VALUE[1:])
# A line of its own, as in YAML: the value goes to the line's end, with its blanks.
_LINE = re.compile(r"""(?m)^([ \t]*(?:- +)?["']?[\w.-]{1,200}["']?[ \t]*[:=][ \t]+)([^\s|>"'{\[&!][^\n]*)""")
_OPTION = re.compile(r"(--?[\w-]{1,60}[ \t]+)" + _VALUE)
_BIRD = re.compile(r'(\bpassword[ \t]+)("[^"\n]*"|[^\s";]+)(?=[ \t]*;)')
# What is written behind such a word without a sign in between.
_SAID = re.compile(
    r"""(?i)((?<![\w.])(?:[\w-]{0,40}?(?:password|passwd|passphrase|pass|pwd|secret|token|psk)|pw)"""
    r"""[ \t]+(?:\d{1,2}[ \t]+|"""
    r"""encrypted[ \t]+|is[ \t]+)?)(["']?(?!(?:Mesh|Node|Global)_)(?=[^\s"';,]*\d)(?=[^\s"';,]*[A-Za-z])"""
    r"""(?!\d+(?:\.\d+){3}|v?\d+\.\d+|\d{4}-)[^\s"';,]{6,}["']?)"""
)
# The value is below its name: a block, or a line of one word.
_BELOW = re.compile(
    r"""(?m)^(?P<indent>[ \t]*)(?:- +)?["']?(?P<name>[\w.-]{1,200})"""
    r"""["']?[ \t]*[:=](?:[ \t]*(?P<block>[|>][+\d-]{0,2}))?[ \t]*\n"""
)
_ONE_WORD = re.compile(r"[ \t]*(?!- |---)[^\s:{\[]+(?::[^\s:]+)?[ \t]*$")
_OF_SECRET = re.compile(r"(?m)^kind:[ \t]*[\"']?Secret\b")
_DATA = re.compile(r"(?m)^(?:data|stringData):[ \t]*\n((?:[ \t]+[^\n]*\n?|[ \t]*\n)+)")
_DATUM = re.compile(r"(?m)(^[ \t]+[\w.-]+:[ \t]*)(\S[^\n]*)")
_PATH = re.compile(r"\\?[\"']?[~.]{0,2}/")
_NAMED_BY = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "psk",
    "credential",
    "data",
    "bundle",
    "auth",
    "cookie",
    "licen",
    "signing",
    "dsn",
    "connstr",
    "conn_str",
    "connectionstr",
    "connection_str",
    "community",
    "pw ",
)


class Named:
    """Cuts what is named a secret."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def cut(self, text: str, folded: str) -> str:
        """Return the text without such values. `folded`: it, or more than it, in small letters."""
        if not any(word in folded for word in _NAMED_BY):
            return text
        return on_lines_with(self._below(text), _NAMED_BY, self._named)

    def _named(self, line: str) -> str:
        line = _LINE.sub(self._if_named, line) if line[:1] != "{" else line
        line = self._assigned(_BIRD.sub(self._kept.second, line))
        return _SAID.sub(self._kept.second, _OPTION.sub(self._if_named, line) if "-" in line else line)

    def _assigned(self, line: str) -> str:
        """Cut the values of secrets; what stands behind another name may be the next name ("failed: token=…")."""
        made: list[str] = []
        done = 0
        for name in _NAME.finditer(line):
            if name.start() < done or not judge.is_named(judge.name_before(name.group(1))):
                continue
            match = _NAMED.match(line, name.start())
            if match is not None:
                made += (line[done : match.start()], self._if_named(match))
                done = match.end()
        return "".join((*made, line[done:])) if made else line

    def _if_named(self, match: re.Match[str]) -> str:
        name = judge.name_before(match.group(1))
        if not judge.is_named(name) or (name in ("PWD", "OLDPWD") and _PATH.match(match.group(2))):
            return match.group()
        if judge.harmless(match.group(2).rstrip(" \t\r,")):
            return match.group()
        return self._kept.second(match)

    def _below(self, text: str) -> str:
        """Cut values that stand on the lines below their names, and those of Secrets that are no whole YAML."""
        if "kind: Secret" in text and _OF_SECRET.search(text):
            text = _DATA.sub(lambda found: _DATUM.sub(self._kept.second, found.group()), text)
        made: list[str] = []
        done = 0
        for match in _BELOW.finditer(text):
            if match.start() < done or not judge.is_named(match["name"]):
                continue
            end = _end_of_block(match) if match["block"] else _end_of_word(match)
            value = text[match.end() : end]
            if not value.strip() or judge.harmless(value.strip()):
                continue
            self._kept.take(value.strip())
            made += (text[done : match.end()], value[: len(value) - len(value.lstrip())], CUT)
            made.append("\n" if value.endswith("\n") else "")
            done = end
        return "".join((*made, text[done:])) if made else text


def _end_of_block(match: re.Match[str]) -> int:
    """Return where a block of YAML ends: before the next line that is indented no deeper than its name."""
    text = match.string
    end, deep = match.end(), len(match["indent"])
    while end < len(text):
        after = text.find("\n", end)
        line = text[end : after if after >= 0 else len(text)]
        if line.strip() and len(line) - len(line.lstrip(" \t")) <= deep:
            break
        end = after + 1 if after >= 0 else len(text)
    return end


def _end_of_word(match: re.Match[str]) -> int:
    """Return where the line ends that begins behind the match if it is one word, else where it begins."""
    text, start = match.string, match.end()
    after = text.find("\n", start)
    end = after if after >= 0 else len(text)
    return end if _ONE_WORD.match(text[start:end]) else start


def on_lines_with(text: str, words: Iterable[str], change: Callable[[str], str]) -> str:
    """Return the text with those lines changed that hold one of the words, in capitals or not."""
    folded = text.lower()
    if len(folded) != len(text):  # some capitals become several small letters
        return change(text)
    starts: set[int] = set()
    for word in words:
        at = folded.find(word)
        while at >= 0:
            starts.add(folded.rfind("\n", 0, at) + 1)
            end = folded.find("\n", at)
            at = folded.find(word, end) if end >= 0 else -1
    made: list[str] = []
    done = 0
    for start in sorted(starts):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        made += (text[done:start], change(text[start:end]))
        done = end
    return "".join((*made, text[done:])) if made else text
