# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cutting secrets out of texts before they are kept. The node has cut them already; this is the second lock."""

from __future__ import annotations

import re

from ...module_utils._bird import statements
from ...module_utils._host import log_lines
from ...module_utils._host.masking import PRIVATE_KEYS, without_secrets
from .._texts import told_files

__all__ = ["redacted", "without_secrets"]

# In files that are no configuration of BIRD's: one value and no more of its line.
_VALUE = re.compile(
    r"""((?:password|passwd|pwd|(?<!by)pass|token|secret|credentials?|psk|cookie|(?:private|api|access)[_-]?key|"""
    r"""client-key-data)["']?[ \t]*[:=][ \t]*)"""
    r"""("[^"\n]*"|'[^'\n]*'|[^\s,}]+)""",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"(?<![\w+/])eyJ[\w-]+\.[\w-]+\.[\w-]*")
_USER_OF_URL = re.compile(log_lines.USER_OF_URL)
# How the names of the texts end that the script prints besides BIRD's configuration, whose parts have any names.
_OTHERS = (".txt", ".json", ".log")


def redacted(name: str, text: str) -> str:
    """Return the text that is known by this name without secrets."""
    if not name.endswith(_OTHERS):
        return statements.kept(text)
    if name != told_files.FILE:
        return without_secrets(text)
    if "PRIVATE KEY" in text:
        text = PRIVATE_KEYS.sub("(private key cut)", text)
    return _SIGNED.sub("…", _VALUE.sub(r"\1…", _USER_OF_URL.sub("://…@", text)))
