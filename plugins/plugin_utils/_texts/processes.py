# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes: `ps aux`, `ps -ef`, `ps -eo pid,args` (or any other columns) of procps, and busybox' ps."""

from __future__ import annotations

import os.path
import re
from typing import NamedTuple

from . import lines, words
from .parsed import Parsed, Problems

# Columns that hold one word each; the one with the command is the last, and may hold spaces.
_COMMANDS = ("COMMAND", "CMD", "ARGS")
_KERNEL_THREAD = re.compile(r"\[[^\]]{1,64}\]$")
_STARTED = re.compile(r"(?:(\d{1,6})-)?(?:(\d{1,2}):)?(\d{1,3}):(\d{2})$")


class TextProcess(NamedTuple):
    """One process. `argv` is the command line split at spaces (where an argument had some, that is lost); `name` its
    program's without folders, or a kernel thread's in brackets; `parent` 0 and `user` '' if not printed; `age` the
    seconds of the column ELAPSED, None without it."""

    pid: int
    parent: int
    user: str
    state: str
    name: str
    argv: tuple[str, ...]
    age: int | None = None


def parse(text: str) -> Parsed[tuple[TextProcess, ...]]:
    """Return the processes in the order printed. A listing without its head is taken for columns by their look."""
    problems = Problems()
    found: list[TextProcess] = []
    head: list[str] = []
    for number, line in lines.numbered(text):
        fields = line.split()
        if not fields:
            continue
        if "PID" in fields and fields[-1] in _COMMANDS:
            head = fields
            continue
        made = _process(line, head or _guessed(fields))
        if made is not None:
            found.append(made)
        else:
            problems.add(number, line, "no process")
    return Parsed(tuple(found), problems.found())


def _guessed(fields: list[str]) -> list[str]:
    """Return the columns of a row whose head was cut off (by `| grep bird`)."""
    if fields[0].isdigit():
        if len(fields) > 4 and fields[1].isdigit() is False and re.match(r"[RSDTZIX][<NLsl+W]*$", fields[3]):
            return ["PID", "USER", "VSZ", "STAT", "COMMAND"]
        if len(fields) > 4 and re.match(r"(?:tty|pts/|\?)", fields[1]) and re.match(r"[RSDTZIX]", fields[2]):
            return ["PID", "TTY", "STAT", "TIME", "COMMAND"]
        return ["PID", "COMMAND"]
    if len(fields) > 10 and re.match(r"\d+\.\d$", fields[2]):
        return ["USER", "PID", "%CPU", "%MEM", "VSZ", "RSS", "TTY", "STAT", "START", "TIME", "COMMAND"]
    return ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]


def _process(line: str, head: list[str]) -> TextProcess | None:
    fields = line.split(None, len(head) - 1)
    # busybox leaves the size of kernel threads out.
    if "VSZ" in head and "%MEM" not in head and len(fields) > 2 and not fields[2][:1].isdigit():
        head = [name for name in head if name != "VSZ"]
        fields = line.split(None, len(head) - 1)
    if len(fields) < len(head):
        return None
    row = dict(zip(head, fields, strict=False))
    pid = words.number(row.get("PID"))
    if pid is None:
        return None
    argv = tuple(fields[len(head) - 1].split())
    # `ps f` and `ps -ejH` draw the tree before the command.
    while argv and argv[0] in ("\\_", "|"):
        argv = argv[1:]
    if not argv:
        return None
    thread = _KERNEL_THREAD.match(argv[0])
    return TextProcess(
        pid=pid,
        parent=words.number(row.get("PPID")) or 0,
        user=row.get("USER") or row.get("UID") or "",
        state=row.get("STAT") or row.get("S") or "",
        name=argv[0] if thread else os.path.basename(argv[0].rstrip(":")),
        argv=argv,
        age=_age(row.get("ELAPSED", "")),
    )


def _age(text: str) -> int | None:
    match = _STARTED.match(text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds
