# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that do not stand right behind their names: on the next line, in a block or a cell of their own, byte by
byte; those of a Secret that was quoted or compared; the end of a key whose beginning was cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..vocabulary import CUT
from . import judge

if TYPE_CHECKING:
    from .kept import Kept

_NAME = r"(?<![\w.-])(?P<name>[\w.-]{1,200})"
_SIGN = r"\\?[\"']?[ \t]*(?:[:=]|:=|=>)[ \t]*"
_TAGS = r"(?:\s*<[^<>]{1,60}>)*\s*"
# The word without which there is none, and the place.
_PLACES = tuple(
    (sign, re.compile(pattern))
    for sign, pattern in (
        # A line that goes on.
        ("\\\n", rf"({_NAME}{_SIGN}[\"']?\\\n[ \t]*)(?P<value>[^\s\\\"']+)"),
        ("\\\n", r"((?<!\S)--?(?P<name>\w[\w.-]{0,200})[ \t]+\\\n[ \t]*)(?P<value>(?!-)[^\s\\]+)"),
        ("\\\n", rf"({_NAME}{_SIGN}\")(?P<value>[^\"\n]{{1,200}}\\\n[^\"\n]{{0,200}}(?:\\\n[^\"\n]{{0,200}}){{0,9}})"),
        # TOML, and Python
        ("'''", rf"({_NAME}[\"']?[ \t]*[:=][ \t]*'''\n?)(?P<value>(?:(?!''')[\s\S]){{1,4000}})"),
        ('"""', rf"({_NAME}[\"']?[ \t]*[:=][ \t]*\"\"\"\n?)(?P<value>(?:(?!\"\"\")[\s\S]){{1,4000}})"),
        # Cells of pages
        (
            "</t",
            (
                rf"(<t[dh]\b[^<>]{{0,200}}>{_TAGS}{_NAME}[ \t]*:?{_TAGS}</t[dh]>\s*<td\b[^<>]{{0,200}}>{_TAGS})"
                r"(?P<value>[^<>\n]+)"
            ),
        ),
        ("</dt>", rf"(<dt>{_TAGS}{_NAME}[ \t]*:?{_TAGS}</dt>\s*<dd>{_TAGS})(?P<value>[^<>\n]+)"),
        # Byte by byte, as Go writes them in a program.
        ("byte{", rf"({_NAME}{_SIGN}\[\]byte\{{)(?P<value>[^{{}}\n]{{3,40000}})"),
        ("uint8{", rf"({_NAME}{_SIGN}\[\]uint8\{{)(?P<value>[^{{}}\n]{{3,40000}})"),
    )
)
# What is looked for first, as its name is in front of it wherever it stands: blocks, such as
# variable "x" { default = "…" }, x = { value = "…" } or "x": {"value": "…"}, and bytes as Go prints them.
_OF_A_BLOCK = re.compile(
    r"\b(?:value|default|plaintext)\\?[\"']?[ \t]*[:=][ \t]*(?P<value>\\?\"[^\"\n\\]*\\?\"|'[^'\n]*'|[^\s\"',{}]+)"
)
_BYTES = re.compile(r"(?P<value>\[\d{1,3}(?:,? \d{1,3}){3,4000}\])")
_OPENED = re.compile(rf"{_NAME}\\?[\"']?[ \t]*(?:[:=][ \t]*)?\{{[^{{}}]{{0,200}}$")
_ASSIGNED = re.compile(rf"{_NAME}{_SIGN}$")
_LOOK_BACK = 440
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,2}|\d{1,3}")
_END = re.compile(r"-----END [A-Z0-9 ]{1,60}-----")
_OF_A_KEY = re.compile(r"[ \t>|+-]*[A-Za-z0-9+/=]{4,100}[ \t]*$")
_MOST_LINES = 400
# What a quotation or a comparison puts before each line.
_BEFORE = r"(?P<before>(?:[ \t]*[>|])+ ?|[ +-])"
_SECRET = re.compile(rf"(?m)^{_BEFORE}(?P<deep>[ \t]*)kind:[ \t]*[\"']?Secret\b")
_KIND = re.compile(r"kind:[ \t]*[\"']?(\w+)")
_DATA = re.compile(r"(?:data|stringData):[ \t]*$")
_DATUM = re.compile(r"([ \t]+[\w.-]+:[ \t]*)(\S.*)$")
# kubectl's own copy of a Secret on one line, whatever order its fields have.
_APPLIED = re.compile(
    r"(\\?\"(?:data|stringData)\\?\"[ \t]*:[ \t]*\{)([^{}\n]+)"
    r"(?=\}[^\n]{0,4000}?\\?\"kind\\?\"[ \t]*:[ \t]*\\?\"Secret\\?\")"
)
_ASKED = re.compile(r"\betcdctl\b.*\bget\b.*/registry/secrets/")
_KEY_OF_ETCD = re.compile(r"/registry/secrets/[\w./-]+$")
_PROMPT = re.compile(r"[^\n]{0,300}?[$#%][ \t]+[a-z]")
# A Secret of etcd's begins with some short lines, with an empty one among them.
_LEAST_OF_ETCD, _MOST_OF_ETCD = 3, 60
_QUOTED = re.compile(r"^(?:[ \t]*[>|])+ ?")


