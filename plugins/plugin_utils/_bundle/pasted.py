# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts as they come out of mails, tickets and chats: cleaned, and taken apart where several outputs stand in one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._texts import lines, recognise

if TYPE_CHECKING:
    from collections.abc import Iterator

# A longer text is a program's own, not somebody's paste.
LARGEST = 4 * 1024 * 1024
_LOOKED_AT = 300
# Somebody wrote it, and not a program: as long as people's reports are.
_LONGEST_PASTE = 256 * 1024
# Kinds of which a paragraph is one whole; and outputs that have empty lines and such paragraphs themselves.
_BY_THEMSELVES = ("log", "pods", "nodes", "events", "calicoctl-get-nodes", "calicoctl-get-ippools")
_HOLD_ANYTHING = ("describe", "objects")
_QUOTE = re.compile(r"\s{0,3}(?:> ?){1,8}")
_FENCE = re.compile(r"\s{0,16}(```|~~~)")
_FILE_HEAD = re.compile(r"==> (?P<path>\S.{0,200}?) <==\s*$")
# Word processors and chats put these in the place of what was typed.
_TYPED = str.maketrans(
    {
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2018": "'",
        "\u2019": "'",
        "\u00a0": " ",
        "\u200b": "",
        "\ufeff": "",
    }
)
_HOSTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s{0,16}(?:\([^()]{1,40}\) )?\[[\w.-]{1,64}@(?P<host>[\w.-]{1,64})[^\]\[]{0,200}\][$#%]",
        r"\s{0,16}(?:\([^()]{1,40}\) )?[\w.-]{1,64}@(?P<host>[\w.-]{1,64})(?::| [^$#\n]{0,200}[$#%])",
        r"\s{0,16}(?P<host>[\w.-]{1,64}):[\w./~-]{1,100}(?: [\w.-]{1,40})?[$#%]",
    )
)
# What is reached by these runs elsewhere than where it is typed.
_ELSEWHERE = re.compile(r"(?:sudo )?(?:kubectl|oc|k|microk8s(?:\.kubectl| kubectl)|k3s kubectl)\b")
_BY_SSH = re.compile(r"(?:sudo )?ssh (?:-\S+ (?:\S+ )?)*(?:[\w.-]+@)?(?P<host>[A-Za-z][\w.-]{0,63}) \S")
# What these print is called so in a bundle.
_SHOWN_FILE = re.compile(
    r"(?:sudo )?(?:z?cat|tail|head|less|more|bat)\b.{0,400}?\s(?P<path>[^\s|<>;&-][^\s|<>;&]{0,250})\s*(?:$|[|;&])"
)
_LOG_OF = re.compile(r"\b(?:logs?|journalctl)\b")
_PROGRAMS = ("install-cni", "typha", "kube-controllers", "kubelet", "kube-flannel", "calico-node", "canal")


class Part(NamedTuple):
    """One output: the host where it was typed ('' if no prompt tells), what was typed, the path that heads it ('' if
    none does), and its text, which begins with the prompt."""

    host: str
    command: str
    path: str
    text: str


def cleaned(text: str) -> str:
    """Return a text without the marks of a quotation and of a word processor; the number of lines stays."""
    if len(text) > LARGEST:
        return text
    if not text.isascii() and not lines.is_json(text):
        text = text.translate(_TYPED)
    rows = text.split("\n")
    told = [row for row in rows[:_LOOKED_AT] if row.strip()]
    if told and sum(1 for row in told if row.lstrip()[:1] == ">") * 3 > len(told) * 2:
        text = "\n".join(_QUOTE.sub("", row, count=1) for row in rows)
    return text


def parts(text: str) -> list[Part]:
    """Return the outputs in a text; only one where nothing shows that there are more."""
    whole = Part("", "", "", text)
    if len(text) > LARGEST or not any(mark in text for mark in ("$", "#", "==> ", "```", "~~~", "> ", "% ")):
        return _paragraphs(whole)
    found = [part for part in _cut(text) if _says_something(part.text)]
    if not found or (len(found) == 1 and not found[0].host and not found[0].path):
        return _paragraphs(whole)
    if len(found) == 1 and len(found[0].text) * 2 < len(text):
        # Most of it stands before the prompt, which then says nothing about it.
        return _paragraphs(whole)
    return found


def _paragraphs(whole: Part) -> list[Part]:
    """Take paragraphs apart that nothing but an empty line parts, where logs and tables stand among each other; what is
    neither stays together."""
    text = whole.text
    if len(text) > _LONGEST_PASTE or "\n\n" not in text or lines.is_json(text):
        return [whole]
    grouped: dict[str, list[str]] = {}
    for paragraph in re.split(r"\n[ \t]*(?:\n[ \t]*)+", lines.plain(text)):
        kind = recognise.recognise(paragraph)
        grouped.setdefault(kind if kind in _BY_THEMSELVES else "", []).append(paragraph)
    rest = recognise.recognise("\n\n".join(grouped.get("", ())))
    if len(grouped) < 2 or ("log" not in grouped and len(grouped) == 2 and not rest) or rest in _HOLD_ANYTHING:
        return [whole]
    return [whole._replace(text="\n\n".join(some) + "\n") for kind, some in grouped.items() if kind or rest]


def _cut(text: str) -> Iterator[Part]:
    """Yield what stands between prompts, heads of files, and fences."""
    fenced = sum(1 for row in text.split("\n") if _FENCE.match(row)) >= 2
    inside = not fenced
    rows: list[str] = []
    part = Part("", "", "", "")
    for row in lines.plain(text).split("\n"):
        if fenced and _FENCE.match(row):
            yield part._replace(text="\n".join(rows) if inside else "")
            inside, rows, part = not inside, [], Part(part.host, "", "", "")
            continue
        head = _FILE_HEAD.match(row) if row.startswith("==> ") else None
        typed = lines.command(row[: lines.LONGEST_LINE])
        if typed is not None or head is not None:
            yield part._replace(text="\n".join(rows) if inside else "")
            path = head.group("path") if head else named(typed or "")
            part = Part(_host(row, typed or ""), typed or "", path, "")
            rows = [row]
            if fenced and not inside:
                # Prose quotes commands, too; their output stands in the fences.
                rows = []
        else:
            rows.append(row)
    yield part._replace(text="\n".join(rows) if inside else "")


def without_prompt(text: str) -> str:
    """Return a part's text with an empty line in the place of its prompt, for what is no program's output."""
    first, newline, rest = text.partition("\n")
    return newline + rest if newline and lines.command(first) is not None else text


def named(command: str) -> str:
    """Return the path of the file that a command prints, or the name of the log, '' if it prints something else."""
    if _LOG_OF.search(command):
        program = next((word for word in _PROGRAMS if word in command), "")
        if program:
            return f"{program}.log"
    match = _SHOWN_FILE.match(command)
    return match.group("path") if match is not None else ""


def _says_something(text: str) -> bool:
    """Say whether there is an output, and not only a prompt."""
    return any(row.strip() and lines.command(row[: lines.LONGEST_LINE]) is None for row in text.split("\n"))


def _host(row: str, typed: str) -> str:
    """Return the host that a prompt names, '' if what was typed there runs elsewhere."""
    if _ELSEWHERE.match(typed):
        return ""
    over = _BY_SSH.match(typed)
    if over is not None:
        return over.group("host")
    for pattern in _HOSTS:
        match = pattern.match(row)
        if match is not None:
            return match.group("host")
    return ""
