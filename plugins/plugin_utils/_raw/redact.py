# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cutting secrets out of texts before they are kept. The node has cut them already; this is the second lock."""

from __future__ import annotations

import re

from ...module_utils._host import log_lines
from .._texts import told_files
from . import bird_statements

_WORD = re.compile(r"password|secret|passwd", re.IGNORECASE)
# A statement of BIRD's: the value goes to the semicolon outside of quotes. `password "cut"` is what a cut leaves.
_STATEMENT = re.compile(r'\bpassword\b(?!\s+"cut";)[^";]*(?:"[^"]*"[^";]*)*;([^\n]*)')
_COMMENT = re.compile(r'^([^"#\n]*#)[^\n]*password[^\n]*', re.IGNORECASE | re.MULTILINE)
_REST = re.compile(r'\b(password)\b(?!\s+"cut";)[^\n]*', re.IGNORECASE)
_KEYS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_NAMED = re.compile(
    r"""((?:token|secret|passwd|pwd|(?<!by)pass|credentials?|psk|cookie|(?:private|api|access)[_-]?key|client-key-data)"""
    r"""["']?\s*[:=]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}]+)""",
    re.IGNORECASE,
)
# In files that are no configuration of BIRD's: one value and no more of its line.
_VALUE = re.compile(
    r"""((?:password|passwd|pwd|(?<!by)pass|token|secret|credentials?|psk|cookie|(?:private|api|access)[_-]?key|"""
    r"""client-key-data)["']?[ \t]*[:=][ \t]*)"""
    r"""("[^"\n]*"|'[^'\n]*'|[^\s,}]+)""",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"(?<![\w+/])eyJ[\w-]+\.[\w-]+\.[\w-]*")
_USER_OF_URL = re.compile(log_lines.USER_OF_URL)
CUT = 'password "cut";'
# How the names of the texts end that the script prints besides BIRD's configuration, whose parts have any names.
_OTHERS = (".txt", ".json", ".log")


def redacted(name: str, text: str) -> str:
    """Return the text that is known by this name without secrets."""
    if not name.endswith(_OTHERS):
        return bird_statements.kept(text)
    if name != told_files.FILE:
        return without_secrets(text)
    if "PRIVATE KEY" in text:
        text = _KEYS.sub("(private key cut)", text)
    return _SIGNED.sub("…", _VALUE.sub(r"\1…", _USER_OF_URL.sub("://…@", text)))


def without_secrets(text: str) -> str:
    """Return the text without BGP passwords, tokens and private keys; one that has no such word as it is."""
    if "PRIVATE KEY" in text:
        text = _KEYS.sub("(private key cut)", text)
    if _WORD.search(text) is not None:
        text = _COMMENT.sub(r"\1", text)
        text = _STATEMENT.sub(_cut, text)
        text = _REST.sub(CUT, text)
    if re.search(
        r"token|secret|passwd|pwd|pass\b|credential|psk|cookie|(?:private|api|access).?key|client-key-data",
        text,
        re.IGNORECASE,
    ):
        text = _NAMED.sub(r"\1(cut)", text)
    return _USER_OF_URL.sub("://…@", text)


def _cut(match: re.Match[str]) -> str:
    """Keep what follows on the line only if it is plain: a quote in a password ends the string early."""
    rest = match.group(1)
    return CUT if '"' in rest or "#" in rest or _WORD.search(rest) else CUT + rest
