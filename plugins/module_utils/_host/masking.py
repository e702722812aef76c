# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cutting secrets out of texts that are no configuration of BIRD's: passwords, tokens, private keys."""

from __future__ import annotations

import re

from . import log_lines

# Of a log only lines with such a word, before what may be its value, are looked at closely: that takes its time.
_WORDS = (
    *("pass", "pwd", "secret", "token", "credential", "psk", "cookie", "key", "auth", "data", "dsn", "conn"),
    *("signing", "community", "licen", "bearer", "basic ", "eyj", "://"),
)
_SUSPECT = re.compile(
    r"passw|secret|bearer|basic |eyj|://[^/\s\"']*@|"
    r"(?:pass|pwd|token|credential|psk|cookie|key|auth|data|dsn|conn|signing|community|licen)[\w.-]{0,100}[\\\"']*\s*[:=]"
)
_LONGEST, _ROOM = 8192, 1024
_WORD = re.compile(r"password|secret|passwd", re.IGNORECASE)
# A statement of BIRD's: the value goes to the semicolon outside of quotes. `password "cut"` is what a cut leaves.
_STATEMENT = re.compile(r'\bpassword\b(?!\s+"cut";)[^";]*(?:"[^"]*"[^";]*)*;([^\n]*)')
_COMMENT = re.compile(r'^([^"#\n]*#)[^\n]*password[^\n]*', re.IGNORECASE | re.MULTILINE)
_REST = re.compile(r'\b(password)\b(?!\s+"cut";)[^\n]*', re.IGNORECASE)
PRIVATE_KEYS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_NAMED = re.compile(
    r"""((?:token|secret|passwd|pwd|(?<!by)pass|credentials?|psk|cookie|(?:private|api|access)[_-]?key|client-key-data)"""
    r"""["']?\s*[:=]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}]+)""",
    re.IGNORECASE,
)
_USER_OF_URL = re.compile(log_lines.USER_OF_URL)
CUT = 'password "cut";'


def without_secrets(text: str) -> str:
    """Return the text without BGP passwords, tokens and private keys; one that has no such word as it is."""
    if "PRIVATE KEY" in text:
        text = PRIVATE_KEYS.sub("(private key cut)", text)
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


def in_lines(text: str) -> str:
    """Return a log or a listing without secrets, line by line: what looks like one costs the rest of its line at most.

    Cut are what follows the word password, values under a secret's name (token, EtcdPassword, AWS_SECRET_ACCESS_KEY),
    JSON web tokens, users of URLs and private keys. Of a line with such a word nothing behind its first 8 KiB is kept.
    """
    from .._cluster import redact

    if "PRIVATE KEY" in text:
        text = PRIVATE_KEYS.sub("(private key cut)", text)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        folded = line.lower()
        if any(word in folded for word in _WORDS) and _SUSPECT.search(folded) is not None:
            told = _NAMED.sub(r"\1(cut)", _REST.sub(CUT, line[:_LONGEST]))
            # Room for what stands for a secret: the second look at the same line leaves it alone.
            more = len(line) - _LONGEST - _ROOM
            lines[number] = redact.text(told, 2 * _LONGEST) + (
                f" (… {more + _ROOM} characters cut)" if more > 0 else ""
            )
    return "\n".join(lines)


def _cut(match: re.Match[str]) -> str:
    """Keep what follows on the line only if it is plain: a quote in a password ends the string early."""
    rest = match.group(1)
    return CUT if '"' in rest or "#" in rest or _WORD.search(rest) else CUT + rest