def cut(text: str, folded: str, kept: Kept) -> str:
    """Return the text without such secrets. `folded`: it, or more than it, in small letters."""
    if "secret" in folded:
        text = _of_secrets(text, kept)
    for sign, pattern in _PLACES:
        if sign in text:
            text = pattern.sub(lambda match: _named(match, match["name"], kept), text)
    if "{" in text:
        text = _OF_A_BLOCK.sub(lambda match: _behind(match, _OPENED, kept), text)
    if "[" in text:
        text = _BYTES.sub(lambda match: _behind(match, _ASSIGNED, kept), text)
    return _tails(text, kept) if "-----END " in text else text


def _behind(match: re.Match[str], before: re.Pattern[str], kept: Kept) -> str:
    """Cut a value if the name that stands in front of it is a secret's."""
    name = before.search(match.string, max(0, match.start() - _LOOK_BACK), match.start())
    return match.group() if name is None else _named(match, name["name"], kept)


def _named(match: re.Match[str], name: str, kept: Kept) -> str:
    value = match["value"]
    if not judge.is_named(name) or judge.harmless(value.strip(" \t\"'\\")):
        return match.group()
    spelled = _spelled(value)
    kept.take(spelled or value.strip("\"'\\"))
    if "\\\n" in value:
        kept.take(re.sub(r"\\\n[ \t]*", "", value))
    quote = value[0] if value[0] in "\"'" and value[-1] == value[0] and len(value) > 1 else ""
    before, after = match.start("value") - match.start(), match.end("value") - match.start()
    return f"{match.group()[:before]}{quote}{CUT}{quote}{match.group()[after:]}"


def _spelled(value: str) -> str:
    """Return the text that is written byte by byte, "" if it is none."""
    if not value.startswith(("[", "0x")) and not value[:1].isdigit():
        return ""
    numbers = [int(found, 0) if found.startswith("0x") else int(found) for found in _NUMBER.findall(value)]
    try:
        return bytes(numbers).decode() if len(numbers) > 3 else ""
    except ValueError:
        return ""


def _tails(text: str, kept: Kept) -> str:
    """Cut the lines of a key before the one at which it ends; where it begins they are gone already."""
    rows = text.split("\n")
    for number, row in enumerate(rows):
        if "-----END " not in row or not _END.search(row):
            continue
        at = number - 1
        while at >= 0 and number - at <= _MOST_LINES and _OF_A_KEY.match(rows[at]) and rows[at].strip() != CUT:
            kept.take(rows[at].strip(" \t>|+-"))
            rows[at] = CUT
            at -= 1
    return "\n".join(rows)


def _of_secrets(text: str, kept: Kept) -> str:
    if '"Secret' in text:
        text = _APPLIED.sub(kept.second, text)
    if "/registry/secrets/" in text:
        text = _of_etcd(text)
    return _quoted(text, kept) if _SECRET.search(text) else text


def _of_etcd(text: str) -> str:
    """Cut what etcd keeps of a Secret, Kubernetes' own bytes, up to the next prompt or key, or to a paragraph's end."""
    made: list[str] = []
    left = told = 0
    for row in text.split("\n"):
        gone = False
        if "/registry/" in row:
            of_secret = _ASKED.search(row) or _KEY_OF_ETCD.match(row)
            left, told = (_MOST_OF_ETCD if of_secret else 0), 0
        elif left and (_PROMPT.match(row) or (not row.strip() and told > _LEAST_OF_ETCD)):
            left = 0
        elif left and row.strip():
            left, told, gone = left - 1, told + 1, True
        made.append(CUT if gone else row)
    return "\n".join(made)


def _quoted(text: str, kept: Kept) -> str:
    """Cut the data of Secrets each of whose lines begins with what a quotation or a comparison puts there, or which
    are one of a list."""
    rows = text.split("\n")
    number = at = 0
    for match in _SECRET.finditer(text):
        number, at = number + text.count("\n", at, match.start()), match.start()
        sign = match["before"].strip(" \t")[:1]
        margin = _Margin(sign in (">", "|") and bool(sign), match["deep"])
        for step in (-1, 1):
            _along(rows, number, step, margin, kept)
    return "\n".join(rows)


class _Margin(NamedTuple):
    """What stands before each line of an object: marks of a quotation or one sign of a comparison, and its depth."""

    quoted: bool
    deep: str

    def without(self, row: str) -> str | None:
        """Return a line without it, None if it is none of the object's."""
        body = _QUOTED.sub("", row, count=1) if self.quoted else row[1:] if row[:1] in (" ", "+", "-") else row
        if not body.strip():
            return ""
        if body.startswith(self.deep):
            return body[len(self.deep) :]
        return None


def _along(rows: list[str], start: int, step: int, margin: _Margin, kept: Kept) -> None:
    """Go from the line that tells the kind up or down to the end of the object, and cut what is below its data."""
    bodies: list[tuple[int, str]] = [(start, "")]
    number = start + step
    while 0 <= number < len(rows) and len(bodies) <= _MOST_LINES:
        body = margin.without(rows[number])
        if body is None or body.startswith(("---", "@@", "- ")) or _KIND.match(body):
            break
        bodies.append((number, body))
        number += step
    inside = False
    for number, body in sorted(bodies):
        if body[:1] not in (" ", "\t", ""):
            inside = bool(_DATA.match(body))
            continue
        datum = _DATUM.match(body) if inside else None
        if datum is not None and not judge.harmless(datum.group(2)):
            kept.take(datum.group(2).strip("\"'"))
            rows[number] = f"{rows[number][: len(rows[number]) - len(datum.group(2))]}{CUT}"
