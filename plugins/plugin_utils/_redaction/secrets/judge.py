# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a secret by its name, and what is none by its value."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from ....module_utils._cluster.redact import is_secret

_OTHERS_NAMED = re.compile(r"(?i)(?:(?:key|cert(?:ificate)?|authority|ca)[_-]?data|cabundle)$")
# A reference to a variable is harmless, a path is not: passwords begin with any letter.
_HARMLESS = re.compile(
    r"\\{0,7}[\"']?(?:true|false|null|none|nil|yes|no|all|some|<[^>]*>|\(?cut\)?|REDACTED|…|\*+|x+|\d{1,2}|"
    r"(?-i:\$[A-Z][A-Z_]*[A-Z])|\$\{\w+\}|\$\(\w+\)|"
    r"\(private|is|was|not|has|for|and|from|in|to|of|the|file|failed|expired|invalid|missing|authentication)?\\{0,7}[\"']?$",
    re.IGNORECASE,
)
# Under a secret's name these keys hold what is none: where it is, and what it is called.
REFERENCES = frozenset(
    (
        "name",
        "key",
        "namespace",
        "optional",
        "path",
        "secretName",
        "kind",
        "apiGroup",
        "apiVersion",
        "mode",
        "keys",
        "why",
        "exists",
        "readable",
    )
)


def is_named(name: str) -> bool:
    """Say whether what follows this name in a text is to be cut."""
    return is_secret(name) or bool(_OTHERS_NAMED.search(name))


def name_before(written: str) -> str:
    """Return the name in what stands before a value: without quotes, dashes and the sign behind it."""
    found = re.findall(r"[\w.-]+", written)
    return found[-1].strip("-.") if found else ""


def holds_secrets(name: str) -> bool:
    """Say whether what stands under this key is a secret, a key or a certificate."""
    folded = name.lower()
    return (
        is_secret(name) or folded.endswith(("-data", "cabundle", ".crt", ".key", ".pem")) or folded in ("cacert", "tls")
    )


def harmless(value: str) -> bool:
    """Say whether a value under a secret's name is none: a switch, a number, a variable, a mark of a cut."""
    return bool(_HARMLESS.match(value))


def is_key(key: Any) -> bool:
    """Say whether a key under a secret's name is a secret itself: capitals, small letters and digits, without order."""
    text = str(key)
    mixed = all(re.search(letters, text) for letters in ("[A-Z]", "[a-z]", "[0-9]"))
    return len(text) >= 8 and mixed and text not in REFERENCES


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text in bits per letter."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


def is_made_of_words(text: str) -> bool:
    """Say whether a long text is words in a row (a path, a Go name) rather than random letters."""
    parts = re.findall(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}|\d+", text)
    return 2 * sum(map(len, (part for part in parts if len(part) >= 4))) >= len(text)
