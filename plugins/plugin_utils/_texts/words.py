# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that several programs use in the same sense."""

from __future__ import annotations

import functools
import ipaddress
from typing import Any


def address(text: str) -> str:
    """Return an address as inet_ntop spells it, without zone ("%eth0") and brackets; '' if it is none."""
    bare = text.strip("[]").partition("%")[0]
    return _spelled(bare) if 0 < len(bare) <= 45 else ""


@functools.lru_cache(maxsize=4096)
def _spelled(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def prefix(text: str, family: str = "") -> tuple[str, int] | None:
    """Return address and length of "10.0.0.0/24", of a plain address, or of "10/8" as old programs shorten it; None
    if it is neither. "default" and "any" need the family ("ipv4" or "ipv6")."""
    if text in ("default", "any", "all"):
        return ("::", 0) if family == "ipv6" else ("0.0.0.0", 0)  # noqa: S104 - a route's destination
    head, slash, length = text.partition("/")
    if slash and ":" not in head and head.count(".") < 3 and head.replace(".", "").isdigit():
        head += ".0" * (3 - head.count("."))
    found = address(head)
    if not found:
        return None
    most = 128 if ":" in found else 32
    if not slash:
        return found, most
    number_of_bits = number(length)
    return (found, number_of_bits) if number_of_bits is not None and number_of_bits <= most else None


def number(text: Any) -> int | None:
    """Return a whole number that is not negative; None if it is none, or has more digits than 64 bits."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int):
        return text if 0 <= text < 1 << 64 else None
    body = str(text)
    return int(body) if body.isascii() and body.isdigit() and len(body) <= 20 else None


def after(words: list[str], word: str) -> str:
    """Return what follows `word`; '' if nothing does."""
    return words[words.index(word) + 1] if word in words[:-1] else ""


def labels(text: str) -> dict[str, str]:
    """Return "a=b,c=" as kubectl prints labels and selectors; what is no pair of these is left out."""
    pairs = (one.strip().partition("=") for one in text.split(","))
    return {name: value for name, equals, value in pairs if equals and name and " " not in name}
