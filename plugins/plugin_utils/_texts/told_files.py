# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's small files as the script for nodes without Python tells them (files.txt), for the readers of files.

    =PATH<tab>TIME            begins a file; TIME is when it was written to, in seconds since 1970, or nothing
    |LINE                     a line of it
    :PATH:LINE                both at once
    !PATH                     too large to be shown
    @PATH<tab>TARGET          a link
    *PATH<tab>ISSUED<tab>EXPIRES   a kubeconfig, of whose token only these two times are known
    ~PATH<tab>BEGINNING       a log of which only the end was read, which begins so
    .                         that is all

The node is not trusted: paths that lead anywhere else are passed over, and so is what goes beyond the limits. Laid out
as files, all of it lies in a directory of its own that only its owner may enter, and that is removed at once.
"""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import json
import os
import re
import tempfile
from typing import TYPE_CHECKING

from ...module_utils._firewall import persistence
from . import node_told

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "files.txt"
HEADER = "# netmedic.calico files 1"
MOST_FILES = 4096
LARGEST = 8 * 1024 * 1024
MOST_LAID_OUT = 16 * 1024 * 1024
_LONGEST_PATH, _LONGEST_NAME, _DEEPEST = 512, 128, 16
_MOST_INCLUDED = 50
# Says that scripts and units that may load filters at boot were looked for.
_SCRIPTS = "/boot_scripts"
_PATH = re.compile(r"(?:/[^/\x00-\x1f\x7f]+)+\Z")
_LATEST = 1 << 33


class ToldFiles(persistence.Files):
    """The files that were told, as a reader of rules sees them; laid_out() makes them files for the other readers.

    `is_told` says whether there is such a text at all, `is_whole` whether its end came, too, and `left_out` names the
    files that were too large for somebody. `ends` are the logs of which not all was read, with how they begin.
    """

    def __init__(self, text: str) -> None:
        super().__init__("")
        self.is_told = text.startswith(HEADER)
        self.is_whole = False
        self.left_out: list[str] = []
        self.ends: dict[str, str] = {}
        self._lines: dict[str, list[str]] = {}
        self._times: dict[str, float] = {}
        self._links: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        if self.is_told:
            self._take(text)
        self.knows_scripts = self.exists(_SCRIPTS)

    # --- as a reader of rules sees them ---

    def read(self, path: str) -> str:
        """Return a file's text, "" if it was not told."""
        return "".join(line + "\n" for line in self._lines.get(path, ()))

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        start = folder.rstrip("/") + "/"
        found = (
            path[len(start) :].partition("/")[0] for path in (*self._lines, *self._links) if path.startswith(start)
        )
        return list(dict.fromkeys(found))

    def exists(self, path: str) -> bool:
        """Say whether a file or a link was told."""
        return path in self._lines or path in self._links

    def leads_to(self, path: str) -> str:
        """Return what a link points to, "" if none was told."""
        return self._links.get(path, "")

    def named(self, pattern: str) -> list[str]:
        """Return the paths of the told files that a pattern names: never anything of this host."""
        wanted = (pattern if pattern.startswith("/") else "/etc/" + pattern).replace("//", "/")
        found = [
            path
            for path in sorted(self._lines)
            if path.count("/") == wanted.count("/") and fnmatch.fnmatchcase(path, wanted)
        ]
        return found[:_MOST_INCLUDED]

    # --- as files ---

    def add(self, path: str, text: str, written: float | None = None) -> None:
        """Add a file that another text tells, unless it is there already."""
        if path not in self._lines and self._begin(path, "" if written is None else str(written)):
            for line in text.rstrip("\n").split("\n"):
                self._append(path, line)

    @contextlib.contextmanager
    def laid_out(self) -> Iterator[str]:
        """Give a directory in which the files lie at their paths; afterwards it is gone."""
        with tempfile.TemporaryDirectory(prefix="netmedic-calico-") as root:
            left = MOST_LAID_OUT
            for path in self._lines:
                left -= self._sizes[path]
                if left < 0:
                    self.left_out.append(path)
                    break
                # One file's path may be another's folder: then the first stays.
                with contextlib.suppress(OSError):
                    _write(root + path, self.read(path), self._times.get(path))
            yield root

    # --- reading the text ---

    def _take(self, text: str) -> None:
        current = ""
        for line in text.split("\n")[1:]:
            sign, rest = line[:1], line[1:]
            if sign == "=":
                path, _tab, moment = rest.partition("\t")
                current = path if self._begin(path, moment) else ""
            elif sign == "|":
                self._append(current, rest)
            elif sign == ":":
                path, _colon, content = rest.partition(":")
                if path in self._lines or self._begin(path, ""):
                    self._append(path, content)
            elif sign in ("!", "@", "*", "~"):
                self._special(sign, rest)
            elif line == ".":
                self.is_whole = True

    def _special(self, sign: str, rest: str) -> None:
        path, *fields = rest.split("\t")
        if sign == "!":
            self.left_out.append(path[:_LONGEST_PATH])
        elif sign == "@" and fields and _is_plain(path) and len(self._links) < MOST_FILES:
            self._links[path] = fields[0][:_LONGEST_PATH]
        elif sign == "~" and fields and _is_plain(path):
            self.ends[path] = fields[0][:_LONGEST_PATH]
        elif sign == "*" and self._begin(path, ""):
            self._append(path, _token(fields))

    def _begin(self, path: str, moment: str) -> bool:
        """Begin a file anew; say whether that may be."""
        if not _is_plain(path) or (path not in self._lines and len(self._lines) >= MOST_FILES):
            return False
        self._lines[path] = []
        self._sizes[path] = 0
        written = node_told.number(moment)
        if written is not None and 0 < written < _LATEST:
            self._times[path] = written
        return True

    def _append(self, path: str, line: str) -> None:
        if path not in self._lines:
            return
        self._sizes[path] += len(line) + 1
        if self._sizes[path] > LARGEST:
            self.left_out.append(path)
            del self._lines[path]
        else:
            self._lines[path].append(line)


def _is_plain(path: str) -> bool:
    """Say whether a path is absolute and leads nowhere but down."""
    parts = path.split("/")[1:]
    return (
        len(path) <= _LONGEST_PATH
        and len(parts) <= _DEEPEST
        and _PATH.match(path) is not None
        and not any(part in (".", "..") or len(part) > _LONGEST_NAME for part in parts)
    )


def _token(fields: list[str]) -> str:
    """Return the line of a kubeconfig with a token that says nothing but when it was issued and when it expires."""
    known = {name: node_told.number(value) for name, value in zip(("iat", "exp"), fields, strict=False)}
    claims = json.dumps({name: value for name, value in known.items() if value is not None})
    return f"token: -.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.-"


def _write(path: str, text: str, written: float | None) -> None:
    """Make a file that is not there yet; nothing is followed and nothing replaced."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as stream:
        stream.write(text)
    if written is not None:
        os.utime(path, (written, written))
