# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that our Markdown pages tell people to type, wherever they stand: in fenced code of a shell, in indented
blocks, in the code of other files (ansible-playbook in a pipeline), and within sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELLS = ("sh", "bash", "shell", "console")
# What a command within a sentence begins with.
PROGRAMS = (
    *("ansible", "ansible-doc", "ansible-galaxy", "ansible-playbook", "ansible-test", ".venv/bin/python", "python"),
    *(
        "calicoctl",
        "conftest",
        "cp",
        "curl",
        "git",
        "helm",
        "journalctl",
        "kubectl",
        "ln",
        "ls",
        "make",
        "patch",
        "pip",
    ),
    *("promtool", "python3", "systemctl"),
)
_FENCE = re.compile(r"\s*```\s*(?P<language>\w*)")
_SPAN = re.compile(r"`([^`\n]+)`")
_SETTING = re.compile(r"[A-Z_]+=\S*\s+")
_YAML = re.compile(r"- |[\w.]+:( |$)")
_INSIDE = re.compile(r"(?:/usr/bin/)?(ansible-playbook .*)")
# Code indented in a list begins further to the right.
_INDENTED = " " * 4


class Command(NamedTuple):
    """A command, and the page and line where it stands."""

    page: str
    line: int
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for a message."""
        return f"{self.page}:{self.line}: {self.text}"


def commands(page: str, text: str) -> Iterator[Command]:
    """All commands of a page, in order."""
    fence: str | None = None
    block: list[tuple[int, str]] = []
    after_blank = True
    for number, line in enumerate([*text.splitlines(), ""], 1):
        opening = _FENCE.match(line)
        if opening:
            fence = None if fence is not None else opening["language"]
        elif fence is not None:
            yield from _of_code(page, number, line, fence)
        elif line.startswith(_INDENTED) and (block or after_blank):
            block.append((number, line.strip()))
        elif line.startswith("<!--"):
            continue
        elif line.strip() or block:
            yield from _of_block(page, block)
            block = []
            yield from _of_sentence(page, number, line)
        after_blank = not line.strip()


def _of_code(page: str, number: int, line: str, language: str) -> Iterator[Command]:
    """A line of fenced code."""
    text = line.strip().removeprefix("$ ")
    if language in SHELLS and text and not text.startswith("#"):
        yield Command(page, number, text)
    elif language not in SHELLS and (inside := _INSIDE.search(text)):
        before = text[: inside.start()][-1:]
        yield Command(page, number, inside[1].rpartition(before)[0] if before in ("'", '"') else inside[1])


def _of_block(page: str, block: list[tuple[int, str]]) -> Iterator[Command]:
    """An indented block: commands, unless it is YAML."""
    if block and not _YAML.match(block[0][1]):
        yield from (Command(page, number, line) for number, line in block)


def _of_sentence(page: str, number: int, line: str) -> Iterator[Command]:
    """Code within a sentence, where it is a program with arguments."""
    for span in _SPAN.findall(line):
        program, blank, _arguments = _SETTING.sub("", span).partition(" ")
        if blank and program in PROGRAMS:
            yield Command(page, number, span)
